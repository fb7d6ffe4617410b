"""For archives and migrations: the collections of costs. Rollups are made again from the ledger.

A reservation is two of them, as in a database: itself, and what it holds in each budget.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.collections import (
    Collection,
    Content,
    Kept,
    Reference,
    by_id,
    kept_in,
    rows_of,
)
from storeproof.reference.costs.database.reserving import status_of
from storeproof.reference.costs.database.rollups import REBUILD, charge_row
from storeproof.reference.costs.database.tables import (
    ALERTS,
    BUDGETS,
    CHARGES,
    CORRECTIONS,
    DELIVERIES,
    HELD,
    RESERVATIONS,
    SCHEMA,
    SERIES,
    VERSIONS,
    hour_of,
)
from storeproof.reference.costs.entities import (
    Alert,
    Budget,
    BudgetAmount,
    BudgetId,
    BudgetStatus,
    BudgetVersion,
    Charge,
    Correction,
    Delivery,
    Reservation,
    ReservationId,
    ReservationState,
    canonical,
)
from storeproof.reference.costs.entities.money import money, nanos
from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.database import Row
from storeproof.reference.database.entities import columns, entity
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import canonical_values
from storeproof.reference.values import MAX_INTEGER

__all__ = ["CONTENT", "Held", "Made"]

Item = TypeVar("Item", bound=msgspec.Struct)

_LARGEST: Final = money(MAX_INTEGER)


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A reservation without its amounts."""

    id: ReservationId
    at: datetime
    expires_at: datetime
    state: ReservationState


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a reservation holds in a budget's window, and what was spent of it."""

    reservation: ReservationId
    budget: BudgetId
    amount: Decimal
    settled: Decimal | None
    window_start: datetime


def _with_budget(item: BudgetStatus | BudgetVersion) -> BudgetStatus | BudgetVersion:
    canonical(item.budget)
    return _with_amounts(item)


def _with_amounts(item: Item) -> Item:
    for field in item.__struct_fields__:
        value = getattr(item, field)
        if isinstance(value, Decimal):
            _check_amount(field, value)
    return canonical_values(item)


def _check_amount(field: str, value: Decimal) -> None:
    """What was added up may be more than what may be charged, but a database must hold it."""
    if not value.is_finite() or value.adjusted() > _LARGEST.adjusted() or abs(value) > _LARGEST:
        raise InvalidValue(field, f"must be from -{_LARGEST} to {_LARGEST}")
    if str(money(nanos(value))) != str(value):
        raise InvalidValue(field, "must be without exponent, trailing zeros and a tenth decimal")


def _correction_values(correction: Correction) -> dict[str, Any]:
    """Without its charge's series, which is filled in once all is loaded."""
    nothing: dict[str, Any] = {**dict.fromkeys(SERIES, ""), "tags": frozenset()}
    return {**asdict(correction), "hour": hour_of(correction.at), **nothing}


_FILL_SERIES = (
    sa.update(CORRECTIONS)
    .where(CORRECTIONS.c.charge == CHARGES.c.id)
    .values({CORRECTIONS.c[name]: CHARGES.c[name] for name in SERIES})
)


def _budget_values(status: BudgetStatus) -> dict[str, Any]:
    return {**asdict(status.budget), **asdict(status)}


def _budgets() -> Kept[BudgetStatus]:
    own = columns(BUDGETS, Budget)
    names = ("version", "window_start", "window_end", "spent", "reserved")
    return Kept(
        table=BUDGETS,
        select=sa.select(*own, *(BUDGETS.c[name] for name in names)).order_by(BUDGETS.c.id),
        make=status_of,
        rows=rows_of(BUDGETS, _budget_values),
    )


def _version_of(row: Row) -> BudgetVersion:
    *budget, version, actor, at = row
    made = entity(Budget, tuple(budget))
    return BudgetVersion(budget=made, version=version, actor=actor, at=at)


def _versions() -> Kept[BudgetVersion]:
    found = sa.select(*columns(VERSIONS, Budget), *(VERSIONS.c[n] for n in ("version", "actor")))
    return Kept(
        table=VERSIONS,
        select=found.add_columns(VERSIONS.c.at).order_by(VERSIONS.c.id, VERSIONS.c.version),
        make=_version_of,
        rows=rows_of(VERSIONS, lambda made: {**asdict(made.budget), **asdict(made)}),
    )


def _take_versions(storage: InMemoryCostStorage, versions: Iterable[BudgetVersion]) -> None:
    for each in versions:
        storage._versions.setdefault(each.budget.id, []).append(each)


