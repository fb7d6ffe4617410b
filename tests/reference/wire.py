"""For the tests of database storages: a wire to PostgreSQL that counts, cuts and holds.

The wire knows where a round trip begins: at a message after which the client waits.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from enum import Enum
from urllib.parse import urlsplit, urlunsplit

WAITING = {b"Q", b"S", b"H"}
"""Query, Sync and Flush: what a client sends before it waits for the server."""


class Fault(Enum):
    CUT_BEFORE = "the request never reaches the server"
    CUT_AFTER = "the server has answered, and the answer never reaches the client"
    HOLD = "neither side hears of the other again"


class Wire:
    """`trips` counts round trips; the fault planned for the nth from now on happens once.

    `opened` counts connections, `connections` those that are still open.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname, parts.port
        self._parts = parts
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._fault: tuple[int, Fault] | None = None
        self._held = asyncio.Event()
        self.trips = 0
        self.opened = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        login = self._parts.netloc.rpartition("@")[0]
        netloc = f"{login}@127.0.0.1:{port}"
        query = f"{self._parts.query}&sslmode=disable".removeprefix("&")
        return urlunsplit(self._parts._replace(netloc=netloc, query=query))

    @property
    def connections(self) -> int:
        return len(self._writers) // 2

    def plan(self, fault: Fault, trip: int = 1) -> None:
        self._fault = (self.trips + trip, fault)

    async def hang_up(self) -> None:
        """Ends every connection, as a server that restarts does, until the clients know it."""
        for writer in self._writers:
            writer.write_eof()
        while self._writers:
            await asyncio.sleep(0)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        self._held.set()
        await self.hang_up()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(self._host, self._port)
        self._writers |= {writer, up_writer}
        self.opened += 1
        answers = asyncio.ensure_future(self._pass_on(up_reader, writer))
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await self._startup(reader, up_writer)
            while True:
                await self._request(reader, up_writer, up_reader, answers)
        answers.cancel()
        for each in (writer, up_writer):
            each.close()
        self._writers -= {writer, up_writer}

    async def _startup(self, reader: asyncio.StreamReader, up: asyncio.StreamWriter) -> None:
        length = await reader.readexactly(4)
        up.write(length + await reader.readexactly(int.from_bytes(length, "big") - 4))

    async def _request(
        self,
        reader: asyncio.StreamReader,
        up: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        answers: asyncio.Future[None],
    ) -> None:
        head = await reader.readexactly(5)
        message = head + await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
        if head[:1] not in WAITING:
            up.write(message)
            return
        self.trips += 1
        if self._fault is None or self._fault[0] != self.trips:
            up.write(message)
            return
        await self._fail(self._fault[1], message, up, up_reader, answers)

    async def _fail(
        self,
        fault: Fault,
        message: bytes,
        up: asyncio.StreamWriter,
        up_reader: asyncio.StreamReader,
        answers: asyncio.Future[None],
    ) -> None:
        answers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await answers
        if fault is Fault.HOLD:
            await self._held.wait()
        if fault is Fault.CUT_AFTER:
            up.write(message)
            await up_reader.read(1)
        raise ConnectionResetError

    async def _pass_on(self, up: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await up.read(65536):
                writer.write(data)
        writer.close()


@contextlib.asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    wire = Wire(url)
    await wire.start()
    try:
        yield wire
    finally:
        await wire.stop()
