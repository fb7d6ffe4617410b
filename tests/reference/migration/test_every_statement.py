"""Whatever statement of a migration is the last one, its target is as before, or wholly migrated.

What a process leaves that is killed is what SQLite's files hold at that moment, and what others
see on a server. So one migration shows it for all moments: the files are copied, and the server is
asked, before and after each statement, at each batch, and while SQLite works on a statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from storeproof.reference.database.postgres_bulk import PostgresCarrier
from storeproof.reference.database.sqlite import SqliteCarrier
from storeproof.reference.migration import ArchiveSource, migrate
from storeproof.reference.selection import CONTENTS, Storages

from ..archive.examples import NOW, export, fill, opened, run
from ..auth.examples import user

TABLES = [table.name for content in CONTENTS for table in content.schema.tables.sorted_tables]
NAMES = [*TABLES, "storeproof_migrations"]
STEPS = 500
"""Of SQLite's machine, between two looks at its files."""
HEADER, FRAME = 32, 4096 + 24
"""Bytes of a write-ahead log: before its pages, and of each of them."""

Look = Callable[[], Awaitable[None]]


def watch(monkeypatch: pytest.MonkeyPatch, carrier: type[Any], look: Look) -> None:
    """Has each statement of a bulk transaction looked at, before and after, and each batch."""

    def around(method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def call(*arguments: Any) -> Any:
            await look()
            result = await method(*arguments)
            await look()
            return result

        return call

    def streaming(method: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
        async def stream(*arguments: Any) -> AsyncIterator[Any]:
            async for rows in method(*arguments):
                await look()
                yield rows
            await look()

        return stream

    for name in ("run", "insert"):
        monkeypatch.setattr(carrier, name, around(getattr(carrier, name)))
    monkeypatch.setattr(carrier, "stream", streaming(carrier.stream))


async def old_and_new(folder: Path) -> None:
    """Archives of what the target holds at first, and of what it is to hold."""
    async with opened(None) as memory:
        await memory.auth.create(user("old"))
        await export(memory, folder / "old")
        await fill(memory)
        await export(memory, folder / "new")
    async with opened(None) as memory:
        await export(memory, folder / "nothing")


async def move(path: Path, target: Storages, id: str) -> None:
    source, folder = ArchiveSource(path), path.parent
    await migrate(source, target, folder, id=id, actor="ann", clock=lambda: NOW, replace=True)


@pytest.fixture(params=[False, True], ids=["in one transaction", "in two"])
def steps(request: pytest.FixtureRequest) -> list[str]:
    """The archives that are loaded; two of them, to see that it is found."""
    return ["nothing", "new"] if request.param else ["new"]


def test_files_of_sqlite(
    steps: list[str], sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Files(tmp_path / "storage.db", tmp_path / "copy.db")

    async def work() -> None:
        await old_and_new(tmp_path)
        async with opened(sqlite_url) as target:
            await move(tmp_path / "old", target, "m0")
            assert target.database is not None
            async with target.database.bulk(writes=True) as bulk:
                connection: Any = bulk._carrier
            await connection._connection.set_progress_handler(files.look, STEPS)
            watch(monkeypatch, SqliteCarrier, files.looked)
            for number, name in enumerate(steps, 1):
                await move(tmp_path / name, target, f"m{number}")
            files.look()
            files.tear()

    run(work())
    assert files.looks > 200
    assert len(files.states) > len(steps) + 1
    assert len({files.state(*each) for each in files.states}) == len(steps) + 1


class Files:
    """What a killed process would leave of a database, each time that it is looked at."""

    def __init__(self, path: Path, copy: Path) -> None:
        self._path, self._copy = path, copy
        self.looks = 0
        self.states: dict[tuple[bytes, bytes], None] = {}

    async def looked(self) -> None:
        self.look()

    def look(self) -> None:
        self.looks += 1
        found = (self._path.read_bytes(), _log(self._path).read_bytes())
        self.states[found] = None

    def tear(self) -> None:
        """Adds what is there while a commit writes its pages, one after the other."""
        for (_, before), (main, log) in list(zip(self.states, list(self.states)[1:], strict=False)):
            for size in range(max(len(before), HEADER), len(log), FRAME):
                self.states[main, log[:size]] = None

    def state(self, main: bytes, log: bytes) -> str:
        self._copy.write_bytes(main)
        _log(self._copy).write_bytes(log)
        with closing(sqlite3.connect(self._copy)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            return repr(
                [sorted(connection.execute(f"SELECT * FROM {name}")) for name in NAMES]  # noqa: S608 - ours
            )


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


SEEN = " UNION ALL ".join(
    f"SELECT md5(string_agg(row::text, ' ' ORDER BY row::text)) FROM {name} AS row"  # noqa: S608 - ours
    for name in NAMES
)


def test_what_others_see_on_a_server(
    steps: list[str], postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    states: list[tuple[Any, ...]] = []

    async def work() -> None:
        await old_and_new(tmp_path)
        connection = await asyncpg.connect(postgres_url)

        one_by_one = asyncio.Lock()

        async def look() -> None:
            async with one_by_one:  # the next rows are fetched while these are worked on
                states.append(tuple(each[0] for each in await connection.fetch(SEEN)))

        try:
            async with opened(postgres_url) as target:
                await move(tmp_path / "old", target, "m0")
                watch(monkeypatch, PostgresCarrier, look)
                for number, name in enumerate(steps, 1):
                    await move(tmp_path / name, target, f"m{number}")
                await look()
        finally:
            await connection.close()

    run(work())
    assert len(states) > 200
    assert len(list(groupby(states))) == len(steps) + 1
