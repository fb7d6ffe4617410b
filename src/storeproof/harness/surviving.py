"""Checks see here what of a program outlives its processes: closed, killed, or their server's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from storeproof.harness.apart import Job, Part, Told
from storeproof.harness.apart.origins import origin_of_opener
from storeproof.harness.backends.base import KillableServer, Store
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.compare import Renaming
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.history import History, Recorder
from storeproof.harness.judging import Race, smaller
from storeproof.harness.linearizability import Answer, Finding, judge_history
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import Clients, Parts, handles_for
from storeproof.harness.running import Actor, Outcome, compare_outcomes

__all__ = ["Survival", "conclusive", "reopened", "server_killed", "writer_killed"]

_ATTEMPTS = 10
"""Calls that a handle may fail after its server is back: as many as pools have connections."""


@dataclass(frozen=True)
class Survival:
    """A program, what its clients saw before and after, and what was wrong, if anything."""

    race: Race
    story: str
    """What was done to it, in a sentence."""
    problem: str = ""
    """What is wrong beside the history."""
    moments: int = 0
    """At which its process could have been killed; 0 where it was killed before its end."""

    @property
    def is_broken(self) -> bool:
        """Whether anything was wrong."""
        return bool(self.problem) or self.race.is_broken


Trial = Callable[[Program], Survival]


def conclusive(trial: Trial, program: Program) -> Survival:
    """Try a program; where its history can't be judged in time, less of it.

    Raises Inconclusive where even two calls at once can't be judged.
    """
    for each in (program, *smaller(program)):
        found = trial(each)
        if found.is_broken or found.race.finding.answer is Answer.LINEARIZABLE:
            return found
    reason = f"it took too long ({found.race.finding.states} states tried)"
    remedy = "Make the model's operations faster"
    raise Inconclusive("the search for an order", reason, remedy)


def reopened(context: CheckContext, program: Program) -> Survival:
    """Make the steps here, close every handle, and have a new process do the rest."""
    recorder = Recorder(context.contract)
    results = context.run(_fill(context, program, recorder))
    told = _apart(
        context, context.store, program, results, parts=(Part.BRANCHES, Part.READS), lanes=(1,)
    )
    told.note(program, recorder)
    story = (
        "Client 1, `before` in the test, closed all its handles; client 2, which makes all other "
        "calls, is another process, which opened the store."
    )
    return _judged(context, program, recorder, story=story, told=told)


async def _fill(context: CheckContext, program: Program, recorder: Recorder) -> dict[int, Any]:
    storage = await context.store.fresh()
    clients = Clients(context.contract, program, [storage], recorder)
    await clients.make_steps()
    await context.store.release()
    return clients.results


def writer_killed(context: CheckContext, program: Program, moment: int | None) -> Survival:
    """Have another process make the steps and branches, and killed at a moment; read afterwards.

    moment: of those that `Moments` counts in the branches; None for the end.
    """
    recorder, lanes = Recorder(context.contract), tuple(range(max(1, len(program.branches))))
    context.run(context.store.vacate())
    told = _apart(
        context,
        context.store,
        program,
        {},
        parts=(Part.STEPS, Part.BRANCHES),
        lanes=lanes,
        moment=moment,
        dies=True,
    )
    told.note(program, recorder)
    at = "after its last call" if told.end is not None else f"at moment {moment} of its last calls"
    story = f"The process of all clients but the last was killed {at}; then the last one read."
    if told.end is None or not told.end.problem:
        try:
            context.run(_read(context, program, recorder, told))
        except Exception as problem:  # a storage's opening raises what it likes
            text = f"Opening the storage raised {type(problem).__name__}: {problem}."
            return _judged(context, program, recorder, story=story, told=told, problem=text)
    return _judged(context, program, recorder, story=story, told=told)


async def _read(context: CheckContext, program: Program, recorder: Recorder, told: Told) -> None:
    await context.store.settle()
    count = max(1, len(program.branches))
    clients = Clients(
        context.contract,
        program,
        [await context.store.reopen()] * count,
        recorder,
        results=told.results,
        lanes=[count] * count,
    )
    await clients.make_reads()


def server_killed(
    context: CheckContext, server: KillableServer, store: Store, program: Program, answers: int
) -> Survival:
    """Kill the server once so many writes of the branches succeeded, and start it again.

    A new process reads first, then each client that was there before.
    """
    recorder = _Killing(context, server, answers)
    clients = context.run(_load(context, store, program, recorder))
    server.restart()
    count = max(1, len(program.branches))
    told = _apart(
        context, store, program, clients.results, parts=(Part.READS,), lanes=(count,) * count
    )
    told.note(program, recorder)
    story = (
        f"The server was killed when {answers} of the writes at once had been acknowledged, or all "
        "calls were made, and started again; then the last client, another process, read."
    )
    problem = context.run(_recovered(context, program, clients, told))
    return _judged(context, program, recorder, story=story, told=told, problem=problem)


class _Killing(Recorder):
    """Kills the server when enough writes were answered; the clients then make no more."""

    def __init__(self, context: CheckContext, server: KillableServer, answers: int) -> None:
        super().__init__(context.contract)
        self._server, self._left = server, answers
        self._reads = context.contract.reads
        self.loading = False
        """Whether the clients are making their calls at once."""

    def respond(self, word: int, outcome: Outcome) -> None:
        if not self.loading:
            super().respond(word, outcome)
        elif not self.ended:
            super().respond(word, outcome)
            self._left -= self._changes(word, outcome)
            if self._left <= 0:
                self.kill()
        elif outcome.error is None or not outcome.declared:
            super().respond(word, outcome)  # of the others nobody knows whether they happened

    def _changes(self, word: int, outcome: Outcome) -> bool:
        """Whether a call may have changed something: what it did must not be lost."""
        return outcome.error is None and self._calls[word].call.operation not in self._reads

    def kill(self) -> None:
        """Kill the server, unless that was done."""
        if not self.ended:
            self.ended = True
            self._server.kill()


async def _load(
    context: CheckContext, store: Store, program: Program, recorder: _Killing
) -> Clients:
    handles = await handles_for(store, program)
    clients = Clients(context.contract, program, handles, recorder)
    await clients.make_steps()
    recorder.loading = True
    await clients.make_branches()
    recorder.loading = False
    recorder.kill()
    return clients


async def _recovered(context: CheckContext, program: Program, clients: Clients, told: Told) -> str:
    """Say which handle does not read what the new process did, however often it tries."""
    for read in Parts(program).reads:
        for position, call in read:
            expected = told.outcomes.get(position)
            if expected is None or not expected.declared:
                continue
            for client, actor in enumerate(clients.actors, 1):
                problem = await _tried(context, actor, call, clients.results, expected)
                if problem:
                    return f"The handle of client {client} {problem}"
    return ""


async def _tried(
    context: CheckContext,
    actor: Actor,
    call: Call,
    results: Mapping[int, Any],
    expected: Outcome,
) -> str:
    for _ in range(_ATTEMPTS):
        outcome = await actor.outcome(call, results)
        if not compare_outcomes(context.contract, call.operation, expected, outcome, Renaming()):
            return ""
    return (
        f"has not recovered after {_ATTEMPTS} attempts: its last {call.operation} {outcome}, "
        f"where another process' {expected}."
    )


def _apart(
    context: CheckContext,
    store: Store,
    program: Program,
    results: Mapping[int, Any],
    **given: Any,
) -> Told:
    job = Job(
        backend=context.backend.name,
        opener=origin_of_opener(context.contract, context.backend),
        address=store.address,
        program=program,
        results=results,
        **given,
    )
    return context.apart.do(context.contract, job)


def _judged(
    context: CheckContext,
    program: Program,
    recorder: Recorder,
    *,
    story: str,
    told: Told,
    problem: str = "",
) -> Survival:
    history = recorder.history()
    context.tally.operations += len(history.calls)
    failed = told.end.problem if told.end is not None else ""
    if failed:
        problem = f"In the other process {failed}."
    shown = history.undeclared() is not None or problem
    finding = (
        Finding(Answer.UNKNOWN)
        if shown
        else context.run(judge_history(context.contract, History(history.calls)))
    )
    moments = told.end.moments if told.end is not None else 0
    return Survival(Race(program, history, finding), story, problem, moments)
