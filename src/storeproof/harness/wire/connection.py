"""A `Wire` has a `Connection` for each one that a client opens; nobody else needs this."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum, auto
from typing import Protocol

from storeproof.harness.wire.framing import Framing, Message, Side
from storeproof.harness.wire.plans import Fault

__all__ = ["Connection"]

_CHUNK = 65536
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER, of no seconds: closing sends RST."""


class _State(Enum):
    PASSING = auto()
    SILENT = auto()
    ENDED = auto()


class Counting(Protocol):
    """What a connection asks of its wire."""

    delay: float

    def count(self, connection: Connection, side: Side, message: Message) -> Fault | None:
        """Count a message; give the fault that happens to it."""
        ...


class Connection:
    """One client's connection, and the one to the server behind it.

    is_first_answer: whether the server's present message is its first of a round trip.
    """

    def __init__(
        self,
        wire: Counting,
        framing: Framing,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._wire, self._framing = wire, framing
        self._readers, self._writers = {Side.CLIENT: reader}, {Side.CLIENT: writer}
        self._state = _State.PASSING
        self._released = asyncio.Event()
        self._left = False
        self._waiting = False
        self.is_first_answer = False

    @property
    def is_open(self) -> bool:
        """Whether the client has not closed it yet, nor seen it break."""
        return not self._left

    async def run(self, host: str, port: int) -> None:
        """Pass on what both sides send, until both are gone."""
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            self._left = True
            self.reset()
            return
        self._readers[Side.SERVER], self._writers[Side.SERVER] = reader, writer
        try:
            await asyncio.gather(*map(self._pass_on, Side))
        finally:
            for each in self._writers.values():
                each.close()

    def mend(self) -> None:
        """Break it if it is silent; pass on what is held."""
        self._released.set()
        if self._state is _State.SILENT:
            self.reset()

    def end(self) -> None:
        """Tell both sides that the other one has ended it."""
        self._state = _State.ENDED
        self._released.set()
        for each in self._writers.values():
            _tell_the_end(each)

    def reset(self) -> None:
        """Break it on both sides."""
        self._state = _State.ENDED
        self._released.set()
        for each in self._writers.values():
            with suppress(OSError):  # it may be closed already
                to_it = each.get_extra_info("socket")
                to_it.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            each.transport.abort()

    async def _pass_on(self, side: Side) -> None:
        try:
            while data := await self._readers[side].read(_CHUNK):
                for message in self._messages(side, data):
                    await self._pass(side, message)
        except OSError:
            self._gone(side)
            if self._state is _State.PASSING:
                self.reset()
            return
        self._gone(side)
        if self._state is _State.PASSING:
            self._writers[side.other].write(self._framing.rest(side))
            _tell_the_end(self._writers[side.other])

    def _gone(self, side: Side) -> None:
        self._left = self._left or side is Side.CLIENT

    def _messages(self, side: Side, data: bytes) -> Iterator[Message]:
        """Give the messages of what arrived, as long as they are passed on."""
        if self._state is _State.PASSING:
            for message in self._framing.messages(side, data):
                if self._state is _State.PASSING:
                    yield message

    async def _pass(self, side: Side, message: Message) -> None:
        self.is_first_answer = side is Side.SERVER and self._waiting
        self._waiting = message.begins_trip or (self._waiting and side is Side.CLIENT)
        fault = self._wire.count(self, side, message)
        data = message.data if fault is None else await self._suffer(fault, side, message)
        receiver = self._writers[side.other]
        if data and not receiver.is_closing():
            receiver.write(data)
            await receiver.drain()
        if fault is Fault.PARTIAL:
            self.end()

    async def _suffer(self, fault: Fault, side: Side, message: Message) -> bytes:
        """Carry out a fault; give what is passed on all the same."""
        match fault:
            case Fault.CUT:
                self.end()
            case Fault.RESET:
                self.reset()
            case Fault.BLACK_HOLE:
                self._state = _State.SILENT
            case Fault.PARTIAL:
                return message.data[: len(message.data) // 2]
            case Fault.DELAY:
                await asyncio.sleep(self._wire.delay)
            case Fault.HOLD:
                self._released.clear()
                await self._released.wait()
        return message.data if self._state is _State.PASSING else b""


def _tell_the_end(writer: asyncio.StreamWriter) -> None:
    if not writer.is_closing() and writer.can_write_eof():
        with suppress(OSError):  # it has been reset, and nobody has told the loop yet
            writer.write_eof()
