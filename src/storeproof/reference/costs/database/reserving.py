"""For `DatabaseCostStorage`: reservations, in one statement where PostgreSQL can express it.

`RESERVE` does the usual case: all budgets are there, in their present windows, and have
room. Where it does nothing, a transaction finds out why, begins new windows, or raises.
Locks are always taken in this order, so that none waits for another in a circle:

1. Reservations that end, by `expires_at` and id.
2. The charge of one that is settled, and its rollup.
3. Budgets, by id.
4. The rows of a new reservation.
"""

from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.dialects.postgresql import JSONB

from storeproof.reference.costs.database import statements
from storeproof.reference.costs.database.tables import (
    AMOUNT,
    BUDGETS,
    HELD,
    NUMBER,
    RESERVATIONS,
)
from storeproof.reference.costs.entities import (
    MAX_TOTAL,
    Budget,
    BudgetAmount,
    BudgetId,
    BudgetStatus,
    Policy,
    Reservation,
    ReservationId,
    ReservationState,
    ending,
    holding,
    in_window,
    nanos,
    same_reservation,
)
from storeproof.reference.database import Row, Transaction
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.entities import bind, entity, first
from storeproof.reference.exceptions import Duplicate, NotFound

__all__ = [
    "RESERVE",
    "end",
    "expire",
    "lock_budgets",
    "lock_reservation",
    "reservation_of",
    "reserve_in",
    "reserve_values",
    "status_of",
]

Reservations: TypeAlias = dict[ReservationId, Reservation]


def _reserve() -> Any:
    given = sa.cast(sa.bindparam("amounts", type_=sa.Text()), JSONB)
    each = sa.func.jsonb_each_text(given).table_valued(
        sa.column("key", TEXT), "value", name="given"
    )
    amount = sa.cast(each.c.value, NUMBER)
    plain = {
        name: sa.type_coerce(BUDGETS.c[name], NUMBER) for name in ("limit", "spent", "reserved")
    }
    room = sa.case(
        (BUDGETS.c.policy == Policy.WARN, nanos(MAX_TOTAL) - plain["reserved"]),
        else_=plain["limit"] - plain["spent"] - plain["reserved"],
    )
    at = bind(RESERVATIONS.c.at)
    ready = (
        sa.select(BUDGETS.c.id, BUDGETS.c.window_start, amount.label("amount"))
        .join(each, each.c.key == BUDGETS.c.id)
        .where(sa.or_(BUDGETS.c.window_end.is_(None), at < BUDGETS.c.window_end))
        .where(amount <= room)
        .order_by(BUDGETS.c.id)
        .with_for_update(of=BUDGETS)
        .cte("ready")
    )
    count = sa.select(sa.func.count()).select_from(ready).scalar_subquery()
    all_ready = count == sa.bindparam("count", type_=NUMBER)
    raised = (
        sa.update(BUDGETS)
        .where(BUDGETS.c.id == ready.c.id, all_ready)
        .values(reserved=plain["reserved"] + ready.c.amount)
        .cte("raised")
    )
    values = sa.select(*(bind(column) for column in RESERVATIONS.c)).where(all_ready)
    made = sa.insert(RESERVATIONS).from_select(list(RESERVATIONS.c), values).cte("made")
    rows = sa.select(
        bind(HELD.c.reservation, "id"),
        ready.c.id,
        sa.type_coerce(ready.c.amount, AMOUNT),
        ready.c.window_start,
    ).where(all_ready)
    columns = [HELD.c.reservation, HELD.c.budget, HELD.c.amount, HELD.c.window_start]
    held = sa.insert(HELD).from_select(columns, rows).returning(HELD.c.budget)
    return held.add_cte(ready, raised, made)


RESERVE = _reserve()
"""Returns a row for each amount that was reserved; none where not all of them were."""


def reserve_values(made: Reservation) -> dict[str, Any]:
    """The parameters of `RESERVE`."""
    amounts = {each.budget: str(nanos(each.amount)) for each in made.amounts}
    text = msgspec.json.encode(amounts).decode()
    return {**_row(made), "amounts": text, "count": len(amounts)}


def _row(made: Reservation) -> dict[str, Any]:
    return {"id": made.id, "at": made.at, "expires_at": made.expires_at, "state": made.state}


def status_of(row: Row) -> BudgetStatus:
    """The status that `GET_BUDGET` or `LOCK_BUDGETS` found."""
    version, start, end, spent, reserved = row[-5:]
    return BudgetStatus(
        budget=entity(Budget, row[:-5]),
        version=version,
        window_start=start,
        window_end=end,
        spent=spent,
        reserved=reserved,
    )


