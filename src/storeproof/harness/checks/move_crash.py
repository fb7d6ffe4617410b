"""The check of crashes: a load that is ended anywhere has happened, or has not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import CheckContext, Stage
from storeproof.harness.checks.moving import MovesCheck, shortest, spread
from storeproof.harness.checks.telling_moves import failed_move
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.moving.crashing import CUTS, Crash
from storeproof.harness.moving.travelling import Step
from storeproof.harness.program import Program

__all__ = ["MoveCrashCheck"]

_AGAIN = 40
"""Moments of a program that is tried again because a load of it was broken."""


class MoveCrashCheck(MovesCheck):
    """Kills the process that loads an archive, or its connection, at counted moments and messages.

    A moment is a suspension, or a call of what may touch a file, a database or a connection, so
    each statement and each batch has one before it, while it runs, and after it.
    """

    id = "move_crash"
    stage = Stage.MOVE_CRASH
    sentence = (
        "When a load is killed or cut off, the target holds what it held before or all that was to "
        "be loaded, and the load can be repeated."
    )
    needs = frozenset({Capability.SURVIVES_RESTART})

    def run(self, context: CheckContext) -> None:
        for program in self._programs(context):
            context.tally.programs += 1
            most = _AGAIN if context.replay else context.profile.move_crashes
            found = _problem(context, program, most)
            if found:
                again = shortest(
                    context, program, found, lambda each: _problem(context, each, _AGAIN) or None
                )
                raise failed_move(context, self.id, again[0], [again[1]])

    def _programs(self, context: CheckContext) -> Sequence[Program]:
        return [context.replay] if context.replay else self._drawn.programs(context, 1)


def _problem(context: CheckContext, program: Program, most: int) -> str:
    """Say what is wrong after the first end of a load that leaves anything wrong."""
    try:
        with Crash(context, program) as crash:
            return next(_problems(context, crash, most), "")
    except Step as failed:
        return f"{failed}."


def _problems(context: CheckContext, crash: Crash, most: int) -> Iterator[str]:
    moments, problem = crash.kill(None)
    if problem:
        yield f"The process was killed once the load had ended. {problem}"
    networked = Capability.NETWORKED in context.backend.capabilities
    for moment in spread(moments - 1, most // 2 if networked else most):
        context.tally.operations += 1
        _, problem = crash.kill(moment)
        if problem:
            yield f"The process was killed at moment {moment} of {moments} of the load. {problem}"
    messages, problem = crash.cut(None, 0) if networked else (0, "")
    if problem:
        yield f"The load went through a proxy. {problem}"
    if networked and messages == 0:
        reason = "a load sends nothing through the proxy"
        raise Inconclusive("move_crash", reason, "See where its store's address_at leads")
    for nth in spread(messages, most // 2):
        fault = CUTS[nth % len(CUTS)]
        context.tally.operations += 1
        _, problem = crash.cut(fault, nth)
        if problem:
            yield f"The connection was {fault} at message {nth} of {messages}. {problem}"
