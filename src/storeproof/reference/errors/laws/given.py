"""Authors of error laws build what a law starts from here, and state what it ends with."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from storeproof.harness.paging import walk
from storeproof.reference.errors.entities import (
    Created,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupFilter,
    GroupId,
    GroupState,
    Kind,
    MetricName,
    MetricPoint,
    PointId,
    Status,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.law_words import is_invalid, is_refused

__all__ = [
    "DAY",
    "DISK",
    "HOUR",
    "NET",
    "NOW",
    "QUARTER",
    "TICK",
    "add",
    "content",
    "event",
    "ignored",
    "is_invalid",
    "is_refused",
    "point",
    "resolved",
    "walk",
]

Item = TypeVar("Item")

NOW: Final = datetime(2026, 3, 10, 12, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
QUARTER: Final = timedelta(minutes=15)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
DISK, NET = GroupId("disk"), GroupId("net")


def event(id: str, group: str = DISK, at: datetime = NOW, **fields: Any) -> ErrorEvent:
    plain: dict[str, Any] = {"id": EventId(id), "fingerprint": GroupId(group)}
    return ErrorEvent(**plain | {"occurred_at": at, "message": f"{group} failed"} | fields)


async def add(
    storage: ErrorStorage, ids: str, group: str = DISK, at: datetime = NOW, **fields: Any
) -> Created:
    """Creates an event of each letter, the first one at `at`; gives what the last one did."""
    made = [await storage.create(event(each, group, at, **fields)) for each in ids]
    return made[-1]


def resolved(at: datetime = NOW) -> GroupState:
    return GroupState(status=Status.RESOLVED, at=at)


def ignored(until: datetime | None = None) -> GroupState:
    return GroupState(status=Status.IGNORED, at=until)


def point(id: str, value: int = 1, kind: Kind = Kind.HISTOGRAM, **fields: Any) -> MetricPoint:
    plain: dict[str, Any] = {"id": PointId(id), "name": MetricName("seconds"), "at": NOW}
    return MetricPoint(**plain | {"kind": kind, "value": value} | fields)


async def content(storage: ErrorStorage) -> list[tuple[ErrorGroup, tuple[ErrorEvent, ...]]]:
    """Every group with its events."""
    groups = (await storage.list_groups(GroupFilter())).items
    return [(group, (await storage.list_events(group.id)).items) for group in groups]
