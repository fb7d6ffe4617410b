"""For `DatabaseCostStorage`: its tables.

The columns of an entity have the names of its fields. Money is integer nano-units. Each
entry of the ledger (a charge or a correction) also says in which hour of UTC it falls and
in which series (currency, owner, provider, model, tags): `cost_rollups` has the sums of
each series in each hour, quarter of a day and day (a `slot` of so many `hours`), of whole
units and of nano-units apart, so that they can't overflow.
"""

from datetime import datetime, timedelta
from typing import Any, Final

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
from storeproof.reference.database.columns import (
    NAMES,
    TEXT,
    TIME,
    IntegerOf,
    column,
    member_of,
    metadata,
    set_of,
)
from storeproof.reference.values import EARLIEST

__all__ = [
    "ALERTS",
    "AMOUNT",
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
    "hour_of",
]

_TABLES = metadata()
SCHEMA = Schema("costs", 6, _TABLES)
NUMBER = sa.BigInteger()
AMOUNT = IntegerOf(nanos, money)
"""An amount of money, as integer nano-units."""


def hour_of(at: datetime) -> int:
    """The number of the hour of UTC, from that of `EARLIEST`."""
    return (at - EARLIEST) // timedelta(hours=1)


SERIES: Final = ("series", "currency", "owner", "provider", "model", "tags")
"""The digest of the other five, and these."""


def _series() -> list[sa.Column[Any]]:
    return [column(name, NAMES if name == "tags" else TEXT) for name in SERIES]


CHARGES = sa.Table(
    "cost_charges",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("amount", AMOUNT),
    column("quantity", NUMBER),
    column("unit", TEXT),
    column("occurred_at", TIME),
    column("hour", NUMBER),
    *_series(),
)
sa.Index(None, CHARGES.c.occurred_at, CHARGES.c.id)

CORRECTIONS = sa.Table(
    "cost_corrections",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("charge", TEXT, index=True),
    column("amount", AMOUNT),
    column("reason", TEXT),
    column("at", TIME, index=True),
    column("hour", NUMBER),
    *_series(),
)

ROLLUPS = sa.Table(
    "cost_rollups",
    _TABLES,
    column("hours", NUMBER, primary_key=True),
    column("slot", NUMBER, primary_key=True),
    *[column(each.name, each.type, primary_key=each.name == "series") for each in _series()],
    column("whole", NUMBER),
    column("nano", NUMBER),
    column("charges", NUMBER),
    info={"fillfactor": 50},  # what is added to again fits beside what it replaces
)

BUDGETS = sa.Table(
    "cost_budgets",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("scope", TEXT),
    column("provider", TEXT, nullable=True),
    column("model", TEXT, nullable=True),
    column("tag", TEXT, nullable=True),
    column("limit", AMOUNT),
    column("currency", TEXT),
    column("window", member_of(Window)),
    column("timezone", TEXT),
    column("thresholds", set_of(frozenset[int])),
    column("policy", member_of(Policy)),
    column("version", NUMBER),
    column("window_start", TIME),
    column("window_end", TIME, nullable=True),
    column("spent", AMOUNT),
    column("reserved", AMOUNT),
)

sa.Index(None, BUDGETS.c.scope, BUDGETS.c.tag)

VERSIONS = sa.Table(
    "cost_budget_versions",
    _TABLES,
    *[
        column(name, BUDGETS.c[name].type, nullable=BUDGETS.c[name].nullable)
        for name in Budget.__struct_fields__
    ],
    column("version", NUMBER),
    column("actor", TEXT),
    column("at", TIME),
    sa.PrimaryKeyConstraint("id", "version"),
)

RESERVATIONS = sa.Table(
    "cost_reservations",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("at", TIME),
    column("expires_at", TIME),
    column("state", member_of(ReservationState)),
)
sa.Index(None, RESERVATIONS.c.state, RESERVATIONS.c.expires_at, RESERVATIONS.c.id)

HELD = sa.Table(
    "cost_held",
    _TABLES,
    column("reservation", TEXT, primary_key=True),
    column("budget", TEXT, primary_key=True),
    column("amount", AMOUNT),
    column("settled", AMOUNT, nullable=True),
    column("window_start", TIME),
)

ALERTS = sa.Table(
    "cost_alerts",
    _TABLES,
    column("id", TEXT, primary_key=True),
    column("budget", TEXT),
    column("window_start", TIME),
    column("threshold", NUMBER),
    column("spent", AMOUNT),
    column("limit", AMOUNT),
    column("raised_at", TIME),
)
sa.Index(None, ALERTS.c.budget, ALERTS.c.window_start)
sa.Index(None, ALERTS.c.raised_at, ALERTS.c.window_start, ALERTS.c.threshold, ALERTS.c.budget)

DELIVERIES = sa.Table(
    "cost_deliveries",
    _TABLES,
    column("alert", TEXT, primary_key=True),
    column("sink", TEXT, primary_key=True),
    column("at", TIME),
)
