"""However many rows there are, few of them are held at once."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from storeproof.reference.archive import files, import_archive
from storeproof.reference.archive.reading import open_archive
from storeproof.reference.archive.snapshots import snapshot_of
from storeproof.reference.auth import User
from storeproof.reference.auth.collections import CONTENT
from storeproof.reference.selection import CONTENTS

from ..auth.examples import user
from .examples import export, opened, run

USERS = CONTENT.collections[0]
ROWS = 2500
SHORTEST, LONGEST = 100, 300
"""Bytes of the line of a user."""


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            for number in range(ROWS):
                await memory.auth.create(user(f"{number:05}"))
            await export(memory, tmp_path / "archive")

    run(work())
    return tmp_path / "archive"


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

    assert run(work()) == [1000, 1000, 500]
    assert told[-1] == ROWS
    assert max(after - before for before, after in pairwise([0, *told])) <= 10_000 // SHORTEST


def test_files_of_archived_errors_are_read_one_by_one() -> None:
    sizes = {each.name: each.batch for content in CONTENTS for each in content.collections}
    assert sizes["errors.archives"] == 1
