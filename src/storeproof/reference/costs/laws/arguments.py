"""For the contract of cost storages: the values that its programs draw.

Budgets, and the charges of settlements, are drawn whole: put together field by field they
would seldom be ones in which a reservation is settled and an alert is raised.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from storeproof.reference.costs.entities import (
    Actor,
    AlertId,
    Allocation,
    Budget,
    BudgetId,
    Charge,
    ChargeId,
    CorrectionId,
    Currency,
    Dimension,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    ReservationId,
    SinkName,
    Tag,
    Window,
    alert_id,
)
from storeproof.reference.law_words import field, maybe, some

__all__ = ["ARGUMENTS"]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK, HOUR, DAY = timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1)


BAD_TIMES = (NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=UTC))
LOCAL = timezone(timedelta(hours=5, minutes=30))
MIDNIGHT = NOW.replace(hour=0)
TIMES = (
    NOW,
    MIDNIGHT,
    MIDNIGHT - TICK,
    MIDNIGHT + DAY,
    NOW + TICK,
    NOW + HOUR,
    NOW - 2 * DAY,
    NOW + 31 * DAY,
    (NOW + HOUR).astimezone(LOCAL),
)
ENDS = (NOW + 40 * DAY, NOW + 41 * DAY)
DUE = (NOW + 41 * DAY, NOW + 40 * DAY, NOW + 40 * DAY - TICK)
IDS, ODD_IDS = ("a", "b"), ("A", "é", "e\u0301", "a ", "", "\0", "a" * 256)
NAMES, ODD_NAMES = ("x", "y", "é"), ("X", "", "a\0", "a" * 129)
AMOUNTS = tuple(
    map(Decimal, ("1", "0.1", "2.5", "0.000000001", "0", "3.333333333", "999999999.999999999"))
)
CREDITS = tuple(map(Decimal, ("-1", "-0.000000001", "1E+2", "1000000000")))
BAD_AMOUNTS = tuple(
    map(Decimal, ("NaN", "Infinity", "0.0000000001", "1000000000.1", "-1E+10", "1E-999999"))
)
PARTS = tuple(map(Decimal, ("1", "0.1", "2.5", "3.333333333", "0.5", "1", "0.000000001", "0")))
LIMITS = tuple(map(Decimal, ("10", "5", "20", "7.5")))
OWNERS = ("", "o", "o/t", "o/t/u", "o/t/u/k", "o/tt", "p/t", "O", "é/%")
BAD_OWNERS = ("/", "o/", "a//b", "a/b/c/d/e", "\0")
CURRENCIES, BAD_CURRENCIES = ("USD", "EUR"), ("usd", "US", "", "USDX")
ZONES = ("UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Apia")
BAD_ZONES = ("", "Nowhere/None", "../UTC", "\0")
DATES = (date(2026, 3, 1), date(2026, 3, 2), date(2026, 2, 27), date(2026, 4, 1))
FAR_DATES = (date.min, date.max)
TAGS: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"x"}),
    frozenset({"x", "y"}),
    frozenset({"x", "y", "é"}),
)
THRESHOLDS: tuple[frozenset[int], ...] = (
    frozenset({1}),
    frozenset({1, 50, 100}),
    frozenset({1, 33, 66}),
)
ALERT_IDS = (alert_id(BudgetId("a"), MIDNIGHT, 1),)
"""Few, so that most calls take those of alerts that were raised before."""


def _budgets(count: int) -> tuple[Budget, ...]:
    chance = Random(0)  # noqa: S311 - the same values in every process
    return tuple(
        Budget(
            id=BudgetId(chance.choice("aaaaaaab")),
            scope=OwnerPath(chance.choice(("", *OWNERS))),
            provider=chance.choice((None, None, ProviderName("x"))),
            model=chance.choice((None, None, ModelName("x"))),
            tag=chance.choice((None, Tag("x"), Tag("y"))),
            limit=chance.choice(LIMITS),
            currency=Currency(chance.choice(("USD", *CURRENCIES))),
            window=chance.choice((Window.TOTAL, *Window)),
            timezone=chance.choice(("UTC",) * 5 + ZONES),
            thresholds=chance.choice(THRESHOLDS),
            policy=chance.choice(tuple(Policy)),
        )
        for _ in range(count)
    )


def _odd(usual: Any, fields: Mapping[str, tuple[Any, ...]]) -> tuple[Any, ...]:
    """The entity with one other value, in each of these fields in turn."""
    return tuple(
        replace(usual, **{name: value}) for name, values in fields.items() for value in values
    )


BUDGETS = _budgets(200)
ODD_BUDGETS = _odd(
    BUDGETS[0],
    {
        "id": ODD_IDS,
        "scope": BAD_OWNERS,
        "provider": ODD_NAMES,
        "model": ODD_NAMES,
        "tag": ODD_NAMES,
        "limit": (*AMOUNTS, *CREDITS, *BAD_AMOUNTS),
        "currency": BAD_CURRENCIES,
        "timezone": BAD_ZONES,
        "thresholds": (frozenset(), frozenset({0}), frozenset({101})),
    },
)
CHARGES = (
    None,
    *(
        Charge(
            id=ChargeId(name),
            amount=Decimal(1),
            currency=Currency("USD"),
            owner=OwnerPath("o/t"),
            provider=ProviderName("x"),
            model=ModelName("x"),
            tags=frozenset({Tag("x"), Tag("y")}),
            occurred_at=NOW,
        )
        for name in "acde"
    ),
)
ODD_CHARGES = _odd(
    CHARGES[1],
    {"id": ODD_IDS, "amount": BAD_AMOUNTS, "owner": BAD_OWNERS, "occurred_at": BAD_TIMES},
)

ARGUMENTS: Final[Mapping[Any, Any]] = {
    Actor: some(IDS, ODD_IDS),
    AlertId: some(ALERT_IDS, ODD_IDS, 2),
    BudgetId: some((*"aaaaaaab",), ODD_IDS, 64),
    ChargeId: some(IDS, ODD_IDS),
    CorrectionId: some(IDS, ODD_IDS),
    Currency: field(CURRENCIES, BAD_CURRENCIES),
    ModelName: field(NAMES, ODD_NAMES),
    OwnerPath: field(OWNERS, BAD_OWNERS),
    ProviderName: field(NAMES, ODD_NAMES),
    ReservationId: some(("a", "a", "b"), ODD_IDS),
    SinkName: some(("log", "hook"), ODD_NAMES),
    Tag: field(NAMES, ODD_NAMES),
    "at": some(TIMES, BAD_TIMES, 64),
    "expected_version": some((*[0] * 12, 1, 1, 2), (-1, 2**63), 64),
    "expire_reservations.at": some(DUE, BAD_TIMES),
    "put_budget.budget": some(BUDGETS, ODD_BUDGETS),
    "settle.charge": some(CHARGES, ODD_CHARGES),
    "expires_at": some(ENDS, (NOW, *BAD_TIMES), 32),
    "limit": some((1, 2, 3, 100), (1000, 0, -1, 1001)),
    "AlertFilter.since": maybe(TIMES, BAD_TIMES),
    "BudgetAmount.amount": field(PARTS, (*AMOUNTS, *CREDITS, *BAD_AMOUNTS)),
    "BudgetFilter.covering": maybe(OWNERS, BAD_OWNERS),
    "BudgetFilter.currency": maybe(CURRENCIES, BAD_CURRENCIES),
    "BudgetFilter.model": maybe(NAMES, ODD_NAMES),
    "BudgetFilter.provider": maybe(NAMES, ODD_NAMES),
    "BudgetFilter.tags": maybe(TAGS, (frozenset({""}),)),
    "Charge.amount": field((*AMOUNTS, *CREDITS), BAD_AMOUNTS),
    "Charge.occurred_at": field(TIMES, BAD_TIMES),
    "Charge.quantity": field((0, 1, 2**63 - 1), (-1, 2**63)),
    "Charge.tags": field(TAGS, (frozenset({""}),)),
    "Charge.unit": field(("", "tokens"), ("\0",)),
    "ChargeFilter.currency": maybe(CURRENCIES, BAD_CURRENCIES),
    "ChargeFilter.model": maybe(NAMES, ODD_NAMES),
    "ChargeFilter.owner": maybe(OWNERS, BAD_OWNERS),
    "ChargeFilter.provider": maybe(NAMES, ODD_NAMES),
    "ChargeFilter.since": maybe(TIMES, BAD_TIMES),
    "ChargeFilter.tag": maybe(NAMES, ODD_NAMES),
    "ChargeFilter.until": maybe(TIMES, BAD_TIMES),
    "Correction.amount": field((*AMOUNTS, *CREDITS), BAD_AMOUNTS),
    "Correction.at": field(TIMES, BAD_TIMES),
    "Correction.reason": field(("", "typo", "é"), ("\0",)),
    "ReportQuery.allocation": some(tuple(Allocation)),
    "ReportQuery.end": field(DATES[1:] * 2 + FAR_DATES[1:], (DATES[0], FAR_DATES[0])),
    "ReportQuery.group_by": some((Dimension.TAG, *Dimension)),
    "ReportQuery.start": field((DATES[0], DATES[2], DATES[2], date.min), DATES[1:2]),
    "ReportQuery.timezone": field(ZONES, BAD_ZONES),
}
