"""For `PostgresDriver`: more rows than should be held at once, by COPY and by cursors."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from functools import partial
from itertools import count
from typing import Any, TypeAlias

from storeproof.reference.database.compiling import POSTGRES, Row, Rows, Statement, compile_for
from storeproof.reference.database.drivers import to_its_end
from storeproof.reference.database.exceptions import Retryable
from storeproof.reference.database.packing import Packed, packed
from storeproof.reference.database.postgres_answers import answer, fetch
from storeproof.reference.exceptions import StorageError

__all__ = ["PostgresCarrier"]

PIECE = 2**17
"""Bytes of rows that are given together; asyncpg brings them by a few kilobytes."""


Interrupt: TypeAlias = Callable[[], Awaitable[None]]
Cancel: TypeAlias = Callable[[int], Awaitable[None]]
"""Has the server cancel what one of its processes does. Raises Unavailable."""


class PostgresCarrier:
    """Implements `Carrier`."""

    def __init__(self, connection: Any, cancel: Cancel, ends_within: float) -> None:
        self._connection = connection
        self._cancel = cancel
        self._ends_within = ends_within
        self._numbers = count(1)

    async def run(self, text: str, arguments: Sequence[Any]) -> Rows:
        return await fetch(Retryable, self._connection, text, arguments)

    async def stream(self, query: Statement, size: int) -> AsyncGenerator[Rows, None]:
        found = packed(query)
        coming = self._copied(found) if found else self._fetched(query, size)
        async with aclosing(coming) as batches:
            async for rows in batches:
                yield rows

    async def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], size: int
    ) -> None:
        # asyncpg takes the rows one by one, and holds half a mebibyte of them.
        copy = partial(self._connection.copy_records_to_table, records=rows, columns=columns)
        await answer(Retryable, copy, table)

    async def _copied(self, query: Packed) -> AsyncGenerator[Rows, None]:
        # Not the process that asyncpg knows of: what stands between may have made that up.
        ((process,),) = await self.run("SELECT pg_backend_pid()", ())
        text = query.text(self._connection.get_server_version().major)
        copying = _Copying(self._connection, text, partial(self._cancel, process))
        try:
            while rows := await copying.next():
                yield query.rows(rows)
        except GeneratorExit:
            # To have the server stop would end the transaction as well.
            await copying.skip()
            raise
        finally:
            await to_its_end(copying.stop(self._ends_within))

    async def _fetched(self, query: Statement, size: int) -> AsyncGenerator[Rows, None]:
        # A cursor's name is never used again: asyncpg keeps what a FETCH from it returns.
        name = f"stream_{next(self._numbers)}"
        text = compile_for(POSTGRES, query).text
        await self._execute(f"DECLARE {name} NO SCROLL CURSOR FOR {text}")
        while rows := await self.run(f"FETCH {size} FROM {name}", ()):
            yield rows
        await self._execute(f"CLOSE {name}")

    async def _execute(self, text: str) -> None:
        await answer(Retryable, self._connection.execute, text)


class _Copying:
    """A COPY of a query with one column; the server goes on while a caller looks at its rows.

    `interrupt` has the server end it. asyncpg can't be cancelled meanwhile: it would take rows
    that are on their way for the answer.
    """

    def __init__(self, connection: Any, query: str, interrupt: Interrupt) -> None:
        self._connection = connection
        self._interrupt = interrupt
        self._text = bytearray()
        self._texts = asyncio.Queue[bytearray]()
        self._wanted = asyncio.Event()
        self._skips = False
        self._task = asyncio.create_task(self._copy(query))

    async def next(self) -> bytearray:
        """Some more rows, as lines; none at the end. Raises as `answer` does."""
        self._wanted.set()
        text = await self._texts.get()
        if not text:
            await self._task
        return text

    async def skip(self) -> None:
        """Lets the rest come, and go. Raises as `answer` does."""
        self._skips = True
        self._wanted.set()
        await asyncio.wait([self._task])
        self._task.result()

    async def stop(self, seconds: float) -> None:
        """Ends it within so many; where it had not ended before, the transaction has failed."""
        self._skips = True
        self._wanted.set()
        if not self._task.done() and not await self._is_interrupted(seconds):
            self._connection.terminate()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _is_interrupted(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._interrupt()
                await asyncio.wait([self._task])
        except (StorageError, TimeoutError):
            return False
        return True

    async def _copy(self, query: str) -> None:
        copy = partial(self._connection.copy_from_query, output=self._take)
        try:
            await answer(Retryable, copy, query)
            await self._give()
        finally:
            self._texts.put_nowait(bytearray())

    async def _take(self, text: bytes) -> None:
        if not self._skips:
            self._text += text
        if len(self._text) >= PIECE:
            await self._give()

    async def _give(self) -> None:
        text, self._text = self._text, bytearray()
        if text and not self._skips:
            self._wanted.clear()
            self._texts.put_nowait(text)
            await self._wanted.wait()
