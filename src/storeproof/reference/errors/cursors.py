"""For authors of an error storage: the cursors of its lists, the same for every storage."""

from datetime import datetime

from storeproof.reference.errors.archives import Archive
from storeproof.reference.errors.entities import ErrorEvent, ErrorGroup, GroupSort
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.storage import Cursor, decode_cursor, encode_cursor
from storeproof.reference.values import canonical_time

__all__ = [
    "ARCHIVES",
    "EVENTS",
    "after_archive",
    "after_event",
    "after_group",
    "group_list",
    "place",
]

ARCHIVES = "Archive"
EVENTS = "ErrorEvent"


def group_list(sort: GroupSort) -> str:
    """The name of the list of groups in this order."""
    return f"ErrorGroup {sort}"


def after_event(event: ErrorEvent) -> Cursor:
    """The cursor of a page that ends with this event."""
    return encode_cursor(EVENTS, event.occurred_at.isoformat(), event.id)


def after_archive(archive: Archive) -> Cursor:
    """The cursor of a page that ends with this archive."""
    return encode_cursor(ARCHIVES, archive.first_seen.isoformat(), archive.id)


def after_group(sort: GroupSort, group: ErrorGroup) -> Cursor:
    """The cursor of a page, in this order, that ends with this group."""
    return encode_cursor(group_list(sort), group.created_at.isoformat(), group.id)


def place(name: str, cursor: Cursor | None) -> tuple[datetime, str] | None:
    """The time and the id in a cursor of the list called `name`; None, the start, for None.

    Raises InvalidValue("cursor") for any other cursor.
    """
    if cursor is None:
        return None
    text, key = decode_cursor(name, 2, cursor)
    try:
        return canonical_time("cursor", datetime.fromisoformat(text)), key
    except ValueError as error:
        raise InvalidValue("cursor", "is not a cursor of this list") from error
