"""The linearizability check: what clients see at once is what one order of their calls explains."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.together import prove, replay
from storeproof.harness.contention import ProgramDrawer
from storeproof.harness.contract import Contract
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.values import Draw, Rejected, choose

__all__ = ["LinearizabilityCheck"]

_SHARED = 4
"""One in so many programs is run by clients that share a handle."""


class LinearizabilityCheck(Check):
    """Runs drawn programs of 2 to 4 clients (Herlihy and Wing, "Linearizability", 1990)."""

    id = "linearizability"
    stage = Stage.LINEARIZABILITY
    sentence = (
        "Whatever several clients do at once, some order of their calls gives the same outcomes, "
        "and the same final content, on the in-memory model."
    )

    def applies(self, contract: Contract) -> bool:
        return contract.is_async

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            replay(context, self.id, context.replay)
            return
        prove(context, self.id, _programs(context))


def _programs(context: CheckContext) -> Iterator[Program]:
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    apart = Capability.CONCURRENT_CLIENTS in context.backend.capabilities
    for _ in range(context.profile.histories):
        draw = Draw(chance.getrandbits(64))
        try:
            program, contended = context.run(drawer.program(draw))
        except Rejected:
            continue
        context.tally.contended += contended
        yield replace(program, shared=not apart or choose(draw, _SHARED) == 0)
