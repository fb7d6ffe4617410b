"""Checks that look for a failing program hand it to `search`, which finds one."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome
from storeproof.harness.values import Draw, Rejected

__all__ = ["Failure", "search"]


@dataclass(frozen=True)
class Failure:
    """A program that shows a broken check, and what the last of its steps gave."""

    program: Program
    expected: tuple[Outcome, ...]
    """What each step should have given."""
    actual: Outcome | None
    reason: str


def search(
    context: CheckContext, attempt: Callable[[Draw], Coroutine[Any, Any, Failure | None]]
) -> Failure | None:
    """Try as many programs as the profile says, until one fails; None where none does.

    attempt: draws and runs one program. The same seed draws the same programs in every process.
    The failing program is as it was drawn: `shorten` makes it the shortest.

    Raises Inconclusive where no program at all could be drawn.
    """
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run
    given_up = 0
    for _ in range(context.profile.programs):
        context.tally.programs += 1
        try:
            failure = context.run(attempt(Draw(chance.getrandbits(64))))
        except Rejected:
            given_up += 1
            continue
        if failure is not None:
            return failure
    if given_up == context.profile.programs:
        raise _inconclusive(context.contract.name)
    return None


def _inconclusive(contract: str) -> Inconclusive:
    reason = f"no program of {contract} could be drawn: classes refuse what their types allow"
    return Inconclusive("the search", reason, "Say what they take: Contract(arguments={…})")
