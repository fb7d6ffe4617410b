"""Many rows of PostgreSQL, of which a caller wants some, or wants them no longer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import chain
from time import monotonic
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.reference.database import Bulk, Database
from storeproof.reference.database.postgres import PostgresDriver
from storeproof.reference.database.postgres_bulk import PIECE
from storeproof.reference.exceptions import Unavailable

ROWS = 300_000
SERIES = sa.func.generate_series(sa.literal_column("1"), sa.literal_column(str(ROWS)))
NUMBERS = sa.select(sa.column("n", sa.BigInteger())).select_from(
    SERIES.table_valued("n").render_derived()
)
SLOW = sa.select(sa.literal_column("length(CAST(pg_sleep(60) AS text))", sa.BigInteger()))
OURS = sa.text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE application_name = 'storeproof' AND state <> 'idle' AND pid <> pg_backend_pid()"
).columns(sa.column("count", sa.BigInteger()))
END = sa.text(
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
).columns(sa.column("ended", sa.Boolean()))
SHORTEST = len("[1]\n")


@asynccontextmanager
async def bulk_of(url: str) -> AsyncIterator[tuple[Database, Bulk]]:
    async with Database(url) as database, database.bulk(writes=False) as bulk:
        yield database, bulk


async def first_of(bulk: Bulk, query: sa.Select[Any], batches: int) -> list[int]:
    """The numbers of so many batches."""
    found: list[int] = []
    async with aclosing(bulk.stream(query, 1000)) as coming:
        async for rows in coming:
            found += [number for (number,) in rows]
            batches -= 1
            if not batches:
                break
    return found


def test_all_rows_come_in_order_some_at_a_time(postgres_url: str) -> None:
    async def read() -> list[list[int]]:
        async with bulk_of(postgres_url) as (_, bulk):
            return [[n for (n,) in rows] async for rows in bulk.stream(NUMBERS, 1000)]

    batches = asyncio.run(read())
    assert list(chain.from_iterable(batches)) == list(range(1, ROWS + 1))
    # One more piece of the network's may come with what makes it enough.
    assert max(map(len, batches)) <= (PIECE + 2**18) // SHORTEST


def test_a_transaction_goes_on_after_some_of_the_rows(postgres_url: str) -> None:
    async def read() -> None:
        async with bulk_of(postgres_url) as (_, bulk):
            for batches in (1, 2, 1):
                found = await first_of(bulk, NUMBERS, batches)
                assert found == list(range(1, len(found) + 1))
                assert len(found) < ROWS
                assert await bulk.run(sa.select(sa.literal(1)), {}) == [(1,)]

    asyncio.run(read())


async def cancelled(database: Database, query: sa.Select[Any], seconds: float) -> float:
    """Seconds that a reading takes to end that is cancelled after so many."""
    begun = asyncio.Event()

    async def read() -> None:
        async with database.bulk(writes=False) as bulk:
            begun.set()
            await first_of(bulk, query, -1)

    task = asyncio.create_task(read())
    await begun.wait()
    await asyncio.sleep(seconds)
    task.cancel()
    start = monotonic()
    await asyncio.wait([task])
    assert task.cancelled() or task.exception() is None
    assert asyncio.all_tasks() == {asyncio.current_task()}
    return monotonic() - start


@pytest.mark.parametrize("query", [NUMBERS, SLOW], ids=["while rows come", "while none comes"])
def test_what_is_cancelled_has_ended_at_the_server(
    postgres_url: str, query: sa.Select[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """asyncpg's own cancellation of a COPY sometimes fails, and tells asyncio's log of it."""

    async def work() -> None:
        async with Database(postgres_url) as database:
            for number in range(20):
                await cancelled(database, query, number / 400)
                assert [tuple(row) for row in await database.read(OURS, {})] == [(0,)]

    with caplog.at_level(logging.WARNING, "asyncio"):
        asyncio.run(work())
    assert not caplog.records


def test_a_server_that_can_not_be_asked_to_stop_is_left(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refused(self: PostgresDriver, process: int) -> None:
        raise Unavailable("planted")

    monkeypatch.setattr(PostgresDriver, "_cancel", refused)

    async def work() -> float:
        async with Database(postgres_url) as database:
            seconds = await cancelled(database, SLOW, 0.05)
            assert [tuple(row) for row in await database.read(END, {})] == [(True,)]
            return seconds

    assert asyncio.run(work()) < 10  # of the 60 that the statement takes
