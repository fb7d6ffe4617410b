"""For users and authors of an error storage: archives, and the files that hold their events.

A file is NDJSON in gzip (`zcat` shows it): one line for each event, by `occurred_at` and
id, with the group that it was in. The same events make the same file, wherever zlib is the
same.
"""

import zlib
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b, sha256
from typing import Final, NewType

import msgspec

from storeproof.reference.errors.entities import ErrorEvent, GroupId
from storeproof.reference.errors.exceptions import ArchiveDamaged
from storeproof.reference.exceptions import Duplicate
from storeproof.reference.values import canonical_id, canonical_integer, canonical_time

__all__ = [
    "MAX_BYTES",
    "MAX_EVENTS",
    "Archive",
    "ArchiveId",
    "ArchiveState",
    "Archived",
    "archive_of",
    "canonical_order",
    "checked",
    "digest_of",
    "events_in",
    "pack",
    "repeated",
]

ArchiveId = NewType("ArchiveId", str)

MAX_EVENTS: Final = 10_000
MAX_BYTES: Final = 2**25
"""What the lines of one file may have, so that they fit one parameter. An event's has less."""

_GZIP: Final = 31


class ArchiveState(StrEnum):
    """Where the events of an archive are: in its file only, or back in the lists too."""

    HELD = "held"
    RESTORED = "restored"


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """Events that were moved into a file by `ErrorStorage.archive(id, before, limit)`.

    There are `count` of them, and they occurred from `first_seen` to `last_seen`. The file
    has `size` bytes; `digest` is its SHA-256, as 64 hexadecimal digits.
    """

    id: ArchiveId
    before: datetime
    limit: int
    count: int
    first_seen: datetime
    last_seen: datetime
    digest: str
    size: int
    state: ArchiveState


class Archived(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an archive's file: an event, and the group that it was in then."""

    event: ErrorEvent
    group: GroupId


def canonical_order(id: ArchiveId, before: datetime, limit: int) -> datetime:
    """The canonical `before` of these arguments of `archive`. Raises InvalidValue."""
    canonical_id("id", id)
    before = canonical_time("before", before)
    canonical_integer("limit", limit, 1, MAX_EVENTS)
    return before


def repeated(archive: Archive, before: datetime, limit: int) -> Archive:
    """The archive that is there already, if these arguments made it; otherwise a Duplicate."""
    if (archive.before, archive.limit) != (before, limit):
        raise Duplicate("id")
    return archive


def pack(entries: Sequence[Archived]) -> tuple[int, bytes]:
    """The file of the first of these events, which are in order, and how many there are."""
    lines: list[bytes] = []
    size = 0
    for entry in entries:
        line = msgspec.json.encode(entry) + b"\n"
        size += len(line)
        if size > MAX_BYTES:
            break
        lines.append(line)
    return len(lines), zlib.compress(b"".join(lines), wbits=_GZIP)


def archive_of(
    id: ArchiveId, before: datetime, limit: int, entries: Sequence[Archived], file: bytes
) -> Archive:
    """The archive of these events, whose file this is."""
    return Archive(
        id=id,
        before=before,
        limit=limit,
        count=len(entries),
        first_seen=entries[0].event.occurred_at,
        last_seen=entries[-1].event.occurred_at,
        digest=sha256(file).hexdigest(),
        size=len(file),
        state=ArchiveState.HELD,
    )


def checked(archive: Archive, file: bytes) -> bytes:
    """The file of an archive as it was read. Raises ArchiveDamaged if it is another one."""
    if sha256(file).hexdigest() != archive.digest:
        raise ArchiveDamaged(archive.id)
    return file


def events_in(archive: Archive, file: bytes) -> list[Archived]:
    """What an archive holds. Raises ArchiveDamaged if its digest or its count is another."""
    try:
        text = zlib.decompress(checked(archive, file), wbits=_GZIP)
        entries = msgspec.json.Decoder(Archived).decode_lines(text)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ArchiveDamaged(archive.id) from error
    if len(entries) != archive.count:
        raise ArchiveDamaged(archive.id)
    return entries


def digest_of(event: ErrorEvent) -> str:
    """What is kept of an archived event to tell it from another one with its id."""
    return blake2b(msgspec.json.encode(event), digest_size=16).hexdigest()
