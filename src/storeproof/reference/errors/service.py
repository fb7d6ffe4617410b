"""For applications: `ErrorService` reports errors and metrics, and answers questions on them.

service = ErrorService(storage)
try:
    ...
except Exception as error:
    made = await service.capture(error, tags={"release": "1.4"})
    if made.created or made.regressed:
        ...  # tell somebody
"""

import asyncio
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec

from storeproof.reference.errors import entities
from storeproof.reference.errors.archives import Archive, ArchiveId
from storeproof.reference.errors.buckets import Bucket, TimeZone, Trend
from storeproof.reference.errors.entities import (
    Created,
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    GroupState,
    Kind,
    Level,
    MetricName,
    MetricPoint,
    MetricQuery,
    PointId,
    Ranked,
    Status,
    Tag,
)
from storeproof.reference.errors.grouping import GROUPING, Frame, fingerprint
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.errors.redaction import REDACTED, is_secret_name, redact
from storeproof.reference.errors.saving import save
from storeproof.reference.service import ComponentService
from storeproof.reference.storage import Clock, Cursor, Page
from storeproof.reference.values import MAX_NAME

__all__ = ["ErrorService"]

NO_TAGS: Final[Mapping[str, str]] = {}


class ErrorService(ComponentService[ErrorStorage]):
    """Makes events of what went wrong, without secrets, and keeps them in a storage.

    What is reported is made fit for storing (NUL and surrogates are replaced, what is too
    long is cut), since a report must not fail because of the error that it is about.
    Beside that the methods raise what the storage's operations raise.

    A report that ended in OutcomeUnknown can be repeated, with the same `id` and time,
    and counts once.
    """

    def __init__(
        self,
        storage: ErrorStorage,
        *,
        clock: Clock = lambda: datetime.now(UTC),
        new_id: Callable[[], str] = lambda: uuid4().hex,
        redact: Callable[[str], str] = redact,
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._new_id = new_id
        self._redact = redact

    async def capture(
        self,
        error: BaseException,
        *,
        level: Level = Level.ERROR,
        tags: Mapping[str, str] = NO_TAGS,
        id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Created:
        """Reports an exception, grouped by its type and the calls that raised it."""
        return await self.report(
            f"{type(error).__module__}.{type(error).__qualname__}",
            _text_of(error),
            frames=_frames(error),
            stack="".join(traceback.format_exception(error)),
            level=level,
            tags=tags,
            id=id,
            occurred_at=occurred_at,
        )

    async def report(
        self,
        kind: str,
        message: str,
        *,
        frames: Sequence[Frame] = (),
        stack: str = "",
        level: Level = Level.ERROR,
        tags: Mapping[str, str] = NO_TAGS,
        id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> Created:
        """Reports what went wrong; `grouping.fingerprint` decides the group.

        By default the id is new, and the time is the present one.
        """
        clean = self._redact(message)
        event = ErrorEvent(
            id=EventId(self._new_id() if id is None else id),
            fingerprint=fingerprint(kind, clean, frames),
            grouping=GROUPING,
            level=level,
            message=_fit(f"{kind}: {clean}" if clean else kind, entities.MAX_MESSAGE),
            stack=_fit(self._redact(stack), entities.MAX_STACK),
            tags=self._tags(tags),
            occurred_at=self._clock() if occurred_at is None else occurred_at,
        )
        return await self._storage.create(event)

    async def get_event(self, id: EventId) -> ErrorEvent:
        return await self._storage.get_by_id(id)

    async def get_group(self, id: GroupId) -> ErrorGroup:
        return await self._storage.get_group(id)

    async def list_groups(
        self,
        filter: GroupFilter,
        sort: GroupSort = GroupSort.NEWEST,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[ErrorGroup]:
        return await self._storage.list_groups(filter, sort, cursor, limit)

    async def list_events(
        self, group: GroupId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ErrorEvent]:
        return await self._storage.list_events(group, cursor, limit)

    async def resolve(self, id: GroupId, expected_version: int) -> ErrorGroup:
        """Marks a group as resolved now; an event that occurs from now on reopens it."""
        state = GroupState(status=Status.RESOLVED, at=self._clock())
        return await self._storage.set_state(id, state, expected_version)

    async def ignore(
        self, id: GroupId, expected_version: int, until: datetime | None = None
    ) -> ErrorGroup:
        """Marks a group as ignored, for ever or until an instant."""
        state = GroupState(status=Status.IGNORED, at=until)
        return await self._storage.set_state(id, state, expected_version)

    async def reopen(self, id: GroupId, expected_version: int) -> ErrorGroup:
        """Marks a group as unresolved."""
        return await self._storage.set_state(id, GroupState(), expected_version)

    async def merge(self, source: GroupId, target: GroupId) -> ErrorGroup:
        return await self._storage.merge(source, target)

    async def archive(self, before: datetime, limit: int = 1000) -> tuple[Archive, ...]:
        """Archives all events that occurred before an instant, `limit` (to 10,000) at a time.

        Each of the archives is made as a whole. A call that was broken off is continued by
        the next one, which gives its own archives only; `list_archives` has all.
        """
        made: list[Archive] = []
        while archive := await self._storage.archive(ArchiveId(self._new_id()), before, limit):
            made.append(archive)
        return tuple(made)

    async def save_archive(self, id: ArchiveId, path: Path) -> Archive:
        """Writes the file of an archive to a disk and reads it back; then it can be purged.

        A file that is there is replaced, as a whole. Raises ArchiveDamaged when what was
        read is not what was archived, and OSError; then `path` is as it was.
        """
        archive = await self._storage.get_archive(id)
        file = await self._storage.archive_file(id)
        await asyncio.to_thread(save, archive, file, path)
        return archive

    async def get_archive(self, id: ArchiveId) -> Archive:
        return await self._storage.get_archive(id)

    async def list_archives(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Archive]:
        return await self._storage.list_archives(cursor, limit)

    async def restore_archive(self, id: ArchiveId) -> Archive:
        return await self._storage.restore_archive(id)

    async def purge(self, id: ArchiveId) -> None:
        await self._storage.purge(id)

    async def trend(
        self,
        start: datetime,
        end: datetime,
        bucket: Bucket,
        timezone: TimeZone,
        group_by: Dimension | None = None,
    ) -> Trend:
        return await self._storage.trend(start, end, bucket, timezone, group_by)

    async def top(
        self, n: int, by: Dimension, start: datetime, end: datetime
    ) -> tuple[Ranked, ...]:
        return await self._storage.top(n, by, start, end)

    async def increment(
        self,
        name: MetricName,
        by: int = 1,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        id: str | None = None,
    ) -> MetricPoint:
        """Adds to a counter."""
        return await self._record(name, Kind.COUNTER, by, tags, id)

    async def set_gauge(
        self,
        name: MetricName,
        value: int,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        id: str | None = None,
    ) -> MetricPoint:
        """Records what a gauge shows."""
        return await self._record(name, Kind.GAUGE, value, tags, id)

    async def observe(
        self,
        name: MetricName,
        value: int,
        *,
        tags: Mapping[str, str] = NO_TAGS,
        id: str | None = None,
    ) -> MetricPoint:
        """Adds one measurement to a histogram."""
        return await self._record(name, Kind.HISTOGRAM, value, tags, id)

    async def record(self, point: MetricPoint) -> MetricPoint:
        """Records a point that was made elsewhere, without its secrets."""
        tags = tuple(
            Tag(key=each.key, value=self._tag_value(each.key, each.value)) for each in point.tags
        )
        return await self._storage.record_metric(msgspec.structs.replace(point, tags=tags))

    async def query_metric(self, query: MetricQuery) -> int | None:
        return await self._storage.query_metric(query)

    async def _record(
        self, name: MetricName, kind: Kind, value: int, tags: Mapping[str, str], id: str | None
    ) -> MetricPoint:
        point = MetricPoint(
            id=PointId(self._new_id() if id is None else id),
            name=name,
            kind=kind,
            value=value,
            at=self._clock(),
            tags=self._tags(tags),
        )
        return await self._storage.record_metric(point)

    def _tags(self, tags: Mapping[str, str]) -> tuple[Tag, ...]:
        """The first of them that fit; one without a name is left out."""
        fit = {_fit(self._redact(key), MAX_NAME): (key, value) for key, value in tags.items()}
        fit.pop("", None)
        return tuple(
            Tag(key=name, value=self._tag_value(key, value))
            for name, (key, value) in sorted(fit.items())[: entities.MAX_TAGS]
        )

    def _tag_value(self, key: str, value: str) -> str:
        if is_secret_name(key):
            return REDACTED
        return _fit(self._redact(value), entities.MAX_TAG_VALUE)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        # An exception whose own text fails is still one to report.
        return "its text can't be had"


def _frames(error: BaseException) -> list[Frame]:
    return [
        Frame(
            module=frame.f_globals.get("__name__", ""),
            function=frame.f_code.co_qualname,
        )
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]


def _fit(text: str, maximum: int) -> str:
    """The text as a storage takes it, the end of one that is too long cut off."""
    whole = text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return whole if len(whole) <= maximum else whole[: maximum - 1] + "…"
