"""For `DatabaseCostStorage`: its statements.

A parameter has the name of its column, or the one given to `bind`. FOR UPDATE means
something on PostgreSQL only; SQLite has one writer at a time.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.costs.database.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    HELD,
    RESERVATIONS,
    VERSIONS,
)
from storeproof.reference.costs.entities import Budget, Charge, Correction, ReservationState
from storeproof.reference.database import per_dialect
from storeproof.reference.database.columns import NAMES, members
from storeproof.reference.database.entities import bind, columns, insert_new

__all__ = [
    "ADD_ALERT",
    "ADD_BUDGET",
    "ADD_CORRECTION",
    "ADD_HELD",
    "ADD_RESERVATION",
    "ADD_VERSION",
    "DUE",
    "END_HELD",
    "END_RESERVATIONS",
    "FIND_ALERTED",
    "GET_BUDGET",
    "GET_CHARGE",
    "GET_CORRECTION",
    "GET_RESERVATION",
    "GET_RESERVATIONS",
    "LOCK_BUDGET",
    "LOCK_BUDGETS",
    "LOCK_RESERVATION",
    "MARK_DELIVERED",
    "SERIES_OF",
    "SET_BUDGET",
    "SET_SUMS",
]


GET_CHARGE = sa.select(*columns(CHARGES, Charge)).where(CHARGES.c.id == bind(CHARGES.c.id))
SERIES_OF = sa.select(
    *(CHARGES.c[name] for name in ("series", "currency", "owner", "provider", "model", "tags"))
).where(CHARGES.c.id == bind(CHARGES.c.id))
GET_CORRECTION = sa.select(*columns(CORRECTIONS, Correction)).where(
    CORRECTIONS.c.id == bind(CORRECTIONS.c.id)
)
ADD_CORRECTION = insert_new(CORRECTIONS)

_BUDGET = columns(BUDGETS, Budget)
_SUMS = (BUDGETS.c.window_start, BUDGETS.c.window_end, BUDGETS.c.spent, BUDGETS.c.reserved)
GET_BUDGET = sa.select(*_BUDGET, BUDGETS.c.version, *_SUMS).where(
    BUDGETS.c.id == bind(BUDGETS.c.id)
)
LOCK_BUDGETS = (
    sa.select(*_BUDGET, BUDGETS.c.version, *_SUMS)
    .where(BUDGETS.c.id.in_(sa.select(members(sa.bindparam("ids", type_=NAMES)).c.value)))
    .order_by(BUDGETS.c.id)
    .with_for_update()
)
"""Locks budgets in the order of their ids, as everything does that locks more than one."""

ADD_BUDGET = insert_new(BUDGETS)
SET_BUDGET = (
    sa.update(BUDGETS)
    .where(BUDGETS.c.id == bind(BUDGETS.c.id, "key"))
    .values({column: bind(column) for column in [*_BUDGET, BUDGETS.c.version]})
)
SET_SUMS = (
    sa.update(BUDGETS)
    .where(BUDGETS.c.id == bind(BUDGETS.c.id, "key"))
    .values({column: bind(column) for column in _SUMS})
)
ADD_VERSION = sa.insert(VERSIONS)

_HELD = (HELD.c.budget, HELD.c.amount, HELD.c.settled, HELD.c.window_start)
_RESERVED = sa.select(*RESERVATIONS.c, *_HELD).join(HELD, HELD.c.reservation == RESERVATIONS.c.id)
_THIS_RESERVATION = RESERVATIONS.c.id == bind(RESERVATIONS.c.id)
GET_RESERVATION = _RESERVED.where(_THIS_RESERVATION).order_by(HELD.c.budget)
"""A row for each amount of the reservation."""

LOCK_RESERVATION = sa.select(RESERVATIONS.c.id).where(_THIS_RESERVATION).with_for_update()
"""To be read afterwards: what is joined to a row that had to be waited for is out of date."""

_GIVEN = sa.select(members(sa.bindparam("ids", type_=NAMES)).c.value)
GET_RESERVATIONS = _RESERVED.where(RESERVATIONS.c.id.in_(_GIVEN)).order_by(
    RESERVATIONS.c.id, HELD.c.budget
)
_DUE = (
    sa.select(RESERVATIONS.c.id)
    .where(
        RESERVATIONS.c.state == ReservationState.OPEN,
        RESERVATIONS.c.expires_at <= bind(RESERVATIONS.c.expires_at, "at"),
    )
    .order_by(RESERVATIONS.c.expires_at, RESERVATIONS.c.id)
    .limit(sa.bindparam("limit", type_=sa.BigInteger()))
    .with_for_update()
    .cte("due")
)
DUE = sa.select(_DUE.c.id)
"""Locks the open reservations that are due, the first ones."""

ADD_RESERVATION = sa.insert(RESERVATIONS)
ADD_HELD = sa.insert(HELD)
END_RESERVATIONS = (
    sa.update(RESERVATIONS)
    .where(RESERVATIONS.c.id.in_(_GIVEN))
    .values(state=bind(RESERVATIONS.c.state))
)
END_HELD = (
    sa.update(HELD)
    .where(HELD.c.reservation == bind(HELD.c.reservation, "key"))
    .where(HELD.c.budget == bind(HELD.c.budget, "of"))
    .values(settled=bind(HELD.c.settled))
)

FIND_ALERTED = (
    sa.select(*_BUDGET, BUDGETS.c.version, *_SUMS, ALERTS.c.threshold)
    .outerjoin(
        ALERTS,
        sa.and_(ALERTS.c.budget == BUDGETS.c.id, ALERTS.c.window_start == BUDGETS.c.window_start),
    )
    .where(BUDGETS.c.id == bind(BUDGETS.c.id))
)
"""A row of `GET_BUDGET` for each threshold that raised an alert, at least one (None)."""

LOCK_BUDGET = sa.select(BUDGETS.c.id).where(BUDGETS.c.id == bind(BUDGETS.c.id)).with_for_update()
ADD_ALERT = sa.insert(ALERTS)


def _mark_delivered(insert: Any) -> Any:
    alert = sa.select(
        ALERTS.c.id, bind(DELIVERIES.c.sink, "sink"), bind(DELIVERIES.c.at, "at")
    ).where(ALERTS.c.id == bind(ALERTS.c.id, "alert"))
    new = insert(DELIVERIES).from_select(list(DELIVERIES.c), alert)
    # Changing nothing, it has the row that is there returned.
    kept = new.on_conflict_do_update(
        index_elements=list(DELIVERIES.primary_key), set_={"at": DELIVERIES.c.at}
    )
    return kept.returning(*DELIVERIES.c)


MARK_DELIVERED = per_dialect(_mark_delivered)
"""Returns the first record; no row where the alert is unknown."""
