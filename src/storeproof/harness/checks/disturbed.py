"""The checks that disturb a program's last call shorten here what fails, and tell of it."""

from __future__ import annotations

import time
from collections.abc import Callable

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import failed_disturbed
from storeproof.harness.disturbing import Broken, Rehearsed, rehearsed
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten

__all__ = ["has_one_handle", "shortened"]

_MOST_SECONDS = 30.0
"""While a program is shortened: what waits for a lock that nobody gives back takes long."""


def has_one_handle(context: CheckContext) -> bool:
    """Whether a second handle does not see what the first one does."""
    return Capability.CONCURRENT_CLIENTS not in context.backend.capabilities


def shortened(
    context: CheckContext,
    check: str,
    program: Program,
    found: Rehearsed,
    broken: Broken,
    *,
    disturb: Callable[[Rehearsed], Broken | None],
    method: str,
) -> CheckFailed:
    """Shorten a program that fails, unless it is replayed, and tell of it.

    disturb: tries a shorter one. method: the contract's, which the printed test calls.
    """
    best = broken
    ends = time.monotonic() + _MOST_SECONDS

    def again(shorter: Program) -> Failure | None:
        nonlocal best
        rehearsal = context.run(rehearsed(context.contract, shorter))
        if rehearsal is None or time.monotonic() > ends:
            return None
        worse = disturb(rehearsal)
        if worse is None:
            return None
        best = worse
        return Failure(shorter, rehearsal.outcomes, best.outcome, best.sentence)

    failure = Failure(program, found.outcomes, broken.outcome, broken.sentence)
    if context.replay is None:
        failure = shorten(context.contract, failure, again)
    return failed_disturbed(
        context, check, failure.program, best, method, shared=has_one_handle(context)
    )
