"""Mutants that leave a lock, a transaction or a connection behind, or lose a cancellation."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from harness.toys import InMemoryNotes, notes

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs import DatabaseCostStorage
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database import Database, Row, Statement
from storeproof.reference.database.drivers import Run, to_its_end
from storeproof.reference.database.postgres import PostgresDriver
from storeproof.reference.database.postgres_pool import PostgresPool
from storeproof.reference.database.sqlite import SqliteDriver, _run
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.providers import DatabaseProviderStorage
from storeproof.reference.providers.laws import contract as providers

from .catalogue import Family, Seeds
from .swapping import becoming, driven_by

seeds = Seeds(Family.CANCELLATION)


class _KeepsTheTurn(SqliteDriver):
    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        await self._writing.acquire()
        try:
            yield self._writer
        except Exception:
            self._writing.release()
            raise
        self._writing.release()


@seeds.sqlite(auth, "cancellation", database=driven_by(becoming(_KeepsTheTurn)), pool_timeout=0.5)
class LockIsKept(DatabaseAuthStorage):
    """The lock of the writer is given back after success and after an Exception, which
    CancelledError is not."""


class _BeginsOutside(SqliteDriver):
    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        async with self._turn() as writer:

            async def run(text: str, arguments: Sequence[Any]) -> Any:
                return await _run(writer, text, arguments)

            await run("BEGIN IMMEDIATE", ())
            try:
                yield run
                await run("COMMIT", ())
            except BaseException:
                await to_its_end(writer.rollback())
                raise


@seeds.sqlite(providers, "cancellation", database=driven_by(becoming(_BeginsOutside)))
class BeginOutsideTry(DatabaseProviderStorage):
    """BEGIN stands before the try: cancelled while it runs, the transaction stays open."""


class _SwallowsCancellation(Database):
    async def read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().read(statement, parameters)
        except asyncio.CancelledError:
            return await super().read(statement, parameters)


@seeds.sqlite(auth, "cancellation", database=_SwallowsCancellation)
class SwallowedCancelledError(DatabaseAuthStorage):
    """A read that is cancelled is made again, and the call returns as if nothing had been."""


class _TellsOfUnavailable(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except asyncio.CancelledError:
            raise Unavailable("the call was cancelled") from None


@seeds.sqlite(auth, "cancellation", database=_TellsOfUnavailable)
class CancelledErrorBecomesAnother(DatabaseAuthStorage):
    """A write that is cancelled raises Unavailable in the place of CancelledError."""


class _LeavesTasks(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        return await asyncio.shield(super().write(statement, parameters))


@seeds.postgres(auth, "cancellation", database=_LeavesTasks)
class WriteGoesOnAlone(DatabaseAuthStorage):
    """A write is shielded and nobody waits for it: a cancelled call happens later, after others."""


class _KeepsConnections(PostgresPool):
    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        await self._turn()
        connection = await self._take()
        try:
            yield connection
        except Exception:
            await self._close(connection)
            self._free.release()
            raise
        await self._give_back(connection, sound=True)
        self._free.release()


def _keeps_connections(driver: Any) -> None:
    driver._pool.__class__ = _KeepsConnections


@seeds.postgres(
    auth, "cancellation", database=driven_by(_keeps_connections), pool_size=4, pool_timeout=0.5
)
class UnreleasedConnection(DatabaseAuthStorage):
    """A connection goes back to the pool after success and after an Exception only."""


class _SharesOneConnection(SqliteDriver):
    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        yield self._writer


@seeds.sqlite(
    costs, "bursts or linearizability", database=driven_by(becoming(_SharesOneConnection))
)
class SharedConnection(DatabaseCostStorage):
    """All calls share one connection without taking turns: one commits, or undoes, another's."""


class _Nests(PostgresDriver):
    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        async with super().transaction(lock) as run, self._pool.connection():
            yield run


@seeds.postgres(auth, "bursts", database=driven_by(becoming(_Nests)), pool_size=2, pool_timeout=0.5)
class NestedAcquire(DatabaseAuthStorage):
    """Within a transaction a second connection is taken: as many calls as connections wait for
    each other."""


@seeds.memory(notes, "loop_blocking", only=True)
class WaitsOnTheLoop(InMemoryNotes):
    """Deleting the last note waits for something in the thread of the event loop, which stands."""

    async def delete(self, id: Any) -> None:
        await super().delete(id)
        if not self.notes:
            time.sleep(0.15)  # noqa: ASYNC251 - the defect


def _of_its_own(url: str, **settings: Any) -> Database:
    opened[url] += 1
    return Database(url if opened[url] == 1 else f"{url}.{opened[url]}", **settings)


opened: Counter[str] = Counter()


@seeds.sqlite(auth, "capabilities", database=_of_its_own)
class HandlesShareNothing(DatabaseAuthStorage):
    """Every handle after the first one has a database of its own."""
