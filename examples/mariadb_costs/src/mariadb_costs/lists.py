"""For the storage: its lists, each one statement for any filters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa

from mariadb_costs.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    VERSIONS,
    tag_word,
)
from storeproof.reference.costs.entities import (
    Alert,
    Budget,
    BudgetVersion,
    Charge,
    Correction,
    Delivery,
    owner_chain,
)
from storeproof.reference.costs.orders import (
    ALERT_ORDER,
    BUDGET_ORDER,
    CHARGE_ORDER,
    CORRECTION_ORDER,
    DELIVERY_ORDER,
    VERSION_ORDER,
)
from storeproof.reference.exceptions import NotFound
from storeproof.reference.lists import Order

__all__ = [
    "ALERT_LIST",
    "BUDGET_LIST",
    "CHARGE_LIST",
    "CORRECTION_LIST",
    "DELIVERY_LIST",
    "VERSION_LIST",
    "Listing",
    "by_id",
    "entity",
    "first",
]

Item = TypeVar("Item", bound=msgspec.Struct)
Condition = Callable[[Any], sa.ColumnElement[bool]]


def entity(kind: type[Item], row: Any) -> Item:
    """The entity whose fields are columns of the row."""
    return kind(**{name: getattr(row, name) for name in kind.__struct_fields__})


def by_id(table: sa.Table, id: str) -> sa.Select[Any]:
    """The row with this id."""
    return sa.select(table).where(table.c.id == id)


def first(rows: Sequence[Any], kind: str, id: str) -> Any:
    """The first row. Raises NotFound."""
    if not rows:
        raise NotFound(kind, id)
    return rows[0]


@dataclass(frozen=True)
class Listing(Generic[Item]):
    """The rows of a table as items, in an order; a filter's value makes a condition."""

    table: sa.Table
    order: Order[Item]
    make: Callable[[Any], Item]
    filters: Mapping[str, Condition]

    def select(
        self, filters: Mapping[str, Any], after: Sequence[Any] | None, limit: int
    ) -> sa.Select[Any]:
        """The first rows that match the filters (None: not given), behind `after`."""
        key = [self.table.c[name] for name in self.order.parts]
        wanted = [self.filters[name](value) for name, value in filters.items() if value is not None]
        if after is not None:
            last = (sa.literal(each, column.type) for each, column in zip(after, key, strict=True))
            wanted.append(sa.tuple_(*key) > sa.tuple_(*last))
        return sa.select(self.table).where(*wanted).order_by(*key).limit(limit)


def _equal(*columns: sa.Column[Any]) -> dict[str, Condition]:
    return {column.key: column.__eq__ for column in columns}


def _entities(kind: type[Item]) -> Callable[[Any], Item]:
    return lambda row: entity(kind, row)


def _version(row: Any) -> BudgetVersion:
    return BudgetVersion(
        budget=entity(Budget, row), version=row.version, actor=row.actor, at=row.at
    )


def _below(owner: str) -> sa.ColumnElement[bool]:
    path = CHARGES.c.owner
    if not owner:
        return sa.true()
    return sa.or_(path == owner, sa.func.left(path, len(owner) + 1) == f"{owner}/")


def _undelivered_to(sink: str) -> sa.ColumnElement[bool]:
    told = sa.exists().where(DELIVERIES.c.alert == ALERTS.c.id, DELIVERIES.c.sink == sink)
    return ~told


def _or_none(column: sa.Column[Any]) -> Condition:
    return lambda value: sa.or_(column.is_(None), column == value)


CHARGE_LIST = Listing(
    CHARGES,
    CHARGE_ORDER,
    _entities(Charge),
    _equal(CHARGES.c.provider, CHARGES.c.model, CHARGES.c.currency)
    | {
        "owner": _below,
        "tag": lambda tag: sa.func.instr(CHARGES.c.tags, sa.literal(tag_word(tag), sa.Text())) > 0,
        "since": lambda since: CHARGES.c.occurred_at >= since,
        "until": lambda until: CHARGES.c.occurred_at < until,
    },
)
CORRECTION_LIST = Listing(
    CORRECTIONS, CORRECTION_ORDER, _entities(Correction), _equal(CORRECTIONS.c.charge)
)
BUDGET_LIST = Listing(
    BUDGETS,
    BUDGET_ORDER,
    _entities(Budget),
    _equal(BUDGETS.c.currency)
    | {
        "covering": lambda owner: BUDGETS.c.scope.in_(owner_chain(owner)),
        "provider": _or_none(BUDGETS.c.provider),
        "model": _or_none(BUDGETS.c.model),
        "tags": lambda tags: sa.or_(BUDGETS.c.tag.is_(None), BUDGETS.c.tag.in_(sorted(tags))),
    },
)
VERSION_LIST = Listing(VERSIONS, VERSION_ORDER, _version, _equal(VERSIONS.c.id))
ALERT_LIST = Listing(
    ALERTS,
    ALERT_ORDER,
    _entities(Alert),
    _equal(ALERTS.c.budget)
    | {
        "since": lambda since: ALERTS.c.raised_at >= since,
        "undelivered_to": _undelivered_to,
    },
)
DELIVERY_LIST = Listing(DELIVERIES, DELIVERY_ORDER, _entities(Delivery), _equal(DELIVERIES.c.alert))
