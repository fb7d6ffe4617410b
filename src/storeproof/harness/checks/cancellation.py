"""The cancellation check: a call that is cancelled happened or not, and nothing of it is left."""

from __future__ import annotations

import gc

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.disturbed import has_one_handle, shortened
from storeproof.harness.contract import Contract
from storeproof.harness.disturbing import Rehearsed, rehearsed
from storeproof.harness.operations import Style
from storeproof.harness.program import Program
from storeproof.harness.succeeding import succeeding
from storeproof.harness.sweeping import Swept, sweep

__all__ = ["CancellationCheck"]


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
        swept = self._swept(context, found, exhausting)
        context.tally.operations += swept.operations
        if swept.broken is not None:
            raise shortened(
                context,
                self.id,
                program,
                found,
                swept.broken,
                disturb=lambda shorter: self._swept(context, shorter).broken,
                method="cancel",
            )
        return swept.suspensions

    def _swept(
        self, context: CheckContext, found: Rehearsed, exhausting: int | None = None
    ) -> Swept:
        shared = has_one_handle(context)
        sweeping = sweep(
            context.contract, context.store, found, shared=shared, exhausting=exhausting
        )
        return context.run(sweeping)


def _programs(context: CheckContext) -> dict[str, list[Program]]:
    operations = context.contract.operations
    return {
        name: programs if operations[name].style is not Style.SYNC else []
        for name, programs in succeeding(context, context.profile.cancellations).items()
    }
