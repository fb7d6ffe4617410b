"""An archive's file is checked wherever it is read, and the service saves it to a disk."""

from __future__ import annotations

import asyncio
import gzip
import os
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from storeproof.reference.errors import (
    ArchiveDamaged,
    ArchiveId,
    ArchiveState,
    ErrorService,
    ErrorStorage,
    InMemoryErrorStorage,
    open_error_storage,
)
from storeproof.reference.errors.archives import Archived, archive_of, checked, events_in, pack
from storeproof.reference.errors.laws.given import DAY, DISK, NOW, TICK, add, event
from storeproof.reference.exceptions import OutcomeUnknown

LATER = NOW + DAY
ENTRIES = [Archived(event=event(each, at=NOW), group=DISK) for each in "abc"]
FILE = pack(ENTRIES)[1]
ARCHIVE = archive_of(ArchiveId("one"), LATER, 3, ENTRIES, FILE)


def test_a_file_gives_back_its_events() -> None:
    assert events_in(ARCHIVE, FILE) == ENTRIES
    assert pack(ENTRIES) == (3, FILE)


def test_a_file_has_no_time_and_no_name() -> None:
    flags, written = FILE[3], FILE[4:8]
    assert (flags, written) == (0, bytes(4))
    assert len(gzip.decompress(FILE).splitlines()) == 3


@pytest.mark.parametrize("file", [b"", FILE[:-1], FILE + b"\0", FILE[:20] + b"x" + FILE[21:]])
def test_another_file_is_damaged(file: bytes) -> None:
    for read in (checked, events_in):
        with pytest.raises(ArchiveDamaged) as caught:
            read(ARCHIVE, file)
        assert caught.value.id == "one"


@pytest.mark.parametrize("text", [b'{"event":{}}\n', b"x", gzip.decompress(FILE)[:-9], b""])
def test_what_was_packed_wrongly_is_damaged(text: bytes) -> None:
    """The digest is that of the file, and yet it does not hold the events."""
    file = gzip.compress(text)
    with pytest.raises(ArchiveDamaged):
        events_in(archive_of(ArchiveId("one"), LATER, 3, ENTRIES, file), file)


def test_what_is_no_gzip_is_damaged() -> None:
    with pytest.raises(ArchiveDamaged):
        events_in(archive_of(ArchiveId("one"), LATER, 3, ENTRIES, b"text"), b"text")


def test_the_error_says_what_to_do() -> None:
    assert "'one'" in str(ArchiveDamaged("one"))
    assert "Nothing was changed" in str(ArchiveDamaged("one"))


class Broken(InMemoryErrorStorage):
    """The answer to every second archiving is lost."""

    async def archive(self, id: ArchiveId, before: datetime, limit: int) -> Any:
        result = await super().archive(id, before, limit)
        if len(self._archives) % 2 == 0 and result:
            raise OutcomeUnknown("the connection was lost before the answer came")
        return result


def service_of(storage: ErrorStorage) -> ErrorService:
    return ErrorService(storage)


def use(url: str, work: Callable[[ErrorStorage], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        if url == "memory":
            return await work(InMemoryErrorStorage())
        async with open_error_storage(url) as storage:
            await work(storage)
        return None

    asyncio.run(run())


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def place(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory"
    value: str = request.getfixturevalue(f"{request.param}_url")
    return value


def test_all_is_archived_saved_purged(place: str, tmp_path: Path) -> None:
    async def work(storage: ErrorStorage) -> None:
        service = service_of(storage)
        await add(storage, "abcdefg", at=NOW)
        await add(storage, "x", at=LATER)
        made = await service.archive(LATER, 3)
        assert [each.count for each in made] == [3, 3, 1]
        assert (await service.list_archives()).items == tuple(sorted(made, key=lambda a: a.id))
        for each in made:
            path = tmp_path / f"{each.id}.ndjson.gz"
            assert await service.save_archive(each.id, path) == each
            assert events_in(each, path.read_bytes())[0].group == DISK
        restored = await service.restore_archive(made[0].id)
        assert restored == replace(made[0], state=ArchiveState.RESTORED)
        assert await service.get_archive(made[0].id) == restored
        for each in made:
            await service.purge(each.id)
        assert (await service.list_archives()).items == ()
        found = (await service.list_events(DISK)).items
        assert [each.id for each in found] == ["x", "c", "b", "a"]
        assert await service.archive(NOW) == ()

    use(place, work)


def test_archiving_that_was_broken_off_goes_on() -> None:
    async def work() -> None:
        storage = Broken()
        await add(storage, "abcdefg", at=NOW)
        service = service_of(storage)
        for _ in range(3):
            with pytest.raises(OutcomeUnknown):
                await service.archive(LATER, 1)
        assert [each.count for each in await service.archive(LATER, 1)] == [1]
        archives = (await service.list_archives()).items
        held = [events_in(each, await storage.archive_file(each.id)) for each in archives]
        assert sorted(each.event.id for entries in held for each in entries) == [*"abcdefg"]

    asyncio.run(work())


async def archived(storage: ErrorStorage) -> ArchiveId:
    await add(storage, "ab", at=NOW - TICK)
    archive = await storage.archive(ArchiveId("one"), NOW, 9)
    assert archive is not None
    return archive.id


def test_a_saved_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    async def work() -> None:
        storage = InMemoryErrorStorage()
        path = tmp_path / "one.ndjson.gz"
        path.write_bytes(b"before")
        await service_of(storage).save_archive(await archived(storage), path)
        assert path.read_bytes() == await storage.archive_file(ArchiveId("one"))
        assert os.listdir(tmp_path) == ["one.ndjson.gz"]

    asyncio.run(work())


def test_a_file_that_does_not_read_back_is_not_put_in_place(tmp_path: Path) -> None:
    async def work() -> None:
        storage = InMemoryErrorStorage()
        path = tmp_path / "one.ndjson.gz"
        path.write_bytes(b"before")
        one = await archived(storage)
        with (
            patch.object(Path, "read_bytes", lambda _: b"damaged"),
            pytest.raises(ArchiveDamaged),
        ):
            await service_of(storage).save_archive(one, path)
        assert path.read_bytes() == b"before"

    asyncio.run(work())


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    async def work() -> None:
        storage = InMemoryErrorStorage()
        with pytest.raises(FileNotFoundError):
            await service_of(storage).save_archive(await archived(storage), tmp_path / "no" / "x")

    asyncio.run(work())
