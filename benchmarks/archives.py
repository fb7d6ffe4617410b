"""Maintainers run `python benchmarks/archives.py` to see what archives cost, beside bare copies.

Users are exported from a database, imported into another one and verified. Beside it, in the same
run, the same rows are copied by the driver alone: COPY on PostgreSQL, executemany and SELECT on
SQLite. SQLAlchemy's ORM inserts them too, by sessions a part of them. Each export and import has
a process of its own, whose processor time and peak of resident memory are shown.

Nothing fails here: machines are noisy. What can be counted is asserted in the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import registry

from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.reference.archive import export_archive, import_archive
from storeproof.reference.auth import User
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.config import Config
from storeproof.reference.database.compiling import POSTGRES, SQLITE, converters
from storeproof.reference.selection import open_storages

Insertion: TypeAlias = Callable[[AsyncSession, list[dict[str, Any]]], Awaitable[None]]

NOW = datetime(2026, 3, 11, 12, 30, 15, 123456, tzinfo=UTC)
USERS = CONTENT.collections[0].kept
NAMES = [column.name for column in USERS.table.columns]
BATCH = 10_000
SESSION_USERS = 50_000
TIMES = 3
"""Of so many readings the quickest counts: a virtual machine's memory is slow at its first use."""


def users(count: int) -> Iterator[User]:
    """Users whose ids are in order."""
    for number in range(count):
        name = f"user-{number:09}"
        yield User(
            id=name,
            email=f"{name}@Example.org",
            display_name=f"User {number}",
            password_hash="$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$" + "x" * 43,
            created_at=NOW,
        )


def records(dialect: str, count: int) -> list[tuple[Any, ...]]:
    """The driver's rows of them."""
    changes = converters(dialect, USERS.table.columns)
    return [
        tuple(
            value if change is None else change(value)
            for change, value in zip(changes, row, strict=True)
        )
        for row in USERS.rows(users(count))
    ]


async def prepare(url: str) -> None:
    """Makes the tables."""
    async with open_storages(Config(database_url=url, create_schema=True)) as storages:
        for each in (storages.auth, storages.costs, storages.errors, storages.providers):
            assert each is not None
        assert storages.database is not None
        await storages.database.open()


async def bare_postgres(url: str, count: int, folder: Path) -> tuple[float, float]:
    """Seconds of COPY of the rows into the table, and of COPY of the table to a file."""
    rows = records(POSTGRES, count)
    connection = await asyncpg.connect(url)
    try:
        start = perf_counter()
        await connection.copy_records_to_table(USERS.table.name, records=rows, columns=NAMES)
        loaded = perf_counter() - start
        # As a server does by itself once a table has grown, or it would sort what an index orders.
        await connection.execute(f"ANALYZE {USERS.table.name}")
        columns = [column.name for column in USERS.select.selected_columns]
        taken = []
        for _ in range(TIMES):
            start = perf_counter()
            await connection.copy_from_table(
                USERS.table.name, columns=columns, output=folder / "copied", format="csv"
            )
            taken.append(perf_counter() - start)
        return loaded, min(taken)
    finally:
        await connection.close()


class Stored:
    """What the ORM maps to the table of users."""


registry().map_imperatively(Stored, USERS.table)


async def orm_postgres(url: str, count: int, insertion: Insertion) -> float:
    """Seconds of inserting so many with the ORM, without those of making a batch's values."""
    keys, seconds = USERS.table.columns.keys(), 0.0
    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    rows = USERS.rows(users(count))
    try:
        async with AsyncSession(engine) as session:
            while batch := [dict(zip(keys, row, strict=True)) for row in islice(rows, BATCH)]:
                start = perf_counter()
                await insertion(session, batch)
                seconds += perf_counter() - start
            start = perf_counter()
            await session.commit()
            return seconds + perf_counter() - start
    finally:
        await engine.dispose()
        await empty(url)


async def by_insert(session: AsyncSession, values: list[dict[str, Any]]) -> None:
    """An ORM INSERT of many."""
    await session.execute(insert(Stored), values)


async def by_session(session: AsyncSession, values: list[dict[str, Any]]) -> None:
    """Objects that are added to a session."""
    for each in values:
        stored = Stored()
        for name, value in each.items():
            setattr(stored, name, value)
        session.add(stored)
    await session.flush()
    session.expunge_all()


