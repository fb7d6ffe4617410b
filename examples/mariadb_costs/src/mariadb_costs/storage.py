"""For applications and for the conformance suite: costs in MariaDB. `CostStorage` is the law."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import AsyncConnection

from mariadb_costs import reserving
from mariadb_costs.database import Database
from mariadb_costs.ledger import add_or_raise, added, charge_row, totals
from mariadb_costs.lists import (
    ALERT_LIST,
    BUDGET_LIST,
    CHARGE_LIST,
    CORRECTION_LIST,
    DELIVERY_LIST,
    VERSION_LIST,
    Listing,
    by_id,
    entity,
    first,
)
from mariadb_costs.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    RESERVATIONS,
    VERSIONS,
)
from storeproof.reference.costs.entities import (
    Actor,
    Alert,
    AlertFilter,
    AlertId,
    Amounts,
    Budget,
    BudgetFilter,
    BudgetId,
    BudgetStatus,
    BudgetVersion,
    Charge,
    ChargeFilter,
    ChargeId,
    Correction,
    Delivery,
    ReportQuery,
    ReportRow,
    Reservation,
    ReservationId,
    SinkName,
    allocate,
    canonical,
    canonical_amounts,
    in_window,
    new_reservation,
    put,
    reached,
    released,
    settled,
    spent_in,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import NotFound, VersionConflict
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import canonical_id, canonical_integer, canonical_time

__all__ = ["MariaCostStorage", "open_cost_storage"]

Item = TypeVar("Item", bound=msgspec.Struct)


class MariaCostStorage(CostStorage):
    """Implements `CostStorage`. Reports are made from the ledger: nothing is prepared for them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_by_id(self, id: ChargeId) -> Charge:
        canonical_id("id", id)
        return entity(Charge, await self._one(CHARGES, "charge", id))

    async def create(self, entity: Charge) -> Charge:
        charge = canonical(entity)
        await self._database.transact(
            lambda it: add_or_raise(it, CHARGES, charge, charge_row(charge))
        )
        return charge

    async def correct(self, correction: Correction) -> Correction:
        correction = canonical(correction)

        async def work(connection: AsyncConnection) -> None:
            await _require(connection, CHARGES, "charge", correction.charge)
            await add_or_raise(connection, CORRECTIONS, correction, asdict(correction))

        await self._database.transact(work)
        return correction

    async def list_charges(
        self, filter: ChargeFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Charge]:
        return await self._page(CHARGE_LIST, asdict(canonical(filter)), cursor, limit)

    async def list_corrections(
        self, charge: ChargeId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Correction]:
        filters = {"charge": canonical_id("charge", charge)}
        return await self._page(CORRECTION_LIST, filters, cursor, limit)

    async def report(self, query: ReportQuery) -> tuple[ReportRow, ...]:
        query = canonical(query)
        rows = await self._database.read(totals(query))
        return allocate(
            query,
            [
                (currency, group, int(count), int(charges))
                for currency, group, count, charges in rows
            ],
        )

    async def rebuild_rollups(self) -> None:
        """There are none."""

    async def put_budget(
        self, budget: Budget, expected_version: int, actor: Actor, at: datetime
    ) -> BudgetVersion:
        budget = canonical(budget)
        canonical_integer("expected_version", expected_version)
        canonical_id("actor", actor)
        at = canonical_time("at", at)

        async def work(connection: AsyncConnection) -> BudgetVersion:
            found = await reserving.locked_budgets(connection, {budget.id})
            after = put(found.get(budget.id), budget, expected_version)
            row = asdict(budget) | {"version": after.version}
            if found:
                await connection.execute(
                    sa.update(BUDGETS).where(BUDGETS.c.id == budget.id).values(row)
                )
            elif not await added(connection, BUDGETS, asdict(after) | row):
                raise VersionConflict("budget", budget.id, expected_version)
            await connection.execute(sa.insert(VERSIONS), row | {"actor": actor, "at": at})
            return BudgetVersion(budget=budget, version=after.version, actor=actor, at=at)

        return await self._database.transact(work)

    async def budget_status(self, id: BudgetId, at: datetime) -> BudgetStatus:
        canonical_id("id", id)
        at = canonical_time("at", at)
        return in_window(reserving.status_of(await self._one(BUDGETS, "budget", id)), at)

    async def list_budgets(
        self, filter: BudgetFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Budget]:
        return await self._page(BUDGET_LIST, asdict(canonical(filter)), cursor, limit)

    async def list_budget_versions(
        self, id: BudgetId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[BudgetVersion]:
        return await self._page(VERSION_LIST, {"id": canonical_id("id", id)}, cursor, limit)

    async def reserve(
        self, id: ReservationId, amounts: Amounts, at: datetime, expires_at: datetime
    ) -> Reservation:
        made = new_reservation(id, amounts, at, expires_at)
        return await self._database.transact(lambda it: reserving.reserve(it, made))

    async def get_reservation(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)
        return reserving.reservation_of(await self._one(RESERVATIONS, "reservation", id))

    async def settle(
        self, id: ReservationId, amounts: Amounts, charge: Charge | None = None
    ) -> Reservation:
        canonical_id("id", id)
        amounts = canonical_amounts("amounts", amounts)
        charge = None if charge is None else canonical(charge)

        async def work(connection: AsyncConnection) -> Reservation:
            before, held = await reserving.locked_reservation(connection, id)
            spent = spent_in(before, amounts)
            if charge is not None:
                await add_or_raise(connection, CHARGES, charge, charge_row(charge))
            return await reserving.end(connection, before, held, settled(before, spent))

        return await self._database.transact(work)

    async def release(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)

        async def work(connection: AsyncConnection) -> Reservation:
            before, held = await reserving.locked_reservation(connection, id)
            return await reserving.end(connection, before, held, released(before))

        return await self._database.transact(work)

    async def expire_reservations(self, at: datetime, limit: int) -> int:
        at = canonical_time("at", at)
        canonical_limit(limit)
        return await self._database.transact(lambda it: reserving.expire(it, at, limit))

    async def raise_alerts(self, budget: BudgetId, at: datetime) -> tuple[Alert, ...]:
        canonical_id("budget", budget)
        at = canonical_time("at", at)

        async def work(connection: AsyncConnection) -> tuple[Alert, ...]:
            found = await reserving.locked_budgets(connection, {budget})
            if not found:
                raise NotFound("budget", budget)
            alerts = reached(found[budget], at)
            ids = sa.select(ALERTS.c.id).where(ALERTS.c.id.in_([each.id for each in alerts]))
            known = {*(await connection.execute(ids)).scalars()}
            raised = tuple(each for each in alerts if each.id not in known)
            if raised:
                await connection.execute(sa.insert(ALERTS), [*map(asdict, raised)])
            return raised

        return await self._database.transact(work)

    async def list_alerts(
        self, filter: AlertFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        return await self._page(ALERT_LIST, asdict(canonical(filter)), cursor, limit)

    async def mark_delivered(self, alert: AlertId, sink: SinkName, at: datetime) -> Delivery:
        made = canonical(Delivery(alert=alert, sink=sink, at=at))

        async def work(connection: AsyncConnection) -> Delivery:
            await _require(connection, ALERTS, "alert", alert)
            if await added(connection, DELIVERIES, asdict(made)):
                return made
            first = sa.select(DELIVERIES).where(
                DELIVERIES.c.alert == alert, DELIVERIES.c.sink == sink
            )
            return entity(Delivery, (await connection.execute(first)).one())

        return await self._database.transact(work)

    async def list_deliveries(
        self, alert: AlertId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Delivery]:
        filters = {"alert": canonical_id("alert", alert)}
        return await self._page(DELIVERY_LIST, filters, cursor, limit)

    async def _one(self, table: sa.Table, kind: str, id: str) -> Any:
        return first(await self._database.read(by_id(table, id)), kind, id)

    async def _page(
        self,
        source: Listing[Item],
        filters: Mapping[str, Any],
        cursor: Cursor | None,
        limit: int,
    ) -> Page[Item]:
        after = source.order.position(cursor)
        # One more than asked for tells whether another page follows.
        wanted = source.select(filters, after, canonical_limit(limit) + 1)
        rows = await self._database.read(wanted)
        return source.order.page(map(source.make, rows[:limit]), more=len(rows) > limit)


async def _require(connection: AsyncConnection, table: sa.Table, kind: str, id: str) -> None:
    first((await connection.execute(by_id(table, id))).all(), kind, id)


@asynccontextmanager
async def open_cost_storage(url: str, timeout: float = 10.0) -> AsyncIterator[MariaCostStorage]:
    """The storage at `mysql+aiomysql://USER:PASSWORD@HOST:PORT/DATABASE`; it makes its tables.

    timeout: seconds that a call may wait for the server. Raises Unavailable.
    """
    database = Database(url, timeout=timeout)
    try:
        await database.create()
        yield MariaCostStorage(database)
    finally:
        await database.close()
