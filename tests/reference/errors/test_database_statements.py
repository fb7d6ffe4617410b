"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from msgspec.structs import replace

from storeproof.reference.errors import (
    Aggregation,
    ArchiveId,
    Bucket,
    DatabaseErrorStorage,
    Dimension,
    ErrorStorage,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    GroupState,
    Kind,
    MetricName,
    MetricQuery,
    Tag,
    TimeZone,
)
from storeproof.reference.errors.laws.given import (
    DAY,
    DISK,
    HOUR,
    NET,
    NOW,
    event,
    point,
    resolved,
)

from ..counting import operations_in, operations_of, statements_of

Case = tuple[int, Callable[[ErrorStorage, str], Awaitable[object]]]

SPAN = (NOW, NOW + DAY)
LAST = MetricQuery(
    name=MetricName("seconds"),
    kind=Kind.HISTOGRAM,
    aggregation=Aggregation.P95,
    start=NOW,
    end=NOW + DAY,
)
TAGS = (Tag(key="region", value="east"),)
MERGE = "BEGIN with the lock, groups, events, counts, their deletion, source, target, COMMIT"
ARCHIVE = "BEGIN with the lock, the archive, events, its storing, its reading, events, COMMIT"
RESTORE = "BEGIN with the lock, the archive with its file, events, its state, COMMIT"
ON_SQLITE = {
    "create": 6,  # BEGIN, the group, the event, the group, its rollups, COMMIT
    "create, regressing": 6,
    "create, of a merged group": 6,
    "create, of an archived event": 5,
    "create, again": 5,  # BEGIN, the group, nothing new, COMMIT, the event with its group
}
"""Where SQLite has no one statement; its round trips cross no network."""

CASES: dict[str, Case] = {
    "get_by_id": (1, lambda s, i: s.get_by_id(EventId("kept"))),
    "create": (1, lambda s, i: s.create(event(f"new {i}"))),
    "create, regressing": (1, lambda s, i: s.create(event(f"late {i}", f"resolved {i}"))),
    "create, of a merged group": (1, lambda s, i: s.create(event(f"merged {i}", NET))),
    "create, again": (2, lambda s, i: s.create(event("kept"))),
    "archive": (len(ARCHIVE.split(",")), lambda s, i: s.archive(ArchiveId(f"n{i}"), NOW + DAY, 1)),
    "archive, of more": (7, lambda s, i: s.archive(ArchiveId(f"n{i}"), NOW + DAY, 3)),
    "archive, again": (3, lambda s, i: s.archive(ArchiveId(i), NOW - HOUR, 1)),
    "archive, of nothing": (4, lambda s, i: s.archive(ArchiveId("none"), NOW - DAY, 9)),
    "create, of an archived event": (2, lambda s, i: s.create(event(f"old {i}", at=NOW - DAY))),
    "get_archive": (1, lambda s, i: s.get_archive(ArchiveId(i))),
    "archive_file": (1, lambda s, i: s.archive_file(ArchiveId(i))),
    "list_archives": (1, lambda s, i: s.list_archives()),
    "restore_archive": (len(RESTORE.split(",")), lambda s, i: s.restore_archive(ArchiveId(i))),
    "restore_archive, again": (3, lambda s, i: s.restore_archive(ArchiveId("restored"))),
    "purge": (4, lambda s, i: s.purge(ArchiveId(i))),
    "get_group": (1, lambda s, i: s.get_group(DISK)),
    "list_groups": (1, lambda s, i: s.list_groups(GroupFilter(message_contains="d"))),
    "list_groups, oldest": (1, lambda s, i: s.list_groups(GroupFilter(), GroupSort.OLDEST)),
    "list_groups, most": (1, lambda s, i: s.list_groups(GroupFilter(), GroupSort.COUNT)),
    "set_state": (1, lambda s, i: s.set_state(GroupId(i), GroupState(), 1)),
    "merge": (len(MERGE.split(",")), lambda s, i: s.merge(GroupId(i), DISK)),
    "list_events": (1, lambda s, i: s.list_events(DISK)),
    "trend": (1, lambda s, i: s.trend(*SPAN, Bucket.HOUR, TimeZone("UTC"), Dimension.GROUP)),
    "trend, of all": (1, lambda s, i: s.trend(*SPAN, Bucket.HOUR, TimeZone("UTC"))),
    "top": (1, lambda s, i: s.top(10, Dimension.LEVEL, *SPAN)),
    "record_metric": (1, lambda s, i: s.record_metric(point(i))),
    "record_metric, again": (2, lambda s, i: s.record_metric(point("kept"))),
    "query_metric": (1, lambda s, i: s.query_metric(LAST)),
    "query_metric, tagged": (1, lambda s, i: s.query_metric(replace(LAST, tags=TAGS))),
}


def test_every_operation_has_a_case() -> None:
    assert operations_in(CASES) == operations_of(ErrorStorage)


async def prepare(storage: ErrorStorage, *ids: str) -> None:
    """What each run of a case finds or takes away."""
    for name in ("kept", "gone"):
        await storage.create(event(name, NET if name == "gone" else DISK))
    await storage.merge(NET, DISK)
    for name in (*ids, "restored"):
        await storage.create(event(f"old {name}", at=NOW - DAY))
        await storage.archive(ArchiveId(name), NOW - HOUR, 1)
    await storage.restore_archive(ArchiveId("restored"))
    for name in ids:
        await storage.create(event(name, name))
        await storage.create(event(f"r{name}", f"resolved {name}"))
        await storage.set_state(GroupId(f"resolved {name}"), resolved(), 1)
    await storage.record_metric(point("kept"))


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    expected, call = CASES[name]
    if url.startswith("sqlite"):
        expected = ON_SQLITE.get(name, expected)
    assert statements_of(url, DatabaseErrorStorage, prepare, call) == expected
