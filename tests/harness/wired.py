"""Vaults on a server behind TCP: correct ones, and some that do the wrong thing when it is lost.

Every storage here is right as long as the connection holds.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import asdict
from typing import Any, ClassVar, Protocol

from storeproof import Contract
from storeproof.harness.backends.base import HandleStore

from .vaults import Box, BoxId, InMemoryVault, Vault, VaultError, vault

ERRORS = {each.__name__: each for each in VaultError.__subclasses__()}
ARGUMENTS: Any = vault.arguments


class Unavailable(VaultError):
    """The server can't be reached; nothing happened."""


class OutcomeUnknown(VaultError):
    """The answer was lost."""


wired_vault = Contract(
    Vault,
    model=InMemoryVault,
    errors=[VaultError],
    uncertain=[OutcomeUnknown],
    unavailable=[Unavailable],
    ends_within=1.0,
    arguments=ARGUMENTS,
    name="vault",
)


class VaultServer:
    """Makes one call of a model for each line of JSON; each connection has a thread."""

    def __init__(self, model: Callable[[], Any] = InMemoryVault) -> None:
        self._model, self._rows = model, model()
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.endpoint: tuple[str, int] = self._listening.getsockname()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def empty(self) -> None:
        with self._lock:
            self._rows = self._model()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    connection.sendall(self._answer(*json.loads(line)))

    def _answer(self, operation: str, *arguments: Any) -> bytes:
        given = [Box(**each) if isinstance(each, dict) else each for each in arguments]
        with self._lock:
            try:
                answer = {"value": _made(getattr(self._rows, operation)(*given))}
            except VaultError as error:
                answer = {"error": type(error).__name__}
        return json.dumps(answer, default=asdict).encode() + b"\n"


def _made(call: Any) -> Any:
    """What a call returns, or a coroutine that never waits."""
    if not asyncio.iscoroutine(call):
        return call
    try:
        call.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the model waits")


class WiredVault:
    """Correct: one connection, made again when it is lost; reads are made again, writes are not."""

    reads = ("get", "list_boxes")

    def __init__(self, address: str, *, timeout: float = 5.0) -> None:
        self.host, port = address.split(":")
        self.port, self.timeout = int(port), timeout
        self.streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.turn = asyncio.Lock()

    async def ask(self, operation: str, *arguments: Any) -> Any:
        async with self.turn:
            try:
                return await self.exchange(operation, *arguments)
            except OSError as error:
                self.drop()
                return await self.lost(error, operation, *arguments)

    async def exchange(self, operation: str, *arguments: Any) -> Any:
        reader, writer = await self.connected()
        async with asyncio.timeout(self.timeout):
            writer.write(json.dumps([operation, *arguments], default=asdict).encode() + b"\n")
            line = await reader.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        answer = json.loads(line)
        if "error" in answer:
            raise ERRORS[answer["error"]]
        return answer["value"]

    async def connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.streams is None:
            try:
                self.streams = await asyncio.open_connection(self.host, self.port)
            except OSError:
                raise Unavailable from None
        return self.streams

    def drop(self) -> None:
        self.close()
        self.streams = None

    def close(self) -> None:
        if self.streams is not None:
            self.streams[1].transport.abort()

    async def lost(self, error: OSError, operation: str, *arguments: Any) -> Any:
        if operation not in self.reads:
            raise OutcomeUnknown from error
        return await self.again(operation, *arguments)

    async def again(self, operation: str, *arguments: Any) -> Any:
        try:
            return await self.exchange(operation, *arguments)
        except OSError as error:
            self.drop()
            raise Unavailable from error

    async def create(self, box: Box) -> Box:
        return Box(**await self.ask("create", box))

    async def get(self, id: BoxId) -> Box:
        return Box(**await self.ask("get", id))

    async def add(self, id: BoxId) -> None:
        await self.ask("add", id)

    async def rename(self, id: BoxId, label: str) -> Box:
        return Box(**await self.ask("rename", id, label))

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        return Box(**await self.ask("update", id, label, version))

    async def move(self, source: BoxId, target: BoxId) -> None:
        await self.ask("move", source, target)

    async def take(self) -> Box:
        return Box(**await self.ask("take"))

    async def list_boxes(self) -> list[Box]:
        return [Box(**each) for each in await self.ask("list_boxes")]


class ConnectsEachTime(WiredVault):
    """Correct: a connection for each call."""

    async def exchange(self, operation: str, *arguments: Any) -> Any:
        try:
            return await super().exchange(operation, *arguments)
        finally:
            self.drop()


class NeverSure(WiredVault):
    """Correct, if of little use: what is lost is never made again."""

    async def lost(self, error: OSError, operation: str, *arguments: Any) -> Any:
        raise OutcomeUnknown from error


CORRECT: list[Callable[..., Any]] = [WiredVault, ConnectsEachTime, NeverSure]
LOSING: list[type[WiredVault]] = []


def losing(make: type[WiredVault]) -> type[WiredVault]:
    LOSING.append(make)
    return make


@losing
class SaysItWasDone(WiredVault):
    """A write whose answer is lost counts as done."""

    async def add(self, id: BoxId) -> None:
        with suppress(OutcomeUnknown):
            await super().add(id)


@losing
class SaysNothingHappened(WiredVault):
    """A write whose answer is lost is called safe to make again."""

    async def lost(self, error: OSError, operation: str, *arguments: Any) -> Any:
        raise Unavailable from error


@losing
class LeaksTheDriversError(WiredVault):
    """What the socket raises comes out."""

    async def lost(self, error: OSError, operation: str, *arguments: Any) -> Any:
        raise error


