"""For authors of a cost storage: the laws of reports."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import Allocation, Dimension
from storeproof.reference.costs.laws.given import (
    DAY,
    HOUR,
    NANO,
    NOW,
    TICK,
    charge,
    correction,
    query,
    rows,
    sums,
)
from storeproof.reference.costs.protocol import CostStorage

__all__: list[str] = []

SPLIT = Allocation.SPLIT


@law("COST-008", MUST)
async def report_adds_by_provider_and_model(storage: CostStorage) -> None:
    """A report adds up the charges of each provider, or model, exactly and by code point."""
    for number in range(10):
        await storage.create(charge(f"a{number}", "0.1"))
    await storage.create(charge("b", "0.000000001", provider="Zed", model="LARGE"))
    await storage.create(charge("c", "-0.5", provider="Zed"))
    assert await storage.report(query(Dimension.PROVIDER)) == rows(
        ("USD", "Zed", "-0.499999999", 2), ("USD", "acme", "1", 10)
    )
    assert await sums(storage, Dimension.MODEL) == {"LARGE": NANO, "small": Decimal("0.5")}


@law("COST-009", MUST)
async def owners_are_grouped_by_level(storage: CostStorage) -> None:
    """By a level of owners the key is the path down to it, and what is above it unallocated."""
    for number, owner in enumerate(("", "o", "o/t", "o/t/u", "o/t/u/k", "p/t", "o/tt")):
        await storage.create(charge(f"{number}", str(10**number), owner=owner))
    expected: dict[Dimension, dict[str | None, int]] = {
        Dimension.ORGANISATION: {None: 1, "o": 1011110, "p": 100000},
        Dimension.TEAM: {None: 11, "o/t": 11100, "o/tt": 1000000, "p/t": 100000},
        Dimension.USER: {None: 1100111, "o/t/u": 11000},
        Dimension.KEY: {None: 1101111, "o/t/u/k": 10000},
    }
    for level, amounts in expected.items():
        found = await sums(storage, level)
        assert [(key, int(amount)) for key, amount in found.items()] == list(amounts.items())


@law("COST-010", MUST)
async def currencies_are_never_mixed(storage: CostStorage) -> None:
    """Each currency has rows of its own, in the order of its letters."""
    await storage.create(charge("a"))
    await storage.create(charge("b", "2", currency="EUR", owner=""))
    await storage.create(charge("c", "4", currency="EUR"))
    assert await storage.report(query(Dimension.TEAM)) == rows(
        ("EUR", None, "2", 1), ("EUR", "org/team", "4", 1), ("USD", "org/team", "1", 1)
    )


@law("COST-011", MUST)
async def sums_go_beyond_64_bits(storage: CostStorage) -> None:
    """Sums beyond 63 bits of nano-units are exact, above and below zero."""
    for number in range(12):
        await storage.create(charge(f"a{number}", "999999999.999999999"))
        await storage.create(charge(f"b{number}", "-1000000000", model="large"))
    assert await storage.report(query(Dimension.MODEL)) == rows(
        ("USD", "large", "-12000000000", 12), ("USD", "small", "11999999999.999999988", 12)
    )


@law("COST-012", MUST)
async def report_is_half_open(storage: CostStorage) -> None:
    """A report counts from the start of its first day to before the start of its last one."""
    start, end = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    times = (start - TICK, start, start + DAY - TICK, start + DAY, end - DAY, end - TICK, end)
    for number, time in enumerate(times):
        await storage.create(charge(f"{number}", str(10**number), occurred_at=time))
    assert await sums(storage, Dimension.MODEL) == {"small": 111110}
    one_day = {"start": date(2026, 3, 1), "end": date(2026, 3, 2)}
    assert await sums(storage, Dimension.MODEL, **one_day) == {"small": 110}
    assert await sums(storage, Dimension.MODEL, start=date(2026, 4, 1)) == {}


@law("COST-013", MUST)
async def days_are_those_of_the_zone(storage: CostStorage) -> None:
    """A day of a report is the day of its time zone, 23 or 25 hours long where clocks change."""
    begin = datetime(2026, 3, 28, 23, tzinfo=UTC)  # 00:00 in Berlin; clocks change that night
    times = (begin - TICK, begin, begin + 23 * HOUR - TICK, begin + 23 * HOUR)
    for number, time in enumerate(times):
        await storage.create(charge(f"{number}", str(10**number), occurred_at=time))
    day = {"start": date(2026, 3, 29), "end": date(2026, 3, 30), "timezone": "Europe/Berlin"}
    assert await sums(storage, Dimension.MODEL, **day) == {"small": 110}
    west = {"start": date(2026, 3, 28), "end": date(2026, 3, 29), "timezone": "America/New_York"}
    assert await sums(storage, Dimension.MODEL, **west) == {"small": 11}


@law("COST-014", MUST)
async def corrections_count_at_their_own_time(storage: CostStorage) -> None:
    """A correction counts at its own time, grouped as its charge is, and is no charge."""
    await storage.create(charge("a", "5", tags="x", owner="o", currency="EUR"))
    await storage.correct(correction("c", "a", "-2", at=NOW + 31 * DAY))
    april = {"start": date(2026, 4, 1), "end": date(2026, 5, 1)}
    for group_by, key in (
        (Dimension.TAG, "x"),
        (Dimension.ORGANISATION, "o"),
        (Dimension.PROVIDER, "acme"),
    ):
        assert await storage.report(query(group_by)) == rows(("EUR", key, "5", 1))
        assert await storage.report(query(group_by, **april)) == rows(("EUR", key, "-2", 0))


@law("COST-015", MUST)
async def full_allocation_counts_for_each_tag(storage: CostStorage) -> None:
    """With full allocation a charge counts wholly for each tag, untagged ones apart."""
    await storage.create(charge("a", "1", tags="x y"))
    await storage.create(charge("b", "2", tags="y"))
    await storage.create(charge("c", "4"))
    assert await storage.report(query(Dimension.TAG)) == rows(
        ("USD", None, "4", 1), ("USD", "x", "1", 1), ("USD", "y", "3", 2)
    )


@law("COST-016", MUST)
async def split_shares_add_up(storage: CostStorage) -> None:
    """Shares of a split are equal, the first tags get what remains, and they add up exactly."""
    await storage.create(charge("a", "0.00000001", tags="z x y"))
    await storage.create(charge("b", "0.000000001", tags="x y z"))
    await storage.create(charge("c", "-0.000000001", tags="x y"))
    assert await storage.report(query(Dimension.TAG, allocation=SPLIT)) == rows(
        ("USD", "x", "0.000000004", 3), ("USD", "y", "0.000000003", 3), ("USD", "z", "3E-9", 2)
    )
    found = await sums(storage, Dimension.TAG, allocation=SPLIT)
    assert sum(found.values()) == (await sums(storage, Dimension.MODEL))["small"]


@law("COST-017", MUST)
async def split_is_of_the_whole_period(storage: CostStorage) -> None:
    """What is split is the sum of all with the same tags, over days, owners and corrections."""
    for number in range(4):
        time = NOW + number * DAY
        made = charge(f"{number}", "1E-9", tags="x y", occurred_at=time, owner=f"o{number}")
        await storage.create(made)
    await storage.correct(correction("c", "0", "-1E-9"))
    found = await sums(storage, Dimension.TAG, allocation=SPLIT)
    assert found == {"x": 2 * NANO, "y": NANO}


@law("COST-018", MUST)
async def allocation_is_of_tags_only(storage: CostStorage) -> None:
    """A report that is not by tag is the same with either allocation."""
    await storage.create(charge("a", "1", tags="x y"))
    assert await sums(storage, Dimension.MODEL, allocation=SPLIT) == {"small": 1}


@law("COST-019", MUST)
async def rebuilding_changes_no_report(storage: CostStorage) -> None:
    """After rebuild_rollups every report is as before, and later charges count as ever."""
    for number in range(6):
        time = NOW + number * timedelta(hours=9)
        made = charge(f"{number}", f"{number}.1", tags="x y"[:number], occurred_at=time)
        await storage.create(made)
    await storage.correct(correction("c", "1", at=NOW + DAY))
    before = [await storage.report(query(group_by)) for group_by in Dimension]
    await storage.rebuild_rollups()
    assert [await storage.report(query(group_by)) for group_by in Dimension] == before
    await storage.create(charge("last", "100", tags="x y"))
    assert (await sums(storage, Dimension.MODEL))["small"] == Decimal("114.6")
