"""For users and authors of a cost storage: budgets, reservations in them, and alerts.

`BudgetStatus` and the functions of it here are the arithmetic that every storage shares.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, NewType, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from storeproof.reference.costs.entities.ledger import (
    Currency,
    ModelName,
    OwnerPath,
    ProviderName,
    Tag,
    midnight,
)
from storeproof.reference.costs.entities.money import MAX_TOTAL, money, nanos
from storeproof.reference.costs.exceptions import (
    BudgetExceeded,
    BudgetOverflow,
    ReservationClosed,
)
from storeproof.reference.exceptions import InUse, NotFound, VersionConflict
from storeproof.reference.values import EARLIEST, LATEST

__all__ = [
    "NOTHING",
    "Actor",
    "Amounts",
    "Budget",
    "BudgetAmount",
    "BudgetFilter",
    "BudgetId",
    "BudgetStatus",
    "BudgetVersion",
    "Policy",
    "Reservation",
    "ReservationId",
    "ReservationState",
    "Window",
    "ending",
    "holding",
    "in_window",
    "put",
    "released",
    "settled",
    "spent_in",
]

BudgetId = NewType("BudgetId", str)
ReservationId = NewType("ReservationId", str)
Actor = NewType("Actor", str)
"""Who changes budgets: a user's id, or the name of a program."""

NOTHING: Final = Decimal(0)


class Window(StrEnum):
    """How long a budget lasts before it starts anew: calendar days, weeks from Monday, months."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


class Policy(StrEnum):
    """What happens to a request that does not fit.

    BLOCK and ROUTE refuse the reservation; ROUTE asks the service for a cheaper provider.
    WARN reserves beyond the limit.
    """

    BLOCK = "block"
    WARN = "warn"
    ROUTE = "route"


class Budget(msgspec.Struct, frozen=True, kw_only=True):
    """How much the owners in `scope` may spend in each `window`, whose days are `timezone`'s.

    Where it names them, only what goes to that provider, or model, or has that tag, counts.
    `thresholds` are percentages of `limit`, 1 to 100, that raise an alert when spent.
    """

    id: BudgetId
    scope: OwnerPath = OwnerPath("")
    provider: ProviderName | None = None
    model: ModelName | None = None
    tag: Tag | None = None
    limit: Decimal
    currency: Currency
    window: Window = Window.MONTH
    timezone: str = "UTC"
    thresholds: frozenset[int] = frozenset()
    policy: Policy = Policy.BLOCK


FIXED_FIELDS: Final = ("currency", "window", "timezone")
"""What a budget keeps for ever, because its sums depend on it."""


class BudgetVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as `actor` put it at `at`; versions count from 1."""

    budget: Budget
    version: int
    actor: Actor
    at: datetime


class BudgetFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Budgets that match all that is given: those in which such a request counts.

    Their scope covers the owner `covering`. They name this provider, this model, one of these
    tags, or none at all: `tags` without a member are those of a request without tags.
    """

    covering: OwnerPath | None = None
    provider: ProviderName | None = None
    model: ModelName | None = None
    tags: frozenset[Tag] | None = None
    currency: Currency | None = None


class BudgetStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What is spent and reserved in the window from `window_start` to `window_end` (excluded).

    `window_end` None: the window has no end.
    """

    budget: Budget
    version: int
    window_start: datetime
    window_end: datetime | None
    spent: Decimal = NOTHING
    reserved: Decimal = NOTHING

    @property
    def available(self) -> Decimal:
        """What may still be reserved within the limit; below zero when it is passed."""
        return money(nanos(self.budget.limit) - nanos(self.spent) - nanos(self.reserved))


class BudgetAmount(msgspec.Struct, frozen=True, kw_only=True):
    """Zero or more of a budget's currency, in that budget."""

    budget: BudgetId
    amount: Decimal


Amounts: TypeAlias = Annotated[tuple[BudgetAmount, ...], msgspec.Meta(min_length=1)]
"""At least one amount, at most 100; those of one budget add up."""


class ReservationState(StrEnum):
    OPEN = "open"
    SETTLED = "settled"
    RELEASED = "released"
    EXPIRED = "expired"


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """Amounts set aside in budgets, by budget; `settled` is what was spent of them."""

    id: ReservationId
    amounts: tuple[BudgetAmount, ...]
    at: datetime
    expires_at: datetime
    state: ReservationState = ReservationState.OPEN
    settled: tuple[BudgetAmount, ...] | None = None


