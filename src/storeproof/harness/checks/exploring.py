"""Checks that hold for every program are run here: search, shorten, tell; or replay one program."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import failed
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.search import Failure, search
from storeproof.harness.shortening import shorten
from storeproof.harness.values import Draw

__all__ = ["explore"]


def explore(
    context: CheckContext,
    check: str,
    attempt: Callable[[CallDrawer, Draw], Coroutine[Any, Any, Failure | None]],
    replay: Callable[[Program], Coroutine[Any, Any, Failure | None]],
) -> None:
    """Try programs until one fails; where the context has one to replay, try only that one.

    attempt: draws and runs one program. replay: runs a given one.

    Raises CheckFailed with the shortest program that fails.
    """

    def again(program: Program) -> Failure | None:
        return context.run(replay(program))

    if context.replay is not None:
        failure = again(context.replay)
        if failure is not None:
            raise failed(context, check, failure)
        return
    drawer = experienced_drawer(context)
    failure = search(context, lambda draw: attempt(drawer, draw))
    if failure is None:
        return
    repeated = again(failure.program)
    if repeated is None:
        raise failed(context, check, failure, again=False)
    raise failed(context, check, shorten(context.contract, repeated, again))
