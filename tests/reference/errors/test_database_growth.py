"""What is read does not grow with what is stored: seen in the server's plans."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from datetime import timedelta
from typing import Any, TypeAlias
from unittest.mock import patch

import asyncpg
import sqlalchemy as sa
from msgspec.structs import replace

from storeproof.reference.database import Database
from storeproof.reference.database.compiling import compile_for
from storeproof.reference.errors import (
    Aggregation,
    Bucket,
    DatabaseErrorStorage,
    Dimension,
    ErrorStorage,
    GroupFilter,
    GroupId,
    GroupSort,
    Kind,
    MetricName,
    MetricQuery,
    Tag,
    TimeZone,
)
from storeproof.reference.errors.database.creations import CREATE_MANY, creation_values
from storeproof.reference.errors.database.tables import EVENTS, ROLLUPS, SCHEMA
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW, TICK, event, point

from ..counting import examined

GROUPS, DAYS = 3, 40
MIDNIGHT = NOW - 12 * HOUR
SPAN = (MIDNIGHT + 2 * HOUR, MIDNIGHT + (DAYS - 1) * DAY + 2 * HOUR)
BERLIN = TimeZone("Europe/Berlin")
SIZE = sa.select(sa.func.count()).select_from(ROLLUPS)

READ_IN_TURN = "SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = $1"
"""The rows of a table that the present transaction did not find by an index."""

Questions: TypeAlias = dict[str, Callable[[ErrorStorage], Awaitable[object]]]
QUESTIONS: Questions = {
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


async def rows_read(database: Database, connection: Any, questions: Questions) -> dict[str, float]:
    """The rows of tables that the server comes across for each question."""
    await connection.execute("ANALYZE")
    found = {}
    async for name, text, arguments in statements(database, questions):
        explain = f"EXPLAIN (ANALYZE, FORMAT JSON) {text}"
        explained = await connection.fetchval(explain, *arguments)
        found[name] = examined(json.loads(explained)[0]["Plan"])
    return found


async def statements(
    database: Database, questions: Questions
) -> AsyncIterator[tuple[str, str, list[Any]]]:
    """The statement of each question, with its arguments."""
    storage = DatabaseErrorStorage(database)
    for name, ask in questions.items():
        with patch.object(Database, "read", autospec=True, side_effect=Database.read) as read:
            await ask(storage)
        (_, statement, parameters) = read.call_args.args
        compiled = compile_for(database.dialect, statement)
        yield name, compiled.text, compiled.arguments(parameters)


def test_the_rows_that_the_server_reads_stay_as_many(postgres_url: str) -> None:
    async def use() -> None:
        connection = await asyncpg.connect(postgres_url)
        async with Database(postgres_url, create=True) as database:
            await fill(DatabaseErrorStorage(database), 0)
            few = await rows_read(database, connection, QUESTIONS)
            for number in range(1, 8):
                await fill(DatabaseErrorStorage(database), number)
            assert await rows_read(database, connection, QUESTIONS) == few
            assert min(few.values()) > 0
        await connection.close()

    asyncio.run(use())


def test_a_plan_made_for_no_rows_looks_events_up_when_there_are_many(postgres_url: str) -> None:
    def given(name: str, count: int) -> dict[str, Any]:
        events = (event(f"{name} {number}") for number in range(count))
        return {"given": [creation_values(number, each) for number, each in enumerate(events)]}

    async def use() -> int:
        compiled = compile_for("postgresql", CREATE_MANY)
        connection = await asyncpg.connect(postgres_url)
        async with Database(postgres_url, create=True) as database:
            database.require(SCHEMA)
            await database.open()
            await connection.execute("SET plan_cache_mode = force_generic_plan")
            planned = await connection.prepare(compiled.text)
            await planned.fetch(*compiled.arguments(given("none", 0)))
            await database.write(CREATE_MANY, given("old", 500))
            async with connection.transaction():
                await planned.fetch(*compiled.arguments(given("new", 3)))
                read: int = await connection.fetchval(READ_IN_TURN, EVENTS.name)
        await connection.close()
        return read

    assert asyncio.run(use()) == 0


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


FIRST_PAGES: Questions = {
    **{
        f"groups, {sort}": lambda s, sort=sort: s.list_groups(GroupFilter(), sort, None, 2)
        for sort in GroupSort
    },
    "events": lambda s: s.list_events(GroupId("g0"), None, 2),
}


def test_a_first_page_reads_what_it_holds(postgres_url: str) -> None:
    """And one row more, which tells whether another page follows."""

    async def use() -> None:
        connection = await asyncpg.connect(postgres_url)
        async with Database(postgres_url, create=True) as database:
            storage = DatabaseErrorStorage(database)
            for number in range(150):
                at = MIDNIGHT + number * HOUR
                await storage.create(event(f"many {number}", f"g{number}", at))
                await storage.create(event(f"{number}", "g0", at))
            found = await rows_read(database, connection, FIRST_PAGES)
            assert found == dict.fromkeys(FIRST_PAGES, 3)
        await connection.close()

    asyncio.run(use())


def test_sqlite_looks_up_what_it_reads(sqlite_url: str) -> None:
    """It sorts no list, and finds rollups by their slots."""

    async def use() -> None:
        async with Database(sqlite_url, create=True) as database:
            await database.open()
            with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as connection:
                asked = QUESTIONS | FIRST_PAGES
                async for name, text, arguments in statements(database, asked):
                    explain = f"EXPLAIN QUERY PLAN {text}"
                    plan = [row[3] for row in connection.execute(explain, arguments)]
                    reads = [step for step in plan if " errors_rollups " in step]
                    assert all("slot" in step for step in reads), plan
                    assert reads or name in FIRST_PAGES
                    assert name in QUESTIONS or not any("B-TREE" in step for step in plan), plan

    asyncio.run(use())


def test_a_query_reads_the_points_of_its_metric_and_time(postgres_url: str) -> None:
    query = MetricQuery(
        name=MetricName("seconds"),
        kind=Kind.HISTOGRAM,
        aggregation=Aggregation.SUM,
        start=NOW,
        end=NOW + 5 * TICK,
    )
    tagged = replace(query, tags=(Tag(key="n", value="1"),))
    questions: Questions = {
        "all": lambda s: s.query_metric(query),
        "tagged": lambda s: s.query_metric(tagged),
    }

    async def use() -> None:
        connection = await asyncpg.connect(postgres_url)
        async with Database(postgres_url, create=True) as database:
            storage = DatabaseErrorStorage(database)
            for number in range(150):
                tags = (Tag(key="n", value=f"{number % 2}"),)
                at = NOW + number * TICK
                for name in ("seconds", "others"):
                    made = point(f"{name} {number}", name=MetricName(name), at=at, tags=tags)
                    await storage.record_metric(made)
            assert (await storage.query_metric(query), await storage.query_metric(tagged)) == (5, 2)
            assert await rows_read(database, connection, questions) == {"all": 5, "tagged": 5}
        await connection.close()

    asyncio.run(use())
