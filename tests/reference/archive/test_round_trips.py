"""An archive holds all of a storage, and the same whatever the content was kept in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.reference.archive import import_archive, verify_archive
from storeproof.reference.selection import CONTENTS, Storages

from ..auth.examples import ANN
from .examples import export, fill, opened, run


def files_of(path: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in path.iterdir()}


async def moved(url: str | None, old: Path, new: Path) -> None:
    """Loads an archive into storages, and exports these."""
    async with opened(url) as storages:
        await import_archive(old, storages)
        assert (await verify_archive(old, against=storages)).equal
        await export(storages, new)


def test_nothing_is_lost_from_memory_through_databases_to_memory(
    tmp_path: Path, sqlite_url: str, postgres_url: str
) -> None:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            manifest = await export(memory, tmp_path / "0")
        assert [part.collection for part in manifest.parts if part.count == 0] == []
        for number, url in enumerate((sqlite_url, postgres_url, None)):
            await moved(url, tmp_path / str(number), tmp_path / str(number + 1))

    run(work())
    first, *others = (files_of(tmp_path / str(number)) for number in range(4))
    for other in others:
        assert other == first


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> str | None:
    """Where storages are: in memory, or in a database of each kind."""
    if request.param == "memory":
        return None
    value: str = request.getfixturevalue(f"{request.param}_url")
    return value


def test_what_storages_were_told_makes_the_same_archive_everywhere(
    tmp_path: Path, sqlite_url: str, postgres_url: str
) -> None:
    async def work() -> None:
        for name, url in (("memory", None), ("sqlite", sqlite_url), ("postgres", postgres_url)):
            async with opened(url) as storages:
                await fill(storages)
                await export(storages, tmp_path / name)

    run(work())
    expected = files_of(tmp_path / "memory")
    for name in ("sqlite", "postgres"):
        found = files_of(tmp_path / name)
        assert [each for each in found if found[each] != expected[each]] == []


UNREAD = {"cost_rollups", "errors_groups", "errors_rollups", "providers"}
"""Tables with values that nobody reads, or whose sums may be in other parts."""


async def derived(storages: Storages) -> dict[str, list[Any]]:
    assert storages.database is not None
    tables = [table for content in CONTENTS for table in content.schema.tables.sorted_tables]
    return {
        table.name: sorted(map(repr, await storages.database.read(sa.select(table), {})))
        for table in tables
        if table.name not in UNREAD
    }


def test_what_follows_from_the_rows_is_made_again(tmp_path: Path, url: str) -> None:
    async def work() -> None:
        async with opened(url) as storages:
            await fill(storages)
            await export(storages, tmp_path / "archive")
            expected = await derived(storages)
        assert all(expected.values())
        async with opened(f"sqlite:///{tmp_path}/other.db") as storages:
            await import_archive(tmp_path / "archive", storages)
            found = await derived(storages)
            assert [name for name in expected if found[name] != expected[name]] == []
        async with opened(None) as memory:
            await import_archive(tmp_path / "archive", memory)
            assert (await memory.auth.find_by_email("ANN@EXAMPLE.ORG")).id == ANN

    run(work())


def test_empty_storages_make_an_archive_of_nothing(tmp_path: Path, place: str | None) -> None:
    async def work() -> None:
        async with opened(place) as storages:
            manifest = await export(storages, tmp_path / "empty")
            assert {part.count for part in manifest.parts} == {0}
            await import_archive(tmp_path / "empty", storages)

    run(work())


def test_a_compressed_archive_holds_the_same_rows(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            plain = await export(memory, tmp_path / "plain")
            small = await export(memory, tmp_path / "small", compress=True)
            assert (await verify_archive(tmp_path / "small", against=memory)).equal
        assert [part.digest for part in small.parts] == [part.digest for part in plain.parts]
        assert {part.file.rpartition(".")[2] for part in small.parts} == {"zst"}
        await moved(None, tmp_path / "small", tmp_path / "plain again")

    run(work())
    assert files_of(tmp_path / "plain again") == files_of(tmp_path / "plain")
