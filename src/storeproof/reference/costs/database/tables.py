"""For `DatabaseCostStorage`: its tables.

The columns of an entity have the names of its fields. Money is integer nano-units. Each
entry of the ledger (a charge or a correction) also says in which hour of UTC it falls and
in which series (currency, owner, provider, model, tags): `cost_rollups` has the sums of
each series in each hour, quarter of a day and day (a `slot` of so many `hours`), of whole
units and of nano-units apart, so that they can't overflow.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from storeproof.reference.costs.entities import (
    Budget,
    Policy,
    ReservationState,
    Window,
    money,
    nanos,
)
from storeproof.reference.database import Schema
from storeproof.reference.database.columns import NAMES, TEXT, TIME, metadata
from storeproof.reference.values import EARLIEST

__all__ = [
    "ALERTS",
    "BUDGETS",
    "CHARGES",
    "CORRECTIONS",
    "DELIVERIES",
    "HELD",
    "NUMBER",
    "RESERVATIONS",
    "ROLLUPS",
    "SCHEMA",
    "SERIES",
    "VERSIONS",
    "Nanos",
    "hour_of",
]

_TABLES = metadata()
SCHEMA = Schema("costs", 1, _TABLES)
NUMBER = sa.BigInteger()


class Nanos(sa.TypeDecorator[Decimal]):
    """An amount of money, as integer nano-units."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else nanos(value)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> Decimal | None:
        return None if value is None else money(value)


class _Percents(sa.TypeDecorator[frozenset[int]]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[int] | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(sorted(value)).decode()

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> frozenset[int] | None:
        return None if value is None else msgspec.json.decode(value, type=frozenset[int])


class _Member(sa.TypeDecorator[Any]):
    """A member of an enumeration, by its value."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> Any:
        return None if value is None else self.kind(value)


def hour_of(at: datetime) -> int:
    """The number of the hour of UTC, from that of `EARLIEST`."""
    return (at - EARLIEST) // timedelta(hours=1)


def _column(name: str, kind: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, **{"nullable": False} | options)


SERIES: Final = ("series", "currency", "owner", "provider", "model", "tags")
"""The digest of the other five, and these."""


def _series() -> list[sa.Column[Any]]:
    return [_column(name, NAMES if name == "tags" else TEXT) for name in SERIES]


CHARGES = sa.Table(
    "cost_charges",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("amount", Nanos()),
    _column("quantity", NUMBER),
    _column("unit", TEXT),
    _column("occurred_at", TIME),
    _column("hour", NUMBER),
    *_series(),
)
sa.Index(None, CHARGES.c.occurred_at, CHARGES.c.id)

CORRECTIONS = sa.Table(
    "cost_corrections",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("charge", TEXT, index=True),
    _column("amount", Nanos()),
    _column("reason", TEXT),
    _column("at", TIME, index=True),
    _column("hour", NUMBER),
    *_series(),
)

ROLLUPS = sa.Table(
    "cost_rollups",
    _TABLES,
    _column("hours", NUMBER, primary_key=True),
    _column("slot", NUMBER, primary_key=True),
    *[_column(each.name, each.type, primary_key=each.name == "series") for each in _series()],
    _column("whole", NUMBER),
    _column("nano", NUMBER),
    _column("charges", NUMBER),
)

BUDGETS = sa.Table(
    "cost_budgets",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("scope", TEXT),
    _column("provider", TEXT, nullable=True),
    _column("model", TEXT, nullable=True),
    _column("tag", TEXT, nullable=True),
    _column("limit", Nanos()),
    _column("currency", TEXT),
    _column("window", _Member(Window)),
    _column("timezone", TEXT),
    _column("thresholds", _Percents()),
    _column("policy", _Member(Policy)),
    _column("version", NUMBER),
    _column("window_start", TIME),
    _column("window_end", TIME, nullable=True),
    _column("spent", Nanos()),
    _column("reserved", Nanos()),
)

sa.Index(None, BUDGETS.c.scope, BUDGETS.c.tag)

VERSIONS = sa.Table(
    "cost_budget_versions",
    _TABLES,
    *[
        _column(name, BUDGETS.c[name].type, nullable=BUDGETS.c[name].nullable)
        for name in Budget.__struct_fields__
    ],
    _column("version", NUMBER),
    _column("actor", TEXT),
    _column("at", TIME),
    sa.PrimaryKeyConstraint("id", "version"),
)

RESERVATIONS = sa.Table(
    "cost_reservations",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("at", TIME),
    _column("expires_at", TIME),
    _column("state", _Member(ReservationState)),
)
sa.Index(None, RESERVATIONS.c.state, RESERVATIONS.c.expires_at, RESERVATIONS.c.id)

HELD = sa.Table(
    "cost_held",
    _TABLES,
    _column("reservation", TEXT, primary_key=True),
    _column("budget", TEXT, primary_key=True),
    _column("amount", Nanos()),
    _column("settled", Nanos(), nullable=True),
    _column("window_start", TIME),
)

ALERTS = sa.Table(
    "cost_alerts",
    _TABLES,
    _column("id", TEXT, primary_key=True),
    _column("budget", TEXT),
    _column("window_start", TIME),
    _column("threshold", NUMBER),
    _column("spent", Nanos()),
    _column("limit", Nanos()),
    _column("raised_at", TIME),
)
sa.Index(None, ALERTS.c.budget, ALERTS.c.window_start)
sa.Index(None, ALERTS.c.raised_at, ALERTS.c.window_start, ALERTS.c.threshold, ALERTS.c.budget)

DELIVERIES = sa.Table(
    "cost_deliveries",
    _TABLES,
    _column("alert", TEXT, primary_key=True),
    _column("sink", TEXT, primary_key=True),
    _column("at", TIME),
)
