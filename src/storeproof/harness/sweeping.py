"""The check of cancellation cancels a program's last call at every suspension through `sweep`."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.cancelling import Way, cancel
from storeproof.harness.contradiction import broken_parts
from storeproof.harness.history import History, Recorder, written
from storeproof.harness.linearizability import Answer, judge_history
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program, references_in
from storeproof.harness.running import PATIENCE, Actor, Outcome, Unresolvable
from storeproof.harness.trial import reading_calls

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = ["Broken", "Rehearsed", "Swept", "rehearsed", "sweep"]

_READS = 4
REPEATS = 12
"""How often a call is cancelled at one suspension on one handle: more than pools usually hold."""
_LEFT_SECONDS = 2.0
"""What tasks and threads have to end, where every cancelled call seems to leave one."""
_OF_THE_LOOP = "asyncio_"
"""How threads of the loop's own executor are called: it keeps them, whoever used them."""


@dataclass(frozen=True)
class Rehearsed:
    """A program whose last call succeeds on the model, with what was learned there."""

    calls: tuple[Call, ...]
    outcomes: tuple[Outcome, ...]
    reads: tuple[Call, ...]
    """What shows the content afterwards."""


@dataclass(frozen=True)
class Broken:
    """Where a call was cancelled, and what was wrong afterwards."""

    nth: int
    way: Way
    parts: Sequence[str]
    outcome: Outcome | None = None
    """That of the call that shows it, where one does."""
    history: History | None = None

    @property
    def sentence(self) -> str:
        """Say where the call was cancelled."""
        return f"The last call was cancelled at suspension {self.nth}, {self.way}."


@dataclass(frozen=True)
class Swept:
    """What came of the sweep of one program."""

    suspensions: int
    """At which the call was cancelled."""
    operations: int
    broken: Broken | None = None


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


async def _errors(contract: Contract, program: Rehearsed) -> set[type]:
    """Give what the last call raises on the model once it was made any number of times."""
    actor = Actor(contract, contract.model(), scribbling=False)
    for call in program.calls:
        await actor.call(call)
    last = program.calls[-1]
    return {type((await actor.outcome(last, actor.results)).error) for _ in range(REPEATS + 1)}


def _knows(call: Call, end: int) -> bool:
    return all(at.call < end for at in references_in(call.templates()))


async def sweep(
    contract: Contract,
    store: Store,
    program: Rehearsed,
    *,
    shared: bool,
    exhausting: int | None = None,
) -> Swept:
    """Cancel the last call at its 1st, 2nd, … suspension until it completes, in every way.

    Every time the store is emptied before. shared: whether there is no second handle. exhausting:
    the suspension, counted round and round, at which it is cancelled more often than a pool has
    connections; at every one unless given.
    """
    loop = asyncio.get_running_loop()
    before, troubles = loop.get_exception_handler(), list[str]()
    loop.set_exception_handler(lambda _, context: troubles.extend(_told(context)))
    try:
        return await _Sweep(contract, store, program, shared, troubles).run(exhausting)
    finally:
        loop.set_exception_handler(before)


def _told(context: dict[str, Any]) -> Iterator[str]:
    """Say what the loop was told, unless a driver's own future lost its connection.

    asyncpg leaves such a future behind where it is cancelled while it connects.
    """
    error = context.get("exception")
    is_of_task = context.get("task") is not None or isinstance(context.get("future"), asyncio.Task)
    if is_of_task or not isinstance(error, OSError):
        yield f"{context['message']}{f' ({error!r})' if error is not None else ''}"


