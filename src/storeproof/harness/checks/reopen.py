"""The reopen check: what was written is there, as it was, for a process that comes later."""

from __future__ import annotations

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.continuing import Continued
from storeproof.harness.checks.outliving import fail
from storeproof.harness.program import Program
from storeproof.harness.surviving import Survival, conclusive, reopened

__all__ = ["ReopenCheck"]


class ReopenCheck(Check):
    """Runs drawn programs, the first calls in one process and the others in a new one."""

    id = "reopen"
    stage = Stage.REOPEN
    sentence = (
        "What was written is read back by a new process, exactly, after every handle was closed."
    )
    needs = frozenset({Capability.SURVIVES_RESTART})

    def __init__(self) -> None:
        self._drawn = Continued(self.id)

    def run(self, context: CheckContext) -> None:
        def trial(program: Program) -> Survival:
            return conclusive(lambda each: reopened(context, each), program)

        drawn = () if context.replay else self._drawn.programs(context, context.profile.reopenings)
        for program in [context.replay] if context.replay else drawn:
            context.tally.programs += 1
            found = trial(program)
            if found.is_broken:
                fail(context, self.id, found, trial)
