"""SQLite's own troubles: a file that is locked, missing, or no database at all."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database import Database, Transaction
from storeproof.reference.exceptions import Unavailable

from .examples import ALL, CREATE, SCHEMA, note


def opened(url: str, *, create: bool = True, timeout: float = 0.1) -> Database:
    database = Database(url, create=create, pool_timeout=timeout, statement_timeout=timeout)
    database.require(SCHEMA)
    return database


@contextmanager
def somebody_writing(url: str) -> Iterator[None]:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


async def nothing(transaction: Transaction) -> None:
    await transaction.run(ALL, {})


def test_a_locked_file_is_unavailable_to_writers_only(sqlite_url: str) -> None:
    async def use() -> None:
        async with opened(sqlite_url) as database:
            await database.write(CREATE, note("1"))
            with somebody_writing(sqlite_url):
                for call in (database.write(CREATE, note("2")), database.transact(nothing)):
                    with pytest.raises(Unavailable, match="the database is locked"):
                        await call
                assert await database.read(ALL, {}) == [("1",)]
            await database.write(CREATE, note("2"))

    asyncio.run(use())


def test_a_turn_to_write_that_does_not_come_is_unavailable(sqlite_url: str) -> None:
    async def use() -> None:
        async with opened(sqlite_url) as database:

            async def hold(transaction: Transaction) -> None:
                await transaction.run(CREATE, note("1"))
                with pytest.raises(Unavailable, match="the turn to write"):
                    await database.write(CREATE, note("2"))

            await database.transact(hold)
            assert await database.read(ALL, {}) == [("1",)]

    asyncio.run(use())


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)

    async def use() -> None:
        async with opened(f"sqlite:///{tmp_path}/letter.txt") as database:
            await database.open()

    with pytest.raises(Unavailable, match="not a SQLite database"):
        asyncio.run(use())
    assert (tmp_path / "letter.txt").read_text().startswith("Dear")


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    async def use() -> None:
        async with opened(f"sqlite:///{tmp_path}/missing/storage.db") as database:
            await database.open()

    with pytest.raises(Unavailable, match="can't be opened"):
        asyncio.run(use())


def test_a_missing_file_is_created_only_when_asked(tmp_path: Path) -> None:
    async def use() -> None:
        async with opened(f"sqlite:///{tmp_path}/storage.db", create=False) as database:
            await database.open()

    with pytest.raises(ConfigurationError, match="create=True"):
        asyncio.run(use())
    assert list(tmp_path.iterdir()) == []


def test_a_path_may_need_quoting(tmp_path: Path) -> None:
    async def use() -> None:
        async with opened(f"sqlite:///{tmp_path}/50%25 of #1 ü.db") as database:
            await database.write(CREATE, note("1"))

    asyncio.run(use())
    assert {path.suffix for path in tmp_path.iterdir()} == {".db"}


def test_a_file_is_opened_by_several_at_once(sqlite_url: str) -> None:
    async def use() -> None:
        databases = [opened(sqlite_url, timeout=20) for _ in range(8)]
        try:
            await asyncio.gather(*(database.open() for database in databases))
            for number, database in enumerate(databases):
                await database.write(CREATE, note(f"{number}"))
        finally:
            await asyncio.gather(*(database.close() for database in databases))

    asyncio.run(use())


def test_foreign_keys_and_the_journal_are_on(sqlite_url: str) -> None:
    async def use() -> None:
        async with opened(sqlite_url) as database:
            await database.open()
            driver: Any = database._driver
            for connection in (driver._reader, driver._writer):
                found = [
                    (await connection.execute_fetchall(f"PRAGMA {name}"))[0][0]
                    for name in ("foreign_keys", "journal_mode", "synchronous", "busy_timeout")
                ]
                assert found == [1, "wal", 1, 100]

    asyncio.run(use())
