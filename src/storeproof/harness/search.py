"""Checks that look for a failing program hand it to `search`, which finds and shortens one."""

from __future__ import annotations

import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Flaky, HypothesisWarning

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome
from storeproof.harness.values import Draw

__all__ = ["Failure", "search", "shorten"]


@dataclass(frozen=True)
class Failure:
    """A program that shows a broken check, and what the last of its steps gave."""

    program: Program
    expected: tuple[Outcome, ...]
    """What each step should have given."""
    actual: Outcome | None
    reason: str


class _Found(Exception):
    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def search(
    context: CheckContext, attempt: Callable[[Draw], Awaitable[Failure | None]]
) -> tuple[Failure, bool] | None:
    """Try programs until one fails; None where none does.

    attempt: draws and runs one program. Gives also whether the failure came again when it was
    tried again. The program is as it was drawn: `shorten` makes it the shortest.
    """
    found: list[Failure] = []

    def run_one(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Failure | None:
        context.tally.programs += 1
        failure: Failure | None = context.run(_awaited(attempt(Draw(draw))))
        if failure is not None:
            found.append(failure)
        return failure

    @hypothesis.seed(context.seed)
    @hypothesis.settings(
        max_examples=context.profile.programs,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        print_blob=False,
        derandomize=False,
    )
    @hypothesis.given(st.composite(run_one)())
    def body(failure: Failure | None) -> None:
        if failure is not None:
            raise _Found(failure)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HypothesisWarning)
            body()
    except _Found as shrunk:
        return shrunk.failure, True
    except Flaky:
        if not found:
            raise Inconclusive(
                "the search",
                f"{context.contract.name}'s model does not do the same when it is run again",
                "Declare what it makes itself with Contract(generated=[…])",
            ) from None
        return min(found, key=lambda each: len(each.program.steps)), False
    return None


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def shorten(failure: Failure, replay: Callable[[Program], Failure | None]) -> Failure:
    """Take out every step without which the program still fails, and the scribbling likewise."""
    shortest = failure
    for index in reversed(range(len(failure.program.steps) - 1)):
        if index < len(shortest.program.steps) - 1:
            shortest = _better(shortest, shortest.program.without(index), replay)
    plain = Program(shortest.program.steps, scribbling=False)
    return _better(shortest, plain, replay) if shortest.program.scribbling else shortest


def _better(
    failure: Failure, program: Program | None, replay: Callable[[Program], Failure | None]
) -> Failure:
    found = replay(program) if program is not None else None
    return found or failure
