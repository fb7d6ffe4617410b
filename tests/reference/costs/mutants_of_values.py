"""For the tests of the cost laws: what those of canonical values must not let pass."""

from datetime import UTC
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import BudgetAmount, ReservationId
from storeproof.reference.exceptions import NotFound
from storeproof.reference.values import canonical_id

from ..breaking import Mutant
from .mutants import accepting, altering, answering, checking, replacing


async def looks_first(storage: Any, id: Any, **_: Any) -> None:
    if isinstance(id, str) and id not in storage._reservations:
        raise NotFound("reservation", id)


async def charge_first(storage: Any, correction: Any) -> None:
    if correction.charge not in storage._charges:
        raise NotFound("charge", correction.charge)


async def end_first(_storage: Any, id: Any, at: Any, expires_at: Any, **_: Any) -> None:
    canonical_id("id", id)
    if at.tzinfo and expires_at.tzinfo and at > expires_at:
        raise NotFound("end", "first")


async def no_zero(_storage: Any, right: Any, amounts: Any, **_: Any) -> Any:
    kept = tuple(each for each in amounts if each.amount)
    return await right(amounts=kept)


async def last_wins(_storage: Any, right: Any, amounts: Any, **_: Any) -> Any:
    members = all(isinstance(each, BudgetAmount) for each in amounts)
    named = {each.budget: each for each in amounts} if members else {}
    return await right(amounts=tuple(named.values()) if named else amounts)


def rounding(operation: str, parameter: str, field: str) -> Mutant:
    """Keeps 6 decimals."""

    def change(entity: Any) -> Any:
        value = getattr(entity, field)
        if not isinstance(value, Decimal) or not value.is_finite() or abs(value) > 10**9:
            return entity
        return replace(entity, **{field: value.quantize(Decimal("1E-6"))})

    return altering(operation, **{parameter: change})


def keeps_zeros(page: Any) -> Any:
    return replace(page, amount=page.amount.quantize(Decimal("1.000000000")))


def naive_as_utc(at: Any) -> Any:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def drops_microseconds(at: Any) -> Any:
    return at.replace(microsecond=0)


MUTANTS: dict[str, list[Mutant]] = {
    "COST-057": [
        rounding("create", "entity", "amount"),
        answering("get_by_id", keeps_zeros),
        altering("create", entity=lambda c: replace(c, amount=Decimal(repr(float(c.amount))))),
    ],
    "COST-058": [
        accepting("create", "amount"),
        accepting("correct", "amount"),
        accepting("put_budget", "limit"),
        accepting("reserve", "amount"),
        accepting("settle", "amount"),
        rounding("create", "entity", "amount"),
    ],
    "COST-059": [
        accepting("put_budget", "limit"),
        accepting("reserve", "amount"),
        replacing("settle", no_zero),
        replacing("reserve", no_zero),
    ],
    "COST-060": [
        accepting("reserve", "amounts"),
        accepting("settle", "amounts"),
        replacing("reserve", last_wins),
    ],
    "COST-061": [
        altering("put_budget", at=drops_microseconds),
        altering("reserve", at=drops_microseconds),
        altering("correct", correction=lambda c: replace(c, at=drops_microseconds(c.at))),
    ],
    "COST-062": [
        *(
            altering(name, at=naive_as_utc)
            for name in ("budget_status", "put_budget", "expire_reservations", "raise_alerts")
        ),
        accepting("create", "occurred_at"),
        accepting("reserve", "expires_at"),
        accepting("list_charges", "until"),
    ],
    "COST-063": [
        accepting("create", "id"),
        accepting("create", "provider"),
        accepting("create", "unit"),
        accepting("correct", "reason"),
        accepting("put_budget", "actor"),
        accepting("reserve", "budget"),
        accepting("list_alerts", "budget"),
    ],
    "COST-064": [
        accepting("create", "owner"),
        accepting("put_budget", "scope"),
        accepting("list_budgets", "covering"),
        accepting("create", "currency"),
        accepting("put_budget", "currency"),
    ],
    "COST-065": [
        accepting("report", "end"),
        accepting("report", "timezone"),
        accepting("report", "group_by"),
        accepting("put_budget", "timezone"),
    ],
    "COST-066": [
        accepting("create", "quantity"),
        accepting("put_budget", "thresholds"),
        accepting("put_budget", "expected_version"),
    ],
    "COST-067": [
        checking("settle", looks_first),
        checking("correct", charge_first),
        checking("reserve", end_first),
        accepting("put_budget", "limit"),
        altering("create", entity=lambda c: replace(c, id=c.id or ReservationId("x"))),
    ],
}
