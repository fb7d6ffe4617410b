"""The checks of reopening and of moving draw here: programs whose second half is made elsewhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.contention import Draft
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.values import Draw, Rejected, choose

__all__ = ["Continued"]

_WRITES = 4
"""One in so many calls of the first half may be one that changes nothing."""
_FURTHER = 6
"""Calls that are made once everything was read, before it is read again."""


class Continued:
    """Programs that are drawn on the model once for all backends.

    The steps are the first half; the only branch reads everything, makes some calls, reads again.
    """

    def __init__(self, check: str) -> None:
        self._check = check
        self._known: dict[tuple[str, int, int, int], Sequence[Program]] = {}

    def programs(self, context: CheckContext, count: int) -> Sequence[Program]:
        """Give so many programs, unless some can't be drawn.

        Raises Inconclusive where none can be.
        """
        key = context.contract.name, context.seed, count, context.profile.steps
        if key not in self._known:
            self._known[key] = _draw_programs(context, count)
        if not self._known[key]:
            reason = f"no program of {context.contract.name} could be drawn"
            raise Inconclusive(self._check, reason, "Say what they take: Contract(arguments={…})")
        return self._known[key]


def _draw_programs(context: CheckContext, count: int) -> Sequence[Program]:
    drawer = experienced_drawer(context)
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    drawn = []
    for _ in range(count):
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
