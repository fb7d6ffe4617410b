"""What a pasted test calls is noted here, with references where it takes what calls gave."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from storeproof.harness.copying import isolated
from storeproof.harness.expectation import Expectation
from storeproof.harness.history import History, Recorder
from storeproof.harness.operations import Operation, Style
from storeproof.harness.program import Call, Program
from storeproof.harness.running import Outcome

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Client", "Recording", "Turns"]


class Turns:
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


class Recording:
    """The calls of one run, with references where they take what earlier ones were given."""

    def __init__(self, contract: Contract, turns: Turns) -> None:
        self.contract, self.turns = contract, turns
        self.made: list[tuple[int, Call]] = []
        """Each call, with the number of its client."""
        self._recorder = Recorder(contract)
        self._outcomes: list[Outcome] = []
        self._one_at_a_time = threading.Lock()

    def invoke(self, client: int, operation: str, arguments: dict[str, Any]) -> int:
        with self._one_at_a_time:
            return self._invoke(client, operation, arguments)

    def _invoke(self, client: int, operation: str, arguments: dict[str, Any]) -> int:
        call = Call(operation, self._with_references(isolated(arguments)))
        self.made.append((client, call))
        self._outcomes.append(Outcome())
        self.turns.running += 1
        return self._recorder.invoke(client, len(self.made) - 1, call)

    def respond(self, word: int, outcome: Outcome) -> None:
        with self._one_at_a_time:
            self._outcomes[word] = outcome
            self.turns.running -= 1
            self._recorder.respond(word, outcome)

    def history(self) -> History:
        return self._recorder.history()

    def program(self) -> Program:
        """Give the calls as a program of one client."""
        return Program(tuple(call for _, call in self.made))

    def _with_references(self, arguments: dict[str, Any]) -> Any:
        if not self.made or not self.contract.rules.generated:
            return arguments
        known = Expectation(self.contract, self.program(), self._outcomes, None)
        return known.attribute(arguments)


class Client:
    """A storage whose calls are recorded."""

    def __init__(self, recording: Recording, index: int, storage: Any) -> None:
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


class _Recorded:
    """One operation of a recorded storage."""

    def __init__(self, recording: Recording, index: int, operation: Operation, member: Any) -> None:
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