def reservation_of(rows: list[Row], id: ReservationId) -> Reservation:
    """The reservation that `GET_RESERVATION` found. Raises NotFound."""
    _, at, expires_at, state = first(rows, "reservation", id)[:4]
    held = [row[4:] for row in rows]
    spent = tuple(BudgetAmount(budget=row[0], amount=row[2]) for row in held)
    return Reservation(
        id=id,
        amounts=tuple(BudgetAmount(budget=row[0], amount=row[1]) for row in held),
        at=at,
        expires_at=expires_at,
        state=state,
        settled=spent if state is ReservationState.SETTLED else None,
    )


async def reserve_in(transaction: Transaction, made: Reservation) -> Reservation:
    """Reserves in a transaction, and returns the reservation, or the one that is there."""
    # The locks first: the same call, if it runs elsewhere, has ended when they are held.
    found = await lock_budgets(transaction, {each.budget for each in made.amounts})
    rows = await transaction.run(statements.GET_RESERVATION, {"id": made.id})
    if rows:
        stored = reservation_of(rows, made.id)
        if not same_reservation(stored, made):
            raise Duplicate("id")
        return stored
    for each in made.amounts:
        if each.budget not in found:
            raise NotFound("budget", each.budget)
    present = [in_window(found[each.budget], made.at) for each in made.amounts]
    held = [
        holding(status, each.amount) for status, each in zip(present, made.amounts, strict=True)
    ]
    await transaction.run(statements.ADD_RESERVATION, _row(made))
    for status, each in zip(held, made.amounts, strict=True):
        await _set_sums(transaction, status)
        row = {"reservation": made.id, "budget": each.budget, "amount": each.amount}
        window = {"settled": None, "window_start": status.window_start}
        await transaction.run(statements.ADD_HELD, row | window)
    return made


async def lock_reservation(transaction: Transaction, id: ReservationId) -> list[Row]:
    """The rows of one reservation, which nobody else ends until the transaction does."""
    await transaction.run(statements.LOCK_RESERVATION, {"id": id})
    return await transaction.run(statements.GET_RESERVATION, {"id": id})


async def end(
    transaction: Transaction, rows: list[Row], before: Reservation, after: Reservation
) -> Reservation:
    """Stores how a locked reservation, of which these are the rows, ended, and returns it."""
    if after != before:
        await _end(transaction, rows, {before.id: before}, {after.id: after})
    return after


async def expire(transaction: Transaction, at: datetime, limit: int) -> int:
    """Ends those that are due."""
    due = await transaction.run(statements.DUE, {"at": at, "limit": limit})
    if not due:
        return 0
    ids = frozenset(row[0] for row in due)
    rows = await transaction.run(statements.GET_RESERVATIONS, {"ids": ids})
    before = {
        each: reservation_of(list(parts), each) for each, parts in groupby(rows, lambda row: row[0])
    }
    state = ReservationState.EXPIRED
    after = {each: replace(before[each], state=state) for each in before}
    await _end(transaction, rows, before, after)
    return len(due)


async def _end(
    transaction: Transaction, rows: list[Row], before: Reservations, after: Reservations
) -> None:
    """Stores how locked reservations, of which these are the rows, ended, all in one way."""
    found = await lock_budgets(transaction, {row[4] for row in rows})
    changed = dict(found)
    for one, *_, budget, _amount, _settled, window_start in rows:
        changed[budget] = ending(changed[budget], window_start, before[one], after[one])
    for budget, status in sorted(changed.items()):
        if status != found[budget]:
            await _set_sums(transaction, status)
    state = next(iter(after.values())).state
    await transaction.run(statements.END_RESERVATIONS, {"ids": frozenset(after), "state": state})
    for each in after.values():
        for part in each.settled or ():
            row = {"key": each.id, "of": part.budget, "settled": part.amount}
            await transaction.run(statements.END_HELD, row)


async def lock_budgets(
    transaction: Transaction, ids: set[BudgetId]
) -> dict[BudgetId, BudgetStatus]:
    """Those of the budgets that there are; nobody else changes them until the end."""
    rows = await transaction.run(statements.LOCK_BUDGETS, {"ids": frozenset(ids)})
    return {status.budget.id: status for status in map(status_of, rows)}


async def _set_sums(transaction: Transaction, status: BudgetStatus) -> None:
    await transaction.run(
        statements.SET_SUMS,
        {
            "key": status.budget.id,
            "window_start": status.window_start,
            "window_end": status.window_end,
            "spent": status.spent,
            "reserved": status.reserved,
        },
    )
