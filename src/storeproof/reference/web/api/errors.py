"""For clients of the API: errors are reported, looked at and dealt with; metrics likewise."""

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Response, Router
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from storeproof.reference.errors.archives import Archive, ArchiveId
from storeproof.reference.errors.buckets import Bucket, TimeZone, Trend
from storeproof.reference.errors.entities import (
    Aggregation,
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    Kind,
    Level,
    MetricName,
    MetricPoint,
    MetricQuery,
    Ranked,
    Status,
)
from storeproof.reference.errors.grouping import Frame
from storeproof.reference.errors.service import ErrorService
from storeproof.reference.storage import Page
from storeproof.reference.web.api.batches import Answers, answer_each
from storeproof.reference.web.needs import ERRORS_READ, ERRORS_SEND, ERRORS_WRITE
from storeproof.reference.web.routes import After, Limit, creates, reads, replaces
from storeproof.reference.web.versions import IfMatch, expected_version, tagged

__all__ = ["Metrics", "Report", "Reports", "StateBody", "router"]


UTC = TimeZone("UTC")


class Report(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that went wrong. `kind`: the type of the error. The same `id` counts once."""

    id: EventId
    occurred_at: datetime
    kind: str
    message: str = ""
    frames: tuple[Frame, ...] = ()
    stack: str = ""
    level: Level = Level.ERROR
    tags: dict[str, str] = {}


class Reports(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most 1000 reports."""

    items: tuple[Report, ...]


class Metrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most 1000 points of metrics."""

    items: tuple[MetricPoint, ...]


class StateBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was decided about a group; `until` is for one that is ignored for a while."""

    status: Status
    until: datetime | None = None


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """A number, in the unit that the metric's name says; None where there is no point."""

    value: int | None


@creates("/events", ERRORS_SEND, summary="Report errors", status_code=200)
async def report(data: JSONBody[Reports], errors: NamedDependency[ErrorService]) -> Answers:
    """What looks like a secret is taken out before anything is stored."""

    async def store(item: Report) -> None:
        await errors.report(
            item.kind,
            item.message,
            frames=item.frames,
            stack=item.stack,
            level=item.level,
            tags=item.tags,
            id=item.id,
            occurred_at=item.occurred_at,
        )

    return await answer_each(data.items, lambda item: item.id, store)


@reads("/events/{id:str}", ERRORS_READ, summary="Read an event")
async def get_event(id: FromPath[EventId], errors: NamedDependency[ErrorService]) -> ErrorEvent:
    """As it was stored."""
    return await errors.get_event(id)


@reads("/groups", ERRORS_READ, summary="List groups")
async def list_groups(
    errors: NamedDependency[ErrorService],
    status: FromQuery[Status | None] = None,
    level: FromQuery[Level | None] = None,
    message_contains: FromQuery[str | None] = None,
    sort: FromQuery[GroupSort] = GroupSort.NEWEST,
    cursor: After = None,
    limit: Limit = 100,
) -> Page[ErrorGroup]:
    """Groups that match all that is given."""
    wanted = GroupFilter(status=status, level=level, message_contains=message_contains)
    return await errors.list_groups(wanted, sort, cursor, limit)


@reads("/groups/{id:str}", ERRORS_READ, summary="Read a group")
async def get_group(
    id: FromPath[GroupId], errors: NamedDependency[ErrorService]
) -> Response[ErrorGroup]:
    """The tag is that of its state."""
    group = await errors.get_group(id)
    return tagged(group, group.version)


@replaces("/groups/{id:str}/state", ERRORS_WRITE, summary="Decide about a group")
async def set_state(
    id: FromPath[GroupId],
    data: JSONBody[StateBody],
    errors: NamedDependency[ErrorService],
    if_match: IfMatch = None,
) -> Response[ErrorGroup]:
    """Resolves it as of now, ignores or reopens it. Needs the ETag that was read."""
    version = expected_version(if_match)
    match data.status:
        case Status.RESOLVED:
            group = await errors.resolve(id, version)
        case Status.IGNORED:
            group = await errors.ignore(id, version, data.until)
        case Status.UNRESOLVED:
            group = await errors.reopen(id, version)
    return tagged(group, group.version)


@creates("/groups/{id:str}/merging", ERRORS_WRITE, summary="Merge a group", status_code=200)
async def merge(
    id: FromPath[GroupId], into: FromQuery[GroupId], errors: NamedDependency[ErrorService]
) -> ErrorGroup:
    """Moves all events of the group into another, which is answered."""
    return await errors.merge(id, into)


@reads("/groups/{id:str}/events", ERRORS_READ, summary="List a group's events")
async def list_events(
    id: FromPath[GroupId],
    errors: NamedDependency[ErrorService],
    cursor: After = None,
    limit: Limit = 100,
) -> Page[ErrorEvent]:
    """Without those that were archived."""
    return await errors.list_events(id, cursor, limit)


@reads("/trend", ERRORS_READ, summary="Errors over time")
async def trend(
    start: FromQuery[datetime],
    end: FromQuery[datetime],
    errors: NamedDependency[ErrorService],
    bucket: FromQuery[Bucket] = Bucket.DAY,
    timezone: FromQuery[TimeZone] = UTC,
    group_by: FromQuery[Dimension | None] = None,
) -> Trend:
    """From `start` to before `end`, both at quarters of an hour; empty buckets are 0."""
    return await errors.trend(start, end, bucket, timezone, group_by)


@reads("/top", ERRORS_READ, summary="What occurs most")
async def top(
    start: FromQuery[datetime],
    end: FromQuery[datetime],
    errors: NamedDependency[ErrorService],
    dimension: Annotated[Dimension, QueryParameter(name="by")] = Dimension.GROUP,
    n: FromQuery[int] = 10,
) -> tuple[Ranked, ...]:
    """The `n` levels or groups with the most events."""
    return await errors.top(n, dimension, start, end)


@creates("/metrics", ERRORS_SEND, summary="Record metrics", status_code=200)
async def record(data: JSONBody[Metrics], errors: NamedDependency[ErrorService]) -> Answers:
    """The same id counts once."""
    return await answer_each(data.items, lambda item: item.id, errors.record)


@reads("/metrics/{name:str}", ERRORS_READ, summary="A metric as one number")
async def query_metric(
    name: FromPath[MetricName],
    kind: FromQuery[Kind],
    aggregation: FromQuery[Aggregation],
    start: FromQuery[datetime],
    end: FromQuery[datetime],
    errors: NamedDependency[ErrorService],
) -> Value:
    """Of its points from `start` to before `end`."""
    query = MetricQuery(name=name, kind=kind, aggregation=aggregation, start=start, end=end)
    return Value(value=await errors.query_metric(query))


@reads("/archives", ERRORS_READ, summary="List archives")
async def list_archives(
    errors: NamedDependency[ErrorService], cursor: After = None, limit: Limit = 100
) -> Page[Archive]:
    """What was taken out of the lists, and when."""
    return await errors.list_archives(cursor, limit)


@creates("/archives", ERRORS_WRITE, summary="Archive old events")
async def archive(
    before: FromQuery[datetime], errors: NamedDependency[ErrorService], limit: Limit = 1000
) -> tuple[Archive, ...]:
    """All that occurred before an instant, `limit` events an archive; trends stay as they are."""
    return await errors.archive(before, limit)


@creates(
    "/archives/{id:str}/restoring", ERRORS_WRITE, summary="Restore an archive", status_code=200
)
async def restore(id: FromPath[ArchiveId], errors: NamedDependency[ErrorService]) -> Archive:
    """Its events are back in the lists."""
    return await errors.restore_archive(id)


def router() -> Router:
    """The routes of errors and metrics."""
    events = [report, get_event, list_groups, get_group, set_state, merge, list_events]
    counts = [trend, top, record, query_metric]
    handlers = [*events, *counts, list_archives, archive, restore]
    return Router("/errors", route_handlers=handlers, tags=["errors"])
