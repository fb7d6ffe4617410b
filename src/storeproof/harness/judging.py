"""The checks of several clients run a program and judge its history here, once or several times."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.history import History, MadeCall
from storeproof.harness.linearizability import Answer, Finding, judge_history
from storeproof.harness.program import Branch, Call, Program, references_in
from storeproof.harness.racing import race
from storeproof.harness.running import Outcome
from storeproof.harness.search import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Race", "Runs", "judged", "smaller"]

_TRIED_FIRST = 20
"""Runs of a program that failed, to see how often it does."""
_SURE = 3
"""A program that fails once in n runs on average is run 3 n times before it counts as passing:
with 95 % certainty it then fails more seldom."""
_BOUND = "its storage can only be used in the thread that opened it, but each client has its own"
_MOST_RUNS = 1000
_MOST_SECONDS = 30.0
"""While a program is shortened: what waits for a deadlock to be noticed takes a second a run."""


@dataclass(frozen=True)
class Race:
    """A program of several clients, what these did, and what was found of it."""

    program: Program
    history: History
    finding: Finding

    @property
    def is_broken(self) -> bool:
        """Whether no order explains the history, or an error is none of the contract's."""
        answer = self.finding.answer
        return answer is Answer.NOT_LINEARIZABLE or self.history.undeclared() is not None

    @property
    def guilty(self) -> Sequence[MadeCall]:
        """The calls that no order explains."""
        undeclared = self.history.undeclared()
        return [undeclared] if undeclared else [each.call for each in self.finding.blocks]

    def failure(self) -> Failure:
        """Give what shortening needs to know."""
        given = {each.position: each.outcome for each in self.history.calls}
        outcomes = tuple(
            Outcome(value=given.get(number, Outcome()).value)
            for number in range(len(self.program.calls))
        )
        undeclared = self.history.undeclared()
        actual = undeclared.outcome if undeclared is not None else None
        return Failure(self.program, outcomes, actual, "")


async def judged(context: CheckContext, program: Program, first: int = 0) -> Race:
    """Run a program and judge its history; where that takes too long, with less of it.

    first: the client that is the first to go on.

    Raises Inconclusive where even two calls at once can't be judged.
    """
    for each in (program, *smaller(program)):
        found = await _judged_once(context, each, first)
        if found.is_broken or found.finding.answer is Answer.LINEARIZABLE:
            return found
    raise Inconclusive(
        "the search for an order",
        f"it took too long for two calls at once ({found.finding.states} states tried)",
        "Make the model's operations faster",
    )


async def _judged_once(context: CheckContext, program: Program, first: int) -> Race:
    history = await race(context.contract, context.store, program, first)
    context.tally.operations += len(history.calls)
    undeclared = history.undeclared()
    if undeclared is not None:
        if _is_of_another_thread(undeclared.outcome.error):
            raise Inconclusive("a race", _BOUND, "Open it with check_same_thread=False")
        return Race(program, history, Finding(Answer.UNKNOWN))
    return Race(program, history, await judge_history(context.contract, history))


def _is_of_another_thread(error: BaseException | None) -> bool:
    return isinstance(error, sqlite3.ProgrammingError) and "same thread" in str(error)


def smaller(program: Program) -> Iterator[Program]:
    """Give the program with ever fewer clients, then with ever fewer calls of each."""
    clients = len(program.branches) // 2
    calls = max((len(each.calls) for each in program.branches), default=0)
    while clients >= 2:
        yield _cut(program, clients, calls)
        clients //= 2
    while calls >= 2:
        calls //= 2
        yield _cut(program, 2, calls)


def _cut(program: Program, clients: int, calls: int) -> Program:
    """Leave out clients and calls, and what refers to what any of them is given."""

    def apart(call: Call) -> bool:
        return all(at.call < len(program.steps) for at in references_in(call.templates()))

    branches = (
        Branch(tuple(filter(apart, each.calls))[:calls], tuple(filter(apart, each.reads)))
        for each in program.branches[:clients]
    )
    return replace(program, branches=tuple(branches))


class Runs:
    """Runs a program that fails only now and then, so often that it would have failed.

    lenient: whether a run that can't be judged counts as one that passed, as it may while a
    failure that is known is shortened.
    """

    def __init__(self, context: CheckContext, *, lenient: bool = False) -> None:
        self._context, self._lenient = context, lenient
        self._left = _MOST_RUNS
        self._ends = time.monotonic() + _MOST_SECONDS
        self._enough = 1
        self.made = 0
        """Runs that the last count took."""

    def count(self, program: Program, times: int = _TRIED_FIRST) -> tuple[int, Race | None]:
        """Run a program so many times; give how many failed, and one that did."""
        failed, last = 0, None
        for run in range(times):
            self.made = run + 1
            found = self._broken(program, run)
            if found is not None:
                failed, last = failed + 1, found
            if time.monotonic() > self._ends or (found is not None and _waited(found)):
                break
        self._enough = math.ceil(_SURE * self.made / failed) if failed else 1
        return failed, last

    def again(self, program: Program) -> Race | None:
        """Run a program until it fails, as often as it takes to be sure."""
        for run in range(min(self._enough, self._left)):
            if time.monotonic() > self._ends:
                return None
            self._left -= 1
            found = self._broken(program, run)
            if found is not None:
                return found
        return None

    def _broken(self, program: Program, run: int) -> Race | None:
        """Run a program once; None where it does not fail."""
        try:
            found = self._context.run(judged(self._context, program, run))
        except Inconclusive:
            if self._lenient:
                return None
            raise
        return found if found.is_broken else None


def _waited(found: Race) -> bool:
    """Whether a call took all the patience there is."""
    return any(isinstance(each.outcome.error, TimeoutError) for each in found.history.calls)
