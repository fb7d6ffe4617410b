"""For the storage: budgets, and what is reserved in them.

Locks are taken in this order: reservations that end, by `expires_at` and id; budgets, by id.
Where two transactions wait for each other all the same, MariaDB ends one, which is repeated.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace
from sqlalchemy.ext.asyncio import AsyncConnection

from mariadb_costs.lists import by_id, entity, first
from mariadb_costs.tables import BUDGETS, RESERVATIONS, Held
from storeproof.reference.costs.entities import (
    Budget,
    BudgetAmount,
    BudgetId,
    BudgetStatus,
    Reservation,
    ReservationId,
    ReservationState,
    ending,
    holding,
    in_window,
    money,
    nanos,
    same_reservation,
)
from storeproof.reference.exceptions import Duplicate, NotFound

__all__ = ["end", "expire", "locked_budgets", "locked_reservation", "reserve", "status_of"]

_SUMS = ("version", "window_start", "window_end", "spent", "reserved")


def status_of(row: Any) -> BudgetStatus:
    """The status that a row of BUDGETS has."""
    return BudgetStatus(budget=entity(Budget, row), **{name: getattr(row, name) for name in _SUMS})


async def locked_budgets(
    connection: AsyncConnection, ids: Iterable[BudgetId]
) -> dict[BudgetId, BudgetStatus]:
    """Those of the budgets that there are; nobody else changes them until the end."""
    wanted = sa.select(BUDGETS).where(BUDGETS.c.id.in_(sorted(ids))).order_by(BUDGETS.c.id)
    rows = await connection.execute(wanted.with_for_update())
    return {status.budget.id: status for status in map(status_of, rows)}


def reservation_of(row: Any) -> Reservation:
    """The reservation that a row of RESERVATIONS has."""
    spent = tuple(_amount(each.budget, each.settled) for each in row.held)
    return Reservation(
        id=row.id,
        amounts=tuple(_amount(each.budget, each.amount) for each in row.held),
        at=row.at,
        expires_at=row.expires_at,
        state=row.state,
        settled=spent if row.state is ReservationState.SETTLED else None,
    )


async def reserve(connection: AsyncConnection, made: Reservation) -> Reservation:
    """Reserve in all budgets, or none; give the reservation, or the same one that was there."""
    # The locks first: the same call, if it runs elsewhere, has ended when they are held.
    found = await locked_budgets(connection, {each.budget for each in made.amounts})
    row = (await connection.execute(by_id(RESERVATIONS, made.id))).one_or_none()
    if row is not None:
        before = reservation_of(row)
        if not same_reservation(before, made):
            raise Duplicate("id")
        return before
    for each in made.amounts:
        if each.budget not in found:
            raise NotFound("budget", each.budget)
    present = [in_window(found[each.budget], made.at) for each in made.amounts]
    after = [
        holding(status, each.amount) for status, each in zip(present, made.amounts, strict=True)
    ]
    await connection.execute(sa.insert(RESERVATIONS), _row(made, after))
    await _store(connection, found, {status.budget.id: status for status in after})
    return made


async def locked_reservation(
    connection: AsyncConnection, id: ReservationId
) -> tuple[Reservation, tuple[Held, ...]]:
    """A reservation that nobody else ends until the transaction does. Raises NotFound."""
    rows = await connection.execute(by_id(RESERVATIONS, id).with_for_update())
    row = first(rows.all(), "reservation", id)
    return reservation_of(row), row.held


_DUE = (
    sa.select(RESERVATIONS)
    .where(
        RESERVATIONS.c.state == ReservationState.OPEN,
        RESERVATIONS.c.expires_at <= sa.bindparam("now", type_=RESERVATIONS.c.expires_at.type),
    )
    .order_by(RESERVATIONS.c.expires_at, RESERVATIONS.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer()))
    .with_for_update()
)
"""Locks the open reservations that are due, the first ones."""


async def expire(connection: AsyncConnection, at: datetime, limit: int) -> int:
    """End those that are due; how many."""
    rows = (await connection.execute(_DUE, {"now": at, "most": limit})).all()
    ended = {row.id: (reservation_of(row), row.held) for row in rows}
    if ended:
        await _end(connection, ended, {})
        wanted = sa.update(RESERVATIONS).where(RESERVATIONS.c.id.in_(sorted(ended)))
        await connection.execute(wanted.values(state=ReservationState.EXPIRED))
    return len(ended)


async def end(
    connection: AsyncConnection, before: Reservation, held: tuple[Held, ...], after: Reservation
) -> Reservation:
    """Store how a locked reservation ended, and give it."""
    if after == before:
        return after
    await _end(connection, {before.id: (before, held)}, {before.id: after})
    spent = {each.budget: nanos(each.amount) for each in after.settled or ()}
    now = tuple(
        Held(**asdict(each) | {"settled": spent.get(BudgetId(each.budget))}) for each in held
    )
    wanted = sa.update(RESERVATIONS).where(RESERVATIONS.c.id == before.id)
    await connection.execute(wanted.values(state=after.state, held=now))
    return after


async def _end(
    connection: AsyncConnection,
    ended: Mapping[ReservationId, tuple[Reservation, tuple[Held, ...]]],
    after: Mapping[ReservationId, Reservation],
) -> None:
    """Take what ends out of its budgets, and count there what was spent; unless said: expired."""
    ids = {BudgetId(each.budget) for _, held in ended.values() for each in held}
    found = await locked_budgets(connection, ids)
    changed = dict(found)
    for one, (before, held) in ended.items():
        expired = replace(before, state=ReservationState.EXPIRED)
        for each in held:
            budget = BudgetId(each.budget)
            changed[budget] = ending(
                changed[budget], each.window_start, before, after.get(one, expired)
            )
    await _store(connection, found, changed)


async def _store(
    connection: AsyncConnection,
    found: Mapping[BudgetId, BudgetStatus],
    changed: Mapping[BudgetId, BudgetStatus],
) -> None:
    for one, status in sorted(changed.items()):
        if status != found[one]:
            sums = {name: getattr(status, name) for name in _SUMS}
            await connection.execute(sa.update(BUDGETS).where(BUDGETS.c.id == one).values(sums))


def _row(made: Reservation, after: list[BudgetStatus]) -> dict[str, Any]:
    held = tuple(
        Held(budget=each.budget, amount=nanos(each.amount), window_start=status.window_start)
        for each, status in zip(made.amounts, after, strict=True)
    )
    return {
        "id": made.id,
        "at": made.at,
        "expires_at": made.expires_at,
        "state": made.state,
        "held": held,
    }


def _amount(budget: str, count: int | None) -> BudgetAmount:
    return BudgetAmount(budget=BudgetId(budget), amount=money(count or 0))
