"""For authors of a cost storage: the laws of canonical values, and of what refusals leave."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    Actor,
    AlertFilter,
    BudgetAmount,
    BudgetFilter,
    BudgetId,
    ChargeFilter,
    ChargeId,
    Dimension,
    ReservationId,
)
from storeproof.reference.costs.laws.given import (
    ACTOR,
    LATER,
    NOW,
    TICK,
    add_budget,
    amounts,
    budget,
    charge,
    correction,
    is_invalid,
    query,
    reserve,
    sums,
    totals,
)
from storeproof.reference.costs.protocol import CostStorage

__all__: list[str] = []

LOCAL = timezone(timedelta(hours=5, minutes=30))
R = ReservationId("r")
BAD_MONEY = (
    Decimal("NaN"),
    Decimal("sNaN"),
    Decimal("-Infinity"),
    Decimal("0.0000000001"),
    Decimal("1E-999999999"),
    Decimal("1000000000.000000001"),
    Decimal("1E+30"),
)


@law("COST-057", MUST)
async def money_is_exact(storage: CostStorage) -> None:
    """Money comes back to the last of 9 decimals; its zeros and exponent mean nothing."""
    for number, text in enumerate(
        ("123456789.123456789", "-0.000000001", "1E+3", "1.50", "-0", "0E+99")
    ):
        made = await storage.create(charge(f"{number}", text))
        assert made.amount == (await storage.get_by_id(made.id)).amount == Decimal(text)
    assert str((await storage.get_by_id(ChargeId("2"))).amount) == "1000"
    assert str((await storage.get_by_id(ChargeId("3"))).amount) == "1.5"
    assert str((await storage.get_by_id(ChargeId("4"))).amount) == "0"
    assert await storage.create(charge("3", "1.500")) == charge("3", "1.5")


@law("COST-058", MUST)
async def money_out_of_range_is_invalid(storage: CostStorage) -> None:
    """Money that is no finite Decimal, beyond 10^9, or of more than 9 decimals is invalid."""
    await storage.create(charge("a"))
    floats: tuple[Any, ...] = (1.0, 1, "1", True)
    for bad in (*BAD_MONEY, *floats):
        await is_invalid(storage.create(replace(charge("b"), amount=bad)), "amount")
        await is_invalid(storage.correct(replace(correction("c", "a"), amount=bad)), "amount")
        limited = replace(budget("a"), limit=bad)
        await is_invalid(storage.put_budget(limited, 0, ACTOR, NOW), "limit")
        wanted = (BudgetAmount(budget=BudgetId("a"), amount=bad),)
        await is_invalid(storage.reserve(R, wanted, NOW, LATER), "amount")
        await is_invalid(storage.settle(R, wanted), "amount")
    assert await sums(storage, Dimension.MODEL) == {"small": 1}


@law("COST-059", MUST)
async def budgets_take_nothing_negative(storage: CostStorage) -> None:
    """A limit, or an amount to reserve or settle, below zero is invalid; zero is not."""
    await is_invalid(storage.put_budget(budget("a", "-1E-9"), 0, ACTOR, NOW), "limit")
    await add_budget(storage, "a", "0")
    await is_invalid(reserve(storage, "r", a="-1E-9"), "amount")
    await reserve(storage, "r", a="0")
    await is_invalid(storage.settle(R, amounts(a="-1E-9")), "amount")
    await storage.settle(R, amounts(a="0"))
    assert await totals(storage, "a") == ("0", "0")


@law("COST-060", MUST)
async def amounts_of_a_budget_add_up(storage: CostStorage) -> None:
    """Amounts are 1 to 100, those of one budget add up, within 10^9; anything else is invalid."""
    await add_budget(storage, "a")
    many = tuple(BudgetAmount(budget=BudgetId(f"b{n}"), amount=Decimal(1)) for n in range(101))
    too_much = amounts(a="0.000000001") + amounts(a="1000000000")
    bad: tuple[Any, ...] = ((), too_much, many, list(amounts(a="1")), ("a",))
    for each in bad:
        await is_invalid(storage.reserve(R, each, NOW, LATER), "amounts")
        await is_invalid(storage.settle(R, each), "amounts")
    for each in many[:100]:
        await add_budget(storage, each.budget)
    assert len((await storage.reserve(R, many[:100], NOW, LATER)).amounts) == 100
    twice = amounts(a="0.5") + amounts(a="0.25")
    made = await storage.reserve(ReservationId("s"), twice, NOW, LATER)
    assert made.amounts == amounts(a="0.75")
    ended = await storage.settle(made.id, amounts(a="0.1") * 3)
    assert ended.settled == amounts(a="0.3")


@law("COST-061", MUST)
async def times_are_instants(storage: CostStorage) -> None:
    """A time with another offset comes back as the same instant in UTC, with its microseconds."""
    local = (NOW + 123456 * TICK).astimezone(LOCAL)
    made = await storage.create(charge("a", occurred_at=local))
    assert (await storage.get_by_id(made.id)).occurred_at.tzinfo is UTC
    assert made.occurred_at == local
    corrected = await storage.correct(correction("c", "a", at=local))
    await storage.put_budget(budget("a"), 0, ACTOR, local)
    version = (await storage.list_budget_versions(BudgetId("a"))).items[0]
    held = await storage.reserve(R, amounts(a="1"), local, local + TICK)
    for time in (corrected.at, version.at, held.at, held.expires_at - TICK):
        assert (time, time.tzinfo) == (local, UTC)
    assert await storage.reserve(R, amounts(a="1"), local.astimezone(UTC), local + TICK) == held


@law("COST-062", MUST)
async def bad_times_are_invalid(storage: CostStorage) -> None:
    """A time without a zone, or at the calendar's ends, is invalid, as is an end not later."""
    await add_budget(storage, "a")
    for time in (NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=UTC)):
        await is_invalid(storage.create(charge("a", occurred_at=time)), "occurred_at")
        await is_invalid(storage.correct(correction("c", "a", at=time)), "at")
        await is_invalid(storage.list_charges(ChargeFilter(until=time)), "until")
        await is_invalid(storage.put_budget(budget("b"), 0, ACTOR, time), "at")
        await is_invalid(storage.budget_status(BudgetId("a"), time), "at")
        await is_invalid(reserve(storage, "r", time, LATER, a="1"), "at")
        await is_invalid(reserve(storage, "r", NOW, time, a="1"), "expires_at")
        await is_invalid(storage.expire_reservations(time, 1), "at")
        await is_invalid(storage.raise_alerts(BudgetId("a"), time), "at")
    await is_invalid(reserve(storage, "r", NOW, NOW, a="1"), "expires_at")


