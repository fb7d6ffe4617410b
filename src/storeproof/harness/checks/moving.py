"""The checks of moving have here what they share: their base, and how they shorten programs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from storeproof.harness.checks.base import Check, CheckContext
from storeproof.harness.checks.continuing import Continued
from storeproof.harness.contract import Contract
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten

__all__ = ["MovesCheck", "shortest", "spread"]

Found = TypeVar("Found")

_MOST_SECONDS = 20.0
"""While a program is shortened: each one that is tried is moved, which takes its time."""


class MovesCheck(Check):
    """A check of how content is moved: for contracts that say how, on programs that go on."""

    def __init__(self) -> None:
        self._drawn = Continued(self.id)

    def applies(self, contract: Contract) -> bool:
        return contract.moves is not None


def shortest(
    context: CheckContext,
    program: Program,
    found: Found,
    trial: Callable[[Program], Found | None],
) -> tuple[Program, Found]:
    """Give the shortest program that breaks as well, and what it shows; itself if replayed."""
    best, ends = found, time.monotonic() + _MOST_SECONDS

    def again(shorter: Program) -> Failure | None:
        nonlocal best
        given_up = time.monotonic() > ends or not shorter.calls
        tried = None if given_up else trial(shorter)
        if tried is None:
            return None
        best = tried
        return _failure(shorter)

    if context.replay is not None:
        return program, found
    return shorten(context.contract, _failure(program), again).program, best


def _failure(program: Program) -> Failure:
    return Failure(program, tuple(Outcome() for _ in program.calls), None, "")


def spread(count: int, most: int) -> list[int]:
    """Give numbers from 1 to `count`, all of them or so many, as far apart as can be."""
    if count <= most:
        return list(range(1, count + 1))
    return [1 + number * (count - 1) // max(1, most - 1) for number in range(most)]
