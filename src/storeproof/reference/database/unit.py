"""For `Database.together`: a driver whose calls are all part of one open transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from storeproof.reference.database.compiling import POSTGRES, Rows
from storeproof.reference.database.drivers import Carrier, Ear, Lost, Notified, Run
from storeproof.reference.exceptions import Unavailable

__all__ = ["UnitDriver"]


class UnitDriver:
    """Implements `Driver` on a transaction that somebody else begins and ends.

    A statement that fails is undone alone, as it would be outside: each has a savepoint. Calls
    at the same time take turns, for a connection runs one statement at a time.
    """

    def __init__(self, dialect: str, run: Run) -> None:
        self.dialect = dialect
        self._run = run
        self._turn = asyncio.Lock()

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Nothing to do: the transaction ends with its block."""

    def bulk(self, *, writes: bool) -> AbstractAsyncContextManager[Carrier]:
        """A unit of work has a transaction already."""
        raise Unavailable("a unit of work can't read or write in bulk")

    async def listen(self, notified: Notified, lost: Lost) -> Ear | None:
        """A unit of work hears nothing: what others do meanwhile is not for it."""
        return None

    async def read(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._turn:
            return await self._run(text, arguments)

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self.transaction(None) as run:
            return await run(text, arguments)

    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        async with self._turn:
            await self._run("SAVEPOINT call", ())
            try:
                if lock is not None and self.dialect == POSTGRES:
                    await self._run(f"SELECT pg_advisory_xact_lock({lock})", ())
                yield self._run
            except Exception:
                await self._run("ROLLBACK TO SAVEPOINT call", ())
                raise
            await self._run("RELEASE SAVEPOINT call", ())