def put(before: BudgetStatus | None, budget: Budget, expected_version: int) -> BudgetStatus:
    """The status after the budget is put; the window of a new one is empty, for the first use.

    Raises NotFound, VersionConflict or InUse, as `CostStorage.put_budget` says.
    """
    if before is None:
        if expected_version != 0:
            raise NotFound("budget", budget.id)
        return BudgetStatus(budget=budget, version=1, window_start=EARLIEST, window_end=EARLIEST)
    if before.version != expected_version:
        raise VersionConflict("budget", budget.id, expected_version)
    for field in FIXED_FIELDS:
        if getattr(budget, field) != getattr(before.budget, field):
            raise InUse("budget", budget.id, field)
    return replace(before, budget=budget, version=expected_version + 1)


def in_window(status: BudgetStatus, at: datetime) -> BudgetStatus:
    """The status at an instant: with nothing in it when its window has ended by then.

    An instant before the window counts in it: a budget's time never goes back.
    """
    if status.window_end is None or at < status.window_end:
        return status
    start, end = _bounds(status.budget, at)
    return replace(status, window_start=start, window_end=end, spent=NOTHING, reserved=NOTHING)


def holding(status: BudgetStatus, amount: Decimal) -> BudgetStatus:
    """The status with this amount reserved. Raises BudgetExceeded or BudgetOverflow."""
    if status.budget.policy is not Policy.WARN and amount > status.available:
        raise BudgetExceeded(status.budget.id, status.available)
    return replace(status, reserved=_total(status, status.reserved, amount))


def ending(
    status: BudgetStatus, window_start: datetime, before: Reservation, after: Reservation
) -> BudgetStatus:
    """The status of a budget in which a reservation, made in that window, ends.

    Raises BudgetOverflow.
    """
    if status.window_start != window_start:
        return status
    budget = status.budget.id
    is_open = before.state is ReservationState.OPEN
    held = by_budget(before.amounts)[budget] if is_open else NOTHING
    spent = by_budget(after.settled or ()).get(budget, NOTHING)
    return replace(
        status,
        reserved=money(nanos(status.reserved) - nanos(held)),
        spent=_total(status, status.spent, spent),
    )


def spent_in(
    reservation: Reservation, amounts: tuple[BudgetAmount, ...]
) -> tuple[BudgetAmount, ...]:
    """What these amounts say was spent in each budget of the reservation.

    Raises NotFound, as `CostStorage.settle` says.
    """
    spent = by_budget(amounts)
    held = by_budget(reservation.amounts)
    for budget in sorted(spent.keys() - held.keys()):
        raise NotFound("budget", budget)
    return tuple(BudgetAmount(budget=each, amount=spent.get(each, NOTHING)) for each in held)


def settled(reservation: Reservation, spent: tuple[BudgetAmount, ...]) -> Reservation:
    """The reservation with what was spent; itself when it is settled with that already.

    Raises ReservationClosed, as `CostStorage.settle` says.
    """
    closed = reservation.state is ReservationState.SETTLED and reservation.settled != spent
    if closed or reservation.state is ReservationState.RELEASED:
        raise ReservationClosed(reservation.id, reservation.state.value)
    return replace(reservation, state=ReservationState.SETTLED, settled=spent)


def released(reservation: Reservation) -> Reservation:
    """The reservation after a release. Raises ReservationClosed when it is settled."""
    if reservation.state is ReservationState.SETTLED:
        raise ReservationClosed(reservation.id, reservation.state.value)
    if reservation.state is ReservationState.EXPIRED:
        return reservation
    return replace(reservation, state=ReservationState.RELEASED)


def _total(status: BudgetStatus, before: Decimal, amount: Decimal) -> Decimal:
    total = money(nanos(before) + nanos(amount))
    if total > MAX_TOTAL:
        raise BudgetOverflow(status.budget.id)
    return total


def _bounds(budget: Budget, at: datetime) -> tuple[datetime, datetime | None]:
    if budget.window is Window.TOTAL:
        return EARLIEST, None
    zone = ZoneInfo(budget.timezone)
    first = _first_day(budget.window, at.astimezone(zone).date())
    try:
        end = midnight(_next_first_day(budget.window, first), zone)
    except OverflowError:
        end = LATEST
    return midnight(first, zone), None if end == LATEST else end


def _first_day(window: Window, day: date) -> date:
    if window is Window.WEEK:
        # The calendar itself begins on a Monday.
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if window is Window.MONTH else day


def _next_first_day(window: Window, first: date) -> date:
    if window is Window.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if window is Window.WEEK else 1)


def by_budget(amounts: Iterable[BudgetAmount]) -> dict[BudgetId, Decimal]:
    """The amounts as a mapping."""
    return {each.budget: each.amount for each in amounts}
