"""For users and authors of an error storage: what each operation does, exactly.

These docstrings are the law. Every implementation agrees with them, call by call.
"""

from datetime import datetime
from typing import Protocol

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
    MetricPoint,
    MetricQuery,
    Ranked,
)
from storeproof.reference.storage import ComponentStorage, Cursor, Page

__all__ = ["MOST_SERIES", "ErrorStorage"]

MOST_SERIES = 100
"""What a trend shows at most; `top` ranks more."""


class ErrorStorage(ComponentStorage[ErrorEvent], Protocol):
    """Events that went wrong, the groups that they form, their trends; and metrics.

    **Values.** Arguments are made canonical first (`entities.canonical`); results are
    canonical. Raises InvalidValue, from every operation, for an argument that has no
    canonical form: the first one, in the order of the parameters and of the fields. No
    id, time or default is made by a storage. Nothing is redacted here: `ErrorService`
    does that before.

    **Precedence of errors.** InvalidValue, then NotFound, VersionConflict, Duplicate.
    Within one class: in the order in which the operation names them. An operation that
    raises has changed nothing.

    **Atomicity.** Every operation happens at one instant, as a whole, also while others
    run: an event, its group and its trends never differ.

    **Repeating.** Where nothing else is said, repeating a call that succeeded changes
    nothing more and is no error.

    **Groups.** The group of an event is the one whose id is its fingerprint, or the one
    that this was merged into. Groups are made by their first event only.

    **Lists** are ordered as each says, ids by code point; a cursor is the place of the
    last item of a page. `limit` is 1 to 1000. `next_cursor` is None exactly when no item
    follows. What does not exist, or was merged into another group, has an empty page.
    """

    async def get_by_id(self, id: EventId) -> ErrorEvent:
        """The event with this id, as it was given.

        Raises NotFound("event", id) when there is none, or it is archived.
        """
        ...

    async def create(self, entity: ErrorEvent) -> Created:
        """Stores an event and counts it in its group and in the trends, exactly once.

        The first event of a group makes it, unresolved, with version 1. A later one adds
        1 to `count` and widens `first_seen` to `last_seen`. When it occurred at or after
        the instant of the group's state, the group becomes unresolved, adds 1 to its
        version, and has the event as `regressed_by`.

        An equal event with the same id is not counted again; its answer tells of the
        group as it is now.

        Raises Duplicate("id") when the id is taken by a different event.
        """
        ...

    async def get_group(self, id: GroupId) -> ErrorGroup:
        """The group with this id.

        Raises NotFound("group", id) when there is none, or it was merged into another.
        """
        ...

    async def list_groups(
        self,
        filter: GroupFilter,
        sort: GroupSort = GroupSort.NEWEST,
        cursor: Cursor | None = None,
        limit: int = 100,
    ) -> Page[ErrorGroup]:
        """The groups that match: by `created_at` (NEWEST, OLDEST), `last_seen` or `count`.

        Then by id. OLDEST has both ascending, the others descending. A cursor of the one
        order is none of another's. For the groups with the most events in a time see `top`.

        `created_at` never changes. The other two do, so a group can move during a walk by
        LAST_SEEN or COUNT: one that does not change comes exactly once; one that does may
        come again, or, having moved ahead of the cursor, not at all.
        """
        ...

    async def set_state(self, id: GroupId, state: GroupState, expected_version: int) -> ErrorGroup:
        """Sets the state of a group, adds 1 to its version, and returns it.

        An equal state counts as a change. Repeating it is a VersionConflict.

        Raises InvalidValue("at") for a state whose instant does not go with its status.
        Raises NotFound("group", id) as `get_group` does. Raises VersionConflict("group",
        id, expected_version) when the stored version differs.
        """
        ...

    async def merge(self, source: GroupId, target: GroupId) -> ErrorGroup:
        """Makes the events of `source`, present and future, events of `target`; returns it.

        The target's `count`, `first_seen` and `last_seen` cover both from then on, as do
        the trends; all else of it stays. The source is no group any more, and neither
        are those that were merged into it before: their events go to the target too.
        Repeating it is a NotFound.

        Raises InvalidValue("target") when it is the source. Raises NotFound("group",
        source), then NotFound("group", target), as `get_group` does.
        """
        ...

    async def list_events(
        self, group: GroupId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ErrorEvent]:
        """The events of a group, newest first: by `occurred_at`, then by id, descending.

        They keep the fingerprints that they were given, also after a merge.
        """
        ...

    async def archive(self, id: ArchiveId, before: datetime, limit: int) -> Archive | None:
        """Moves the oldest events, at most `limit` (1 to 10,000) of them, into a new archive.

        These are the first, by `occurred_at` and then by id, of the events that occurred
        before `before`, and no more of them than have 32 MiB of lines in the archive's file.
        The file is stored, read back and compared, and the events leave their places, in
        one step. Without any such event this gives None, and nothing is stored.

        Archived events are in no list, and NotFound by id. Groups, trends and ranks stay as
        they are: they still count them. To `create` an archived event is as known as any
        other: an equal one counts nothing, a different one with its id is a Duplicate.

        Repeating the call gives the archive as it is now, and moves nothing more. So a
        loop that takes a new id each time, until it is given None, can be broken off
        anywhere and begun anew.

        Raises Duplicate("id") when the id is taken by an archive that was made with another
        `before` or `limit`; ArchiveDamaged(id) when the file does not read back.
        """
        ...

    async def get_archive(self, id: ArchiveId) -> Archive:
        """The archive with this id.

        Raises NotFound("archive", id) when there is none.
        """
        ...

    async def archive_file(self, id: ArchiveId) -> bytes:
        """The file of an archive: what `errors.archives` describes. It never changes.

        Raises NotFound as `get_archive` does; ArchiveDamaged(id) when it has changed.
        """
        ...

    async def list_archives(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Archive]:
        """The archives, those of the oldest events first: by `first_seen`, then by id."""
        ...

    async def restore_archive(self, id: ArchiveId) -> Archive:
        """Puts the events of an archive back, and returns it; it keeps its file.

        Each is in the group where its fingerprint's events are now. They are counted
        already, so no count changes, and nothing regresses. They can be archived again, by
        another archive. Restoring an archive again changes nothing, wherever its events
        are by then.

        Raises NotFound as `get_archive` does; ArchiveDamaged(id) when the file has changed.
        """
        ...

    async def purge(self, id: ArchiveId) -> None:
        """Ends an archive, its file, and all knowledge of the events that only it holds.

        Groups and trends still count them, but to `create` such an event is a new one,
        which counts again. The events of a restored archive stay where they are. Repeating
        the call is a NotFound; the id is free for another archive.

        Raises NotFound as `get_archive` does.
        """
        ...

    async def trend(
        self,
        start: datetime,
        end: datetime,
        bucket: Bucket,
        timezone: TimeZone,
        group_by: Dimension | None = None,
    ) -> Trend:
        """How many events occurred in each bucket (`buckets.bucket_starts`) of a time.

        An event counts where it occurred, at `start` or later and before `end`. Every
        series has a count for every bucket, also where it is 0. Without `group_by` there
        is one series, "". Otherwise the series are those of `top(100, group_by, ...)`, in
        its order.

        Raises InvalidValue as `bucket_starts` does.
        """
        ...

    async def top(
        self, n: int, by: Dimension, start: datetime, end: datetime
    ) -> tuple[Ranked, ...]:
        """The `n` (1 to 1000) levels or groups with the most events, and how many.

        Those without an event from `start` to before `end` are left out. The most come
        first; of equals, the smaller key by code point.

        Raises InvalidValue for `start` or `end` that is not at a quarter of an hour, then
        for an `end` that is not after `start`.
        """
        ...

    async def record_metric(self, point: MetricPoint) -> MetricPoint:
        """Stores a point and returns it. An equal one with the same id stays as it is.

        Raises Duplicate("id") when the id is taken by a different point.
        """
        ...

    async def query_metric(self, query: MetricQuery) -> int | None:
        """The points that a query names, from `start` to before `end`, as one number.

        A tag of the query must be one of the point's, key and value, by code point. The
        number is exact, however large. Of no points COUNT and SUM are 0, the others None.

        Raises InvalidValue("aggregation") when the kind has no such aggregation: counters
        have COUNT and SUM; gauges COUNT, MIN, MAX and LAST; histograms all but LAST.
        """
        ...
