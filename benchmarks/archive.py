"""Maintainers run `python benchmarks/archive.py` to see what archiving a month costs the writers.

Two ways are measured on PostgreSQL, while writers go on: the batches that `ErrorStorage.archive`
makes, of several sizes, and monthly partitions that are detached, copied out and dropped, which is
an experiment of this file only. Each archives a month of its own, the oldest that is left. Then the
table is vacuumed and gets as many new events as were archived: what is larger than before is bloat,
or what is kept of archived ids.

Nothing fails here: machines are noisy. The archiver has a process of its own; the server is one
that does not sync its files, so the figures show waiting and space, and no disk's speed.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import random
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.reference.database import POSTGRES, Database
from storeproof.reference.database.compiling import compile_for
from storeproof.reference.errors import (
    DatabaseErrorStorage,
    ErrorEvent,
    ErrorService,
    ErrorStorage,
    EventId,
    GroupId,
)
from storeproof.reference.errors.database.creation import CREATE
from storeproof.reference.errors.database.tables import event_values
from storeproof.reference.errors.laws import contract

MONTHS = 6
GROUPS = 200
WRITERS = 2
PAUSE = 0.002
ALONE_SECONDS = 4.0
MEGABYTE = 2**20
STACK = "".join(f'  File "app/module{n}.py", line {n}, in function{n}\n' for n in range(12))
COLUMNS = [
    "id",
    "fingerprint",
    "grouping",
    "level",
    "message",
    "stack",
    "tags",
    "occurred_at",
    "group_id",
]
FIGURES = [
    "way",
    "events archived",
    "written meanwhile",
    "seconds",
    "writers' median alone, ms",
    "during",
    "longest alone",
    "during",
    "MB of table + indexes + beside before",
    "after",
    "vacuumed and refilled",
]
RANDOM = random.Random(0)

Write = Callable[[ErrorEvent], Awaitable[object]]


@dataclass(frozen=True)
class Way:
    """One way to archive a month: what it is called, who does it to what, and where events are.

    The archiver is called with the URL, the month and the argument, and gives the seconds that it
    took and the number of events.
    """

    name: str
    archiver: Callable[[str, int, Any], tuple[float, int]]
    url: str
    month: int
    argument: Any
    table: str


@dataclass(frozen=True)
class Size:
    """Bytes of the events' table, of its indexes, and of what is kept beside them."""

    table: int
    indexes: int
    beside: int

    def __str__(self) -> str:
        return " + ".join(
            f"{each / MEGABYTE:,.0f}" for each in (self.table, self.indexes, self.beside)
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    parser.add_argument("--events", type=int, default=200_000, help="how many there are at first")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        ProcessPoolExecutor(1, get_context("spawn")) as process,
        asyncio.Runner() as runner,
    ):
        backend = PostgresBackend()
        server = backend.start(
            RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
        )
        print(f"{server.description}; {options.events:,} events in {MONTHS} months\n")
        store = runner.run(backend.create_store(contract, server))
        try:
            url = store.address.replace("+asyncpg", "")
            runner.run(measure(url, options.events, process))
        finally:
            runner.run(store.close())
            backend.stop()


async def measure(url: str, events: int, process: ProcessPoolExecutor) -> None:
    """Measure every way, one after the other, on its own month."""
    print(f"| {' | '.join(FIGURES)} |\n{'|---' * len(FIGURES)}|")
    async with connected(url) as connection, Database(url, create=True) as database:
        storage = DatabaseErrorStorage(database)
        await database.open()
        await connection.execute(GROUP_ROWS)
        await load(connection, "errors_events", events, range(MONTHS))
        for month, batch in enumerate((100, 1_000, 10_000)):
            name = f"batches of {batch:,}"
            way = Way(name, archive_month, url, month, batch, "errors_events")
            await show(way, storage.create, connection, process)
        await connection.execute("TRUNCATE errors_events, errors_archives")
        await connection.execute(PARTITIONED)
        await load(connection, "partitioned", events, range(MONTHS))
        await connection.execute("INSERT INTO partitioned_ids SELECT id FROM partitioned")
        await connection.execute("VACUUM ANALYZE")
        for month, unit in enumerate((True, False)):
            name = "detached in one unit" if unit else "detached concurrently, then copied"
            way = Way(f"partition, {name}", detach_month, url, month, unit, "partitioned")
            await show(way, PartitionWriter(url).create, connection, process)


