"""The check of cancellation cancels a program's last call at every suspension through `sweep`."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from storeproof.harness.cancelling import Way, cancel
from storeproof.harness.disturbing import Broken, Disturbed, Rehearsed
from storeproof.harness.history import written
from storeproof.harness.program import Call
from storeproof.harness.running import PATIENCE, Actor, Outcome, Unresolvable

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = ["Extent", "Swept", "sweep"]

REPEATS = 12
"""How often a call is cancelled at one suspension on one handle: more than pools usually hold."""
_LEFT_SECONDS = 2.0
"""What tasks and threads have to end, where every cancelled call seems to leave one."""
_OF_THE_LOOP = "asyncio_"
"""How threads of the loop's own executor are called: it keeps them, whoever used them."""


class Extent(Enum):
    """How much of a sweep is made."""

    EVERYTHING = auto()
    """In every way at every suspension, and there more often than a pool has connections."""
    EVERY_WAY = auto()
    """In every way at every suspension, and at one of them more often than that."""
    IN_TURN = auto()
    """In one way at each suspension, in another one at the next."""


@dataclass(frozen=True)
class Swept:
    """What came of the sweep of one program."""

    suspensions: int
    """At which the call was cancelled."""
    operations: int
    broken: Broken | None = None


async def _errors(contract: Contract, program: Rehearsed) -> set[type]:
    """Give what the last call raises on the model once it was made any number of times."""
    actor = Actor(contract, contract.model(), scribbling=False)
    for call in program.calls:
        await actor.call(call)
    last = program.calls[-1]
    return {type((await actor.outcome(last, actor.results)).error) for _ in range(REPEATS + 1)}


async def sweep(
    contract: Contract,
    store: Store,
    program: Rehearsed,
    *,
    shared: bool,
    extent: Extent = Extent.EVERYTHING,
    turn: int = 0,
) -> Swept:
    """Cancel the last call at its 1st, 2nd, … suspension until it completes.

    Every time the store is emptied before. shared: whether there is no second handle. turn: where
    not everything is tried, another number tries something else.
    """
    loop = asyncio.get_running_loop()
    before, troubles = loop.get_exception_handler(), list[str]()
    loop.set_exception_handler(lambda _, context: troubles.extend(_told(context)))
    try:
        return await _Sweep(contract, store, program, shared, troubles).run(extent, turn)
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

    async def run(self, extent: Extent, turn: int) -> Swept:
        self._errors = await _errors(self._contract, self._program)
        broken = await self._broken(extent, turn)
        if broken is not None:
            await self._start_again()
        return Swept(self._suspensions, self._operations, broken)

    async def _broken(self, extent: Extent, turn: int) -> Broken | None:
        if extent is Extent.IN_TURN:
            first = turn % len(Way)
            return await self._everywhere([*Way][first:] + [*Way][:first])
        for way in Way:
            exhausting = extent is Extent.EVERYTHING and way is not Way.WAKING
            broken = await self._everywhere([way], exhausting=exhausting)
            if broken is not None:
                return broken
        if extent is Extent.EVERYTHING or self._last == 0:
            return None
        return await self._cancelled(1 + turn % self._last, Way.WAITING, exhausting=True)

    async def _everywhere(self, ways: Sequence[Way], *, exhausting: bool = False) -> Broken | None:
        """Cancel at every suspension, at each in the next one of the ways."""
        self._last = 0
        while True:
            way = ways[self._last % len(ways)]
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
            found = trial.broken([f"The event loop was told of an error: {text}"])
        return found


class _Trial(Disturbed):
    """A call cancelled once, and all that is done before and afterwards."""

    def __init__(
        self, contract: Contract, program: Rehearsed, handles: Sequence[Any], nth: int, way: Way
    ) -> None:
        sentence = f"The last call was cancelled at suspension {nth}, {way}."
        super().__init__(contract, program, handles, sentence)
        self.nth, self.way = nth, way
        self.reached = False

    async def run(self) -> Broken | None:
        *before, last = self.program.calls
        for call in before:
            await self.make(self.first, call)
        problem = await self._cancel(last)
        if problem is not None:
            return problem
        for call in self.program.reads:
            await self.make(self.first, call)
        for client in (self.second, self.first):
            await self.make(client, last)
        for call in self.program.reads:
            await self.make(self.second, call)
        return await self.judged()

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

    async def _cancel(self, call: Call) -> Broken | None:
        word, position = self.begin(self.first, call)
        try:
            self.reached, outcome = await self.cancel(call)
        except Unresolvable as problem:
            return self.broken([f"{problem}."])
        if not self.reached and outcome is not None:
            self.respond(word, position, outcome)
        return self.problem_of(self.reached, outcome)


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
