"""For authors of an error storage: the laws of the lists of groups and of events."""

from typing import Any

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.entities import (
    ErrorGroup,
    GroupFilter,
    GroupId,
    GroupSort,
    Level,
    Status,
)
from storeproof.reference.errors.laws.given import (
    DISK,
    HOUR,
    NET,
    NOW,
    TICK,
    add,
    event,
    ignored,
    is_invalid,
    resolved,
    walk,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.storage import Cursor, Page

__all__: list[str] = []

BY_CODE_POINT = ("A", "Z", "_", "a", "a ", "e\u0301", "é", "日", "\uffee", "😀")
ALL = GroupFilter()


async def groups(storage: ErrorStorage, **wanted: Any) -> list[str]:
    """The ids of the groups that match, oldest first."""
    page = await storage.list_groups(GroupFilter(**wanted), GroupSort.OLDEST)
    return [each.id for each in page.items]


async def fill(storage: ErrorStorage) -> None:
    """Five groups, the first of which has five events; some at the same time."""
    for number, letter in enumerate("abcde"):
        await add(storage, letter, at=NOW + number // 2 * TICK)
    for number, letter in enumerate("fghi"):
        await add(storage, letter, letter, at=NOW + number // 2 * TICK)


@law("ERR-027", MUST)
async def groups_are_ordered_by_their_beginning(storage: ErrorStorage) -> None:
    """Groups are listed by when they began, then by id, by code point; NEWEST is the reverse."""
    for name in reversed(BY_CODE_POINT):
        await storage.create(event(name, name))
    await storage.create(event("first", "first", NOW - HOUR))
    await storage.create(event("last", "last", NOW + TICK))
    wanted = ["first", *BY_CODE_POINT, "last"]
    oldest = (await storage.list_groups(ALL, GroupSort.OLDEST)).items
    newest = (await storage.list_groups(ALL)).items
    assert [each.id for each in oldest] == wanted
    assert newest == oldest[::-1]


@law("ERR-028", MUST)
async def activity_moves_no_group(storage: ErrorStorage) -> None:
    """Later and earlier events, and states, change nothing about a group's place in the list."""
    await add(storage, "a")
    await add(storage, "b", NET, NOW + TICK)
    first = await storage.list_groups(ALL, GroupSort.NEWEST, None, 1)
    await add(storage, "c", at=NOW + HOUR)
    await add(storage, "d", NET, NOW - HOUR)
    await storage.set_state(DISK, resolved(), 1)
    rest = await storage.list_groups(ALL, GroupSort.NEWEST, first.next_cursor, 9)
    assert [each.id for each in (*first.items, *rest.items)] == [NET, DISK]


@law("ERR-029", MUST)
async def groups_are_filtered(storage: ErrorStorage) -> None:
    """Groups are filtered by status, level and a part of the message, all at once."""
    await add(storage, "a", "1", level=Level.INFO, message="Disk 100% full")
    await add(storage, "b", "2", message="disk_full")
    await add(storage, "c", "3", message="Ärger")
    await storage.set_state(GroupId("1"), resolved(), 1)
    await storage.set_state(GroupId("2"), ignored(), 1)
    assert await groups(storage, status=Status.RESOLVED) == ["1"]
    assert await groups(storage, status=Status.IGNORED) == ["2"]
    assert await groups(storage, status=Status.UNRESOLVED) == ["3"]
    assert await groups(storage, level=Level.ERROR) == ["2", "3"]
    assert await groups(storage, level=Level.ERROR, message_contains="full") == ["2"]
    assert await groups(storage, level=Level.DEBUG) == []


@law("ERR-030", MUST)
async def part_of_a_message_is_literal(storage: ErrorStorage) -> None:
    """A part of a message is compared by code point: no case, pattern or composition counts."""
    await add(storage, "a", "1", message="100% Ä_")
    await add(storage, "b", "2", message="A\u0308 x")
    for part, found in (
        ("", ["1", "2"]),
        ("100%", ["1"]),
        ("%", ["1"]),
        ("_", ["1"]),
        ("1%Ä", []),
        ("ä", []),
        ("Ä", ["1"]),
        ("A", ["2"]),
        ("\\", []),
    ):
        assert await groups(storage, message_contains=part) == found


@law("ERR-031", MUST)
async def events_are_listed_newest_first(storage: ErrorStorage) -> None:
    """A group's events are listed by when they occurred, then by id, both descending."""
    for name in BY_CODE_POINT:
        await storage.create(event(name))
    await storage.create(event("old", at=NOW - TICK))
    await storage.create(event("new", at=NOW + TICK))
    await add(storage, "z", NET)
    found = [each.id for each in (await storage.list_events(DISK)).items]
    assert found == ["new", *reversed(BY_CODE_POINT), "old"]
    assert await storage.list_events(GroupId("none")) == Page(items=())


@law("ERR-032", MUST)
async def pages_join_to_the_list(storage: ErrorStorage) -> None:
    """With any limit the pages of a list hold the items of one large page, each once, in order."""
    await fill(storage)
    for limit in (1, 2, 4, 5, 6, 1000):
        for sort in GroupSort:
            whole = list((await storage.list_groups(ALL, sort)).items)
            assert len(whole) == 5
            assert await walk(storage.list_groups, ALL, sort, limit=limit) == whole
        events = list((await storage.list_events(DISK)).items)
        assert len(events) == 5
        assert await walk(storage.list_events, DISK, limit=limit) == events


@law("ERR-033", MUST)
async def page_holds_at_most_the_limit(storage: ErrorStorage) -> None:
    """A page holds `limit` items while there are so many; only the last has no `next_cursor`."""
    await fill(storage)
    for limit, last in ((1, False), (4, False), (5, True), (6, True)):
        pages: tuple[Page[Any], ...] = (
            await storage.list_groups(ALL, GroupSort.NEWEST, None, limit),
            await storage.list_groups(ALL, GroupSort.OLDEST, None, limit),
            await storage.list_events(DISK, None, limit),
        )
        for page in pages:
            assert len(page.items) == min(limit, 5)
            assert (page.next_cursor is None) == last


@law("ERR-034", MUST)
async def limit_is_one_to_a_thousand(storage: ErrorStorage) -> None:
    """A limit below 1 or above 1000 is invalid."""
    for limit in (0, -1, 1001, 2**63):
        await is_invalid(storage.list_groups(ALL, GroupSort.NEWEST, None, limit), "limit")
        await is_invalid(storage.list_events(DISK, None, limit), "limit")


@law("ERR-035", MUST)
async def foreign_cursors_are_invalid(storage: ErrorStorage) -> None:
    """A cursor that is empty, made up, or of another list or order is invalid."""
    await fill(storage)
    made_up = [Cursor(""), Cursor("é"), Cursor("\0")]
    events = (await storage.list_events(DISK, None, 1)).next_cursor
    groups = {
        sort: (await storage.list_groups(ALL, sort, None, 1)).next_cursor for sort in GroupSort
    }
    for sort in GroupSort:
        others = [cursor for other, cursor in groups.items() if other is not sort]
        for cursor in (*made_up, *others, events):
            await is_invalid(storage.list_groups(ALL, sort, cursor, 5), "cursor")
    for cursor in (*made_up, *groups.values()):
        await is_invalid(storage.list_events(DISK, cursor, 5), "cursor")


@law("ERR-036", MUST)
async def cursor_outlives_its_group(storage: ErrorStorage) -> None:
    """After the last group of a page is merged away, its cursor goes on where it was."""
    await fill(storage)
    page = await storage.list_groups(ALL, GroupSort.OLDEST, None, 2)
    rest: tuple[ErrorGroup, ...] = (await storage.list_groups(ALL, GroupSort.OLDEST)).items[2:]
    await storage.merge(page.items[1].id, page.items[0].id)
    found = await storage.list_groups(ALL, GroupSort.OLDEST, page.next_cursor, 9)
    assert found.items == rest
