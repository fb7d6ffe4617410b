"""For the tests of cost storages: short ways to make entities and to run operations."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from storeproof.reference.costs import (
    Actor,
    Budget,
    BudgetAmount,
    BudgetId,
    Charge,
    ChargeId,
    Correction,
    CorrectionId,
    CostStorage,
    Currency,
    ReservationId,
)

Result = TypeVar("Result")

NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ACTOR = Actor("ann")


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
    return Charge(**plain | fields)


def correction(id: str, of: str, amount: str = "-1") -> Correction:
    return Correction(id=CorrectionId(id), charge=ChargeId(of), amount=Decimal(amount), at=NOW)


def budget(id: str, limit: str = "10", **fields: Any) -> Budget:
    plain: dict[str, Any] = {"limit": Decimal(limit), "currency": Currency("USD")}
    return Budget(id=BudgetId(id), **plain | fields)


def amounts(**by_budget: str) -> tuple[BudgetAmount, ...]:
    return tuple(
        BudgetAmount(budget=BudgetId(name), amount=Decimal(amount))
        for name, amount in by_budget.items()
    )


async def put(storage: CostStorage, id: str, limit: str = "10", **fields: Any) -> None:
    await storage.put_budget(budget(id, limit, **fields), 0, ACTOR, NOW)


async def reserve(storage: CostStorage, id: str, **by_budget: str) -> None:
    await storage.reserve(ReservationId(id), amounts(**by_budget), NOW, NOW + HOUR)


def run(operation: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(operation)
