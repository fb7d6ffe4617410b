"""However many rows there are, few of them are held at once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from storeproof.harness.cancelling import Way, cancel
from storeproof.reference.archive import files, import_archive
from storeproof.reference.archive.reading import open_archive
from storeproof.reference.archive.snapshots import snapshot_of
from storeproof.reference.auth import User
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.database.postgres_bulk import PIECE
from storeproof.reference.selection import CONTENTS, Storages

from ..auth.examples import user
from .examples import export, opened, run

USERS = CONTENT.collections[0]
ROWS = 7000
SHORTEST, LONGEST = 100, 300
"""Bytes of the line of a user."""
RECEIVED = 2**18
"""Bytes that asyncio takes from a connection at once."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            for number in range(ROWS):
                await memory.auth.create(user(f"{number:05}"))
            await export(memory, tmp_path / "archive")

    run(work())
    return tmp_path / "archive"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            for number in range(5):
                await memory.auth.create(user(f"{number}"))
            await export(memory, tmp_path / "small")

    run(work())
    return tmp_path / "small"


def test_an_archive_is_read_in_batches(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def all_canonical(items: list[User]) -> list[User]:
        nonlocal made
        made += len(items)
        return items

    monkeypatch.setitem(vars(USERS), "all_canonical", all_canonical)
    monkeypatch.setattr(files, "CHUNK", 10_000)
    for number, _ in enumerate(open_archive(archive, CONTENTS).items(USERS)):
        assert made - number <= 10_000 // SHORTEST
    assert made == ROWS


def test_what_is_checked_before_a_migration_is_read_in_batches(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHUNK", 10_000)
    reads = list(open_archive(archive, CONTENTS).reads(USERS))
    assert max(len(read.text) for read in reads) < 10_000 + 2 * LONGEST
    assert sum(len(read.items) for read in reads) == ROWS


def test_a_database_is_loaded_and_read_in_batches(
    archive: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(files, "CHUNK", 10_000)

    async def work() -> list[int]:
        async with opened(url) as storages:
            await import_archive(
                archive,
                storages,
                progress=lambda name, done, _total: (
                    told.append(done) if name == USERS.name else None
                ),
            )
            async with snapshot_of(storages) as snapshot:
                return [len(each) async for each in snapshot.batches(USERS)]

    read = run(work())
    assert sum(read) == ROWS
    assert max(read) <= max(USERS.batch, (PIECE + RECEIVED) // SHORTEST)
    assert told[-1] == ROWS
    assert max(after - before for before, after in pairwise([0, *told])) <= 10_000 // SHORTEST


async def read(storages: Storages, rows: int) -> None:
    """Reads so many users one by one, and then asks something else."""
    assert storages.database is not None
    async with storages.database.bulk(writes=False) as bulk:
        async with aclosing(bulk.stream(USERS.kept.select, 1)) as batches:
            async for _ in batches:
                rows -= 1
                if rows == 0:
                    break
        assert await bulk.run(sa.select(sa.literal(1)), {}) == [(1,)]


def test_reading_ends_where_its_caller_does(small: Path, url: str) -> None:
    """Though the next rows are asked for before they are wanted."""

    async def work() -> None:
        async with opened(url) as storages:
            await import_archive(small, storages)
            for rows in range(1, 7):
                await read(storages, rows)
            for nth in range(1, 1000):
                cancelled = await cancel(read(storages, 5), nth, Way.WAITING)
                assert asyncio.all_tasks() == {asyncio.current_task()}
                if not cancelled.reached:
                    return
        raise AssertionError("it never ends")

    run(work())


def test_files_of_archived_errors_are_read_one_by_one() -> None:
    sizes = {each.name: each.batch for content in CONTENTS for each in content.collections}
    assert sizes["errors.archives"] == 1
