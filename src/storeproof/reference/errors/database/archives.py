"""For `DatabaseErrorStorage`: archives, which are rows with their files.

An archive is made, restored and purged in one transaction, under the lock that merges take
too. It never touches a group, so `create` waits for none of this on PostgreSQL. Packing
runs in a thread, so that the event loop goes on meanwhile.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.database import Database, Row, Transaction
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.entities import bind, first
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.rows import given_rows
from storeproof.reference.errors.archives import (
    Archive,
    Archived,
    ArchiveId,
    ArchiveState,
    archive_of,
    canonical_order,
    checked,
    digest_of,
    events_in,
    pack,
    repeated,
)
from storeproof.reference.errors.database.lists import ARCHIVE_LIST
from storeproof.reference.errors.database.tables import (
    ARCHIVE_COLUMNS,
    ARCHIVES,
    EVENT_COLUMNS,
    EVENTS,
    GROUPS,
    PLACED,
    SCHEMA,
    archive_from,
    event_of,
    event_values,
)
from storeproof.reference.errors.entities import GroupId
from storeproof.reference.errors.exceptions import ArchiveDamaged
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.storage import Cursor, Page
from storeproof.reference.values import canonical_id

__all__ = ["DatabaseArchives"]

_THIS = ARCHIVES.c.id == bind(ARCHIVES.c.id)
_GET = sa.select(*ARCHIVE_COLUMNS).where(_THIS)
_READ = sa.select(*ARCHIVE_COLUMNS, ARCHIVES.c.file).where(_THIS)
_STORE = sa.insert(ARCHIVES)
_MARK = (
    sa.update(ARCHIVES)
    .where(_THIS)
    .values(state=bind(ARCHIVES.c.state))
    .returning(*ARCHIVE_COLUMNS)
)
_DROP = sa.delete(ARCHIVES).where(_THIS).returning(ARCHIVES.c.id)

_OLDEST = (
    sa.select(*EVENT_COLUMNS, EVENTS.c.group_id)
    .where(EVENTS.c.occurred_at < bind(EVENTS.c.occurred_at, "before"), PLACED)
    .order_by(EVENTS.c.occurred_at, EVENTS.c.id)
    .limit(bind(ARCHIVES.c.limit))
)
_IN_ARCHIVE = EVENTS.c.archive_id == bind(EVENTS.c.archive_id, "archive")
_FORGET = sa.delete(EVENTS).where(_IN_ARCHIVE)


def _empty() -> Any:
    given = given_rows([EVENTS.c.id, EVENTS.c.digest])
    nothing = sa.literal("", TEXT)
    return (
        sa.update(EVENTS)
        .where(EVENTS.c.id == given.c.id, PLACED)
        .values(
            archive_id=bind(EVENTS.c.archive_id, "archive"),
            digest=given.c.digest,
            message=nothing,
            stack=nothing,
            tags=sa.literal("[]", TEXT),
            group_id=nothing,
        )
        .returning(EVENTS.c.id)
    )


def _refill() -> Any:
    given = given_rows([EVENTS.c.id, EVENTS.c.message, EVENTS.c.stack, EVENTS.c.tags])
    group = sa.select(sa.func.coalesce(GROUPS.c.merged_into, GROUPS.c.id))
    return (
        sa.update(EVENTS)
        .where(EVENTS.c.id == given.c.id, _IN_ARCHIVE)
        .values(
            archive_id=sa.null(),
            digest=sa.null(),
            message=given.c.message,
            stack=given.c.stack,
            tags=given.c.tags,
            group_id=group.where(GROUPS.c.id == EVENTS.c.fingerprint).scalar_subquery(),
        )
        .returning(EVENTS.c.id)
    )


_EMPTY, _REFILL = _empty(), _refill()


class DatabaseArchives(ErrorStorage):
    """The operations on archives; `DatabaseErrorStorage` has the others."""

    _database: Database

    async def archive(self, id: ArchiveId, before: datetime, limit: int) -> Archive | None:
        before = canonical_order(id, before, limit)

        async def work(transaction: Transaction) -> Archive | None:
            known = await transaction.run(_GET, {"id": id})
            if known:
                return repeated(archive_from(known[0]), before, limit)
            old = await transaction.run(_OLDEST, {"before": before, "limit": limit})
            if not old:
                return None
            packed = await asyncio.to_thread(_pack, id, before, limit, old)
            return await _move(transaction, *packed)

        return await self._database.transact(work, lock=SCHEMA)

    async def get_archive(self, id: ArchiveId) -> Archive:
        canonical_id("id", id)
        return archive_from(first(await self._database.read(_GET, {"id": id}), "archive", id))

    async def archive_file(self, id: ArchiveId) -> bytes:
        canonical_id("id", id)
        *row, file = first(await self._database.read(_READ, {"id": id}), "archive", id)
        return checked(archive_from(tuple(row)), file)

    async def list_archives(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Archive]:
        return await read_page(self._database, ARCHIVE_LIST, {}, cursor, limit)

    async def restore_archive(self, id: ArchiveId) -> Archive:
        canonical_id("id", id)

        async def work(transaction: Transaction) -> Archive:
            *row, file = first(await transaction.run(_READ, {"id": id}), "archive", id)
            archive = archive_from(tuple(row))
            if archive.state is ArchiveState.RESTORED:
                return archive
            texts = await asyncio.to_thread(_texts, archive, file)
            _all_of(archive, await transaction.run(_REFILL, {"archive": id, "given": texts}))
            marked = await transaction.run(_MARK, {"id": id, "state": ArchiveState.RESTORED})
            return archive_from(marked[0])

        return await self._database.transact(work, lock=SCHEMA)

    async def purge(self, id: ArchiveId) -> None:
        canonical_id("id", id)

        async def work(transaction: Transaction) -> None:
            await transaction.run(_FORGET, {"archive": id})
            first(await transaction.run(_DROP, {"id": id}), "archive", id)

        await self._database.transact(work, lock=SCHEMA)


async def _move(
    transaction: Transaction, archive: Archive, file: bytes, digests: list[dict[str, str]]
) -> Archive:
    await transaction.run(_STORE, {**asdict(archive), "file": file})
    *row, stored = (await transaction.run(_READ, {"id": archive.id}))[0]
    await asyncio.to_thread(events_in, archive, stored)
    _all_of(archive, await transaction.run(_EMPTY, {"archive": archive.id, "given": digests}))
    return archive_from(tuple(row))


def _pack(
    id: ArchiveId, before: datetime, limit: int, old: Sequence[Row]
) -> tuple[Archive, bytes, list[dict[str, str]]]:
    """The archive of as many of these rows as fit, its file, and the digests of its events."""
    entries = [Archived(event=event_of(row[:-1]), group=GroupId(row[-1])) for row in old]
    count, file = pack(entries)
    events = [entry.event for entry in entries[:count]]
    digests = [{"id": event.id, "digest": digest_of(event)} for event in events]
    return archive_of(id, before, limit, entries[:count], file), file, digests


def _texts(archive: Archive, file: bytes) -> list[dict[str, Any]]:
    """What is to be put back into the rows of the archive's events."""
    return [event_values(entry.event) for entry in events_in(archive, file)]


def _all_of(archive: Archive, rows: list[Row]) -> None:
    if len(rows) != archive.count:
        raise ArchiveDamaged(archive.id)
