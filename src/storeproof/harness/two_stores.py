"""The isolation check draws here what is done on two stores, runs it, and compares with models."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.pools import Pools
from storeproof.harness.program import Branch, Call, Program, references_in
from storeproof.harness.racing import Numbered, Parts
from storeproof.harness.running import Actor, Outcome, Unresolvable, compare_outcomes
from storeproof.harness.templates import Build, Change, Reference
from storeproof.harness.trial import reading_calls
from storeproof.harness.values import Draw, choose

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = ["Disagreement", "draw_apart", "run_apart"]


@dataclass(frozen=True)
class Disagreement:
    """A call on one of two stores that gave what the model does not give alone."""

    branch: int
    call: Call
    expected: Outcome
    actual: Outcome
    reason: str


async def draw_apart(contract: Contract, drawer: CallDrawer, draw: Draw, most: int) -> Program:
    """Draw a program of two branches, one for each store; half of the calls are the same."""
    drafts = _Draft(contract), _Draft(contract)
    names = drawer.enabled(draw)
    for _ in range(2 + choose(draw, most)):
        call = drawer.draw_call(draw, drafts[0].pools, names)
        await drafts[0].make(call)
        if references_in(call.templates()) or choose(draw, 2):
            call = drawer.draw_call(draw, drafts[1].pools, names)
        await drafts[1].make(call)
    first, second = drafts[0].calls, [each.rewritten(_shifted(drafts)) for each in drafts[1].calls]
    return _with_reads(drafts, first, second)


class _Draft:
    """The calls of one branch while they are drawn, made on a model of its own."""

    def __init__(self, contract: Contract) -> None:
        self.contract, self.pools = contract, Pools(contract)
        self.calls: list[Call] = []
        self._actor = Actor(contract, contract.model(), scribbling=False)

    async def make(self, call: Call) -> None:
        outcome = await self._actor.call(call)
        if isinstance(outcome.error, Unresolvable):
            self._actor.results.pop()
            return
        self.pools.add_call(call, len(self.calls), outcome)
        self.calls.append(call)


def _shifted(drafts: Sequence[_Draft]) -> Change:
    """Number the references of the second branch as a program does: after the first one's calls."""

    def change(hole: Reference | Build) -> Any:
        if isinstance(hole, Build):
            return hole
        return replace(hole, call=hole.call + len(drafts[0].calls))

    return change


def _with_reads(drafts: Sequence[_Draft], first: list[Call], second: list[Call]) -> Program:
    reads = [reading_calls(each.contract, each.pools) for each in drafts]
    moved = [each.rewritten(_shifted(drafts)) for each in reads[1]]
    return Program(
        (),
        branches=(Branch(tuple(first), tuple(reads[0])), Branch(tuple(second), tuple(moved))),
    )


async def run_apart(
    contract: Contract,
    stores: Sequence[Store],
    program: Program,
    branches: Sequence[int],
    *,
    at_once: bool,
) -> Disagreement | None:
    """Run branches of a program, each on its store, all of which are emptied before.

    at_once: whether each store's client goes on by itself; otherwise they take turns, call by call.
    Gives the first call whose outcome is not that of a model that is given the same branch alone.
    """
    parts = Parts(program)
    places = [_Place(contract, index, await each.fresh()) for index, each in enumerate(stores)]
    lanes = [[*parts.branches[index], *parts.reads[index]] for index in branches]
    if at_once:
        made = (_run(places[index], lane) for index, lane in zip(branches, lanes, strict=True))
        found = await asyncio.gather(*made)
    else:
        found = [await places[index].make(*call) for index, call in _turns(branches, lanes)]
    return next((each for each in found if each is not None), None)


async def _run(place: _Place, lane: Numbered) -> Disagreement | None:
    found = [await place.make(*each) for each in lane]
    return next((each for each in found if each is not None), None)


def _turns(branches: Sequence[int], lanes: Sequence[Numbered]) -> Iterator[tuple[int, Any]]:
    for turn in range(max(map(len, lanes), default=0)):
        for index, lane in zip(branches, lanes, strict=True):
            if turn < len(lane):
                yield index, lane[turn]


class _Place:
    """A store's handle, and a model that is given the same calls."""

    def __init__(self, contract: Contract, branch: int, storage: Any) -> None:
        self._contract, self._branch = contract, branch
        self._model = Actor(contract, contract.model(), scribbling=False)
        self._storage = Actor(contract, storage, scribbling=False)
        self._results: tuple[dict[int, Any], dict[int, Any]] = ({}, {})
        self._renaming = Renaming()

    async def make(self, number: int, call: Call) -> Disagreement | None:
        """Make a call on both; one that the model can't be given is left out."""
        expected = await self._model.outcome(call, self._results[0])
        if isinstance(expected.error, Unresolvable):
            return None
        actual = await self._storage.outcome(call, self._results[1])
        self._results[0][number], self._results[1][number] = expected.value, actual.value
        reason = compare_outcomes(self._contract, call.operation, expected, actual, self._renaming)
        if reason is None:
            return None
        return Disagreement(self._branch, call, expected, actual, reason)
