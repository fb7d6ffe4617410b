"""For authors of database storages: lists, and the statement of each for the filters given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.database.compiling import Row
from storeproof.reference.database.engine import Database
from storeproof.reference.database.entities import bind, columns, entity
from storeproof.reference.lists import Order
from storeproof.reference.storage import Cursor, Page, canonical_limit

__all__ = ["Condition", "Listing", "equal", "list_of", "read_page"]

Item = TypeVar("Item", bound=msgspec.Struct)
Condition: TypeAlias = sa.ColumnElement[bool]


@dataclass(frozen=True, eq=False)
class Listing(Generic[Item]):
    """Rows of `columns` in the order of `key`, and the item that `make` makes of each.

    `key` holds the parts of the order. A condition of `filters` holds where a value of its
    name is given; those of `always` hold for every row.
    """

    order: Order[Item]
    columns: tuple[sa.ColumnElement[Any], ...]
    key: tuple[sa.Column[Any], ...]
    make: Callable[[Row], Item]
    filters: Mapping[str, Condition]
    always: tuple[Condition, ...] = ()


def list_of(
    order: Order[Item],
    table: sa.Table,
    filters: Mapping[str, Condition],
    *always: Condition,
) -> Listing[Item]:
    """The list of a table whose columns are called like the fields of its entity."""
    return Listing(
        order=order,
        columns=columns(table, order.kind),
        key=tuple(table.c[name] for name in order.parts),
        make=partial(entity, order.kind),
        filters=filters,
        always=always,
    )


def equal(*wanted: sa.Column[Any]) -> dict[str, Condition]:
    """Filters by columns that equal the value given."""
    return {str(column.key): column == bind(column) for column in wanted}


@cache
def _select(source: Listing[Any], given: frozenset[str], continued: bool) -> sa.Select[Any]:
    descending = source.order.descending
    found = sa.select(*source.columns).where(*source.always)
    found = found.where(*(source.filters[name] for name in sorted(given)))
    if continued:
        last = sa.tuple_(*(bind(column, _last(column)) for column in source.key))
        here = sa.tuple_(*source.key)
        found = found.where(here < last if descending else here > last)
    order = [column.desc() if descending else column for column in source.key]
    return found.order_by(*order).limit(sa.bindparam("limit", type_=sa.BigInteger()))


def _last(column: sa.Column[Any]) -> str:
    return f"last_{column.key}"


async def read_page(
    database: Database,
    source: Listing[Item],
    filters: Mapping[str, Any],
    cursor: Cursor | None,
    limit: int,
) -> Page[Item]:
    """At most `limit` items that match the filters (None: not given) behind the cursor.

    Raises InvalidValue for the cursor, then for the limit.
    """
    after = source.order.position(cursor)
    limit = canonical_limit(limit)
    given = {name: value for name, value in filters.items() if value is not None}
    last = dict(zip(map(_last, source.key), after or (), strict=after is not None))
    # One more than asked for tells whether another page follows.
    rows = await database.read(
        _select(source, frozenset(given), after is not None),
        {**given, **last, "limit": limit + 1},
    )
    return source.order.page(map(source.make, rows[:limit]), more=len(rows) > limit)
