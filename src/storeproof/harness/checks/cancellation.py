"""The cancellation check: a call that is cancelled happened or not, and nothing of it is left."""

from __future__ import annotations

import gc
import time

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed_cancelled
from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.operations import Style
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten
from storeproof.harness.succeeding import succeeding
from storeproof.harness.sweeping import Broken, Rehearsed, rehearsed, sweep

__all__ = ["CancellationCheck"]

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

    def applies(self, contract: Contract) -> bool:
        return contract.is_async

    def run(self, context: CheckContext) -> None:
        gc.collect()  # what earlier checks left must not tell of its errors in this one
        if context.replay is not None:
            self._try(context, context.replay)
            return
        untried = []
        for number, (name, programs) in enumerate(_programs(context).items()):
            exhausting = number if context.profile.cancellations == 1 else None
            if not sum([self._try(context, each, exhausting) for each in programs]):
                untried.append(name)
        context.tally.untried = tuple(untried)

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


def _programs(context: CheckContext) -> dict[str, list[Program]]:
    operations = context.contract.operations
    return {
        name: programs if operations[name].style is not Style.SYNC else []
        for name, programs in succeeding(context, context.profile.cancellations).items()
    }


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