async def show(way: Way, write: Write, connection: Any, process: ProcessPoolExecutor) -> None:
    """Archive one month in this way, and print its row."""
    await connection.execute("VACUUM ANALYZE")
    alone = await waits_during(asyncio.sleep(ALONE_SECONDS), write)
    before = await size(connection, way.table)
    await asyncio.wrap_future(process.submit(warm_up))
    archiving = asyncio.wrap_future(process.submit(way.archiver, way.url, way.month, way.argument))
    during = await waits_during(archiving, write)
    seconds, count = archiving.result()
    after = await size(connection, way.table)
    # What the first one empties of indexes can be used again after a later transaction.
    for statement in ("VACUUM ANALYZE", "SELECT pg_current_xact_id()", "VACUUM"):
        await connection.execute(statement)
    await load(connection, way.table, count, [MONTHS + way.month])
    refilled = await size(connection, way.table)
    cells = [
        way.name,
        f"{count:,}",
        f"{len(alone) + len(during):,}",
        f"{seconds:.1f}",
        f"{statistics.median(alone):.1f}",
        f"{statistics.median(during):.1f}",
        f"{max(alone):.0f}",
        f"{max(during):.0f}",
        str(before),
        str(after),
        str(refilled),
    ]
    print(f"| {' | '.join(cells)} |", flush=True)


async def waits_during(work: Awaitable[Any], write: Write) -> list[float]:
    """How long each write took until the work was done; milliseconds."""
    working = asyncio.ensure_future(work)
    taken: list[float] = []

    async def go_on() -> None:
        while not working.done():
            started = perf_counter()
            await write(event(month_start(2 * MONTHS)))
            taken.append((perf_counter() - started) * 1000)
            await asyncio.sleep(PAUSE)

    await asyncio.gather(*(go_on() for _ in range(WRITERS)))
    return taken


def warm_up() -> None:
    """Have the process import what it needs before it is timed."""


def archive_month(url: str, month: int, batch: int) -> tuple[float, int]:
    """Archive all events up to the end of a month; gives seconds and their number."""

    async def archive() -> tuple[float, int]:
        async with Database(url) as database:
            storage: ErrorStorage = DatabaseErrorStorage(database)
            await database.open()
            started = perf_counter()
            made = await ErrorService(storage).archive(month_start(month + 1), batch)
            return perf_counter() - started, sum(each.count for each in made)

    return asyncio.run(archive())


def detach_month(url: str, month: int, unit: bool) -> tuple[float, int]:
    """Detach a month's partition, copy it out and drop it; gives seconds and the events' number.

    As one unit, the lock that detaching takes is held until all is copied.
    """
    name = f"partitioned_{month}"

    async def archive() -> tuple[float, int]:
        async with connected(url) as connection:
            started = perf_counter()
            if unit:
                async with connection.transaction():
                    await connection.execute(f"ALTER TABLE partitioned DETACH PARTITION {name}")
                    count = await copy_and_drop(connection, name)
            else:
                await connection.execute(
                    f"ALTER TABLE partitioned DETACH PARTITION {name} CONCURRENTLY"
                )
                async with connection.transaction():
                    count = await copy_and_drop(connection, name)
            return perf_counter() - started, count

    return asyncio.run(archive())


async def copy_and_drop(connection: Any, name: str) -> int:
    """Copy a table into a file in gzip, count what can be read back, and drop it."""
    with tempfile.NamedTemporaryFile() as target:
        with gzip.GzipFile(fileobj=target, mode="wb") as file:

            async def write(data: bytes) -> None:
                file.write(data)

            await connection.copy_from_table(name, output=write)
        target.flush()
        with gzip.open(target.name) as written:
            count = sum(1 for _ in written)
    assert count == await connection.fetchval(f"SELECT count(*) FROM {name}")  # noqa: S608 - ours
    await connection.execute(f"DROP TABLE {name}")
    return count


