"""A trend reads as many rows for many events as for few of the same groups."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import asyncpg
import sqlalchemy as sa

from storeproof.reference.database import POSTGRES, Database
from storeproof.reference.database.compiling import compile_for
from storeproof.reference.errors import (
    Bucket,
    DatabaseErrorStorage,
    Dimension,
    ErrorStorage,
    TimeZone,
)
from storeproof.reference.errors.database.tables import ROLLUPS
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW, event

GROUPS, DAYS = 3, 40
MIDNIGHT = NOW - 12 * HOUR
SPAN = (MIDNIGHT + 2 * HOUR, MIDNIGHT + (DAYS - 1) * DAY + 2 * HOUR)
BERLIN = TimeZone("Europe/Berlin")
SIZE = sa.select(sa.func.count()).select_from(ROLLUPS)

QUESTIONS: dict[str, Callable[[ErrorStorage], Awaitable[object]]] = {
    f"by {bucket} and {by}": lambda s, bucket=bucket, by=by: s.trend(*SPAN, bucket, BERLIN, by)
    for bucket in (Bucket.HOUR, Bucket.DAY, Bucket.WEEK)
    for by in (None, *Dimension)
} | {"top": lambda s: s.top(10, Dimension.GROUP, *SPAN)}


async def fill(storage: ErrorStorage, number: int) -> None:
    """One event of each group on each day."""
    for day in range(DAYS):
        at = MIDNIGHT + day * DAY + number * timedelta(minutes=65)
        for group in range(GROUPS):
            await storage.create(event(f"{number} {day} {group}", f"g{group}", at))


async def rows_read(database: Database, connection: Any) -> dict[str, float]:
    """The rows of rollups that the server comes across for each question."""
    storage, found = DatabaseErrorStorage(database), {}
    for name, ask in QUESTIONS.items():
        with patch.object(Database, "read", autospec=True, side_effect=Database.read) as read:
            await ask(storage)
        (_, statement, parameters) = read.call_args.args
        compiled = compile_for(POSTGRES, statement)
        text = f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled.text}"
        explained = await connection.fetchval(text, *compiled.arguments(parameters))
        found[name] = examined(json.loads(explained)[0]["Plan"])
    return found


def examined(plan: dict[str, Any]) -> float:
    own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    here = own * plan["Actual Loops"] if plan.get("Relation Name") == ROLLUPS.name else 0
    return float(here + sum(map(examined, plan.get("Plans", ()))))


def test_the_rows_that_the_server_reads_stay_as_many(postgres_url: str) -> None:
    async def use() -> None:
        connection = await asyncpg.connect(postgres_url)
        async with Database(postgres_url, create=True) as database:
            await fill(DatabaseErrorStorage(database), 0)
            await connection.execute("ANALYZE errors_rollups")
            few = await rows_read(database, connection)
            for number in range(1, 8):
                await fill(DatabaseErrorStorage(database), number)
            await connection.execute("ANALYZE errors_rollups")
            assert await rows_read(database, connection) == few
            assert min(few.values()) > 0
        await connection.close()

    asyncio.run(use())


def test_the_rollups_stay_as_large(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True) as database:
            storage = DatabaseErrorStorage(database)
            await fill(storage, 0)
            few = await database.read(SIZE, {})
            for number in range(1, 4):
                await fill(storage, number)
            assert await database.read(SIZE, {}) == few

    asyncio.run(use())