def _give_made(storage: InMemoryCostStorage) -> Iterator[Made]:
    for each in storage._reservations.values():
        yield Made(id=each.id, at=each.at, expires_at=each.expires_at, state=each.state)


def _take_made(storage: InMemoryCostStorage, reservations: Iterable[Made]) -> None:
    for each in reservations:
        settled = () if each.state is ReservationState.SETTLED else None
        made = Reservation(**asdict(each), amounts=(), settled=settled)
        storage._reservations[each.id] = made


def _give_held(storage: InMemoryCostStorage) -> Iterator[Held]:
    for each in storage._reservations.values():
        settled = {part.budget: part.amount for part in each.settled or ()}
        for part in each.amounts:
            yield Held(
                reservation=each.id,
                budget=part.budget,
                amount=part.amount,
                settled=settled.get(part.budget),
                window_start=storage._windows[each.id, part.budget],
            )


def _take_held(storage: InMemoryCostStorage, held: Iterable[Held]) -> None:
    for each in held:
        before = storage._reservations[each.reservation]
        amounts = (*before.amounts, BudgetAmount(budget=each.budget, amount=each.amount))
        settled = before.settled
        if settled is not None and each.settled is not None:
            settled = (*settled, BudgetAmount(budget=each.budget, amount=each.settled))
        after = msgspec.structs.replace(before, amounts=amounts, settled=settled)
        storage._reservations[each.reservation] = after
        storage._windows[each.reservation, each.budget] = each.window_start


_ID = ("id",)


_COLLECTIONS: tuple[Collection[Any], ...] = (
    Collection(
        name="costs.charges",
        item=Charge,
        key=_ID,
        canonical=canonical,
        give=lambda storage: storage._charges.values(),
        take=lambda storage, charges: storage._charges.update(by_id(charges)),
        kept=kept_in(CHARGES, Charge, _ID, values=charge_row),
    ),
    Collection(
        name="costs.corrections",
        item=Correction,
        key=_ID,
        canonical=canonical,
        references=(Reference(fields=("charge",), to=("costs.charges",)),),
        give=lambda storage: storage._corrections.values(),
        take=lambda storage, corrections: storage._corrections.update(by_id(corrections)),
        kept=kept_in(
            CORRECTIONS, Correction, _ID, values=_correction_values, after=(_FILL_SERIES,)
        ),
    ),
    Collection(
        name="costs.budgets",
        item=BudgetStatus,
        key=("budget.id",),
        canonical=_with_budget,
        give=lambda storage: storage._budgets.values(),
        take=lambda storage, budgets: storage._budgets.update(
            {each.budget.id: each for each in budgets}
        ),
        kept=_budgets(),
    ),
    Collection(
        name="costs.budget_versions",
        item=BudgetVersion,
        key=("budget.id", "version"),
        canonical=_with_budget,
        references=(Reference(fields=("budget.id",), to=("costs.budgets",)),),
        give=lambda storage: [each for found in storage._versions.values() for each in found],
        take=_take_versions,
        kept=_versions(),
    ),
    Collection(
        name="costs.reservations",
        item=Made,
        key=_ID,
        canonical=canonical_values,
        give=_give_made,
        take=_take_made,
        kept=kept_in(RESERVATIONS, Made, _ID),
    ),
    Collection(
        name="costs.held",
        item=Held,
        key=("reservation", "budget"),
        canonical=_with_amounts,
        references=(
            Reference(fields=("reservation",), to=("costs.reservations",)),
            Reference(fields=("budget",), to=("costs.budgets",)),
        ),
        give=_give_held,
        take=_take_held,
        kept=kept_in(HELD, Held, ("reservation", "budget")),
    ),
    Collection(
        name="costs.alerts",
        item=Alert,
        key=_ID,
        canonical=_with_amounts,
        references=(Reference(fields=("budget",), to=("costs.budgets",)),),
        give=lambda storage: storage._alerts.values(),
        take=lambda storage, alerts: storage._alerts.update(by_id(alerts)),
        kept=kept_in(ALERTS, Alert, _ID),
    ),
    Collection(
        name="costs.deliveries",
        item=Delivery,
        key=("alert", "sink"),
        canonical=canonical,
        references=(Reference(fields=("alert",), to=("costs.alerts",)),),
        give=lambda storage: storage._deliveries.values(),
        take=lambda storage, deliveries: storage._deliveries.update(
            {(each.alert, each.sink): each for each in deliveries}
        ),
        kept=kept_in(DELIVERIES, Delivery, ("alert", "sink")),
    ),
)


CONTENT = Content(schema=SCHEMA, collections=_COLLECTIONS, rebuild=(REBUILD,))