@law("COST-063", MUST)
async def bad_text_is_invalid(storage: CostStorage) -> None:
    """Text with a NUL or a lone surrogate, and an empty or long id, is invalid everywhere."""
    for bad in ("a\0", "\ud800", "", "a" * 256):
        for field in ("id", "provider", "model"):
            await is_invalid(storage.create(replace(charge("a"), **{field: bad})), field)
        await is_invalid(storage.get_by_id(ChargeId(bad)), "id")
        await is_invalid(storage.create(charge("a", tags=frozenset({bad}))), "tags")
        await is_invalid(storage.correct(correction("c", bad)), "charge")
        await is_invalid(storage.put_budget(budget("a"), 0, Actor(bad), NOW), "actor")
        await is_invalid(storage.reserve(ReservationId(bad), (), NOW, NOW), "id")
        await is_invalid(storage.reserve(R, amounts(**{bad: "1"}), NOW, LATER), "budget")
        await is_invalid(storage.list_alerts(AlertFilter(budget=BudgetId(bad))), "budget")
    await is_invalid(storage.create(charge("a", unit="\0")), "unit")
    await is_invalid(storage.create(charge("a", unit="a" * 129)), "unit")
    await is_invalid(storage.correct(correction("c", "a", reason="a" * 1001)), "reason")


@law("COST-064", MUST)
async def bad_paths_and_currencies_are_invalid(storage: CostStorage) -> None:
    """A path has up to four non-empty parts; a currency has three capital letters."""
    for path in ("/", "a/", "a//b", "a/b/c/d/e", "a" * 256, "\0"):
        await is_invalid(storage.create(charge("a", owner=path)), "owner")
        await is_invalid(storage.put_budget(budget("a", scope=path), 0, ACTOR, NOW), "scope")
        covering: Any = path
        await is_invalid(storage.list_budgets(BudgetFilter(covering=covering)), "covering")
        await is_invalid(storage.list_charges(ChargeFilter(owner=covering)), "owner")
    for currency in ("", "usd", "USDX", "US\n", "ÄÖÜ"):
        await is_invalid(storage.create(charge("a", currency=currency)), "currency")
        put = storage.put_budget(budget("a", currency=currency), 0, ACTOR, NOW)
        await is_invalid(put, "currency")


@law("COST-065", MUST)
async def bad_queries_are_invalid(storage: CostStorage) -> None:
    """A report over days that go backwards, or in an unknown time zone, is invalid."""
    backwards = query(Dimension.TAG, start=date(2026, 4, 2))
    await is_invalid(storage.report(backwards), "end")
    await is_invalid(storage.report(query(Dimension.TAG, start=NOW)), "start")
    for zone in ("", "Nowhere", "../UTC", "Europe", "/UTC", "\0"):
        await is_invalid(storage.report(query(Dimension.TAG, timezone=zone)), "timezone")
        put = storage.put_budget(budget("a", timezone=zone), 0, ACTOR, NOW)
        await is_invalid(put, "timezone")
    unknown: Any = "colour"
    await is_invalid(storage.report(query(unknown)), "group_by")
    everything = query(Dimension.TAG, start=date.min, end=date.max)
    assert await storage.report(everything) == ()


@law("COST-066", MUST)
async def numbers_are_limited(storage: CostStorage) -> None:
    """A quantity has 63 bits and is not negative; a threshold is an integer from 1 to 100."""
    for quantity in (-1, 2**63, True, 1.0):
        await is_invalid(storage.create(charge("a", quantity=quantity)), "quantity")
    for threshold in (0, 101, True, 50.0):
        made = budget("a", thresholds=frozenset({threshold}))
        await is_invalid(storage.put_budget(made, 0, ACTOR, NOW), "thresholds")
    for version in (2**63, True, "1"):
        wrong: Any = version
        await is_invalid(storage.put_budget(budget("a"), wrong, ACTOR, NOW), "expected_version")


@law("COST-067", MUST)
async def invalid_values_come_first(storage: CostStorage) -> None:
    """InvalidValue comes before NotFound and all else, for the first parameter and field."""
    bad: Any = ()
    await is_invalid(storage.settle(ReservationId(""), bad), "id")
    await is_invalid(storage.settle(R, bad), "amounts")
    await is_invalid(storage.reserve(R, bad, LATER, NOW), "amounts")
    await is_invalid(storage.reserve(R, amounts(no="1"), LATER, NOW), "expires_at")
    await is_invalid(storage.correct(correction("c", "no", "1E+30", reason="\0")), "amount")
    await is_invalid(storage.put_budget(budget("a", "-1"), 2**63, ACTOR, NOW), "limit")
    await is_invalid(storage.create(charge("", "NaN")), "id")
    await is_invalid(storage.list_charges(ChargeFilter(), None, 0), "limit")
