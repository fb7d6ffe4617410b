"""For tests and single processes: the cost storage in memory, the executable specification.

No operation awaits anything, so each is atomic under asyncio. What the operations mean
stands in `CostStorage`.
"""

from datetime import datetime
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

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
    CorrectionId,
    Delivery,
    ReportQuery,
    ReportRow,
    Reservation,
    ReservationId,
    ReservationState,
    SinkName,
    allocate,
    canonical,
    canonical_amounts,
    covers,
    ending,
    grouped_field,
    holding,
    in_window,
    nanos,
    new_reservation,
    period,
    put,
    reached,
    released,
    same_reservation,
    settled,
    spent_in,
)
from storeproof.reference.costs.orders import (
    ALERT_ORDER,
    BUDGET_ORDER,
    CHARGE_ORDER,
    CORRECTION_ORDER,
    DELIVERY_ORDER,
    VERSION_ORDER,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import (
    Duplicate,
    NotFound,
)
from storeproof.reference.lists import take_page
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import canonical_id, canonical_integer, canonical_time

__all__ = ["InMemoryCostStorage"]

Key: TypeAlias = tuple[Any, ...]
Item = TypeVar("Item", Charge, Correction, Budget, BudgetVersion, Alert, Delivery)


class InMemoryCostStorage(CostStorage):
    """Implements `CostStorage`. Starts empty; its content ends with the process."""

    def __init__(self) -> None:
        self._charges: dict[ChargeId, Charge] = {}
        self._corrections: dict[CorrectionId, Correction] = {}
        self._budgets: dict[BudgetId, BudgetStatus] = {}
        self._versions: dict[BudgetId, list[BudgetVersion]] = {}
        self._reservations: dict[ReservationId, Reservation] = {}
        self._windows: dict[tuple[ReservationId, BudgetId], datetime] = {}
        self._alerts: dict[AlertId, Alert] = {}
        self._deliveries: dict[Key, Delivery] = {}

    async def get_by_id(self, id: ChargeId) -> Charge:
        canonical_id("id", id)
        return self._charge(id)

    async def create(self, entity: Charge) -> Charge:
        charge = self._new_charge(canonical(entity))
        self._charges[charge.id] = charge
        return charge

    async def correct(self, correction: Correction) -> Correction:
        correction = canonical(correction)
        self._charge(correction.charge)
        if self._corrections.setdefault(correction.id, correction) != correction:
            raise Duplicate("id")
        return correction

    async def list_charges(
        self, filter: ChargeFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Charge]:
        wanted = canonical(filter)
        charges = [
            charge
            for charge in self._charges.values()
            if (wanted.owner is None or covers(wanted.owner, charge.owner))
            and wanted.provider in (None, charge.provider)
            and wanted.model in (None, charge.model)
            and wanted.tag in (None, *charge.tags)
            and wanted.currency in (None, charge.currency)
            and (wanted.since is None or wanted.since <= charge.occurred_at)
            and (wanted.until is None or charge.occurred_at < wanted.until)
        ]
        return take_page(CHARGE_ORDER, charges, cursor, limit)

    async def list_corrections(
        self, charge: ChargeId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Correction]:
        canonical_id("charge", charge)
        found = [each for each in self._corrections.values() if each.charge == charge]
        return take_page(CORRECTION_ORDER, found, cursor, limit)

    async def report(self, query: ReportQuery) -> tuple[ReportRow, ...]:
        query = canonical(query)
        start, end = period(query)
        entries = [(each, each.amount, each.occurred_at, 1) for each in self._charges.values()] + [
            (self._charges[each.charge], each.amount, each.at, 0)
            for each in self._corrections.values()
        ]
        return allocate(
            query,
            [
                (charge.currency, getattr(charge, grouped_field(query)), nanos(amount), count)
                for charge, amount, at, count in entries
                if start <= at < end
            ],
        )

    async def rebuild_rollups(self) -> None:
        """Reports are made from the ledger itself here."""

    async def put_budget(
        self, budget: Budget, expected_version: int, actor: Actor, at: datetime
    ) -> BudgetVersion:
        budget = canonical(budget)
        canonical_integer("expected_version", expected_version)
        canonical_id("actor", actor)
        at = canonical_time("at", at)
        after = put(self._budgets.get(budget.id), budget, expected_version)
        self._budgets[budget.id] = after
        made = BudgetVersion(budget=budget, version=after.version, actor=actor, at=at)
        self._versions.setdefault(budget.id, []).append(made)
        return made

    async def budget_status(self, id: BudgetId, at: datetime) -> BudgetStatus:
        canonical_id("id", id)
        at = canonical_time("at", at)
        return in_window(self._budget(id), at)

    async def list_budgets(
        self, filter: BudgetFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Budget]:
        wanted = canonical(filter)
        budgets = [
            status.budget
            for status in self._budgets.values()
            if (wanted.covering is None or covers(status.budget.scope, wanted.covering))
            and (wanted.provider is None or status.budget.provider in (None, wanted.provider))
            and (wanted.model is None or status.budget.model in (None, wanted.model))
            and (wanted.tags is None or status.budget.tag in (None, *wanted.tags))
            and wanted.currency in (None, status.budget.currency)
        ]
        return take_page(BUDGET_ORDER, budgets, cursor, limit)

    async def list_budget_versions(
        self, id: BudgetId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[BudgetVersion]:
        canonical_id("id", id)
        return take_page(VERSION_ORDER, self._versions.get(id, []), cursor, limit)

    async def reserve(
        self,
        id: ReservationId,
        amounts: Amounts,
        at: datetime,
        expires_at: datetime,
    ) -> Reservation:
        made = new_reservation(id, amounts, at, expires_at)
        if id in self._reservations:
            stored = self._reservations[id]
            if not same_reservation(stored, made):
                raise Duplicate("id")
            return stored
        found = [in_window(self._budget(each.budget), made.at) for each in made.amounts]
        held = [
            holding(status, each.amount) for status, each in zip(found, made.amounts, strict=True)
        ]
        for status in held:
            self._budgets[status.budget.id] = status
            self._windows[id, status.budget.id] = status.window_start
        self._reservations[id] = made
        return made

    async def get_reservation(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)
        return self._reservation(id)

    async def settle(
        self, id: ReservationId, amounts: Amounts, charge: Charge | None = None
    ) -> Reservation:
        canonical_id("id", id)
        amounts = canonical_amounts("amounts", amounts)
        charges = [] if charge is None else [canonical(charge)]
        before = self._reservation(id)
        spent = spent_in(before, amounts)
        new = {each.id: self._new_charge(each) for each in charges}
        after = self._end(before, settled(before, spent))
        self._charges.update(new)
        return after

    async def release(self, id: ReservationId) -> Reservation:
        canonical_id("id", id)
        return self._end(self._reservation(id), released(self._reservation(id)))

    async def expire_reservations(self, at: datetime, limit: int) -> int:
        at = canonical_time("at", at)
        canonical_limit(limit)
        due = sorted(
            (each.expires_at, each.id)
            for each in self._reservations.values()
            if each.state is ReservationState.OPEN and each.expires_at <= at
        )
        for _, due_id in due[:limit]:
            stored = self._reservations[due_id]
            self._end(stored, replace(stored, state=ReservationState.EXPIRED))
        return len(due[:limit])

    async def raise_alerts(self, budget: BudgetId, at: datetime) -> tuple[Alert, ...]:
        canonical_id("budget", budget)
        at = canonical_time("at", at)
        found = reached(self._budget(budget), at)
        raised = {alert.id: alert for alert in found if alert.id not in self._alerts}
        self._alerts.update(raised)
        return tuple(raised.values())

    async def list_alerts(
        self, filter: AlertFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Alert]:
        wanted = canonical(filter)
        alerts = [
            alert
            for alert in self._alerts.values()
            if wanted.budget in (None, alert.budget)
            and (wanted.since is None or wanted.since <= alert.raised_at)
            and (alert.id, wanted.undelivered_to) not in self._deliveries
        ]
        return take_page(ALERT_ORDER, alerts, cursor, limit)

    async def mark_delivered(self, alert: AlertId, sink: SinkName, at: datetime) -> Delivery:
        made = canonical(Delivery(alert=alert, sink=sink, at=at))
        if alert not in self._alerts:
            raise NotFound("alert", alert)
        return self._deliveries.setdefault((alert, sink), made)

    async def list_deliveries(
        self, alert: AlertId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Delivery]:
        canonical_id("alert", alert)
        found = [each for each in self._deliveries.values() if each.alert == alert]
        return take_page(DELIVERY_ORDER, found, cursor, limit)

    def _charge(self, id: ChargeId) -> Charge:
        if id not in self._charges:
            raise NotFound("charge", id)
        return self._charges[id]

    def _new_charge(self, charge: Charge) -> Charge:
        if self._charges.get(charge.id, charge) != charge:
            raise Duplicate("id")
        return charge

    def _budget(self, id: BudgetId) -> BudgetStatus:
        if id not in self._budgets:
            raise NotFound("budget", id)
        return self._budgets[id]

    def _reservation(self, id: ReservationId) -> Reservation:
        if id not in self._reservations:
            raise NotFound("reservation", id)
        return self._reservations[id]

    def _end(self, before: Reservation, after: Reservation) -> Reservation:
        if after != before:
            changed = [
                ending(
                    self._budgets[each.budget], self._windows[before.id, each.budget], before, after
                )
                for each in before.amounts
            ]
            self._budgets.update({status.budget.id: status for status in changed})
            self._reservations[before.id] = after
        return after
