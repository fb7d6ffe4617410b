"""Checks that are about calls that succeed find here a short program for each operation."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from storeproof.harness.contention import Change, ProgramDrawer
from storeproof.harness.disturbing import rehearsed
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import Outcomes, different, on_model
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.values import Draw, Rejected

if TYPE_CHECKING:
    from storeproof.harness.checks.base import CheckContext
    from storeproof.harness.contract import Contract

__all__ = ["succeeding", "succeeding_of"]

_TRIES = 25
"""Programs that are drawn for one that is wanted."""


def succeeding(context: CheckContext, count: int) -> dict[str, list[Program]]:
    """Give for each operation up to so many programs that end in a call of it that succeeds.

    It changes what reads give, where any call of the operation does. Only the model is asked, once
    for all checks and backends of a process.
    """
    known, key = context.contract.succeeding, (context.seed, count)
    if key not in known:
        known[key] = _find_programs(context, count)
    return known[key]


def succeeding_of(context: CheckContext, name: str, count: int) -> list[Program]:
    """Give such programs for one operation, without looking for those of the others."""
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    return list(_programs_of(context, drawer, chance, name, count))


def _find_programs(context: CheckContext, count: int) -> dict[str, list[Program]]:
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    return {
        name: list(_programs_of(context, drawer, chance, name, count))
        for name in context.contract.operations
    }


def _programs_of(
    context: CheckContext, drawer: ProgramDrawer, chance: random.Random, name: str, wanted: int
) -> Iterator[Program]:
    writes, others = list[Program](), list[Program]()
    for _ in range(_TRIES * wanted):
        with suppress(Rejected):
            drawn = context.run(_draw(context.contract, drawer, chance.getrandbits(64), name))
            if drawn is not None:
                (writes if drawn[1] or name in context.contract.reads else others).append(drawn[0])
        if len(writes) == wanted:
            break
    for each in [*writes, *others][:wanted]:
        yield context.run(_shortest(context.contract, each))


async def _draw(
    contract: Contract, drawer: ProgramDrawer, seed: int, name: str
) -> tuple[Program, bool] | None:
    """Draw a program that ends in a call that succeeds; say whether it changes what reads give."""
    last: tuple[Program, bool] | None = None
    async for change in drawer.calls_of(Draw(seed), name):
        last = _ended(change), bool(change.reads)
        if change.reads or name in contract.reads:
            break
    return last


def _ended(change: Change) -> Program:
    drawn = change.draft.program(change.call)
    return Program((*drawn.steps, *drawn.branches[0].calls))


async def _shortest(contract: Contract, program: Program) -> Program:
    """Leave out the calls without which the last one does the same on the model."""
    wanted = await _end(contract, program)
    for index in reversed(range(len(program.steps) - 1)):
        shorter = program.without(index)
        if shorter is not None and await _end(contract, shorter) == wanted:
            program = shorter
    return program


async def _end(contract: Contract, program: Program) -> tuple[bool, bool]:
    """Whether the last call succeeds, and whether it changes what reads give."""
    found = await rehearsed(contract, program)
    if found is None:
        return False, False
    calls = dict(enumerate([*found.calls[:-1], *found.reads]))
    before = await _made(contract, [*found.calls[:-1], *found.reads])
    after = await _made(contract, [*found.calls, *found.reads])
    shifted = {
        n if n < len(found.calls) - 1 else n - 1: each
        for n, each in after.items()
        if n != len(found.calls) - 1
    }
    return True, bool(different(contract, calls, before, shifted))


async def _made(contract: Contract, calls: list[Call]) -> Outcomes:
    return await on_model(contract, Program(tuple(calls)), ())