class _Sweep:
    def __init__(
        self,
        contract: Contract,
        store: Store,
        program: Rehearsed,
        shared: bool,
        troubles: list[str],
    ) -> None:
        self._contract, self._store, self._program = contract, store, program
        self._shared, self._troubles = shared, troubles
        self._suspensions = self._operations = self._last = 0
        self._reached = False
        self._errors: set[type] = set()

    async def run(self, exhausting: int | None) -> Swept:
        self._errors = await _errors(self._contract, self._program)
        broken = None
        for way in Way:
            everywhere = exhausting is None and way is not Way.WAKING
            broken = broken or await self._everywhere(way, everywhere)
        if broken is None and exhausting is not None and self._last > 0:
            nth = 1 + exhausting % self._last
            broken = await self._cancelled(nth, Way.WAITING, exhausting=True)
        if broken is not None:
            await self._start_again()
        return Swept(self._suspensions, self._operations, broken)

    async def _everywhere(self, way: Way, exhausting: bool) -> Broken | None:
        self._last = 0
        while True:
            broken = await self._cancelled(self._last + 1, way, exhausting=exhausting)
            if broken is not None or not self._reached:
                return broken
            self._last += 1
            self._suspensions += 1

    async def _start_again(self) -> None:
        """Give up the handles: what is wrong with them must not be found again elsewhere."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._store.reopen()
        except Exception as problem:  # closing what is broken raises what it likes
            self._troubles.append(str(problem))

    async def _cancelled(self, nth: int, way: Way, *, exhausting: bool) -> Broken | None:
        handles = await self._store.clients(1 if self._shared else 2)
        trial = _Trial(self._contract, self._program, handles, nth, way)
        found = await trial.run()
        self._operations += trial.operations
        self._reached = trial.reached
        if found is None and exhausting and trial.reached:
            found = await _Exhaustion(trial, self._errors).run()
        if trial.reached:
            gc.collect(1)  # tasks tell of errors that nobody asked for when they go
        if found is None and self._troubles:
            text = "; ".join(self._troubles)
            found = Broken(nth, way, [f"The event loop was told of an error: {text}"])
        return found


class _Trial:
    """A call cancelled once, and all that is done before and afterwards."""

    def __init__(
        self, contract: Contract, program: Rehearsed, handles: Sequence[Any], nth: int, way: Way
    ) -> None:
        self.contract, self.program = contract, program
        self.first, self.second = (
            Actor(contract, each, scribbling=False) for each in (handles[0], handles[-1])
        )
        self.nth, self.way = nth, way
        self.reached, self.operations = False, 0
        self.results: dict[int, Any] = {}
        self._recorder = Recorder(contract)

    async def run(self) -> Broken | None:
        *before, last = self.program.calls
        for call in before:
            await self._make(self.first, call)
        problem = await self._cancel(last)
        if problem is not None:
            return problem
        for call in self.program.reads:
            await self._make(self.first, call)
        for client in (self.second, self.first):
            await self._make(client, last)
        for call in self.program.reads:
            await self._make(self.second, call)
        return await self._judged()

    async def cancel(self, call: Call) -> tuple[bool, Outcome | None]:
        """Make a call that is cancelled; give whether it was, and its outcome, if any."""
        arguments = self.first.arguments(call, self.results)
        made = await cancel(self.first.invoke(call.operation, arguments), self.nth, self.way)
        return made.reached, made.outcome

    def problem_of(self, reached: bool, outcome: Outcome | None) -> Broken | None:
        """Say what is wrong with what came of a call that was cancelled."""
        if not reached or outcome is None:
            return None
        end = "CancelledError has to come out of it, after it has cleaned up"
        return self.broken([f"It {outcome} although it was cancelled: {end}."], outcome)

    def broken(
        self, parts: Sequence[str], outcome: Outcome | None = None, history: History | None = None
    ) -> Broken:
        """Give what is wrong, with where the call was cancelled."""
        return Broken(self.nth, self.way, parts, outcome, history)

    async def _cancel(self, call: Call) -> Broken | None:
        position = self.operations
        self.operations += 1
        word = self._recorder.invoke(0, position, call)
        try:
            self.reached, outcome = await self.cancel(call)
        except Unresolvable as problem:
            return self.broken([f"{problem}."])
        if not self.reached and outcome is not None:
            self._respond(word, position, outcome)
        return self.problem_of(self.reached, outcome)

    async def _make(self, client: Actor, call: Call) -> None:
        position = self.operations
        self.operations += 1
        word = self._recorder.invoke(int(client is not self.first), position, call)
        self._respond(word, position, await client.outcome(call, self.results))

    def _respond(self, word: int, position: int, outcome: Outcome) -> None:
        self._recorder.respond(word, outcome)
        if outcome.error is None:
            self.results[position] = outcome.value

    async def _judged(self) -> Broken | None:
        history = self._recorder.history()
        undeclared = history.undeclared()
        if undeclared is None:
            finding = await judge_history(self.contract, history)
            if finding.answer is Answer.LINEARIZABLE:
                return None
        else:
            finding = await judge_history(self.contract, History(()))
        outcome = undeclared.outcome if undeclared is not None else None
        return self.broken(broken_parts(history, finding), outcome, history)


class _Exhaustion:
    """A call cancelled so often on one handle that nothing is left of what each call loses."""

    def __init__(self, trial: _Trial, errors: set[type]) -> None:
        self._trial, self._errors = trial, errors
        self._tasks, self._threads = asyncio.all_tasks(), set(threading.enumerate())

    async def run(self) -> Broken | None:
        trial, call = self._trial, self._trial.program.calls[-1]
        for _ in range(REPEATS):
            reached, outcome = await trial.cancel(call)
            problem = trial.problem_of(reached, outcome) or self._refused(call, outcome)
            if problem is not None:
                return problem
        for client in (trial.first, trial.second):
            problem = self._refused(call, await client.outcome(call, trial.results))
            if problem is not None:
                return problem
        left = await self._left()
        return trial.broken([f"Each time it was cancelled it left a {left}."]) if left else None

    def _refused(self, call: Call, outcome: Outcome | None) -> Broken | None:
        """Look for an error that the model does not raise, however often the call was made."""
        error = None if outcome is None else outcome.error
        if outcome is None or error is None or type(error) in self._errors:
            return None
        said = f"After it was cancelled there again and again, {written(call)} {outcome}."
        more = "Is a connection not given back, a lock or a transaction still held?"
        return replace(self._trial.broken([said, more]), outcome=outcome)

    async def _left(self) -> str:
        tasks = asyncio.all_tasks() - self._tasks
        if len(tasks) >= REPEATS:
            _, tasks = await asyncio.wait(tasks, timeout=_LEFT_SECONDS)
        if len(tasks) >= REPEATS:
            return f"task: {_named(repr(each.get_coro()) for each in tasks)}"
        threads = [each for each in threading.enumerate() if self._is_left(each)]
        if len(threads) >= REPEATS:
            for each in threads:
                await asyncio.to_thread(each.join, _LEFT_SECONDS / len(threads))
            threads = [each for each in threads if each.is_alive()]
        return f"thread: {_named(each.name for each in threads)}" if len(threads) >= REPEATS else ""

    def _is_left(self, thread: threading.Thread) -> bool:
        return thread not in self._threads and not thread.name.startswith(_OF_THE_LOOP)


def _named(names: Iterable[str]) -> str:
    return min(names)