class PartitionWriter:
    """Creates events in the partitioned table as `ErrorStorage.create` does, and keeps their ids.

    The statement is the storage's own, with the other tables: no unique constraint of a partitioned
    table can say that an id is taken, so a table of all ids does.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._connections: dict[Any, Any] = {}
        self._create = compile_for(POSTGRES, CREATE)
        names = [parameter.name for parameter in self._create.parameters]
        keep = f"INSERT INTO partitioned_ids SELECT ${names.index('id') + 1} FROM counted"  # noqa: S608 - a number
        self._text = (
            self._create.text.replace("INSERT INTO errors_events", "INSERT INTO partitioned")
            .replace("errors_events", "partitioned_ids")
            .replace("stored AS", f"kept AS ({keep}), stored AS", 1)
        )

    async def create(self, event: ErrorEvent) -> None:
        """Store and count an event."""
        task = asyncio.current_task()
        if task not in self._connections:
            self._connections[task] = await asyncpg.connect(self._url)
        values = self._create.arguments(event_values(event))
        assert await self._connections[task].fetch(self._text, *values)


async def load(connection: Any, table: str, number: int, months: Any) -> None:
    """Copy so many events into a table, spread evenly over these months."""
    months = list(months)
    for place, month in enumerate(months):
        share = number * (place + 1) // len(months) - number * place // len(months)
        start, end = month_start(month), month_start(month + 1)
        records = (row(event(start + (end - start) * n / share)) for n in range(share))
        await connection.copy_records_to_table(
            table, records=records, columns=COLUMNS, timeout=None
        )


def event(at: datetime) -> ErrorEvent:
    """Make an event of some group."""
    group = GroupId(f"group {RANDOM.randrange(GROUPS)}")
    return ErrorEvent(
        id=EventId(f"{RANDOM.getrandbits(128):032x}"),
        fingerprint=group,
        message=f"{group} failed for the user {RANDOM.getrandbits(32)}",
        stack=STACK,
        occurred_at=at,
    )


def row(event: ErrorEvent) -> tuple[Any, ...]:
    """Give the values of COLUMNS."""
    return (
        event.id,
        event.fingerprint,
        event.grouping,
        event.level.value,
        event.message,
        event.stack,
        "[]",
        event.occurred_at,
        event.fingerprint,
    )


def month_start(month: int) -> datetime:
    """Give the first instant of a month, 0 being January 2026."""
    return datetime(2026 + month // 12, 1 + month % 12, 1, tzinfo=UTC)


async def size(connection: Any, table: str) -> Size:
    """Measure a table with its partitions, and what is kept beside it."""
    beside = "errors_archives" if table == "errors_events" else "partitioned_ids"
    found = await connection.fetchrow(
        "SELECT sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint,"
        " pg_total_relation_size($2::text::regclass)"
        " FROM pg_class WHERE relkind = 'r' AND relname ~ ('^' || $1 || '(_[0-9]+)?$')",
        table,
        beside,
    )
    return Size(*found)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Any]:
    """Give a connection."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


def _partitions() -> Iterator[str]:
    bounds = [month_start(month).isoformat() for month in range(2 * MONTHS + 2)]
    for month, (start, end) in enumerate(itertools.pairwise(bounds)):
        yield (
            f"CREATE TABLE partitioned_{month} PARTITION OF partitioned"
            f" FOR VALUES FROM ('{start}') TO ('{end}');"
        )


GROUP_ROWS = f"""
INSERT INTO errors_groups
SELECT 'group ' || n, 'failed', 'error', '2026-01-01', '2026-01-01', '2026-01-01', 1,
    'unresolved', NULL, 1, 'first', NULL, NULL
FROM generate_series(0, {GROUPS - 1}) AS n
"""  # noqa: S608 - a number of this file
PARTITIONED = f"""
CREATE TABLE partitioned (LIKE errors_events) PARTITION BY RANGE (occurred_at);
CREATE INDEX ON partitioned (group_id, occurred_at, id);
CREATE TABLE partitioned_ids (id text COLLATE "C" PRIMARY KEY);
{" ".join(_partitions())}
"""

if __name__ == "__main__":
    main()
