"""For `DatabaseErrorStorage`: its lists, and the statement of each for the filters given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

import sqlalchemy as sa

from storeproof.reference.database import Database, Row
from storeproof.reference.database.entities import bind
from storeproof.reference.errors.cursors import ARCHIVES as ARCHIVES_LIST
from storeproof.reference.errors.cursors import EVENTS as EVENTS_LIST
from storeproof.reference.errors.cursors import group_place, place, sort_field
from storeproof.reference.errors.database.statements import EVENT_FILTERS, GROUP_FILTERS
from storeproof.reference.errors.database.tables import (
    ARCHIVE_COLUMNS,
    ARCHIVES,
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
)
from storeproof.reference.errors.entities import GroupSort
from storeproof.reference.storage import Cursor, canonical_limit

__all__ = ["ARCHIVE_LIST", "EVENT_LIST", "GROUP_LISTS", "Listing", "read_rows"]


@dataclass(frozen=True, eq=False)
class Listing:
    """Rows in the order of a column and an id, and the filters that there are for them."""

    place: Callable[[Cursor | None], tuple[Any, str] | None]
    columns: tuple[sa.Column[Any], ...]
    key: tuple[sa.Column[Any], sa.Column[Any]]
    filters: Mapping[str, sa.ColumnElement[bool]]
    descending: bool


GROUP_LISTS: Final = {
    sort: Listing(
        partial(group_place, sort),
        GROUP_COLUMNS,
        (GROUPS.c[sort_field(sort)], GROUPS.c.id),
        GROUP_FILTERS,
        descending=sort is not GroupSort.OLDEST,
    )
    for sort in GroupSort
}
EVENT_LIST = Listing(
    partial(place, EVENTS_LIST),
    EVENT_COLUMNS,
    (EVENTS.c.occurred_at, EVENTS.c.id),
    EVENT_FILTERS,
    descending=True,
)
ARCHIVE_LIST = Listing(
    partial(place, ARCHIVES_LIST),
    ARCHIVE_COLUMNS,
    (ARCHIVES.c.first_seen, ARCHIVES.c.id),
    {},
    descending=False,
)


@cache
def _select(source: Listing, given: frozenset[str], continued: bool) -> sa.Select[Any]:
    found = sa.select(*source.columns)
    found = found.where(*(source.filters[name] for name in sorted(given)))
    if continued:
        names = ("last_value", "last_id")
        last = sa.tuple_(*map(bind, source.key, names))
        here = sa.tuple_(*source.key)
        found = found.where(here < last if source.descending else here > last)
    order = [column.desc() if source.descending else column for column in source.key]
    return found.order_by(*order).limit(sa.bindparam("limit", type_=sa.BigInteger()))


async def read_rows(
    database: Database,
    source: Listing,
    filters: Mapping[str, Any],
    cursor: Cursor | None,
    limit: int,
) -> tuple[list[Row], bool]:
    """At most `limit` rows that match behind the cursor, and whether more follow."""
    after = source.place(cursor)
    limit = canonical_limit(limit)
    given = {key: value for key, value in filters.items() if value is not None}
    last = {} if after is None else {"last_value": after[0], "last_id": after[1]}
    rows = await database.read(
        _select(source, frozenset(given), after is not None),
        {**given, **last, "limit": limit + 1},
    )
    return rows[:limit], len(rows) > limit
