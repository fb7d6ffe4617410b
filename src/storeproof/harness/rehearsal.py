"""Checks get their `CallDrawer` here: one that has learned from the contract's model."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from storeproof.harness.checks.base import CheckContext, Profile, Tally
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.experience import Experience
from storeproof.harness.pools import Pools
from storeproof.harness.running import Actor
from storeproof.harness.search import search
from storeproof.harness.values import Draw, choose

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["experienced_drawer"]

_STEPS = 20
_FEWEST, _MOST, _PER_OPERATION = 20, 200, 6
"""Programs of a rehearsal."""
_SEED = 0
"""Always the same: what a contract's calls need does not depend on what a run tries."""


def experienced_drawer(context: CheckContext) -> CallDrawer:
    """Give a drawer for the context's contract; the first one of a process rehearses on its model.

    Raises ContractError for a parameter whose type gives no values, Inconclusive where no program
    can be drawn.
    """
    contract = context.contract
    if contract.experience is None:
        contract.experience = _rehearse(context)
    return CallDrawer(contract, contract.experience)


def _rehearse(context: CheckContext) -> Experience:
    experience = Experience(context.contract.reads)
    drawer = CallDrawer(context.contract, experience, rehearsing=True)
    programs = min(_MOST, max(_FEWEST, _PER_OPERATION * len(context.contract.operations)))

    async def attempt(draw: Draw) -> None:
        await _try_program(context.contract, drawer, experience, draw)

    profile = Profile("rehearsal", programs, _STEPS)
    search(replace(context, profile=profile, seed=_SEED, tally=Tally()), attempt)
    return experience


async def _try_program(
    contract: Contract, drawer: CallDrawer, experience: Experience, draw: Draw
) -> None:
    actor, pools = Actor(contract, contract.model(), scribbling=False), Pools(contract)
    names = drawer.enabled(draw)
    for _ in range(2 * _STEPS):
        call, meetings = drawer.draw_met(draw, pools, names)
        outcome = await actor.call(call)
        pools.add_call(call, len(actor.results) - 1, outcome)
        experience.learn(meetings, succeeded=outcome.error is None)
        if choose(draw, _STEPS) == 0:
            break
