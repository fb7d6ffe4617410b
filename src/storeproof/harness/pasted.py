"""`Contract.race`, `cancel` and `disconnect` run here what tests that failures print give them."""

from __future__ import annotations

import asyncio
import inspect
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Store
from storeproof.harness.contradiction import broken_parts
from storeproof.harness.copying import isolated
from storeproof.harness.disturbing import Broken, Rehearsed, rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.expectation import Expectation
from storeproof.harness.faulting import break_everywhere
from storeproof.harness.history import History, Recorder
from storeproof.harness.linearizability import Answer, judge_history
from storeproof.harness.operations import Operation, Style
from storeproof.harness.program import Call, Program, Step
from storeproof.harness.running import PATIENCE, Outcome
from storeproof.harness.sweeping import sweep

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pasted", "PastedCancelling", "PastedDisconnecting", "recorded"]


class Pasted:
    """A function of several clients, and how often it is run."""

    def __init__(
        self,
        contract: Contract,
        program: Callable[..., Awaitable[None]],
        *,
        clients: int,
        shared: bool,
        times: int,
    ) -> None:
        self._contract, self._program = contract, program
        self._clients, self._shared, self._times = clients, shared, times

    async def run(self, store: Store) -> None:
        """Run the function until its history is one that no order explains.

        Raises AssertionError then; Inconclusive where that could not be found out; what the
        function itself raises where it does so each time.
        """
        problems = []
        for number in range(1, self._times + 1):
            recording = _Recording(self._contract, _Turns(number, self._clients))
            try:
                await self._once(store, recording)
            except Exception as problem:  # such as that of a call which another order forbids
                problems.append(problem)
            await self._judge(recording.history(), number)
        if len(problems) == self._times:
            raise problems[-1]

    async def _once(self, store: Store, recording: _Recording) -> None:
        count = 1 if self._shared else self._clients
        handles = await store.clients(count) * (self._clients // count)
        made = [_Client(recording, index, each) for index, each in enumerate(handles)]
        async with asyncio.timeout(PATIENCE):
            await self._program(*made)

    async def _judge(self, history: History, number: int) -> None:
        finding = await judge_history(self._contract, history)
        if finding.answer is Answer.UNKNOWN:
            reason = f"no order of {len(history.calls)} calls was found in time"
            raise Inconclusive("the race", reason, "Make fewer calls")
        if finding.answer is Answer.NOT_LINEARIZABLE or history.undeclared():
            parts = broken_parts(history, finding)
            raise AssertionError("\n\n".join([f"run {number} of {self._times}:", *parts]))


async def recorded(
    contract: Contract, program: Callable[[Any], Awaitable[None]]
) -> tuple[Sequence[Step], int]:
    """Run a function on the model; give its calls, and how many came before `moved`."""
    recording = _Recording(contract, _Turns(0, 1))
    client = _MovingClient(recording, 0, contract.model())
    await program(client)
    calls = recording.program().steps
    return calls, len(calls) if client.moved_at is None else client.moved_at


class _PastedEnding(ABC):
    """A function of one client, whose last call is disturbed."""

    def __init__(
        self, contract: Contract, program: Callable[[Any], Awaitable[None]], *, shared: bool
    ) -> None:
        self._contract, self._program, self._shared = contract, program, shared

    async def run(self, store: Store) -> None:
        """Note the function's calls on the model, then disturb the last one on the store.

        Raises AssertionError where that shows something wrong; Inconclusive where the last call
        does not succeed on the model.
        """
        recording = _Recording(self._contract, _Turns(0, 1))
        await self._program(_Client(recording, 0, self._contract.model()))
        found = await rehearsed(self._contract, recording.program())
        if found is None:
            reason = "the function's last call does not succeed on the model"
            raise Inconclusive(self.doing, reason, "Make what it needs before")
        broken = await self.broken(store, found)
        if broken is not None:
            raise AssertionError("\n\n".join([broken.sentence, *broken.parts]))

    doing: str

    @abstractmethod
    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        """Disturb the last call everywhere."""


class PastedCancelling(_PastedEnding):
    """A function of one client, whose last call is cancelled."""

    doing = "cancelling"

    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        return (await sweep(self._contract, store, found, shared=self._shared)).broken


class PastedDisconnecting(_PastedEnding):
    """A function of one client, whose last call's connection is broken."""

    doing = "disconnecting"

    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        return (await break_everywhere(self._contract, store, found, shared=self._shared)).broken


class _Turns:
    """Lets calls that begin at once, while no other runs, begin in another order in each run."""

    def __init__(self, run: int, clients: int) -> None:
        self._run, self._clients = run, clients
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.running = 0

    async def turn(self, client: int) -> None:
        if self.running:
            return
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._release)
        self._waiting.append(((client - self._run) % self._clients, loop.create_future()))
        await self._waiting[-1][1]

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        for _, each in sorted(waiting, key=_rank):
            if not each.done():
                each.set_result(None)


