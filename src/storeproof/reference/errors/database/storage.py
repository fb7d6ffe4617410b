"""For applications and for the conformance suite: the error storage in a database.

What the operations mean stands in `ErrorStorage`. Most are one statement, which is atomic
by itself. On PostgreSQL an event is counted under the lock of its group's row, which
`merge` and `set_state` take too; merges and archiving run one after the other.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from operator import attrgetter
from typing import Any

from msgspec.structs import asdict

from storeproof.reference.database import POSTGRES, Database, Row, Transaction, UniqueViolated
from storeproof.reference.database.combining import Combined
from storeproof.reference.database.entities import first
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.opening import TIMEOUT, open_storage
from storeproof.reference.errors.archives import digest_of
from storeproof.reference.errors.buckets import (
    Bucket,
    Series,
    TimeZone,
    Trend,
    bucket_starts,
    quarters,
    slot_of,
)
from storeproof.reference.errors.database import counting, statements
from storeproof.reference.errors.database.archives import DatabaseArchives
from storeproof.reference.errors.database.batch import count_all
from storeproof.reference.errors.database.creation import CREATE
from storeproof.reference.errors.database.lists import EVENT_LIST, GROUP_LISTS
from storeproof.reference.errors.database.rollups import Cover, counted_at
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    SCHEMA,
    event_of,
    event_values,
    group_of,
    point_of,
    point_values,
    tag_names,
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
    Ranked,
    canonical,
    created_of,
)
from storeproof.reference.errors.protocol import MOST_SERIES
from storeproof.reference.exceptions import (
    Duplicate,
    InvalidValue,
    NotFound,
    Unavailable,
    VersionConflict,
)
from storeproof.reference.rules import canonical_member
from storeproof.reference.storage import Cursor, Page
from storeproof.reference.values import canonical_id, canonical_integer

__all__ = ["DatabaseErrorStorage", "open_error_storage"]

ATTEMPTS = 10


def open_error_storage(
    url: str, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager["DatabaseErrorStorage"]:
    """The error storage in the database at this URL; its tables are created if absent.

    timeout: seconds that it may wait for a statement, or for a connection.
    """
    return open_storage(url, DatabaseErrorStorage, timeout)


class DatabaseErrorStorage(DatabaseArchives):
    """Implements `ErrorStorage` on PostgreSQL and SQLite. Whoever made the database closes it."""

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self._database = database
        self._counted = Combined(self._count, key=attrgetter("id"))
        self._recorded = Combined(self._record, key=attrgetter("id"))

    async def get_by_id(self, id: EventId) -> ErrorEvent:
        canonical_id("id", id)
        rows = await self._database.read(statements.GET_EVENT, {"id": id})
        return event_of(first(rows, "event", id))

    async def create(self, entity: ErrorEvent) -> Created:
        event = canonical(entity)
        for _ in range(ATTEMPTS):
            counted = await self._counted(event)
            if counted is not None:
                return created_of(event, counted)
            stored = await self._database.read(statements.STORED_EVENT, {"id": event.id})
            if stored:
                return _repeated(event, stored[0])
            # The group was merged meanwhile (now it is known into which one), or the event purged.
        raise Unavailable("the event's group is being merged again and again")

    async def _count(self, events: Sequence[ErrorEvent]) -> list[ErrorGroup | None]:
        """The groups as the events left them; None where the event may be there already."""
        if len(events) == 1 and self._database.dialect == POSTGRES:
            return [await self._count_one(events[0])]
        return await count_all(self._database, events)

    async def _count_one(self, event: ErrorEvent) -> ErrorGroup | None:
        values = event_values(event) | counted_at(slot_of(event.occurred_at))
        try:
            rows = await self._database.write(CREATE, values)
        except UniqueViolated:
            return None
        return group_of(rows[0]) if rows else None

    async def get_group(self, id: GroupId) -> ErrorGroup:
        canonical_id("id", id)
        rows = await self._database.read(statements.GET_GROUP, {"id": id})
        return group_of(first(rows, "group", id))

    async def list_groups(
        self,
        filter: GroupFilter,
        sort: GroupSort = GroupSort.NEWEST,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[ErrorGroup]:
        filters = {**asdict(canonical(filter)), "present": True}
        canonical_member(GroupSort, "sort", sort)
        return await read_page(self._database, GROUP_LISTS[sort], filters, cursor, limit)

    async def set_state(self, id: GroupId, state: GroupState, expected_version: int) -> ErrorGroup:
        canonical_id("id", id)
        state = canonical(state)
        canonical_integer("expected_version", expected_version)
        given = {
            "id": id,
            "status": state.status,
            "state_at": state.at,
            "expected_version": expected_version,
        }
        rows = await self._database.write(statements.SET_STATE, given)
        return group_of(rows[0] if rows else await self._set_locked(given))

    async def _set_locked(self, given: dict[str, Any]) -> Row:
        group, expected = given["id"], given["expected_version"]

        async def work(transaction: Transaction) -> Row:
            rows = await transaction.run(statements.LOCK_GROUP, {"id": group})
            if first(rows, "group", group)[0] != expected:
                raise VersionConflict("group", group, expected)
            return (await transaction.run(statements.SET_STATE, given))[0]

        return await self._database.transact(work)

    async def merge(self, source: GroupId, target: GroupId) -> ErrorGroup:
        canonical_id("source", source)
        canonical_id("target", target)
        if source == target:
            raise InvalidValue("target", "must not be the source")
        given = {"source": source, "target": target}

        async def work(transaction: Transaction) -> ErrorGroup:
            present = [row[0] for row in await transaction.run(statements.LOCK_GROUPS, given)]
            for each in (source, target):
                if each not in present:
                    raise NotFound("group", each)
            for statement in (
                statements.MOVE_EVENTS,
                statements.MOVE_ROLLUPS,
                statements.DROP_ROLLUPS,
                statements.REDIRECT,
            ):
                await transaction.run(statement, given)
            return group_of((await transaction.run(statements.ABSORB, given))[0])

        return await self._database.transact(work, lock=SCHEMA)

    async def list_events(
        self, group: GroupId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ErrorEvent]:
        filters = {"group": canonical_id("group", group)}
        return await read_page(self._database, EVENT_LIST, filters, cursor, limit)

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
        bounds = [slot_of(each) for each in (*starts, quarters(start, end)[1])]
        cover = Cover(bounds)
        given = {
            **counting.span_of(bounds[0], bounds[-1]),
            "cover_days": cover.days,
            "cover_blocks": cover.blocks,
            "limit": MOST_SERIES,
        }
        rows = await self._database.read(counting.trend(group_by or Dimension.LEVEL), given)
        counts: dict[str, list[int]] = {} if group_by else {"": [0] * len(starts)}
        for key, span, slot, found in rows:
            sums = counts.setdefault(key if group_by else "", [0] * len(starts))
            cover.add(sums, span, slot, found)
        series = (Series(key=key, counts=tuple(sums)) for key, sums in counts.items())
        ranked = sorted(series, key=lambda each: (-sum(each.counts), each.key))
        return Trend(starts=starts, series=tuple(ranked))

    async def top(
        self, n: int, by: Dimension, start: datetime, end: datetime
    ) -> tuple[Ranked, ...]:
        canonical_integer("n", n, 1, 1000)
        canonical_member(Dimension, "by", by)
        first, last = map(slot_of, quarters(start, end))
        given = {**counting.span_of(first, last), "limit": n}
        rows = await self._database.read(counting.top(by), given)
        return tuple(Ranked(key=key, count=count) for key, count in rows)

    async def record_metric(self, point: MetricPoint) -> MetricPoint:
        point = canonical(point)
        if await self._recorded(point):
            return point
        rows = await self._database.read(statements.GET_POINT, {"id": point.id})
        if list(map(point_of, rows)) != [point]:
            raise Duplicate("id")
        return point

    async def _record(self, points: Sequence[MetricPoint]) -> list[bool]:
        """Of each point whether it was new."""
        rows = [point_values(each) for each in sorted(points, key=attrgetter("id"))]
        stored = await self._database.write(statements.RECORD_METRICS, {"given": rows})
        new = {row[0] for row in stored}
        return [point.id in new for point in points]

    async def query_metric(self, query: MetricQuery) -> int | None:
        query = canonical(query)
        statement = counting.aggregation(query.aggregation, bool(query.tags))
        given = {**asdict(query), "tags": tag_names(query.tags)}
        rows = await self._database.read(statement, given)
        if query.aggregation is Aggregation.SUM:
            high, low = rows[0]
            return int(high) * counting.MANY + int(low)
        return rows[0][0] if rows else None


def _repeated(event: ErrorEvent, row: Row) -> Created:
    """What `create` answers where an event with this id is there, with its group, in `row`."""
    digest, *others = row
    width = len(EVENT_COLUMNS)
    same = (
        event_of(tuple(others[:width])) == event if digest is None else digest_of(event) == digest
    )
    if not same:
        raise Duplicate("id")
    return created_of(event, group_of(tuple(others[width:])))
