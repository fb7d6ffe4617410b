"""For authors of a cost storage: the laws, and the contract that they and the checks make up."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Final

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law, laws_of
from storeproof.reference.costs.database import open_cost_storage
from storeproof.reference.costs.entities import (
    Actor,
    Allocation,
    BudgetId,
    ChargeId,
    CorrectionId,
    Currency,
    Dimension,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    ReservationId,
    Tag,
    Window,
)
from storeproof.reference.costs.laws import (
    budgets,
    charges,
    lists,
    races,
    reports,
    reservations,
    values,
)
from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import OutcomeUnknown, StorageError
from storeproof.reference.law_words import field, maybe, some

__all__ = ["LAWS", "contract"]

LAWS: Final[tuple[Law, ...]] = (
    *laws_of(charges),
    *laws_of(reports),
    *laws_of(budgets),
    *laws_of(reservations),
    *laws_of(lists),
    *laws_of(values),
    *laws_of(races),
)

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
LIMITS = tuple(map(Decimal, ("10", "5", "1000", "3.5", "0.1")))
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
    frozenset({50, 80, 100}),
    frozenset(),
    frozenset({1}),
    frozenset({33, 66}),
)


contract = Contract(
    CostStorage,
    name="costs",
    model=InMemoryCostStorage,
    storages={"sqlite": open_cost_storage, "postgres": open_cost_storage},
    errors=(StorageError,),
    uncertain=(OutcomeUnknown,),
    arguments={
        Actor: some(IDS, ODD_IDS),
        BudgetId: some(("a", "b"), ODD_IDS, 64),
        ChargeId: some(IDS, ODD_IDS),
        CorrectionId: some(IDS, ODD_IDS),
        Currency: field(CURRENCIES, BAD_CURRENCIES),
        ModelName: field(NAMES, ODD_NAMES),
        OwnerPath: field(OWNERS, BAD_OWNERS),
        ProviderName: field(NAMES, ODD_NAMES),
        ReservationId: some(IDS, ODD_IDS),
        Tag: field(NAMES, ODD_NAMES),
        "at": some(TIMES, BAD_TIMES, 64),
        "expected_version": some((0, 0, 0, 1, 2), (-1, 2**63), 32),
        "expire_reservations.at": some(DUE, BAD_TIMES),
        "expires_at": some(ENDS, (NOW, *BAD_TIMES), 32),
        "limit": some((1, 2, 3, 100), (1000, 0, -1, 1001)),
        "Budget.limit": field(LIMITS, (*CREDITS, *BAD_AMOUNTS)),
        "Budget.policy": some(tuple(Policy)),
        "Budget.thresholds": field(THRESHOLDS, (frozenset({0}), frozenset({101}))),
        "Budget.timezone": field(ZONES, BAD_ZONES),
        "Budget.window": some(tuple(Window)),
        "BudgetAmount.amount": field(AMOUNTS, (*CREDITS, *BAD_AMOUNTS)),
        "BudgetFilter.covering": maybe(OWNERS, BAD_OWNERS),
        "BudgetFilter.currency": maybe(CURRENCIES, BAD_CURRENCIES),
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
    },
    laws=LAWS,
)
