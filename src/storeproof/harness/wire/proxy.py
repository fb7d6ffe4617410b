"""Whoever needs to see or to break what passes between a storage and its server opens a `Wire`."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from storeproof.harness.wire.connection import Connection
from storeproof.harness.wire.framing import Framing, Message, RawBytes, Side
from storeproof.harness.wire.plans import Fault, Met, Of, Plan

__all__ = ["Wire"]

T = TypeVar("T")

LISTENING_ON: Final = "127.0.0.1"


class Wire:
    """A TCP proxy in front of one server, on a thread of its own, from `start` to `stop`.

    It counts what passes: `messages`, `trips` (round trips) and `bytes` of all connections,
    `opened` connections. A message has been counted before it is passed on, so whoever has an
    answer finds all that led to it counted. One fault can be planned at a time; it happens once, on
    the connection on which its message comes, and every other connection goes on. Use it as a
    context manager; calls come from one thread, which may run an event loop or block.

    host, port: the server's. listening: the proxy's own port, on 127.0.0.1; any free one unless
    given. delay: of a delayed message, in seconds.
    """

    def __init__(
        self,
        host: str,
        port: int,
        framing: type[Framing] = RawBytes,
        *,
        listening: int = 0,
        delay: float = 0.005,
    ) -> None:
        self.host, self.port = LISTENING_ON, listening
        self.trips = self.opened = self.bytes = 0
        self.met: Met | None = None
        """Where the last plan's fault happened; None while it has not."""
        self.delay = delay
        self._target, self._framing = (host, port), framing
        self._messages = dict.fromkeys(Side, 0)
        self._plan: Plan | None = None
        self._connections: dict[Connection, int] = {}
        """With their numbers, from 1."""
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="storeproof-wire", daemon=True
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def messages(self) -> int:
        """How many messages of both sides have passed."""
        return sum(self._messages.values())

    @property
    def connections(self) -> int:
        """How many connections clients have open: neither closed them nor saw them break."""
        return self.open_since(0)

    def open_since(self, opened: int) -> int:
        """How many connections clients have open beside the first so many that were `opened`."""
        return sum(
            each.is_open and number > opened for each, number in tuple(self._connections.items())
        )

    def sent(self, side: Side) -> int:
        """How many messages of a side have passed."""
        return self._messages[side]

    def start(self) -> None:
        """Listen. Raises OSError where its port can't be had."""
        self._thread.start()
        try:
            self._do(self._listen())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop listening and break every connection; repeating it does nothing more."""
        if self._loop.is_closed():
            return
        self._do(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def plan(self, fault: Fault, nth: int = 1, of: Of = Of.MESSAGE) -> None:
        """Have a fault happen at the nth such message from now on; it replaces an earlier plan."""
        self._plan, self.met = None, None
        self._plan = Plan(fault, nth, of)

    def refuse(self) -> None:
        """Refuse every new connection, until `mend`."""
        self._do(self._deaf())

    def mend(self) -> None:
        """Forget the plan, pass on what is held, listen, and break the connections that are silent.

        Raises OSError where it refused, and its port can't be had any more.
        """
        self._plan = None
        self._do(self._mended())

    def hang_up(self) -> None:
        """End every connection, as a server that is restarted does."""
        self._do(self._ended())

    def count(self, connection: Connection, side: Side, message: Message) -> Fault | None:
        """Count a message that is about to pass; give the fault that happens to it."""
        self._messages[side] += 1
        self.trips += message.begins_trip
        self.bytes += len(message.data)
        plan = self._plan
        if plan is None or not _is_counted(plan.of, connection, side, message):
            return None
        plan.left -= 1
        if plan.left:
            return None
        self._plan, self.met = None, Met(plan.fault, side, message.kind)
        return plan.fault

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, self._framing(), reader, writer)
        self.opened += 1
        self._connections[connection] = self.opened
        with suppress(asyncio.CancelledError):  # of `stop`; asyncio would report it as an error
            await connection.run(*self._target)
        self._connections.pop(connection, None)

    async def _deaf(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _mended(self) -> None:
        if self._server is None:
            await self._listen()
        for each in tuple(self._connections):
            each.mend()

    async def _ended(self) -> None:
        for each in tuple(self._connections):
            each.end()

    async def _close(self) -> None:
        await self._deaf()
        for each in tuple(self._connections):
            each.reset()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_default_executor()


def _is_counted(of: Of, connection: Connection, side: Side, message: Message) -> bool:
    if of is Of.TRIP:
        return message.begins_trip
    if of is Of.ANSWER:
        return side is Side.SERVER and connection.is_first_answer
    return True
