"""For `DatabaseCostStorage`: its lists, and the statement of each for the filters given."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.costs.database.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    VERSIONS,
)
from storeproof.reference.costs.entities import (
    Alert,
    Budget,
    BudgetVersion,
    Charge,
    Correction,
    Delivery,
    cursor_after,
    position,
)
from storeproof.reference.database import Database, Row
from storeproof.reference.database.columns import NAMES, among, members
from storeproof.reference.database.entities import bind, entity
from storeproof.reference.storage import Cursor, Page, canonical_limit

__all__ = [
    "ALERT_LIST",
    "BUDGET_LIST",
    "CHARGE_LIST",
    "CORRECTION_LIST",
    "DELIVERY_LIST",
    "VERSION_LIST",
    "Listing",
    "read_page",
]

Item = TypeVar("Item", bound=msgspec.Struct)
Condition = sa.ColumnElement[bool]


def _version(row: Row) -> BudgetVersion:
    version, actor, at = row[-3:]
    return BudgetVersion(budget=entity(Budget, row[:-3]), version=version, actor=actor, at=at)


@dataclass(frozen=True, eq=False)
class Listing(Generic[Item]):
    """Rows of one table in the order of `key`, what they mean, and how they are filtered."""

    kind: type[Item]
    table: sa.Table
    columns: tuple[str, ...]
    key: tuple[sa.Column[Any], ...]
    filters: Mapping[str, Condition]
    made: Callable[[Row], Item]


def _listing(
    kind: type[Item], table: sa.Table, key: tuple[str, ...], filters: Mapping[str, Condition]
) -> Listing[Item]:
    columns = tuple(table.c[name] for name in key)
    return Listing(
        kind, table, kind.__struct_fields__, columns, filters, lambda row: entity(kind, row)
    )


def _equal(*names: sa.Column[Any]) -> dict[str, Condition]:
    return {str(column.key): column == bind(column) for column in names}


def _among(column: sa.Column[Any], name: str) -> Condition:
    return among(column, sa.bindparam(name, type_=NAMES))


_OWNER, _TAG = bind(CHARGES.c.owner), members(CHARGES.c.tags)
_BELOW = sa.or_(
    _OWNER == "",
    CHARGES.c.owner == _OWNER,
    sa.func.substr(CHARGES.c.owner, 1, sa.func.length(_OWNER) + 1) == _OWNER + "/",
)
_TAGGED = (
    sa.exists()
    .select_from(_TAG)
    .where(_TAG.c.value == sa.bindparam("tag", type_=_TAG.c.value.type))
)

CHARGE_LIST = _listing(
    Charge,
    CHARGES,
    ("occurred_at", "id"),
    _equal(CHARGES.c.provider, CHARGES.c.model, CHARGES.c.currency)
    | {
        "owner": _BELOW,
        "tag": _TAGGED,
        "since": CHARGES.c.occurred_at >= bind(CHARGES.c.occurred_at, "since"),
        "until": CHARGES.c.occurred_at < bind(CHARGES.c.occurred_at, "until"),
    },
)
CORRECTION_LIST = _listing(Correction, CORRECTIONS, ("at", "id"), _equal(CORRECTIONS.c.charge))
_NAMED = _equal(BUDGETS.c.provider, BUDGETS.c.model)
BUDGET_LIST = _listing(
    Budget,
    BUDGETS,
    ("id",),
    _equal(BUDGETS.c.currency)
    | {
        "covering": _among(BUDGETS.c.scope, "covering"),
        "provider": sa.or_(BUDGETS.c.provider.is_(None), _NAMED["provider"]),
        "model": sa.or_(BUDGETS.c.model.is_(None), _NAMED["model"]),
        "tags": sa.or_(BUDGETS.c.tag.is_(None), _among(BUDGETS.c.tag, "tags")),
    },
)
VERSION_LIST = Listing(
    BudgetVersion,
    VERSIONS,
    (*Budget.__struct_fields__, "version", "actor", "at"),
    (VERSIONS.c.version,),
    _equal(VERSIONS.c.id),
    _version,
)
_DELIVERED = sa.exists().where(
    DELIVERIES.c.alert == ALERTS.c.id,
    DELIVERIES.c.sink == bind(DELIVERIES.c.sink, "undelivered_to"),
)
ALERT_LIST = _listing(
    Alert,
    ALERTS,
    ("raised_at", "window_start", "threshold", "budget"),
    _equal(ALERTS.c.budget)
    | {
        "since": ALERTS.c.raised_at >= bind(ALERTS.c.raised_at, "since"),
        "undelivered_to": ~_DELIVERED,
    },
)
DELIVERY_LIST = _listing(Delivery, DELIVERIES, ("sink",), _equal(DELIVERIES.c.alert))


@cache
def _select(source: Listing[Any], given: frozenset[str], continued: bool) -> sa.Select[Any]:
    found = sa.select(*(source.table.c[name] for name in source.columns))
    found = found.where(*(source.filters[name] for name in sorted(given)))
    if continued:
        last = sa.tuple_(*(bind(column, _last(column)) for column in source.key))
        found = found.where(sa.tuple_(*source.key) > last)
    return found.order_by(*source.key).limit(sa.bindparam("limit", type_=sa.BigInteger()))


def _last(column: sa.Column[Any]) -> str:
    return f"last_{column.key}"


async def read_page(
    database: Database,
    source: Listing[Item],
    filters: Mapping[str, Any],
    cursor: Cursor | None,
    limit: int,
) -> Page[Item]:
    """At most `limit` items that match the filters (None: not given) behind the cursor."""
    after = position(source.kind, cursor)
    limit = canonical_limit(limit)
    given = {name: value for name, value in filters.items() if value is not None}
    last = dict(zip(map(_last, source.key), after or (), strict=after is not None))
    # One more than asked for tells whether another page follows.
    rows = await database.read(
        _select(source, frozenset(given), after is not None),
        {**given, **last, "limit": limit + 1},
    )
    items = tuple(source.made(row) for row in rows[:limit])
    more = len(rows) > limit
    return Page(items=items, next_cursor=cursor_after(items[-1]) if more else None)
