"""Checks that look for a failing program hand it to `search`, which finds one."""

from __future__ import annotations

import random
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.errors import Flaky, HypothesisException, HypothesisWarning, Unsatisfiable

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import HarnessError, Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome
from storeproof.harness.values import Draw

__all__ = ["Failure", "search"]


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
) -> Failure | None:
    """Try programs until one fails; None where none does.

    attempt: draws and runs one program. The program is as it was drawn: `shorten` makes it the
    shortest. The same seed draws the same programs in every process; Hypothesis' own choices
    depend on which modules are loaded, so they serve only for what its strategies give.
    """
    found: list[Failure] = []
    problems: list[Exception] = []
    chance = random.Random(context.seed)  # noqa: S311 - to repeat a run

    def run_one(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Failure | None:
        if found:
            return found[0]
        context.tally.programs += 1
        try:
            drawn = Draw(draw, chance.getrandbits(64))
            failure: Failure | None = context.run(_awaited(attempt(drawn)))
        except HarnessError as problem:
            problems.append(problem)
            raise
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
    except (_Found, Unsatisfiable, Flaky) as problem:
        if not found and not isinstance(problem, _Found):
            raise _reason(context.contract.name, problem, problems) from None
    return found[0] if found else None


def _reason(contract: str, problem: HypothesisException, problems: list[Exception]) -> Exception:
    return problems[0] if problems else _inconclusive(contract, problem)


def _inconclusive(contract: str, problem: HypothesisException) -> Inconclusive:
    if isinstance(problem, Unsatisfiable):
        reason = f"no program of {contract} could be drawn: classes refuse what their types allow"
        return Inconclusive("the search", reason, "Say what they take: Contract(arguments={…})")
    reason = f"{contract}'s model does not do the same when it is run again"
    return Inconclusive(
        "the search", reason, "Declare what it makes itself with Contract(generated=[…])"
    )


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
