"""Authors of cost laws build what a law starts from here, and state what it ends with."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from storeproof.harness.paging import walk
from storeproof.reference.costs.entities import (
    Actor,
    Budget,
    BudgetAmount,
    BudgetId,
    Charge,
    ChargeId,
    Correction,
    Dimension,
    ReportQuery,
    ReportRow,
    Reservation,
    ReservationId,
    Window,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.law_words import is_invalid, is_refused

__all__ = [
    "ACTOR",
    "DAY",
    "HOUR",
    "LATER",
    "NANO",
    "NOW",
    "TICK",
    "add_budget",
    "amounts",
    "budget",
    "charge",
    "correction",
    "is_invalid",
    "is_refused",
    "query",
    "reservation_id",
    "reserve",
    "rows",
    "spend",
    "sums",
    "totals",
    "walk",
]

Item = TypeVar("Item")

NOW: Final = datetime(2026, 3, 11, 12, tzinfo=UTC)
"""A Wednesday."""
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
LATER: Final = NOW + HOUR
NANO: Final = Decimal("0.000000001")
ACTOR: Final = Actor("ann")


def charge(id: str, amount: str = "1", **fields: Any) -> Charge:
    plain: dict[str, Any] = {
        "id": ChargeId(id),
        "amount": Decimal(amount),
        "currency": "USD",
        "owner": "org/team",
        "provider": "acme",
        "model": "small",
        "occurred_at": NOW,
    }
    return Charge(**plain | {name: _tags(name, value) for name, value in fields.items()})


def _tags(name: str, value: Any) -> Any:
    return frozenset(value.split()) if name == "tags" and isinstance(value, str) else value


def correction(id: str, of: str, amount: str = "-1", **fields: Any) -> Correction:
    plain: dict[str, Any] = {"id": id, "charge": of, "amount": Decimal(amount), "at": NOW}
    return Correction(**plain | fields)


def query(group_by: Dimension, **fields: Any) -> ReportQuery:
    """A query of the whole of March 2026."""
    days: dict[str, Any] = {"start": date(2026, 3, 1), "end": date(2026, 4, 1)}
    return ReportQuery(group_by=group_by, **days | fields)


async def sums(
    storage: CostStorage, group_by: Dimension, **fields: Any
) -> dict[str | None, Decimal]:
    """The amounts of a report in US dollars by key, in the order of the rows."""
    found = await storage.report(query(group_by, **fields))
    return {row.key: row.amount for row in found if row.currency == "USD"}


def rows(*parts: tuple[str, str | None, str, int]) -> tuple[ReportRow, ...]:
    """Rows of currency, key, amount and charges."""
    return tuple(
        ReportRow(currency=currency, key=key, amount=Decimal(amount), charges=count)  # type: ignore[arg-type] # laws write NewTypes as text
        for currency, key, amount, count in parts
    )


def budget(id: str, limit: str = "10", **fields: Any) -> Budget:
    plain: dict[str, Any] = {
        "id": BudgetId(id),
        "limit": Decimal(limit),
        "currency": "USD",
        "window": Window.DAY,
    }
    return Budget(**plain | fields)


async def add_budget(storage: CostStorage, id: str, limit: str = "10", **fields: Any) -> BudgetId:
    await storage.put_budget(budget(id, limit, **fields), 0, ACTOR, NOW)
    return BudgetId(id)


def amounts(**by_budget: str) -> tuple[BudgetAmount, ...]:
    """Amounts in budgets, in the order given: amounts(a="1", b="0.5")."""
    return tuple(
        BudgetAmount(budget=BudgetId(name), amount=Decimal(amount))
        for name, amount in by_budget.items()
    )


def reservation_id(id: str) -> ReservationId:
    return ReservationId(id)


async def reserve(
    storage: CostStorage,
    id: str,
    at: datetime = NOW,
    expires_at: datetime | None = None,
    **by_budget: str,
) -> Reservation:
    """Reserves for an hour if no end is given."""
    end = at + HOUR if expires_at is None else expires_at
    return await storage.reserve(ReservationId(id), amounts(**by_budget), at, end)


async def spend(storage: CostStorage, id: str, at: datetime = NOW, **by_budget: str) -> None:
    """Reserves and settles these amounts."""
    await reserve(storage, id, at, None, **by_budget)
    await storage.settle(ReservationId(id), amounts(**by_budget))


async def totals(storage: CostStorage, id: str, at: datetime = NOW) -> tuple[str, str]:
    """What is spent and what is reserved in a budget, as text."""
    status = await storage.budget_status(BudgetId(id), at)
    return str(status.spent), str(status.reserved)
