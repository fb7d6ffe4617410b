"""The cancellation check: a call that is cancelled happened or not, and nothing of it is left."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterable

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.disturbed import has_one_handle, shortened
from storeproof.harness.contract import Contract
from storeproof.harness.disturbing import Rehearsed, rehearsed
from storeproof.harness.operations import Style
from storeproof.harness.program import Program
from storeproof.harness.succeeding import succeeding
from storeproof.harness.sweeping import Extent, Swept, sweep

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
        known = _programs(context)
        extents = _extents(context, known)
        for turn, (name, programs) in enumerate(known.items()):
            if not sum([self._try(context, each, extents[name], turn) for each in programs]):
                untried.append(name)
        context.tally.untried = tuple(untried)

    def _try(
        self,
        context: CheckContext,
        program: Program,
        extent: Extent = Extent.EVERYTHING,
        turn: int = 0,
    ) -> int:
        """Sweep one program; give the number of cancellations."""
        found = context.run(rehearsed(context.contract, program))
        if found is None:
            return 0
        context.tally.programs += 1
        swept = self._swept(context, found, extent, turn)
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
        self,
        context: CheckContext,
        found: Rehearsed,
        extent: Extent = Extent.EVERYTHING,
        turn: int = 0,
    ) -> Swept:
        shared = has_one_handle(context)
        sweeping = sweep(
            context.contract, context.store, found, shared=shared, extent=extent, turn=turn
        )
        return context.run(sweeping)


def _extents(context: CheckContext, names: Iterable[str]) -> dict[str, Extent]:
    """Say how much is tried of each operation: in the quick profile every way of a few only."""
    every = list(names)
    if context.profile.cancellations > 1:
        return dict.fromkeys(every, Extent.EVERYTHING)
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    few = chance.sample(every, min(len(every), context.profile.often))
    return {name: Extent.EVERY_WAY if name in few else Extent.IN_TURN for name in every}


def _programs(context: CheckContext) -> dict[str, list[Program]]:
    operations = context.contract.operations
    return {
        name: programs if operations[name].style is not Style.SYNC else []
        for name, programs in succeeding(context, context.profile.cancellations).items()
    }
