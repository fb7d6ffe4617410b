"""A migration moves everything or nothing, is written down, and can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from storeproof.reference.archive import (
    ArchiveEdited,
    TargetNotEmpty,
    import_archive,
    verify_archive,
)
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.migration import (
    ArchiveSource,
    Entry,
    NotTheLast,
    Source,
    StoragesSource,
    TargetChanged,
    UnknownMigration,
    entries,
    migrate,
    plan,
    roll_back,
)
from storeproof.reference.selection import CONTENTS, Storages

from ..archive.examples import NOW, export, fill, opened, run
from ..archive.test_kills import Breaking
from ..archive.test_round_trips import files_of
from ..auth.examples import user


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            await export(memory, tmp_path / "source")

    run(work())
    return tmp_path / "source"


async def moved(source: Source, target: Storages, folder: Path, id: str, **options: Any) -> Entry:
    return await migrate(source, target, folder, id=id, actor="ann", clock=lambda: NOW, **options)


async def undone(target: Storages, id: str, folder: Path) -> Entry:
    return await roll_back(target, id, folder, clock=lambda: NOW)


async def entries_of(target: Storages) -> list[Entry]:
    assert target.database is not None
    return await entries(target.database)


def test_a_migration_is_verified_written_down_and_taken_back(
    archive: Path, url: str, tmp_path: Path
) -> None:
    async def work() -> None:
        async with opened(url) as target:
            assert await entries_of(target) == []
            made = await moved(ArchiveSource(archive), target, tmp_path, "m1")
            assert (await verify_archive(archive, against=target)).equal
            assert await entries_of(target) == [made]
            assert (made.source, made.actor, made.at) == (str(archive), "ann", NOW)
            report = (tmp_path / "m1.json").read_bytes()
            assert msgspec.json.decode(report, type=Entry) == made
            await target.auth.create(user("later"))
            gone = await undone(target, "m1", tmp_path)
            manifest = await export(target, tmp_path / "after")
            assert sum(part.count for part in manifest.parts) == 0
            assert await entries_of(target) == [gone]
            assert (gone.undone_at, gone.undone_to) == (NOW, str(tmp_path / "m1-undone"))
            later = (tmp_path / "m1-undone" / "auth.users.ndjson").read_text("utf-8")
            assert '"id":"later"' in later

    run(work())


def test_what_a_target_held_comes_back(archive: Path, url: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(None) as memory, opened(url) as target:
            await import_archive(archive, target)
            await memory.auth.create(user("new"))
            source = StoragesSource(memory, "memory")
            with pytest.raises(TargetNotEmpty):
                await moved(source, target, tmp_path, "m0")
            await moved(source, target, tmp_path, "m1", replace=True)
            await export(target, tmp_path / "during")
            await export(memory, tmp_path / "wanted")
            await undone(target, "m1", tmp_path)
            await export(target, tmp_path / "after")

    run(work())
    assert files_of(tmp_path / "during") == files_of(tmp_path / "wanted")
    assert files_of(tmp_path / "after") == files_of(archive)


def test_a_plan_changes_nothing(archive: Path, url: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(url) as target:
            await target.auth.create(user("there"))
            source = ArchiveSource(archive)
            with pytest.raises(TargetNotEmpty):
                await plan(source, target, clock=lambda: NOW)
            found = await plan(source, target, clock=lambda: NOW, replace=True)
            assert (found.rows["auth.users"], found.present["auth.users"]) == (4, 1)
            assert next(iter(found.rows)) == "auth.users"
            assert found.seconds > 0
            assert (await target.auth.get_by_id("there")).id == "there"
            assert await entries_of(target) == []

    run(work())


def test_migrations_are_taken_back_in_turn(archive: Path, url: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(url) as target:
            await moved(ArchiveSource(archive), target, tmp_path, "m1")
            await moved(ArchiveSource(archive), target, tmp_path, "m2", replace=True)
            with pytest.raises(NotTheLast):
                await undone(target, "m1", tmp_path)
            with pytest.raises(UnknownMigration):
                await undone(target, "m3", tmp_path)
            await undone(target, "m2", tmp_path)
            await undone(target, "m1", tmp_path)
            with pytest.raises(UnknownMigration):
                await undone(target, "m1", tmp_path)
            assert [each.undone_at for each in await entries_of(target)] == [NOW, NOW]

    run(work())


TABLES = [table for content in CONTENTS for table in content.schema.tables.sorted_tables]


@pytest.mark.parametrize("name", ["auth_users", "auth_sessions", "errors_points"])
def test_a_target_that_lacks_a_table_is_left_as_it_is(
    archive: Path, url: str, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()

    async def rows(target: Storages) -> list[object]:
        assert target.database is not None
        there = [table for table in TABLES if table.name != name]
        return [
            sorted(map(repr, await target.database.read(sa.select(each), {}))) for each in there
        ]

    async def work() -> None:
        async with opened(url) as target:
            await fill(target)
            assert target.database is not None
            cascade = " CASCADE" if url.startswith("postgresql") else ""
            await target.database.write(sa.text(f"DROP TABLE {name}{cascade}").columns(), {})
            before = await rows(target)
            for replace in (False, True):
                with pytest.raises(Unavailable, match=f"{name} is missing.*; bring it back"):
                    await moved(ArchiveSource(archive), target, folder, "m1", replace=replace)
                with pytest.raises(Unavailable, match=f"{name} is missing.*; bring it back"):
                    await plan(ArchiveSource(archive), target, clock=lambda: NOW, replace=replace)
            assert await rows(target) == before
            assert await entries_of(target) == []
            assert list(folder.iterdir()) == []

    run(work())


class Meddling(ArchiveSource):
    """A source during whose reading somebody else writes to the target."""

    def __init__(self, path: Path, meddle: Callable[[], Any]) -> None:
        super().__init__(path)
        self._meddle = meddle

    async def archive(self, target: Path, path: Path, clock: Any, progress: Any) -> Path:
        await self._meddle()
        return await super().archive(target, path, clock, progress)


def test_what_is_written_to_the_target_meanwhile_is_not_lost(
    archive: Path, url: str, tmp_path: Path
) -> None:
    async def work() -> None:
        async with opened(url) as target:
            source = Meddling(archive, lambda: target.auth.create(user("meanwhile")))
            with pytest.raises(TargetChanged) as caught:
                await moved(source, target, tmp_path, "m1")
            assert caught.value.collections == ("auth.users",)
            assert (await target.auth.get_by_id("meanwhile")).id == "meanwhile"
            assert await entries_of(target) == []

    run(work())


def test_a_backup_that_was_damaged_is_not_loaded(archive: Path, url: str, tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(None) as memory, opened(url) as target:
            await import_archive(archive, target)
            await memory.auth.create(user("new"))
            await moved(StoragesSource(memory, "memory"), target, tmp_path, "m1", replace=True)
            file = tmp_path / "m1-before" / "auth.users.ndjson"
            file.write_bytes(file.read_bytes().replace(b"ann@", b"eve@"))
            with pytest.raises(ArchiveEdited):
                await undone(target, "m1", tmp_path)
            assert (await target.auth.get_by_id("new")).id == "new"

    run(work())


def test_a_migration_that_fails_leaves_the_target_as_it_was(
    archive: Path, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = Breaking(monkeypatch)

    async def work() -> int:
        async with opened(None) as memory, opened(sqlite_url) as target:
            await fill(memory)
            await memory.auth.create(user("new"))
            await import_archive(archive, target)
            source = StoragesSource(memory, "memory")
            for nth in range(1, 1000, 7):
                breaking.left = nth
                try:
                    await moved(source, target, tmp_path, f"m{nth}", replace=True)
                except Unavailable:
                    breaking.left = -1
                    assert (await verify_archive(archive, against=target)).equal
                    assert await entries_of(target) == []
                else:
                    breaking.left = -1
                    assert (await target.auth.get_by_id("new")).id == "new"
                    assert [each.id for each in await entries_of(target)] == [f"m{nth}"]
                    return nth
        raise AssertionError("it never succeeds")

    assert run(work()) > 100
