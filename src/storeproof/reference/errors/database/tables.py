"""For `DatabaseErrorStorage`: its tables, and their rows as entities.

A group that was merged keeps its row, which says into which one: so whoever counts an
event in it meanwhile finds that out under the row's lock.

The rollups count events by level and by group (`dimension`, `key`), each in a day and in
a block of days (`rollups`). So a trend reads no more rows for many events. A level's count
is spread over two rows (`shard`), so that the events of different groups seldom wait for
each other; a merge leaves levels alone.

An archived event keeps its row: so one unique index says which ids are taken, also to a
`create` that began before the archiving ended. Of the row there is left what is small, with
`archive_id`, and the `digest` that an event with this id is compared with. The other
indexes are of the events that are not archived.
"""

from typing import Any
from zlib import crc32

import msgspec
import sqlalchemy as sa

from storeproof.reference.database import Row, Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, column, metadata
from storeproof.reference.database.entities import columns
from storeproof.reference.errors.archives import Archive, ArchiveState
from storeproof.reference.errors.database.rollups import COUNTS
from storeproof.reference.errors.entities import (
    ErrorEvent,
    ErrorGroup,
    GroupState,
    Kind,
    Level,
    MetricPoint,
    Status,
    Tag,
)

__all__ = [
    "ARCHIVES",
    "ARCHIVE_COLUMNS",
    "EVENTS",
    "EVENT_COLUMNS",
    "GROUPS",
    "GROUP_COLUMNS",
    "PLACED",
    "POINTS",
    "PRESENT",
    "ROLLUPS",
    "SCHEMA",
    "archive_from",
    "event_of",
    "event_values",
    "group_of",
    "group_values",
    "point_of",
    "point_values",
    "tag_names",
]

SHARDS = 2

_TABLES = metadata()
SCHEMA = Schema("errors", 5, _TABLES)


GROUPS = sa.Table(
    "errors_groups",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("message", TEXT),
    column("level", TEXT),
    column("created_at", TIME),
    column("first_seen", TIME),
    column("last_seen", TIME),
    column("count", sa.BigInteger()),
    column("status", TEXT),
    column("state_at", TIME, nullable=True),
    column("version", sa.BigInteger()),
    column("created_by", TEXT),
    column("regressed_by", TEXT, nullable=True),
    column("merged_into", TEXT, nullable=True),
)
PRESENT = GROUPS.c.merged_into.is_(None)
"""The group was not merged into another."""


def _index(where: sa.ColumnElement[bool], *columns: sa.Column[Any]) -> None:
    sa.Index(None, *columns, postgresql_where=where, sqlite_where=where)


_index(PRESENT, GROUPS.c.created_at, GROUPS.c.id)
_index(PRESENT, GROUPS.c.last_seen, GROUPS.c.id)
_index(PRESENT, GROUPS.c.count, GROUPS.c.id)
_index(~PRESENT, GROUPS.c.merged_into)
GROUP_COLUMNS = tuple(each for each in GROUPS.c if each is not GROUPS.c.merged_into)
_GROUP_KEYS = tuple(each.key for each in GROUP_COLUMNS)

EVENTS = sa.Table(
    "errors_events",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("fingerprint", TEXT),
    column("grouping", sa.BigInteger()),
    column("level", TEXT),
    column("message", TEXT),
    column("stack", TEXT),
    column("tags", TEXT),
    column("occurred_at", TIME),
    column("group_id", TEXT),
    column("archive_id", TEXT, nullable=True),
    column("digest", TEXT, nullable=True),
)
EVENT_COLUMNS = columns(EVENTS, ErrorEvent)
PLACED = EVENTS.c.archive_id.is_(None)
"""The event is not archived."""


_index(PLACED, EVENTS.c.group_id, EVENTS.c.occurred_at, EVENTS.c.id)
_index(PLACED, EVENTS.c.occurred_at, EVENTS.c.id)
_index(~PLACED, EVENTS.c.archive_id)

