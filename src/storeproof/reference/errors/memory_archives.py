"""For `InMemoryErrorStorage` only: its events, and the archives that they are moved to."""

from datetime import datetime

from msgspec.structs import replace

from storeproof.reference.errors.archives import (
    Archive,
    Archived,
    ArchiveId,
    ArchiveState,
    archive_of,
    canonical_order,
    checked,
    events_in,
    pack,
    repeated,
)
from storeproof.reference.errors.entities import ErrorEvent, EventId, GroupId
from storeproof.reference.errors.orders import ARCHIVE_ORDER
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import NotFound
from storeproof.reference.lists import take_page
from storeproof.reference.storage import Cursor, Page
from storeproof.reference.values import canonical_id

__all__ = ["MemoryArchives"]


class MemoryArchives(ErrorStorage):
    """An event is either in `_events` or in `_archived`, as in the files of archives."""

    def __init__(self) -> None:
        self._events: dict[EventId, ErrorEvent] = {}
        self._archived: dict[EventId, ErrorEvent] = {}
        self._archives: dict[ArchiveId, Archive] = {}
        self._files: dict[ArchiveId, bytes] = {}

    def _group_of(self, event: ErrorEvent) -> GroupId:
        raise NotImplementedError

    async def archive(self, id: ArchiveId, before: datetime, limit: int) -> Archive | None:
        before = canonical_order(id, before, limit)
        if id in self._archives:
            return repeated(self._archives[id], before, limit)
        old = [event for event in self._events.values() if event.occurred_at < before]
        old.sort(key=lambda event: (event.occurred_at, event.id))
        entries = [Archived(event=event, group=self._group_of(event)) for event in old[:limit]]
        if not entries:
            return None
        count, self._files[id] = pack(entries)
        self._archives[id] = archive_of(id, before, limit, entries[:count], self._files[id])
        for entry in self._entries(id):
            self._archived[entry.event.id] = self._events.pop(entry.event.id)
        return self._archives[id]

    async def get_archive(self, id: ArchiveId) -> Archive:
        canonical_id("id", id)
        if id not in self._archives:
            raise NotFound("archive", id)
        return self._archives[id]

    async def archive_file(self, id: ArchiveId) -> bytes:
        return checked(await self.get_archive(id), self._files[id])

    async def list_archives(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Archive]:
        return take_page(ARCHIVE_ORDER, self._archives.values(), cursor, limit)

    async def restore_archive(self, id: ArchiveId) -> Archive:
        archive = await self.get_archive(id)
        if archive.state is ArchiveState.HELD:
            for entry in self._entries(id):
                self._events[entry.event.id] = self._archived.pop(entry.event.id)
            self._archives[id] = replace(archive, state=ArchiveState.RESTORED)
        return self._archives[id]

    async def purge(self, id: ArchiveId) -> None:
        archive = await self.get_archive(id)
        if archive.state is ArchiveState.HELD:
            for entry in self._entries(id):
                del self._archived[entry.event.id]
        del self._archives[id], self._files[id]

    def _entries(self, id: ArchiveId) -> list[Archived]:
        return events_in(self._archives[id], self._files[id])
