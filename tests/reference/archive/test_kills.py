"""Whatever ends an export or an import leaves nothing that looks whole, and nothing half done."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.harness.cancelling import Way, cancel
from storeproof.reference.archive import ArchiveExists, import_archive, verify_archive
from storeproof.reference.database.postgres_bulk import PostgresCarrier
from storeproof.reference.database.sqlite import SqliteCarrier
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.selection import CONTENTS, Storages

from .examples import export, fill, opened, run


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    async def work() -> None:
        async with opened(None) as memory:
            await fill(memory)
            await export(memory, tmp_path / "archive")

    run(work())
    return tmp_path / "archive"


TABLES = [table for content in CONTENTS for table in content.schema.tables.sorted_tables]
COUNT = sa.union_all(*(sa.select(sa.func.count()).select_from(table) for table in TABLES))


async def rows_in(storages: Storages) -> int:
    """How many rows all tables have."""
    assert storages.database is not None
    return sum(row[0] for row in await storages.database.read(COUNT, {}))


def nothing_else(folder: Path) -> bool:
    return not [each for each in folder.iterdir() if "unfinished" in each.name]


class Breaking:
    """Lets the nth statement of a bulk transaction fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for carrier in (PostgresCarrier, SqliteCarrier):
            for name in ("run", "insert", "stream"):
                monkeypatch.setattr(carrier, name, self._around(getattr(carrier, name)))

    def _around(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise Unavailable("planted")
            return method(*arguments)

        return call


@pytest.mark.parametrize(("place", "every"), [("sqlite", 1), ("postgres", 5)])
def test_an_import_that_fails_at_any_statement_leaves_nothing(
    archive: Path, request: pytest.FixtureRequest, place: str, every: int
) -> None:
    url = request.getfixturevalue(f"{place}_url")
    breaking = Breaking(request.getfixturevalue("monkeypatch"))

    async def work() -> int:
        async with opened(url) as storages:
            for nth in range(1, 1000, every):
                breaking.left = nth
                try:
                    await import_archive(archive, storages)
                except Unavailable:
                    breaking.left = -1
                    assert await rows_in(storages) == 0
                else:
                    breaking.left = -1
                    assert (await verify_archive(archive, against=storages)).equal
                    return nth
        raise AssertionError("it never succeeds")

    assert run(work()) > 80


def test_an_export_that_fails_at_any_statement_leaves_nothing(
    archive: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = Breaking(monkeypatch)
    folder = archive.parent

    async def work() -> int:
        async with opened(url) as storages:
            await import_archive(archive, storages)
            for nth in range(1, 1000):
                breaking.left = nth
                try:
                    await export(storages, folder / "again")
                except Unavailable:
                    assert not (folder / "again").exists()
                    assert nothing_else(folder)
                else:
                    return nth
        raise AssertionError("it never succeeds")

    assert run(work()) > 26


@pytest.mark.parametrize("way", [Way.WAITING, Way.REPEATEDLY])
def test_a_cancelled_import_happened_or_left_nothing(archive: Path, url: str, way: Way) -> None:
    async def work() -> int:
        async with opened(url) as storages:
            for nth in range(1, 5000, 11):
                cancelled = await cancel(import_archive(archive, storages), nth, way)
                if await rows_in(storages) > 0:
                    assert (await verify_archive(archive, against=storages)).equal
                    assert not cancelled.reached or cancelled.outcome is None
                    return nth
                assert cancelled.reached
                assert cancelled.outcome is None
        raise AssertionError("it never ends")

    assert run(work()) > 50


def test_a_cancelled_export_left_nothing(archive: Path, url: str) -> None:
    folder = archive.parent

    async def work() -> int:
        async with opened(url) as storages:
            await import_archive(archive, storages)
            for nth in range(1, 5000, 7):
                cancelled = await cancel(export(storages, folder / "again"), nth, Way.WAITING)
                if not cancelled.reached:
                    return nth
                assert not (folder / "again").exists()
                assert nothing_else(folder)
        raise AssertionError("it never ends")

    assert run(work()) > 26


PROGRAM = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from storeproof.reference.archive import export_archive, import_archive
from storeproof.reference.config import Config
from storeproof.reference.selection import open_storages

what, path, url, last = sys.argv[1:]

def progress(collection, done, total):
    if collection == last:
        os.kill(os.getpid(), signal.SIGKILL)

async def work():
    async with open_storages(Config(database_url=url, create_schema=True)) as storages:
        if what == "import":
            await import_archive(Path(path), storages, progress=progress)
        else:
            clock = lambda: datetime.now(UTC)
            await export_archive(storages, Path(path), clock=clock, progress=progress)

asyncio.run(work())
"""


def killed(*arguments: str) -> None:
    """Runs the program above in a process that kills itself."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, check=False)  # noqa: S603 - the program is this test's own
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize("last", ["auth.users", "errors.trends", "providers.outcomes"])
def test_a_killed_process_leaves_nothing(archive: Path, url: str, last: str) -> None:
    folder = archive.parent

    async def seen() -> int:
        async with opened(url) as storages:
            return await rows_in(storages)

    async def load() -> None:
        async with opened(url) as storages:
            await import_archive(archive, storages)

    killed("import", str(archive), url, last)
    assert run(seen()) == 0
    run(load())
    killed("export", str(folder / "again"), url, last)
    assert not (folder / "again").exists()
    assert run(seen()) > 0


def test_an_export_replaces_nothing(archive: Path) -> None:
    async def work() -> None:
        async with opened(None) as storages:
            with pytest.raises(ArchiveExists):
                await export(storages, archive)
            assert (await verify_archive(archive)).equal

    run(work())


def test_an_archive_is_for_its_owner_s_eyes(archive: Path) -> None:
    assert archive.stat().st_mode & 0o077 == 0
