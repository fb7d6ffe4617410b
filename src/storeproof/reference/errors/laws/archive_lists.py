"""For authors of an error storage: the laws of the list of archives, and of bad arguments."""

from datetime import UTC, datetime, timedelta, timezone

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.archives import ArchiveId
from storeproof.reference.errors.laws.archives import LATER, ONE, TWO, move, placed
from storeproof.reference.errors.laws.given import (
    DISK,
    NOW,
    TICK,
    add,
    event,
    is_invalid,
    is_refused,
    walk,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate
from storeproof.reference.storage import Cursor

__all__: list[str] = []

BAD_IDS = ("", "a\0", "\ud800", "a" * 256)


async def fill(storage: ErrorStorage) -> list[str]:
    """Four archives of one event each; gives their ids, in their order."""
    for number, at in enumerate((-TICK, 0 * TICK, 0 * TICK, TICK)):
        await storage.create(event(f"{number}", at=NOW + at))
    for name in ("z", "a", "Z", "é"):
        await move(storage, name, limit=1)
    return ["z", "Z", "a", "é"]


@law("ERR-094", MUST)
async def archives_are_listed_oldest_first(storage: ErrorStorage) -> None:
    """Archives are listed by when their first event occurred, then by id, by code point."""
    wanted = await fill(storage)
    assert [each.id for each in (await storage.list_archives()).items] == wanted
    await storage.restore_archive(ArchiveId("Z"))
    assert [each.id for each in (await storage.list_archives()).items] == wanted


@law("ERR-095", MUST)
async def pages_of_archives_join(storage: ErrorStorage) -> None:
    """With any limit the pages of archives join to the list; only the last has no cursor."""
    wanted = await fill(storage)
    for limit in (1, 2, 3, 4, 1000):
        walked = await walk(storage.list_archives, limit=limit)
        assert [each.id for each in walked] == wanted
        page = await storage.list_archives(None, limit)
        assert len(page.items) == min(limit, 4)
        assert (page.next_cursor is None) == (limit >= 4)
    page = await storage.list_archives(None, 2)
    await storage.purge(page.items[1].id)
    rest = await storage.list_archives(page.next_cursor)
    assert [each.id for each in rest.items] == wanted[2:]


@law("ERR-096", MUST)
async def pages_of_archives_are_checked(storage: ErrorStorage) -> None:
    """A limit below 1 or above 1000 is invalid, and so is a cursor of another list."""
    await fill(storage)
    await add(storage, "ab")
    events = (await storage.list_events(DISK, None, 1)).next_cursor
    for cursor in (Cursor(""), Cursor("é"), Cursor("\0"), events):
        await is_invalid(storage.list_archives(cursor, 0), "cursor")
    for limit in (0, -1, 1001, 2**63):
        await is_invalid(storage.list_archives(None, limit), "limit")
    archives = (await storage.list_archives(None, 1)).next_cursor
    await is_invalid(storage.list_events(DISK, archives), "cursor")


@law("ERR-097", MUST)
async def bad_archives_are_refused(storage: ErrorStorage) -> None:
    """A bad id, `before` or `limit` is invalid, the first of them, and moves nothing."""
    await add(storage, "a")
    naive = LATER.replace(tzinfo=None)
    for bad in BAD_IDS:
        await is_invalid(storage.archive(ArchiveId(bad), naive, 0), "id")
        for call in (storage.get_archive, storage.archive_file, storage.restore_archive):
            await is_invalid(call(ArchiveId(bad)), "id")
        await is_invalid(storage.purge(ArchiveId(bad)), "id")
    for before in (naive, datetime.max.replace(tzinfo=UTC)):
        await is_invalid(storage.archive(ONE, before, 0), "before")
    for limit in (0, -1, 10_001, 2**63, True):
        await is_invalid(storage.archive(ONE, LATER, limit), "limit")
    assert await placed(storage) == ["a"]
    assert (await storage.list_archives()).items == ()


@law("ERR-098", MUST)
async def archives_are_compared_exactly(storage: ErrorStorage) -> None:
    """Ids of archives that differ by case or a space differ; times in other offsets don't."""
    await add(storage, "abcd")
    for name in ("x", "X", "x ", "10"):
        assert (await move(storage, name, limit=1)).id == name
    local = LATER.astimezone(timezone(timedelta(hours=5, minutes=30)))
    again = await move(storage, "x", local, 1)
    assert again == await storage.get_archive(ArchiveId("x"))
    assert (again.before, again.before.tzinfo) == (LATER, UTC)
    assert (again.first_seen.tzinfo, again.last_seen.tzinfo) == (UTC, UTC)
    assert await storage.archive(TWO, local, 10_000) is None
    await is_refused(storage.archive(ArchiveId("x"), local, 10_000), Duplicate("id"))
