"""The linearizability check: what clients see at once is what one order of their calls explains."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.together import Sharing, prove, replay
from storeproof.harness.contention import ProgramDrawer
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.values import Draw, Rejected

__all__ = ["LinearizabilityCheck"]

Drawn = tuple[Program, bool]
"""A program of several clients, and whether its calls contend."""


class LinearizabilityCheck(Check):
    """Runs drawn programs of 2 to 4 clients (Herlihy and Wing, "Linearizability", 1990)."""

    id = "linearizability"
    stage = Stage.LINEARIZABILITY
    sentence = (
        "Whatever several clients do at once, some order of their calls gives the same outcomes, "
        "and the same final content, on the in-memory model."
    )

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], Sequence[Drawn]] = {}

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            replay(context, self.id, context.replay)
            return
        prove(context, self.id, self._programs(context))

    def _programs(self, context: CheckContext) -> Iterator[Program]:
        """Give programs, most of whose clients have handles of their own."""
        sharing = Sharing(context)
        drawn = self._drawn(context)
        for number, (program, contended) in enumerate(drawn):
            context.tally.contended += contended
            yield replace(program, shared=sharing.is_shared(number))

    def _drawn(self, context: CheckContext) -> Sequence[Drawn]:
        """Draw programs on the model, once for all backends.

        Raises Inconclusive where none can be drawn.
        """
        key = context.seed, context.profile.histories
        if key not in self._known:
            self._known[key] = _draw_programs(context)
        if not self._known[key]:
            reason = f"no program of {context.contract.name} could be drawn"
            raise Inconclusive(self.id, reason, "Say what they take: Contract(arguments={…})")
        return self._known[key]


def _draw_programs(context: CheckContext) -> Sequence[Drawn]:
    drawer = ProgramDrawer(context.contract, experienced_drawer(context))
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    drawn = []
    for _ in range(context.profile.histories):
        with suppress(Rejected):
            drawn.append(context.run(drawer.program(Draw(chance.getrandbits(64)))))
    return drawn
