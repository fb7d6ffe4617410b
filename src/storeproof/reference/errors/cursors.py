"""For authors of an error storage: the cursors of its lists, the same for every storage."""

from datetime import datetime
from typing import Any

from storeproof.reference.errors.archives import Archive
from storeproof.reference.errors.entities import ErrorEvent, ErrorGroup, GroupSort
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.storage import Cursor, decode_cursor, encode_cursor
from storeproof.reference.values import canonical_integer, canonical_time

__all__ = [
    "ARCHIVES",
    "EVENTS",
    "after_archive",
    "after_event",
    "after_group",
    "group_place",
    "place",
    "sort_field",
]

ARCHIVES = "Archive"
EVENTS = "ErrorEvent"


def sort_field(sort: GroupSort) -> str:
    """The field of a group that comes before its id in this order."""
    return sort.value if sort in (GroupSort.LAST_SEEN, GroupSort.COUNT) else "created_at"


def after_event(event: ErrorEvent) -> Cursor:
    """The cursor of a page that ends with this event."""
    return encode_cursor(EVENTS, event.occurred_at.isoformat(), event.id)


def after_archive(archive: Archive) -> Cursor:
    """The cursor of a page that ends with this archive."""
    return encode_cursor(ARCHIVES, archive.first_seen.isoformat(), archive.id)


def after_group(sort: GroupSort, group: ErrorGroup) -> Cursor:
    """The cursor of a page, in this order, that ends with this group."""
    first = getattr(group, sort_field(sort))
    text = str(first) if sort is GroupSort.COUNT else first.isoformat()
    return encode_cursor(_group_list(sort), text, group.id)


def _group_list(sort: GroupSort) -> str:
    return f"ErrorGroup {sort}"


def group_place(sort: GroupSort, cursor: Cursor | None) -> tuple[Any, str] | None:
    """The sort field and the id in a cursor of the groups in this order; None for None.

    Raises InvalidValue("cursor") for any other cursor.
    """
    if cursor is None or sort is not GroupSort.COUNT:
        return place(_group_list(sort), cursor)
    text, key = decode_cursor(_group_list(sort), 2, cursor)
    try:
        return canonical_integer("cursor", int(text), 1), key
    except ValueError as error:
        raise InvalidValue("cursor", "is not a cursor of this list") from error


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