def _rank(waiting: tuple[int, Any]) -> int:
    return waiting[0]


class _Recording:
    """The calls of one run, with references where they take what earlier ones were given."""

    def __init__(self, contract: Contract, turns: _Turns) -> None:
        self.contract, self.turns = contract, turns
        self._recorder = Recorder(contract)
        self._calls: list[Call] = []
        self._outcomes: list[Outcome] = []
        self._one_at_a_time = threading.Lock()

    def invoke(self, client: int, operation: str, arguments: dict[str, Any]) -> int:
        with self._one_at_a_time:
            return self._invoke(client, operation, arguments)

    def _invoke(self, client: int, operation: str, arguments: dict[str, Any]) -> int:
        call = Call(operation, self._with_references(isolated(arguments)))
        self._calls.append(call)
        self._outcomes.append(Outcome())
        self.turns.running += 1
        return self._recorder.invoke(client, len(self._calls) - 1, call)

    def respond(self, word: int, outcome: Outcome) -> None:
        with self._one_at_a_time:
            self._outcomes[word] = outcome
            self.turns.running -= 1
            self._recorder.respond(word, outcome)

    def history(self) -> History:
        return self._recorder.history()

    def program(self) -> Program:
        """Give the calls as a program of one client."""
        return Program(tuple(self._calls))

    def _with_references(self, arguments: dict[str, Any]) -> Any:
        if not self._calls or not self.contract.rules.generated:
            return arguments
        known = Expectation(self.contract, Program(tuple(self._calls)), self._outcomes, None)
        return known.attribute(arguments)


class _Client:
    """A storage whose calls are recorded."""

    def __init__(self, recording: _Recording, index: int, storage: Any) -> None:
        self._recording, self._index, self._storage = recording, index, storage

    def __getattr__(self, name: str) -> Any:
        operation = self._recording.contract.operations.get(name)
        member = getattr(self._storage, name)
        if operation is None:
            return member
        made = _Recorded(self._recording, self._index, operation, member)
        return {
            Style.COROUTINE: made.awaited,
            Style.GENERATOR: made.generated,
            Style.SYNC: made.called,
        }[operation.style]


class _MovingClient(_Client):
    moved_at: int | None = None
    """How many calls came before the content is moved."""

    def storeproof_moved(self) -> None:
        self.moved_at = len(self._recording.program().steps)


class _Recorded:
    """One operation of a recorded storage."""

    def __init__(
        self, recording: _Recording, index: int, operation: Operation, member: Any
    ) -> None:
        self._recording, self._index = recording, index
        self._operation, self._member = operation, member

    async def awaited(self, *given: Any, **named: Any) -> Any:
        await self._recording.turns.turn(self._index)
        word = self._invoke(given, named)
        try:
            return self._given(word, await self._member(*given, **named))
        except Exception as error:
            raise self._raised(word, error) from None

    async def generated(self, *given: Any, **named: Any) -> AsyncIterator[Any]:
        await self._recording.turns.turn(self._index)
        word = self._invoke(given, named)
        try:
            items = [each async for each in self._member(*given, **named)]
        except Exception as error:
            raise self._raised(word, error) from None
        for each in self._given(word, items):
            yield each

    def called(self, *given: Any, **named: Any) -> Any:
        word = self._invoke(given, named)
        try:
            return self._given(word, self._member(*given, **named))
        except Exception as error:
            raise self._raised(word, error) from None

    def _invoke(self, given: tuple[Any, ...], named: dict[str, Any]) -> int:
        signature = inspect.signature(self._operation.function)
        (_, *arguments) = signature.bind(None, *given, **named).arguments.items()
        context = self._recording.contract.context
        kept = {name: value for name, value in arguments if name not in context}
        return self._recording.invoke(self._index, self._operation.name, kept)

    def _given(self, word: int, value: Any) -> Any:
        self._recording.respond(word, Outcome(isolated(value)))
        return value

    def _raised(self, word: int, error: Exception) -> Exception:
        declared = isinstance(error, self._recording.contract.errors)
        self._recording.respond(word, Outcome(error=error, declared=declared))
        return error
