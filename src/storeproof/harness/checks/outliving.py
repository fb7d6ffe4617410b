"""The checks of reopening and killing are carried out here: try, shorten, tell."""

from __future__ import annotations

import time

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import failed_outliving
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten
from storeproof.harness.surviving import Survival, Trial

__all__ = ["fail"]

_MOST_SECONDS = 20.0
"""While a program is shortened: each one that is tried takes a process, or a server's start."""


def fail(context: CheckContext, check: str, found: Survival, trial: Trial) -> None:
    """Raise CheckFailed with the shortest program that is broken as well, unless it is replayed.

    trial: tries one program as that one was tried; Inconclusive counts as passing.
    """
    best, ends = found, time.monotonic() + _MOST_SECONDS

    def again(program: Program) -> Failure | None:
        nonlocal best
        if time.monotonic() > ends:
            return None
        tried = trial(program)
        if not tried.is_broken:
            return None
        best = tried
        return best.race.failure()

    if context.replay is None:
        shorten(context.contract, found.race.failure(), again)
    raise failed_outliving(context, check, best)
