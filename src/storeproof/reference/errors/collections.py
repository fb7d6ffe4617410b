"""For archives and migrations: the collections of errors.

Trends are among them: they also count the events of archives that were purged, of which
nothing else is left. Which events are archived stands in the archives' files; a database
keeps a row of each, so they are a collection as well, which shows that none is missing.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.collections import Collection, Content, Kept, Reference, by_id, rows_of
from storeproof.reference.errors.archives import (
    Archive,
    Archived,
    ArchiveState,
    digest_of,
    events_in,
)
from storeproof.reference.errors.buckets import QUARTER, slot_of
from storeproof.reference.errors.database.collecting import (
    ARCHIVED_EVENTS,
    EVENTS_HERE,
    GROUPS_HERE,
    MERGES,
    STORED_ARCHIVES,
    TRENDS,
    ArchivedEvent,
    ArchiveWithFile,
    DayCounts,
    Merge,
    day_of,
)
from storeproof.reference.errors.database.rollups import QUARTERS
from storeproof.reference.errors.database.tables import POINTS, SCHEMA, point_of, point_values
from storeproof.reference.errors.entities import (
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupId,
    Level,
    MetricPoint,
    canonical,
)
from storeproof.reference.errors.exceptions import ArchiveDamaged
from storeproof.reference.errors.memory import InMemoryErrorStorage
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import canonical_values
from storeproof.reference.values import canonical_id, canonical_integer

__all__ = ["CONTENT"]


def _give_merges(storage: InMemoryErrorStorage) -> Iterator[Merge]:
    for source in storage._merged:
        target = source
        while target in storage._merged:
            target = storage._merged[target]
        yield Merge(id=source, merged_into=target)


def _checked_archive(archive: ArchiveWithFile) -> ArchiveWithFile:
    canonical_values(archive)
    try:
        _entries(archive)
    except ArchiveDamaged as error:
        raise InvalidValue("file", "does not hold what its archive says") from error
    return archive


def _entries(archive: ArchiveWithFile) -> list[Archived]:
    return events_in(archive, archive.file)


def _give_archives(storage: InMemoryErrorStorage) -> Iterator[ArchiveWithFile]:
    for each in storage._archives.values():
        yield ArchiveWithFile(**asdict(each), file=storage._files[each.id])


def _take_archives(storage: InMemoryErrorStorage, archives: Iterable[ArchiveWithFile]) -> None:
    for each in archives:
        fields = asdict(each)
        storage._files[each.id] = fields.pop("file")
        storage._archives[each.id] = Archive(**fields)
        if each.state is ArchiveState.HELD:
            entries = _entries(each)
            storage._archived.update({entry.event.id: entry.event for entry in entries})


def _give_archived(storage: InMemoryErrorStorage) -> Iterator[ArchivedEvent]:
    for each in _give_archives(storage):
        if each.state is ArchiveState.HELD:
            yield from (_archived(entry.event, each) for entry in _entries(each))


def _archived(event: ErrorEvent, archive: ArchiveWithFile) -> ArchivedEvent:
    return ArchivedEvent(
        id=event.id,
        fingerprint=event.fingerprint,
        grouping=event.grouping,
        level=event.level,
        occurred_at=event.occurred_at,
        archive_id=archive.id,
        digest=digest_of(event),
    )


_LEVELS = frozenset(Level)


def _checked_counts(item: DayCounts) -> DayCounts:
    canonical_id("key", item.key)
    if item.dimension is Dimension.LEVEL and item.key not in _LEVELS:
        raise InvalidValue("key", "must be a level")
    for count in item.counts:
        canonical_integer("counts", count, 0)
    if len(item.counts) != QUARTERS or not any(item.counts):
        raise InvalidValue("counts", f"must be {QUARTERS}, not all of them zero")
    return item


def _give_counts(storage: InMemoryErrorStorage) -> Iterator[DayCounts]:
    found: dict[tuple[Dimension, str, int], list[int]] = {}
    for event in storage._counted:
        day, quarter = divmod(slot_of(event.occurred_at), QUARTERS)
        for by in Dimension:
            key = (by, storage._key(event, by), day)
            found.setdefault(key, [0] * QUARTERS)[quarter] += 1
    for (by, name, day), counts in found.items():
        yield DayCounts(dimension=by, key=name, day=day_of(day), counts=tuple(counts))


def _take_counts(storage: InMemoryErrorStorage, items: Iterable[DayCounts]) -> None:
    """Events that count as these do: of trends, memory knows nothing but events.

    A trend is by level or by group, so which event had both is not known, and not asked.
    """
    keys: dict[datetime, dict[Dimension, list[str]]] = {}
    for item in items:
        start = datetime.combine(item.day, time(), UTC)
        for quarter, count in enumerate(item.counts):
            if count:
                both = keys.setdefault(start + quarter * QUARTER, {each: [] for each in Dimension})
                both[item.dimension] += [item.key] * count
    for at, both in keys.items():
        for level, group in _pairs(both):
            event = ErrorEvent(
                id=EventId(""), fingerprint=group, level=level, message="", occurred_at=at
            )
            storage._counted.append(event)


def _pairs(both: dict[Dimension, list[str]]) -> Iterator[tuple[Level, GroupId]]:
    levels, groups = both[Dimension.LEVEL], both[Dimension.GROUP]
    if len(levels) != len(groups):
        raise InvalidValue("counts", "must be as many by level as by group")
    for level, group in zip(levels, groups, strict=True):
        yield Level(level), GroupId(group)


_ID = ("id",)
_GROUP = Reference(fields=("fingerprint",), to=("errors.groups", "errors.merges"))

_COLLECTIONS: tuple[Collection[Any], ...] = (
    Collection(
        name="errors.groups",
        item=ErrorGroup,
        key=_ID,
        canonical=canonical_values,
        give=lambda storage: storage._groups.values(),
        take=lambda storage, groups: storage._groups.update(by_id(groups)),
        kept=GROUPS_HERE,
    ),
    Collection(
        name="errors.merges",
        item=Merge,
        key=_ID,
        canonical=canonical_values,
        references=(Reference(fields=("merged_into",), to=("errors.groups",)),),
        give=_give_merges,
        take=lambda storage, merges: storage._merged.update(
            {each.id: each.merged_into for each in merges}
        ),
        kept=MERGES,
    ),
    Collection(
        name="errors.events",
        item=ErrorEvent,
        key=_ID,
        canonical=canonical,
        references=(_GROUP,),
        give=lambda storage: storage._events.values(),
        take=lambda storage, events: storage._events.update(by_id(events)),
        kept=EVENTS_HERE,
    ),
    Collection(
        name="errors.archives",
        item=ArchiveWithFile,
        key=_ID,
        canonical=_checked_archive,
        give=_give_archives,
        take=_take_archives,
        kept=STORED_ARCHIVES,
        batch=1,
    ),
    Collection(
        name="errors.archived_events",
        item=ArchivedEvent,
        key=_ID,
        canonical=canonical_values,
        references=(_GROUP, Reference(fields=("archive_id",), to=("errors.archives",))),
        give=_give_archived,
        take=lambda _storage, _events: None,  # `_take_archives` has them, with their texts
        kept=ARCHIVED_EVENTS,
    ),
    Collection(
        name="errors.trends",
        item=DayCounts,
        key=("dimension", "key", "day"),
        canonical=_checked_counts,
        give=_give_counts,
        take=_take_counts,
        kept=TRENDS,
    ),
    Collection(
        name="errors.points",
        item=MetricPoint,
        key=_ID,
        canonical=canonical,
        give=lambda storage: storage._points.values(),
        take=lambda storage, points: storage._points.update(by_id(points)),
        kept=Kept(
            table=POINTS,
            select=sa.select(*POINTS.c).order_by(POINTS.c.id),
            make=point_of,
            rows=rows_of(POINTS, point_values),
        ),
    ),
)

CONTENT = Content(schema=SCHEMA, collections=_COLLECTIONS)
