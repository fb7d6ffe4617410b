"""The checks that disturb a program's last call make and judge its calls through `Disturbed`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storeproof.harness.contradiction import broken_parts
from storeproof.harness.history import History, Recorder
from storeproof.harness.linearizability import Answer, judge_history
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program, references_in
from storeproof.harness.running import Actor, Outcome, Unresolvable
from storeproof.harness.trial import reading_calls

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Broken", "Disturbed", "Rehearsed", "rehearsed"]

_READS = 4


@dataclass(frozen=True)
class Rehearsed:
    """A program whose last call succeeds on the model, with what was learned there."""

    calls: tuple[Call, ...]
    outcomes: tuple[Outcome, ...]
    reads: tuple[Call, ...]
    """What shows the content afterwards."""


@dataclass(frozen=True)
class Broken:
    """How a call was disturbed, and what was wrong afterwards."""

    sentence: str
    """Says how it was disturbed."""
    parts: Sequence[str]
    outcome: Outcome | None = None
    """That of the call that shows it, where one does."""
    history: History | None = None


async def rehearsed(contract: Contract, program: Program) -> Rehearsed | None:
    """Make a program's calls on the model; None where its last one does not succeed there."""
    calls = tuple(each for each in program.steps if isinstance(each, Call))
    actor, pools = Actor(contract, contract.model(), scribbling=False), Pools(contract)
    outcomes: list[Outcome] = []
    for number, call in enumerate(calls):
        outcomes.append(await actor.call(call))
        if isinstance(outcomes[-1].error, Unresolvable):
            return None
        is_last = number == len(calls) - 1
        pools.add_call(call, number, Outcome() if is_last else outcomes[-1])
    if not outcomes or outcomes[-1].error is not None:
        return None
    known = (each for each in reading_calls(contract, pools) if _knows(each, len(calls) - 1))
    reads = tuple(known)[:_READS]
    return Rehearsed(calls, tuple(outcomes), reads)


def _knows(call: Call, end: int) -> bool:
    return all(at.call < end for at in references_in(call.templates()))


class Disturbed:
    """The calls of one program on a store, of which the last one is disturbed, and those after it.

    They are recorded, of two clients, each with a handle of its own.
    """

    def __init__(
        self, contract: Contract, program: Rehearsed, handles: Sequence[Any], sentence: str
    ) -> None:
        self.contract, self.program, self.sentence = contract, program, sentence
        self.first, self.second = (
            Actor(contract, each, scribbling=False) for each in (handles[0], handles[-1])
        )
        self.operations = 0
        self.results: dict[int, Any] = {}
        self.recorder = Recorder(contract)

    async def make(self, client: Actor, call: Call) -> Outcome:
        """Make a call and record it."""
        word, position = self.begin(client, call)
        outcome = await client.outcome(call, self.results)
        self.respond(word, position, outcome)
        return outcome

    def begin(self, client: Actor, call: Call) -> tuple[int, int]:
        """Record that a call begins; give what its response is recorded with."""
        position = self.operations
        self.operations += 1
        return self.recorder.invoke(int(client is not self.first), position, call), position

    def respond(self, word: int, position: int, outcome: Outcome) -> None:
        """Record a call's response."""
        self.recorder.respond(word, outcome)
        if outcome.error is None:
            self.results[position] = outcome.value

    def broken(
        self, parts: Sequence[str], outcome: Outcome | None = None, history: History | None = None
    ) -> Broken:
        """Give what is wrong, with how the call was disturbed."""
        return Broken(self.sentence, parts, outcome, history)

    async def judged(self) -> Broken | None:
        """Say what no order of the calls explains on the model; None where one explains it all."""
        history = self.recorder.history()
        undeclared = history.undeclared()
        if undeclared is None:
            finding = await judge_history(self.contract, history)
            if finding.answer is Answer.LINEARIZABLE:
                return None
        else:
            finding = await judge_history(self.contract, History(()))
        outcome = undeclared.outcome if undeclared is not None else None
        return self.broken(broken_parts(history, finding), outcome, history)
