"""For the tests of database storages: what a storage sends, and what a server saw of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from unittest.mock import patch

import aiosqlite
import asyncpg

from storeproof.reference.database import Database

from .wire import wire_to

Storage = TypeVar("Storage")


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
        async with wire_to(url) as wire:
            yield wire.url, lambda: wire.trips
        return
    plain = aiosqlite.Connection.execute_fetchall
    with patch.object(
        aiosqlite.Connection, "execute_fetchall", autospec=True, side_effect=plain
    ) as calls:
        yield url, lambda: calls.call_count


async def until_waiting(url: str, count: int) -> None:
    """Returns once so many statements on a PostgreSQL server wait for a lock of another."""
    connection = await asyncpg.connect(url)
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    try:
        while await connection.fetchval(waiting) < count:
            await asyncio.sleep(0)
    finally:
        await connection.close()


def examined(plan: Mapping[str, Any]) -> float:
    """How many rows of tables PostgreSQL came across in a plan that it ran (EXPLAIN ANALYZE)."""
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    here = own * plan["Actual Loops"] if "Relation Name" in plan else 0
    return float(here + sum(map(examined, plan.get("Plans", ()))))