def bare_sqlite(path: Path, count: int) -> tuple[float, float]:
    """Seconds of executemany of the rows, and of reading them."""
    rows = records(SQLITE, count)
    places = ", ".join("?" for _ in NAMES)
    with closing(sqlite3.connect(path)) as connection:
        start = perf_counter()
        with connection:
            connection.executemany(f"INSERT INTO {USERS.table.name} VALUES ({places})", rows)  # noqa: S608 - ours
        loaded = perf_counter() - start
        return loaded, min(_read(connection) for _ in range(TIMES))


def _read(connection: sqlite3.Connection) -> float:
    start = perf_counter()
    found = connection.execute(f"SELECT * FROM {USERS.table.name} ORDER BY id")  # noqa: S608 - ours
    while found.fetchmany(BATCH):
        pass
    return perf_counter() - start


def exported(url: str, path: Path) -> tuple[float, float, float]:
    """What `apart` measures of the quickest of some exports; the last one's archive stays."""
    taken = []
    for _ in range(TIMES):
        shutil.rmtree(path, ignore_errors=True)
        taken.append(apart("export", url, path))
    return min(taken)


def apart(what: str, url: str, path: Path) -> tuple[float, float, float]:
    """Seconds, seconds of the processor, and MiB of an export or import in a process of its own."""
    command = [sys.executable, __file__, "--do", what, "--url", url, "--path", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    seconds, working, mebibytes = json.loads(done.stdout)
    return seconds, working, mebibytes


async def do(what: str, url: str, path: Path) -> None:
    """What `apart` runs."""
    async with open_storages(Config(database_url=url, create_schema=True)) as storages:
        start, working = perf_counter(), process_time()
        if what == "export":
            await export_archive(storages, path, clock=lambda: NOW)
        else:
            await import_archive(path, storages)
        seconds, working = perf_counter() - start, process_time() - working
    print(json.dumps([seconds, working, peak()]))


def peak() -> float:
    """MiB of this program's peak; `getrusage` would say that of whoever started it."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def show(name: str, count: int, bare: float, taken: tuple[float, float, float]) -> None:
    seconds, working, mebibytes = taken
    rates = (round(count / each) for each in (bare, seconds))
    ratio, each = f"{bare / seconds:.0%}", f"{working / count * 1e6:.1f}"
    print("|", " | ".join([name, *map(str, rates), ratio, each, f"{mebibytes:.0f}"]), "|")


def show_orm(server: str, count: int, imported: float) -> None:
    """Prints how many times faster an import is that takes so many seconds for each user."""
    for name, insertion, most in (
        ("INSERT of many", by_insert, count),
        ("sessions", by_session, SESSION_USERS),
    ):
        size = min(count, most)
        each = asyncio.run(orm_postgres(server, size, insertion)) / size
        ratio = f"import: {each / imported:.1f} times"
        print(f"| ORM, {name}, of {size} | | {1 / each:.0f} | {ratio} | | |")


def measure(server: str, folder: Path, count: int) -> None:
    """Prints the rows of the table for so many users."""
    asyncio.run(prepare(server))
    loaded, copied = asyncio.run(bare_postgres(server, count, folder))
    archive = folder / f"archive {count}"
    show(f"PostgreSQL, export of {count}", count, copied, exported(server, archive))
    asyncio.run(empty(server))
    taken = apart("import", server, archive)
    show(f"PostgreSQL, import of {count}", count, loaded, taken)
    asyncio.run(empty(server))
    show_orm(server, count, taken[0] / count)
    one, other = folder / f"one {count}.db", folder / f"other {count}.db"
    for path in (one, other):
        asyncio.run(prepare(f"sqlite:///{path}"))
    loaded, copied = bare_sqlite(one, count)
    again = folder / f"again {count}"
    show(f"SQLite, export of {count}", count, copied, exported(f"sqlite:///{one}", again))
    taken = apart("import", f"sqlite:///{other}", again)
    show(f"SQLite, import of {count}", count, loaded, taken)


async def empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"TRUNCATE {USERS.table.name} CASCADE")
    finally:
        await connection.close()


def main() -> None:
    """Print the table, or do one thing for it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--do", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.do:
        asyncio.run(do(options.do, options.url, options.path))
        return
    home = embedded_home()
    if home is None:
        raise SystemExit("pip install 'storeproof[embedded]'")
    print("| what | bare rows/s | rows/s | of bare | processor us/row | MiB |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory:
        server = start_embedded(home, Path(directory) / "server", settings=())
        try:
            for count in options.users:
                measure(server.url.render("postgresql"), Path(directory), count)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