@losing
class MakesItAgain(WiredVault):
    """A write whose answer is lost is made again."""

    reads = (*WiredVault.reads, "add")


@losing
class KeepsTheDeadConnection(WiredVault):
    """The connection that was lost is used for ever."""

    def drop(self) -> None:
        pass


@losing
class WaitsForEver(WiredVault):
    """Nothing bounds the waiting for an answer."""

    def __init__(self, address: str, *, timeout: float = 5.0) -> None:
        super().__init__(address)
        self.timeout = 3600


@losing
class MovesByHalves(WiredVault):
    """Two round trips, each a transaction of its own, for one effect."""

    async def move(self, source: BoxId, target: BoxId) -> None:
        full, _ = await self.get(source), await self.get(target)
        if source != target and full.coins:
            await self.ask("move", source, target)
            await self.ask("move", target, source)
            await self.ask("move", source, target)


def opener(make: Callable[..., Any]) -> Callable[..., AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def opened(address: str, *, timeout: float = 5.0) -> AsyncIterator[Any]:
        storage = make(address, timeout=timeout)
        yield storage
        storage.close()

    return opened


class WiredStore(HandleStore):
    """One server's boxes."""

    def __init__(self, make: Callable[..., Any], server: VaultServer) -> None:
        opening = connecting if hasattr(make, "open") else opener
        super().__init__(opening(make), "{}:{}".format(*server.endpoint), server.endpoint)
        self._server = server

    def address_at(self, host: str, port: int) -> str:
        return f"{host}:{port}"

    async def empty(self) -> None:
        self._server.empty()

    async def remove(self) -> None:
        """The test ends the server."""


class Counter(Protocol):
    """Numbers by name; its operations are not awaited."""

    def bump(self, name: str) -> None:
        """Count one more."""
        ...

    def get(self, name: str) -> int:
        """Give how many were counted."""
        ...


class InMemoryCounter:
    """The model, which the server has as well."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def bump(self, name: str) -> None:
        self.counts[name] = self.get(name) + 1

    def get(self, name: str) -> int:
        return self.counts.get(name, 0)


wired_counter = Contract(
    Counter,
    model=InMemoryCounter,
    errors=[VaultError],
    uncertain=[OutcomeUnknown],
    unavailable=[Unavailable],
    ends_within=1.0,
    arguments={"name": ["a", "b"]},
    name="counter",
)


class WiredCounter:
    """Correct, and blocks the event loop while it waits: a connection for each call."""

    def __init__(self, address: str, *, timeout: float | None = 5.0) -> None:
        host, port = address.split(":")
        self.place, self.timeout = (host, int(port)), timeout

    def bump(self, name: str) -> None:
        try:
            self._ask("bump", name)
        except OSError as error:
            raise OutcomeUnknown from error

    def get(self, name: str) -> int:
        try:
            return int(self._ask("get", name))
        except OSError as error:
            raise Unavailable from error

    def close(self) -> None:
        """Nothing stays open."""

    def _ask(self, operation: str, name: str) -> Any:
        with socket.create_connection(self.place, timeout=self.timeout) as connection:
            connection.sendall(json.dumps([operation, name]).encode() + b"\n")
            with connection.makefile("rb") as lines:
                line = lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError
        return json.loads(line)["value"]


class BlocksForEver(WiredCounter):
    """Nothing bounds the waiting for an answer, and nothing else runs meanwhile."""

    def __init__(self, address: str, *, timeout: float | None = 5.0) -> None:
        super().__init__(address, timeout=None)


def connecting(make: Callable[..., Any]) -> Callable[..., AbstractAsyncContextManager[Any]]:
    """An opener that connects before it gives the storage."""

    @asynccontextmanager
    async def opened(address: str, *, timeout: float = 5.0) -> AsyncIterator[Any]:
        storage = make(address, timeout=timeout)
        await storage.open()
        try:
            yield storage
        finally:
            storage.close()

    return opened


class OpensAtOnce(WiredVault):
    """Correct: has its connection, and has greeted the server, before it is used."""

    async def open(self) -> None:
        await self.list_boxes()


class OpensAndLeaks(OpensAtOnce):
    """What the socket raises comes out of its opening, and of nothing else."""

    async def open(self) -> None:
        self.streams = await asyncio.open_connection(self.host, self.port)
        await self.exchange("list_boxes")


class OpensForEver(OpensAtOnce):
    """Nothing bounds the waiting for the server's greeting."""

    async def open(self) -> None:
        usual, self.timeout = self.timeout, 3600
        await super().open()
        self.timeout = usual


class OpensByHalves(OpensAtOnce):
    """Its first connection stays open where its second one can't be had."""

    made: ClassVar[list[WiredVault]] = []
    """Whom nobody collects meanwhile."""

    def __init__(self, address: str, *, timeout: float = 5.0) -> None:
        super().__init__(address, timeout=timeout)
        self.spare = NeverSure(address, timeout=timeout)
        self.made.append(self)

    async def open(self) -> None:
        await super().open()
        await self.spare.list_boxes()

    def close(self) -> None:
        super().close()
        self.spare.close()


class OpensOnce(OpensAtOnce):
    """Whether the server answers is found out once in a process, and kept."""

    refused: ClassVar[set[str]] = set()

    async def open(self) -> None:
        if self.host + str(self.port) in self.refused:
            raise Unavailable
        try:
            await super().open()
        except VaultError:
            self.refused.add(self.host + str(self.port))
            raise


OPENING = (OpensAndLeaks, OpensForEver, OpensByHalves, OpensOnce)
