"""For `errors.collections`: where the tables keep each of the component's collections."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storeproof.reference.collections import Kept, rows_of
from storeproof.reference.database import Row
from storeproof.reference.database.columns import TextOf
from storeproof.reference.database.entities import columns, entity
from storeproof.reference.errors.archives import Archive, ArchiveId
from storeproof.reference.errors.database.rollups import BLOCK, DAY, DAYS
from storeproof.reference.errors.database.tables import (
    ARCHIVES,
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    PLACED,
    PRESENT,
    ROLLUPS,
    event_of,
    event_values,
    group_of,
    group_values,
)
from storeproof.reference.errors.entities import (
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupId,
    Level,
    Status,
)
from storeproof.reference.values import EARLIEST

__all__ = [
    "ARCHIVED_EVENTS",
    "EVENTS_HERE",
    "GROUPS_HERE",
    "MERGES",
    "STORED_ARCHIVES",
    "TRENDS",
    "ArchiveWithFile",
    "ArchivedEvent",
    "DayCounts",
    "Merge",
    "day_of",
]

_EPOCH: Final = date(1970, 1, 1)


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The group `id` was merged; its events, present and future, are of `merged_into`."""

    id: GroupId
    merged_into: GroupId


class ArchiveWithFile(Archive, frozen=True, kw_only=True):
    """An archive with its file."""

    file: bytes


class ArchivedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What a database knows of an event that only an archive's file holds."""

    id: EventId
    fingerprint: GroupId
    grouping: int
    level: Level
    occurred_at: datetime
    archive_id: ArchiveId
    digest: str


class DayCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one level or group in each quarter of an hour of a day of UTC."""

    dimension: Dimension
    key: str
    day: date
    counts: tuple[int, ...]


GROUPS_HERE: Kept[ErrorGroup] = Kept(
    table=GROUPS,
    select=sa.select(*GROUP_COLUMNS).where(PRESENT).order_by(GROUPS.c.id),
    make=group_of,
    rows=rows_of(GROUPS, lambda group: {**group_values(group), "merged_into": None}),
)

_GONE: Final = {
    "message": "",
    "level": Level.ERROR,
    "created_at": EARLIEST,
    "first_seen": EARLIEST,
    "last_seen": EARLIEST,
    "count": 0,
    "status": Status.UNRESOLVED,
    "state_at": None,
    "version": 1,
    "created_by": "",
    "regressed_by": None,
}
"""What nobody reads in the row of a group that was merged."""

MERGES: Kept[Merge] = Kept(
    table=GROUPS,
    select=sa.select(GROUPS.c.id, GROUPS.c.merged_into).where(~PRESENT).order_by(GROUPS.c.id),
    make=lambda row: entity(Merge, row),
    rows=rows_of(GROUPS, lambda merge: {**_GONE, **msgspec.structs.asdict(merge)}),
)

_PLACE = (
    sa.update(EVENTS)
    .where(EVENTS.c.fingerprint == GROUPS.c.id, ~PRESENT, PLACED)
    .values(group_id=GROUPS.c.merged_into)
)
"""Moves the events of merged groups to where these are now."""


def _placed_values(event: ErrorEvent) -> dict[str, Any]:
    place = {"group_id": event.fingerprint, "archive_id": None, "digest": None}
    return {**event_values(event), **place}


EVENTS_HERE: Kept[ErrorEvent] = Kept(
    table=EVENTS,
    select=sa.select(*EVENT_COLUMNS).where(PLACED).order_by(EVENTS.c.id),
    make=event_of,
    rows=rows_of(EVENTS, _placed_values),
    after=(_PLACE,),
)

STORED_ARCHIVES: Kept[ArchiveWithFile] = Kept(
    table=ARCHIVES,
    select=sa.select(*columns(ARCHIVES, ArchiveWithFile)).order_by(ARCHIVES.c.id),
    make=lambda row: msgspec.convert(
        dict(zip(ArchiveWithFile.__struct_fields__, row, strict=True)),
        ArchiveWithFile,
        builtin_types=(bytes, datetime),
    ),
    rows=rows_of(ARCHIVES, msgspec.structs.asdict),
)


def _archived_of(row: Row) -> ArchivedEvent:
    fields = dict(zip(ArchivedEvent.__struct_fields__, row, strict=True))
    return ArchivedEvent(**fields | {"level": Level(fields["level"])})


def _archived_values(event: ArchivedEvent) -> dict[str, Any]:
    nothing = {"message": "", "stack": "", "tags": "[]", "group_id": ""}
    return {**msgspec.structs.asdict(event), **nothing}


ARCHIVED_EVENTS: Kept[ArchivedEvent] = Kept(
    table=EVENTS,
    select=sa.select(*columns(EVENTS, ArchivedEvent)).where(~PLACED).order_by(EVENTS.c.id),
    make=_archived_of,
    rows=rows_of(EVENTS, _archived_values),
)


class _OfShards(FunctionElement[Any]):
    type = TextOf(str, msgspec.json.Decoder(list[list[int]]).decode)
    inherit_cache = True
    name = "of_shards"


@compiles(_OfShards, "postgresql")
def _of_shards_on_postgres(element: _OfShards, compiler: Any, **options: Any) -> str:
    return f"CAST(json_agg({compiler.process(element.clauses, **options)}) AS TEXT)"


@compiles(_OfShards, "sqlite")
def _of_shards_on_sqlite(element: _OfShards, compiler: Any, **options: Any) -> str:
    return f"json_group_array(json({compiler.process(element.clauses, **options)}))"


def day_of(number: int) -> date:
    """The day with this number, counted from 1970."""
    return _EPOCH + timedelta(days=number)


def _counts_of(row: Row) -> DayCounts:
    dimension, key, day, shards = row
    return DayCounts(
        dimension=Dimension(dimension),
        key=key,
        day=day_of(day),
        counts=tuple(map(sum, zip(*shards, strict=True))),
    )


def _rollups(items: Iterator[DayCounts]) -> Iterator[Row]:
    """The rows of days, each block's behind those of its days."""
    for (dimension, key, block), days in groupby(items, key=_block_of):
        sums = [0] * DAYS
        for item in days:
            slot = (item.day - _EPOCH).days
            sums[slot % DAYS] = sum(item.counts)
            yield dimension, DAY, slot, key, 0, list(item.counts)
        yield dimension, BLOCK, block, key, 0, sums


def _block_of(item: DayCounts) -> tuple[str, str, int]:
    return item.dimension.value, item.key, (item.day - _EPOCH).days // DAYS


_KEY = (ROLLUPS.c.dimension, ROLLUPS.c.key, ROLLUPS.c.slot)
TRENDS: Kept[DayCounts] = Kept(
    table=ROLLUPS,
    select=sa.select(*_KEY, _OfShards(ROLLUPS.c.counts).label("shards"))
    .where(ROLLUPS.c.span == sa.literal_column(f"'{DAY}'"))  # a cursor takes no parameters
    .group_by(*_KEY)
    .order_by(*_KEY),
    make=_counts_of,
    rows=_rollups,
)
