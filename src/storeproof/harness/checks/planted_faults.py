"""The check of planted faults: a verifier tells every small defect of moved data."""

from __future__ import annotations

import random
from collections.abc import Sequence

from storeproof.harness.checks.base import CheckContext, Stage
from storeproof.harness.checks.moving import MovesCheck, shortest
from storeproof.harness.checks.telling_moves import failed_move
from storeproof.harness.exceptions import Inconclusive, NotApplicable
from storeproof.harness.moving.faults import FAULTS, Fault
from storeproof.harness.moving.planting import Planted, planted
from storeproof.harness.program import Program

__all__ = ["PlantedFaultsCheck"]

_SHARE = 3
"""One in so many of the profile's programs is one that each fault is planted in."""
_AGAIN = 8
"""How often a fault is planted in another place where it was missed in one."""
_NO_VERIFIER = "the contract's moves have no verifier: Moves(verify=…)"


class PlantedFaultsCheck(MovesCheck):
    """Plants faults in archives and in storages, of what drawn programs leave on the model."""

    id = "planted_faults"
    stage = Stage.PLANTED_FAULTS
    sentence = (
        "The verifier refuses an archive, or a storage, that differs by a microsecond, an offset, "
        "a rounded Decimal, a lost or repeated row, swapped values, a truncated text, a normal "
        "form, an empty text for null, or the order of keys."
    )

    def run(self, context: CheckContext) -> None:
        if context.contract.moves is None or context.contract.moves.verify is None:
            raise NotApplicable(_NO_VERIFIER)
        times = max(1, context.profile.moves // _SHARE)
        left = {each.name: times for each in FAULTS}
        for program in self._programs(context):
            wanted = [each for each in FAULTS if left[each.name] > 0]
            for name in self._try(context, program, wanted):
                left[name] -= 1
        context.tally.untried = tuple(name for name, count in left.items() if count == times)
        if len(context.tally.untried) == len(FAULTS):
            reason = "no fault could be planted: its archives have no rows in files of JSON lines"
            raise Inconclusive(self.id, reason, "Say how they are read: Moves(rows=…)")

    def _programs(self, context: CheckContext) -> Sequence[Program]:
        if context.replay is not None:
            return [context.replay] * _AGAIN
        return self._drawn.programs(context, context.profile.moves)

    def _try(self, context: CheckContext, program: Program, faults: Sequence[Fault]) -> list[str]:
        """Plant faults; give the names of those that had a place."""
        context.tally.programs += 1
        chance = random.Random(context.seed + context.tally.programs)  # noqa: S311 - to repeat it

        def trial(each: Program, among: Sequence[Fault] = faults) -> Planted:
            work = planted(context.contract, context.store, each, among, chance)
            return context.run(work)

        found = trial(program)
        if not found.missed:
            return found.names
        only = [each for each in FAULTS if each.name == found.missed]

        def again(shorter: Program) -> Planted | None:
            tried = (trial(shorter, only) for _ in range(_AGAIN))
            return next((each for each in tried if each.missed), None)

        best, found = shortest(context, program, found, again)
        told = f"What was not caught: {found.missed}. In detail: {found.told}."
        raise failed_move(context, self.id, best, [told])
