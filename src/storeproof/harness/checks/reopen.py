"""The reopen check: what was written is there, as it was, for a process that comes later."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.outliving import fail
from storeproof.harness.contention import Draft
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.surviving import Survival, conclusive, reopened
from storeproof.harness.values import Draw, Rejected, choose

__all__ = ["ReopenCheck"]

_WRITES = 4
"""One in so many calls of the first process may be one that changes nothing."""
_FURTHER = 6
"""Calls that the new process makes once it has read everything, before it reads again."""


class ReopenCheck(Check):
    """Runs drawn programs, the first calls in one process and the others in a new one."""

    id = "reopen"
    stage = Stage.REOPEN
    sentence = (
        "What was written is read back by a new process, exactly, after every handle was closed."
    )
    needs = frozenset({Capability.SURVIVES_RESTART})

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], Sequence[Program]] = {}

    def run(self, context: CheckContext) -> None:
        def trial(program: Program) -> Survival:
            return conclusive(lambda each: reopened(context, each), program)

        for program in [context.replay] if context.replay else self._programs(context):
            context.tally.programs += 1
            found = trial(program)
            if found.is_broken:
                fail(context, self.id, found, trial)

    def _programs(self, context: CheckContext) -> Sequence[Program]:
        """Draw programs on the model, once for all backends.

        Raises Inconclusive where none can be drawn.
        """
        key = context.seed, context.profile.reopenings, context.profile.steps
        if key not in self._known:
            self._known[key] = _draw_programs(context)
        if not self._known[key]:
            reason = f"no program of {context.contract.name} could be drawn"
            raise Inconclusive(self.id, reason, "Say what they take: Contract(arguments={…})")
        return self._known[key]


def _draw_programs(context: CheckContext) -> Sequence[Program]:
    drawer = experienced_drawer(context)
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    drawn = []
    for _ in range(context.profile.reopenings):
        with suppress(Rejected):
            drawn.append(context.run(_draw(context, drawer, Draw(chance.getrandbits(64)))))
    return drawn


async def _draw(context: CheckContext, drawer: CallDrawer, draw: Draw) -> Program:
    draft, names = Draft(context.contract), list(context.contract.operations)
    writes = [each for each in names if each not in context.contract.reads] or names
    for _ in range(context.profile.steps + choose(draw, context.profile.steps)):
        among = writes if choose(draw, _WRITES) else names
        await draft.make(drawer.draw_call(draw, draft.pools, among))
    reads = draft.every_read()
    draft.begin_branch()
    for each in reads:
        await draft.make(each)
    for _ in range(_FURTHER):
        await draft.make(drawer.draw_call(draw, draft.met, names))
    return draft.program()
