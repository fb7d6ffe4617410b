"""For authors of cost storages: the canonical form of every argument."""

import re
from datetime import date, datetime
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from storeproof.reference import values
from storeproof.reference.costs.entities.alerts import AlertFilter, Delivery
from storeproof.reference.costs.entities.budgets import (
    Budget,
    BudgetAmount,
    BudgetFilter,
    BudgetId,
    Policy,
    Reservation,
    ReservationId,
    Window,
)
from storeproof.reference.costs.entities.ledger import (
    Allocation,
    Charge,
    ChargeFilter,
    Correction,
    Dimension,
    OwnerPath,
    ReportQuery,
    canonical_zone,
)
from storeproof.reference.costs.entities.money import (
    canonical_amount,
    canonical_money,
    money,
    nanos,
)
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import Rules, by_rules, integer, member, names, optional, text

__all__ = [
    "MAX_AMOUNTS",
    "canonical",
    "canonical_amounts",
    "new_reservation",
    "same_reservation",
]

Entity = TypeVar("Entity", bound=msgspec.Struct)

MAX_AMOUNTS: Final = 100
MAX_LEVELS = 4
MAX_TEXT = 1000
_CURRENCY = re.compile(r"[A-Z]{3}")


def _currency(field: str, value: str) -> str:
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise InvalidValue(field, "must be three capital letters")
    return value


def _path(field: str, value: OwnerPath) -> str:
    values.canonical_text(field, value, values.MAX_ID)
    parts = value.split("/") if value else []
    if not all(parts) or len(parts) > MAX_LEVELS:
        raise InvalidValue(field, f"must be at most {MAX_LEVELS} parts joined by single slashes")
    return value


def _percents(field: str, percents: frozenset[int]) -> frozenset[int]:
    if not isinstance(percents, frozenset):
        raise InvalidValue(field, "must be a frozenset of integers")
    return frozenset(values.canonical_integer(field, each, 1, 100) for each in percents)


def _zone(field: str, value: str) -> str:
    canonical_zone(field, value)
    return value


def _day(field: str, value: date) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise InvalidValue(field, "must be a date")
    return value


_ID, _NAME, _TIME = values.canonical_id, values.canonical_name, values.canonical_time
_RULES: Rules = {
    Charge: {
        "id": _ID,
        "amount": canonical_money,
        "currency": _currency,
        "owner": _path,
        "provider": _NAME,
        "model": _NAME,
        "quantity": integer(0, values.MAX_INTEGER),
        "unit": text(values.MAX_NAME),
        "tags": names,
        "occurred_at": _TIME,
    },
    Correction: {
        "id": _ID,
        "charge": _ID,
        "amount": canonical_money,
        "reason": text(MAX_TEXT),
        "at": _TIME,
    },
    ChargeFilter: {
        "owner": optional(_path),
        "provider": optional(_NAME),
        "model": optional(_NAME),
        "tag": optional(_NAME),
        "currency": optional(_currency),
        "since": optional(_TIME),
        "until": optional(_TIME),
    },
    ReportQuery: {
        "group_by": member(Dimension),
        "start": _day,
        "end": _day,
        "timezone": _zone,
        "allocation": member(Allocation),
    },
    Budget: {
        "id": _ID,
        "scope": _path,
        "provider": optional(_NAME),
        "model": optional(_NAME),
        "tag": optional(_NAME),
        "limit": canonical_amount,
        "currency": _currency,
        "window": member(Window),
        "timezone": _zone,
        "thresholds": _percents,
        "policy": member(Policy),
    },
    BudgetFilter: {
        "covering": optional(_path),
        "provider": optional(_NAME),
        "model": optional(_NAME),
        "tags": optional(names),
        "currency": optional(_currency),
    },
    AlertFilter: {
        "budget": optional(_ID),
        "since": optional(_TIME),
        "undelivered_to": optional(_NAME),
    },
    Delivery: {"alert": _ID, "sink": _NAME, "at": _TIME},
    BudgetAmount: {"budget": _ID, "amount": canonical_amount},
}


def canonical(entity: Entity) -> Entity:
    """The entity, filter or query in the form in which every storage stores and returns it.

    Raises InvalidValue for the first bad field, in the order of declaration; then for a
    query whose `end` is before its `start` ("end").
    """
    made = by_rules(_RULES, entity)
    if isinstance(entity, ReportQuery) and entity.end < entity.start:
        raise InvalidValue("end", "must not be before start")
    return made


def canonical_amounts(field: str, amounts: tuple[BudgetAmount, ...]) -> tuple[BudgetAmount, ...]:
    """1 to 100 amounts, those of one budget added up, in the order of the budgets' ids.

    Raises InvalidValue for `field` as a whole, then "budget" or "amount" for a member, then
    for `field` when a sum is out of range.
    """
    if not isinstance(amounts, tuple) or not all(isinstance(x, BudgetAmount) for x in amounts):
        raise InvalidValue(field, "must be a tuple of BudgetAmounts")
    if not 1 <= len(amounts) <= MAX_AMOUNTS:
        raise InvalidValue(field, f"must have 1 to {MAX_AMOUNTS} members")
    sums: dict[BudgetId, int] = {}
    for each in map(canonical, amounts):
        sums[each.budget] = sums.get(each.budget, 0) + nanos(each.amount)
    return tuple(
        BudgetAmount(budget=budget, amount=canonical_amount(field, money(sums[budget])))
        for budget in sorted(sums)
    )


def new_reservation(
    id: ReservationId, amounts: tuple[BudgetAmount, ...], at: datetime, expires_at: datetime
) -> Reservation:
    """The open reservation that canonical forms of these arguments make."""
    values.canonical_id("id", id)
    amounts = canonical_amounts("amounts", amounts)
    at = values.canonical_time("at", at)
    expires_at = values.canonical_time("expires_at", expires_at)
    if expires_at <= at:
        raise InvalidValue("expires_at", "must be later than at")
    return Reservation(id=id, amounts=amounts, at=at, expires_at=expires_at)


def same_reservation(stored: Reservation, made: Reservation) -> bool:
    """Whether a stored reservation was made with the arguments that `made` has."""
    return replace(stored, state=made.state, settled=made.settled) == made
