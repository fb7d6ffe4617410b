"""The cancellation check: a call that is cancelled happened or not, and nothing of it is left."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Iterator
from contextlib import suppress

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed_cancelled
from storeproof.harness.contention import Change, ProgramDrawer
from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.operations import Style
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import Outcomes, different, on_model
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten
from storeproof.harness.sweeping import Broken, Rehearsed, rehearsed, sweep
from storeproof.harness.values import Draw, Rejected

__all__ = ["CancellationCheck"]

_TRIES = 25
"""Programs that are drawn for one to cancel a call of."""
_MOST_SECONDS = 30.0
"""While a program is shortened: what waits for a lock that nobody gives back takes long."""


class CancellationCheck(Check):
    """Cancels a call of each operation at its 1st, 2nd, … suspension until it completes.

    The calls are such that succeed on the model, and change something where any does.
    """

    id = "cancellation"
    stage = Stage.CANCELLATION
    sentence = (
        "A call that is cancelled, wherever it waits, happens or does not, raises CancelledError, "
        "and leaves no lock, transaction, connection, task or thread behind."
    )

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], dict[str, list[Program]]] = {}

    def applies(self, contract: Contract) -> bool:
        return contract.is_async

    def run(self, context: CheckContext) -> None:
        gc.collect()  # what earlier checks left must not tell of its errors in this one
        if context.replay is not None:
            self._try(context, context.replay)
            return
        untried = []
        for number, (name, programs) in enumerate(self._programs(context).items()):
            exhausting = number if context.profile.cancellations == 1 else None
            if not sum([self._try(context, each, exhausting) for each in programs]):
                untried.append(name)
        context.tally.untried = tuple(untried)

    def _programs(self, context: CheckContext) -> dict[str, list[Program]]:
        """Look on the model, once for all backends."""
        key = context.seed, context.profile.cancellations
        if key not in self._known:
            self._known[key] = _find_programs(context)
        return self._known[key]

    def _try(self, context: CheckContext, program: Program, exhausting: int | None = None) -> int:
        """Sweep one program; give the number of cancellations."""
        found = context.run(rehearsed(context.contract, program))
        if found is None:
            return 0
        context.tally.programs += 1
        swept = context.run(
            sweep(
                context.contract,
                context.store,
                found,
                shared=_shared(context),
                exhausting=exhausting,
            )
        )
        context.tally.operations += swept.operations
        if swept.broken is not None:
            raise _failed(context, self.id, program, found, swept.broken)
        return swept.suspensions


def _shared(context: CheckContext) -> bool:
    return Capability.CONCURRENT_CLIENTS not in context.backend.capabilities


def _failed(
    context: CheckContext, check: str, program: Program, found: Rehearsed, broken: Broken
) -> CheckFailed:
    """Shorten a program that fails, unless it is replayed, and tell of it."""
    best = broken
    ends = time.monotonic() + _MOST_SECONDS

    def again(shorter: Program) -> Failure | None:
        nonlocal best
        rehearsal = context.run(rehearsed(context.contract, shorter))
        if rehearsal is None or time.monotonic() > ends:
            return None
        shared = _shared(context)
        swept = context.run(sweep(context.contract, context.store, rehearsal, shared=shared))
        if swept.broken is None:
            return None
        best = swept.broken
        return Failure(shorter, rehearsal.outcomes, best.outcome, best.sentence)

    failure = Failure(program, found.outcomes, broken.outcome, broken.sentence)
    if context.replay is None:
        failure = shorten(context.contract, failure, again)
    return failed_cancelled(context, check, failure.program, best)


def _find_programs(context: CheckContext) -> dict[str, list[Program]]:
    """Draw programs that end in a call of each operation, so many as the profile says."""
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    operations = context.contract.operations
    return {
        name: list(_programs_of(context, drawer, chance, name))
        if each.style is not Style.SYNC
        else []
        for name, each in operations.items()
    }


def _programs_of(
    context: CheckContext, drawer: ProgramDrawer, chance: random.Random, name: str
) -> Iterator[Program]:
    writes, others = list[Program](), list[Program]()
    wanted = context.profile.cancellations
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
