"""The round-trip check: content is the same wherever it is moved, and storages go on alike."""

from __future__ import annotations

from collections.abc import Sequence

from storeproof.harness.checks.base import CheckContext, Stage
from storeproof.harness.checks.moving import MovesCheck, shortest
from storeproof.harness.checks.telling_moves import failed_moved
from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import HarnessError, Inconclusive, NotApplicable
from storeproof.harness.moving.travelling import Stop, Trouble, travel
from storeproof.harness.program import Program

__all__ = ["RoundTripCheck"]

_NO_MOVES = "the contract says no way to move its content: Contract(moves=…)"


class RoundTripCheck(MovesCheck):
    """Moves what drawn programs leave on the model to the backend, and on to each other one."""

    id = "roundtrip"
    stage = Stage.ROUNDTRIP
    sentence = (
        "What the in-memory model holds is the same once it was moved through archives to any "
        "backends and back, and every storage then goes on as the model does."
    )

    def applies(self, contract: Contract) -> bool:
        return True

    def run(self, context: CheckContext) -> None:
        """Try it; a contract that can't be moved is told to be one, by NotApplicable."""
        if context.contract.moves is None:
            raise NotApplicable(_NO_MOVES)
        ways = [[stop] for stop in _others(context)] or [[]]
        if context.replay is not None:
            for way in ways:
                self._try(context, context.replay, way)
            return
        for number, program in enumerate(self._drawn.programs(context, context.profile.moves)):
            self._try(context, program, ways[number % len(ways)])

    def _try(self, context: CheckContext, program: Program, then: Sequence[Stop]) -> None:
        stops = [(context.backend.name, context.store), *then]

        def trial(each: Program) -> Trouble | None:
            context.tally.operations += len(each.calls)
            return context.run(travel(context.contract, each, stops))

        context.tally.programs += 1
        found = trial(program)
        if found is not None:
            raise failed_moved(context, self.id, *shortest(context, program, found, trial), then)


def _others(context: CheckContext) -> list[Stop]:
    """Give the run's other backends with their stores.

    Raises Inconclusive where one can't be had.
    """
    try:
        return [(name, store()) for name, store in context.others.items()]
    except HarnessError as error:
        remedy = "Mend it, or leave it out of --storage"
        raise Inconclusive("roundtrip", str(error), remedy) from error
