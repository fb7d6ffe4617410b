"""For applications and for the conformance suite: the cost storage in a database.

What the operations mean stands in `CostStorage`. Where a single statement changes nothing
and can't say why, the operation runs again as a transaction, which can. The order of
locks stands in `reserving`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any

from msgspec.structs import asdict

from storeproof.reference.costs.database import recording, reserving, rollups, statements
from storeproof.reference.costs.database.lists import (
    ALERT_LIST,
    BUDGET_LIST,
    CHARGE_LIST,
    CORRECTION_LIST,
    DELIVERY_LIST,
    VERSION_LIST,
)
from storeproof.reference.costs.database.tables import SCHEMA, SERIES, hour_of
from storeproof.reference.costs.entities import (
    NANOS,
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
    grouped_field,
    in_window,
    nanos,
    new_reservation,
    owner_chain,
    period,
    put,
    reached,
    released,
    settled,
    spent_in,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.database import Database, Row, Transaction, UniqueViolated
from storeproof.reference.database.combining import Combined
from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.database.entities import entity, first
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.opening import TIMEOUT, open_storage
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import canonical_id, canonical_integer, canonical_time

__all__ = ["DatabaseCostStorage", "open_cost_storage"]


def open_cost_storage(
    url: str, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager["DatabaseCostStorage"]:
    """The cost storage in the database at this URL; its tables are created if absent.

    timeout: seconds that it may wait for a statement, or for a connection.
    """
    return open_storage(url, DatabaseCostStorage, timeout)


class DatabaseCostStorage(CostStorage):
    """Implements `CostStorage` on PostgreSQL and SQLite. Whoever made the database closes it."""

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self._database = database
        self._recorded = Combined(self._record, key=attrgetter("id"))

    async def get_by_id(self, id: ChargeId) -> Charge:
        canonical_id("id", id)
        return await self._charge(id)

    async def create(self, entity: Charge) -> Charge:
        charge = canonical(entity)
        new = await self._recorded(charge)
        if not new and await self._charge(charge.id) != charge:
            raise Duplicate("id")
        return charge

    async def _record(self, charges: Sequence[Charge]) -> list[bool]:
        """Of each charge whether it was new."""
        rows = sorted(map(rollups.charge_row, charges), key=itemgetter("id"))
        new = {row[0] for row in await self._record_rows(rows)}
        return [charge.id in new for charge in charges]

    async def _record_rows(self, rows: list[dict[str, Any]]) -> list[Row]:
        if self._database.dialect == POSTGRES:
            return await self._database.write(recording.RECORD_CHARGES, {"given": rows})
        return await self._database.transact(lambda it: recording.record(it, rows))

    async def correct(self, correction: Correction) -> Correction:
        correction = canonical(correction)

        async def work(transaction: Transaction) -> None:
            found = await transaction.run(statements.SERIES_OF, {"id": correction.charge})
            if not found:
                raise NotFound("charge", correction.charge)
            series = dict(zip(SERIES, found[0], strict=True))
            sums = {"charges": 0, **rollups.parts(nanos(correction.amount))}
            row = asdict(correction) | series | sums | {"hour": hour_of(correction.at)}
            if await transaction.run(statements.ADD_CORRECTION, row):
                await transaction.run(recording.ADD_TO_ROLLUPS, {"given": [row]})
                return
            rows = await transaction.run(statements.GET_CORRECTION, {"id": correction.id})
            if entity(Correction, rows[0]) != correction:
                raise Duplicate("id")

        await self._database.transact(work)
        return correction

    async def list_charges(
        self, filter: ChargeFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Charge]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, CHARGE_LIST, filters, cursor, limit)

    async def list_corrections(
        self, charge: ChargeId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Correction]:
        filters = {"charge": canonical_id("charge", charge)}
        return await read_page(self._database, CORRECTION_LIST, filters, cursor, limit)

    async def report(self, query: ReportQuery) -> tuple[ReportRow, ...]:
        query = canonical(query)
        given = rollups.ends(*period(query))
        rows = await self._database.read(rollups.totals(grouped_field(query)), given)
        return allocate(
            query,
            [
                (currency, group, int(whole) * NANOS + int(nano), int(charges))
                for currency, group, whole, nano, charges in rows
            ],
        )

    async def rebuild_rollups(self) -> None:
        async def work(transaction: Transaction) -> None:
            for statement in (rollups.LOCK, rollups.CLEAR, rollups.REBUILD):
                await transaction.run(statement, {})

        await self._database.transact(work)

    async def put_budget(
        self, budget: Budget, expected_version: int, actor: Actor, at: datetime
    ) -> BudgetVersion:
        budget = canonical(budget)
        canonical_integer("expected_version", expected_version)
        canonical_id("actor", actor)
        at = canonical_time("at", at)

        async def work(transaction: Transaction) -> BudgetVersion:
            found = await reserving.lock_budgets(transaction, {budget.id})
            after = put(found.get(budget.id), budget, expected_version)
            row = asdict(budget) | {"version": after.version}
            if found:
                await transaction.run(statements.SET_BUDGET, row | {"key": budget.id})
            elif not await transaction.run(statements.ADD_BUDGET, asdict(after) | row):
                raise VersionConflict("budget", budget.id, expected_version)
            await transaction.run(statements.ADD_VERSION, row | {"actor": actor, "at": at})
            return BudgetVersion(budget=budget, version=after.version, actor=actor, at=at)

        return await self._database.transact(work)

    async def budget_status(self, id: BudgetId, at: datetime) -> BudgetStatus:
        canonical_id("id", id)
        at = canonical_time("at", at)
        return in_window(await self._budget(id), at)

    async def list_budgets(
        self, filter: BudgetFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Budget]:
        filters = asdict(canonical(filter))
        if filter.covering is not None:
            filters["covering"] = frozenset(owner_chain(filter.covering))
        return await read_page(self._database, BUDGET_LIST, filters, cursor, limit)

    async def list_budget_versions(
        self, id: BudgetId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[BudgetVersion]:
        filters = {"id": canonical_id("id", id)}
        return await read_page(self._database, VERSION_LIST, filters, cursor, limit)

    async def reserve(
        self,
        id: ReservationId,
        amounts: Amounts,
        at: datetime,
        expires_at: datetime,
    ) -> Reservation:
        made = new_reservation(id, amounts, at, expires_at)

        async def work(transaction: Transaction) -> Reservation:
            return await reserving.reserve_in(transaction, made)

        try:
            if await self._reserve_at_once(made):
                return made
            return await self._database.transact(work)
        except UniqueViolated:  # somebody just made it
            return await self._database.transact(work)

    async def _reserve_at_once(self, made: Reservation) -> bool:
        if self._database.dialect != POSTGRES:
            return False
        values = reserving.reserve_values(made)
        return bool(await self._database.write(reserving.RESERVE, values))

    async def get_reservation(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)
        rows = await self._database.read(statements.GET_RESERVATION, {"id": id})
        return reserving.reservation_of(rows, id)

    async def settle(
        self, id: ReservationId, amounts: Amounts, charge: Charge | None = None
    ) -> Reservation:
        canonical_id("id", id)
        amounts = canonical_amounts("amounts", amounts)
        charge = None if charge is None else canonical(charge)

        async def work(transaction: Transaction) -> Reservation:
            rows = await reserving.lock_reservation(transaction, id)
            before = reserving.reservation_of(rows, id)
            spent = spent_in(before, amounts)
            if charge is not None:
                await recording.record_or_raise(transaction, charge)
            return await reserving.end(transaction, rows, before, settled(before, spent))

        return await self._database.transact(work)

    async def release(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)

        async def work(transaction: Transaction) -> Reservation:
            rows = await reserving.lock_reservation(transaction, id)
            before = reserving.reservation_of(rows, id)
            return await reserving.end(transaction, rows, before, released(before))

        return await self._database.transact(work)

    async def expire_reservations(self, at: datetime, limit: int) -> int:
        at = canonical_time("at", at)
        canonical_limit(limit)

        async def work(transaction: Transaction) -> int:
            return await reserving.expire(transaction, at, limit)

        return await self._database.transact(work)

    async def raise_alerts(self, budget: BudgetId, at: datetime) -> tuple[Alert, ...]:
        canonical_id("budget", budget)
        at = canonical_time("at", at)

        async def work(transaction: Transaction) -> tuple[Alert, ...]:
            await transaction.run(statements.LOCK_BUDGET, {"id": budget})
            raised = _unraised(await transaction.run(statements.FIND_ALERTED, {"id": budget}), at)
            for alert in raised:
                await transaction.run(statements.ADD_ALERT, asdict(alert))
            return raised

        rows = await self._database.read(statements.FIND_ALERTED, {"id": budget})
        first(rows, "budget", budget)
        return await self._database.transact(work) if _unraised(rows, at) else ()

    async def list_alerts(
        self, filter: AlertFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, ALERT_LIST, filters, cursor, limit)

    async def mark_delivered(self, alert: AlertId, sink: SinkName, at: datetime) -> Delivery:
        made = canonical(Delivery(alert=alert, sink=sink, at=at))
        rows = await self._database.write(statements.MARK_DELIVERED, asdict(made))
        return entity(Delivery, first(rows, "alert", alert))

    async def list_deliveries(
        self, alert: AlertId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Delivery]:
        filters = {"alert": canonical_id("alert", alert)}
        return await read_page(self._database, DELIVERY_LIST, filters, cursor, limit)

    async def _charge(self, id: ChargeId) -> Charge:
        rows = await self._database.read(statements.GET_CHARGE, {"id": id})
        return entity(Charge, first(rows, "charge", id))

    async def _budget(self, id: BudgetId) -> BudgetStatus:
        rows = await self._database.read(statements.GET_BUDGET, {"id": id})
        return reserving.status_of(first(rows, "budget", id))


def _unraised(rows: list[Row], at: datetime) -> tuple[Alert, ...]:
    """The alerts that are reached and missing, from what `FIND_ALERTED` found."""
    status = reserving.status_of(rows[0][:-1])
    raised = {row[-1] for row in rows}
    return tuple(alert for alert in reached(status, at) if alert.threshold not in raised)
