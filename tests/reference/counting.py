"""For the tests of database storages: what a storage sends, and what a server saw of it.

A component's statements are counted by `statements_of`, once for each case of a table of its own,
whose keys `operations_of` and `operations_in` compare with the operations of its Protocol.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import aiosqlite
import asyncpg

from storeproof.reference.database import Database
from storeproof.reference.exceptions import StorageError

from .wiring import wire_to

Storage = TypeVar("Storage")

RUNS = ("1", "2")
"""What the runs of a case are called; the first one prepares the statements."""


def operations_of(protocol: type) -> set[str]:
    """The names of a Protocol's operations."""
    members = inspect.getmembers(protocol, inspect.isfunction)
    return {name for name, _ in members if not name.startswith("_")}


def operations_in(cases: Iterable[str]) -> set[str]:
    """The operations that the cases are of: a case is called "operation" or "operation, how"."""
    return {name.partition(",")[0] for name in cases}


def statements_of(
    url: str,
    storage_in: Callable[[Database], Storage],
    prepare: Callable[..., Awaitable[None]],
    call: Callable[[Storage, str], Awaitable[object]],
) -> int:
    """How many statements `call(storage, run)` sends, the second time that it is done.

    `prepare(storage, *RUNS)` comes before both runs. The call succeeds, or catches what it expects.
    """

    async def use() -> int:
        async with counted(url, storage_in) as (storage, sent):
            await prepare(storage, *RUNS)
            before = 0
            for run in RUNS:
                before = sent()
                await _succeed(call(storage, run))
            return sent() - before

    return asyncio.run(use())


async def _succeed(call: Awaitable[object]) -> None:
    try:
        await call
    except StorageError as error:
        raise AssertionError("the case is of a call that succeeds") from error


@asynccontextmanager
async def counted(
    url: str, storage_in: Callable[[Database], Storage]
) -> AsyncIterator[tuple[Storage, Callable[[], int]]]:
    """A storage with one connection, and how many statements have been sent so far.

    On PostgreSQL these are round trips; the first of a statement takes one more.
    """
    async with _wire_or_calls(url) as (address, sent), _database(address) as database:
        storage = storage_in(database)
        await database.open()
        yield storage, sent


def _database(url: str) -> Database:
    return Database(url, create=True, pool_size=1)


async def deadlocks(url: str) -> int:
    """How many the server has broken so far; a connection tells what it saw when it is closed."""
    if not url.startswith("postgresql"):
        return 0
    connection = await asyncpg.connect(url)
    try:
        counted = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        return int(await connection.fetchval(counted))
    finally:
        await connection.close()


@asynccontextmanager
async def _wire_or_calls(url: str) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    if url.startswith("postgres"):
        with wire_to(url) as (wire, through):
            yield through, lambda: wire.trips
        return
    plain = aiosqlite.Connection.execute_fetchall
    with patch.object(
        aiosqlite.Connection, "execute_fetchall", autospec=True, side_effect=plain
    ) as calls:
        yield url, lambda: calls.call_count


async def until_waiting(url: str, count: int, *others: asyncio.Future[Any]) -> None:
    """Returns once so many statements on a PostgreSQL server wait for a lock of another.

    Returns too when one of the others is done, which was to wait.
    """
    connection = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval(waiting) < count:
                if any(other.done() for other in others):
                    return
    finally:
        await connection.close()


def examined(plan: Mapping[str, Any]) -> float:
    """How many rows of tables PostgreSQL came across in a plan that it ran (EXPLAIN ANALYZE)."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    here = own * plan["Actual Loops"] if "Relation Name" in plan else 0
    return float(here + sum(map(examined, plan.get("Plans", ()))))
