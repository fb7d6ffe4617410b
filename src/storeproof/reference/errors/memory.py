"""For tests and single processes: the error storage in memory, the executable specification.

No operation awaits anything, so each is atomic under asyncio. What the operations mean
stands in `ErrorStorage`.
"""

from bisect import bisect_right
from collections import Counter
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from storeproof.reference.errors.buckets import (
    Bucket,
    Series,
    TimeZone,
    Trend,
    bucket_starts,
    quarters,
)
from storeproof.reference.errors.entities import (
    Aggregation,
    Created,
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    GroupState,
    MetricPoint,
    MetricQuery,
    PointId,
    Ranked,
    canonical,
    created_of,
    first_group,
    next_group,
)
from storeproof.reference.errors.memory_archives import MemoryArchives
from storeproof.reference.errors.orders import EVENT_ORDER, GROUP_ORDERS
from storeproof.reference.errors.protocol import MOST_SERIES
from storeproof.reference.exceptions import (
    Duplicate,
    InvalidValue,
    NotFound,
    VersionConflict,
)
from storeproof.reference.lists import take_page
from storeproof.reference.rules import canonical_member
from storeproof.reference.storage import Cursor, Page
from storeproof.reference.values import canonical_id, canonical_integer

__all__ = ["InMemoryErrorStorage"]

Key: TypeAlias = tuple[Any, str]
Item = TypeVar("Item", ErrorEvent, ErrorGroup)

PERCENTILES = {Aggregation.P50: 50, Aggregation.P95: 95, Aggregation.P99: 99}


class InMemoryErrorStorage(MemoryArchives):
    """Implements `ErrorStorage`. Starts empty; its content ends with the process."""

    def __init__(self) -> None:
        super().__init__()
        self._counted: list[ErrorEvent] = []
        self._groups: dict[GroupId, ErrorGroup] = {}
        self._merged: dict[GroupId, GroupId] = {}
        self._points: dict[PointId, MetricPoint] = {}

    async def get_by_id(self, id: EventId) -> ErrorEvent:
        canonical_id("id", id)
        if id not in self._events:
            raise NotFound("event", id)
        return self._events[id]

    async def create(self, entity: ErrorEvent) -> Created:
        event = canonical(entity)
        group = self._group_of(event)
        stored = self._events.get(event.id) or self._archived.get(event.id)
        if stored is None:
            self._events[event.id] = stored = event
            self._counted.append(event)
            known = self._groups.get(group)
            self._groups[group] = next_group(known, event) if known else first_group(event)
        if stored != event:
            raise Duplicate("id")
        return created_of(event, self._groups[group])

    async def get_group(self, id: GroupId) -> ErrorGroup:
        canonical_id("id", id)
        return self._group(id)

    async def list_groups(
        self,
        filter: GroupFilter,
        sort: GroupSort = GroupSort.NEWEST,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[ErrorGroup]:
        wanted = canonical(filter)
        canonical_member(GroupSort, "sort", sort)
        groups = [
            group
            for group in self._groups.values()
            if wanted.status in (None, group.state.status)
            and wanted.level in (None, group.level)
            and (wanted.message_contains or "") in group.message
        ]
        return take_page(GROUP_ORDERS[sort], groups, cursor, limit)

    async def set_state(self, id: GroupId, state: GroupState, expected_version: int) -> ErrorGroup:
        canonical_id("id", id)
        state = canonical(state)
        canonical_integer("expected_version", expected_version)
        group = self._group(id)
        if group.version != expected_version:
            raise VersionConflict("group", id, expected_version)
        self._groups[id] = replace(group, state=state, version=group.version + 1)
        return self._groups[id]

    async def merge(self, source: GroupId, target: GroupId) -> ErrorGroup:
        canonical_id("source", source)
        canonical_id("target", target)
        if source == target:
            raise InvalidValue("target", "must not be the source")
        one, other = self._group(source), self._group(target)
        del self._groups[source]
        self._merged[source] = target
        self._groups[target] = replace(
            other,
            first_seen=min(one.first_seen, other.first_seen),
            last_seen=max(one.last_seen, other.last_seen),
            count=one.count + other.count,
        )
        return self._groups[target]

    async def list_events(
        self, group: GroupId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ErrorEvent]:
        canonical_id("group", group)
        events = [event for event in self._events.values() if self._group_of(event) == group]
        return take_page(EVENT_ORDER, events, cursor, limit)

    async def trend(
        self,
        start: datetime,
        end: datetime,
        bucket: Bucket,
        timezone: TimeZone,
        group_by: Dimension | None = None,
    ) -> Trend:
        starts = bucket_starts(start, end, bucket, timezone)
        if group_by is not None:
            canonical_member(Dimension, "group_by", group_by)
        found = self._counts(start, end, group_by)
        keys = [key for key, _ in _ranked(found)[:MOST_SERIES]] if group_by else [""]
        cells = Counter(
            (self._key(event, group_by), bisect_right(starts, event.occurred_at) - 1)
            for event in self._between(start, end)
        )
        return Trend(
            starts=starts,
            series=tuple(
                Series(key=key, counts=tuple(cells[key, n] for n in range(len(starts))))
                for key in keys
            ),
        )

    async def top(
        self, n: int, by: Dimension, start: datetime, end: datetime
    ) -> tuple[Ranked, ...]:
        canonical_integer("n", n, 1, 1000)
        canonical_member(Dimension, "by", by)
        start, end = quarters(start, end)
        ranked = _ranked(self._counts(start, end, by))[:n]
        return tuple(Ranked(key=key, count=count) for key, count in ranked)

    async def record_metric(self, point: MetricPoint) -> MetricPoint:
        point = canonical(point)
        if self._points.setdefault(point.id, point) != point:
            raise Duplicate("id")
        return point

    async def query_metric(self, query: MetricQuery) -> int | None:
        query = canonical(query)
        points = [
            point
            for point in self._points.values()
            if (point.name, point.kind) == (query.name, query.kind)
            and query.start <= point.at < query.end
            and set(query.tags) <= set(point.tags)
        ]
        points.sort(key=lambda point: (point.at, point.id))
        return _aggregate(query.aggregation, [point.value for point in points])

    def _group(self, id: GroupId) -> ErrorGroup:
        if id not in self._groups:
            raise NotFound("group", id)
        return self._groups[id]

    def _group_of(self, event: ErrorEvent) -> GroupId:
        group = event.fingerprint
        while group in self._merged:
            group = self._merged[group]
        return group

    def _key(self, event: ErrorEvent, by: Dimension | None) -> str:
        if by is None:
            return ""
        return event.level.value if by is Dimension.LEVEL else self._group_of(event)

    def _between(self, start: datetime, end: datetime) -> list[ErrorEvent]:
        return [event for event in self._counted if start <= event.occurred_at < end]

    def _counts(self, start: datetime, end: datetime, by: Dimension | None) -> Counter[str]:
        return Counter(self._key(event, by) for event in self._between(start, end))


def _ranked(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))


def _aggregate(way: Aggregation, values: list[int]) -> int | None:
    """The values are in the order of their points' times."""
    match way:
        case Aggregation.COUNT:
            return len(values)
        case Aggregation.SUM:
            return sum(values)
        case Aggregation.MIN:
            return min(values, default=None)
        case Aggregation.MAX:
            return max(values, default=None)
        case Aggregation.LAST:
            return values[-1] if values else None
        case _:
            rank = -(-PERCENTILES[way] * len(values) // 100)
            return sorted(values)[rank - 1] if values else None