ARCHIVES = sa.Table(
    "errors_archives",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("before", TIME),
    column("limit", sa.BigInteger()),
    column("count", sa.BigInteger()),
    column("first_seen", TIME),
    column("last_seen", TIME),
    column("digest", TEXT),
    column("size", sa.BigInteger()),
    column("state", TEXT),
    column("file", sa.LargeBinary()),
)
sa.Index(None, ARCHIVES.c.first_seen, ARCHIVES.c.id)
ARCHIVE_COLUMNS = columns(ARCHIVES, Archive)

ROLLUPS = sa.Table(
    "errors_rollups",
    _TABLES,
    column("dimension", TEXT, primary_key=True),
    column("span", TEXT, primary_key=True),
    column("slot", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("key", TEXT, primary_key=True),
    column("shard", sa.BigInteger(), primary_key=True, autoincrement=False),
    column("counts", COUNTS),
    info={"fillfactor": 50},  # what is counted in again fits beside what it replaces
)
sa.Index(None, ROLLUPS.c.dimension, ROLLUPS.c.key, ROLLUPS.c.span, ROLLUPS.c.slot)

POINTS = sa.Table(
    "errors_points",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("name", TEXT),
    column("kind", TEXT),
    column("value", sa.BigInteger()),
    column("at", TIME),
    column("tags", NAMES),
)
sa.Index(None, POINTS.c.name, POINTS.c.kind, POINTS.c.at, POINTS.c.id)


def event_values(event: ErrorEvent) -> dict[str, Any]:
    """The parameters that the columns of an event have, and the shard of its level."""
    tags = [[tag.key, tag.value] for tag in event.tags]
    return {
        **msgspec.structs.asdict(event),
        "tags": msgspec.json.encode(tags).decode(),
        "shard": crc32(event.fingerprint.encode()) % SHARDS,
    }


def event_of(row: Row) -> ErrorEvent:
    """The event that a row of EVENT_COLUMNS holds."""
    fields = dict(zip(ErrorEvent.__struct_fields__, row, strict=True))
    pairs = msgspec.json.decode(fields["tags"], type=list[tuple[str, str]])
    fields["tags"] = tuple(Tag(key=key, value=value) for key, value in pairs)
    fields["level"] = Level(fields["level"])
    return ErrorEvent(**fields)


def group_of(row: Row) -> ErrorGroup:
    """The group that a row of GROUP_COLUMNS holds."""
    fields = dict(zip(_GROUP_KEYS, row, strict=True))
    fields["level"] = Level(fields["level"])
    status, at = Status(fields.pop("status")), fields.pop("state_at")
    return ErrorGroup(**fields, state=GroupState(status=status, at=at))


def group_values(group: ErrorGroup) -> dict[str, Any]:
    """The parameters that GROUP_COLUMNS have."""
    state = group.state
    return {**msgspec.structs.asdict(group), "status": state.status, "state_at": state.at}


def archive_from(row: Row) -> Archive:
    """The archive that a row of ARCHIVE_COLUMNS holds."""
    fields = dict(zip(Archive.__struct_fields__, row, strict=True))
    return Archive(**fields | {"state": ArchiveState(fields["state"])})


def point_values(point: MetricPoint) -> dict[str, Any]:
    """The parameters that the columns of a point have."""
    return {**msgspec.structs.asdict(point), "tags": tag_names(point.tags)}


def tag_names(tags: tuple[Tag, ...]) -> frozenset[str]:
    """Tags as text, one for each, so that a database can compare them."""
    return frozenset(msgspec.json.encode([tag.key, tag.value]).decode() for tag in tags)


def point_of(row: Row) -> MetricPoint:
    """The point that a row of POINTS holds."""
    fields = dict(zip(MetricPoint.__struct_fields__, row, strict=True))
    pairs = (msgspec.json.decode(name, type=tuple[str, str]) for name in fields["tags"])
    tags = tuple(sorted(Tag(key=key, value=value) for key, value in pairs))
    return MetricPoint(**fields | {"kind": Kind(fields["kind"]), "tags": tags})
