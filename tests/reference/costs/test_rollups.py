"""What reports read in a database: rollups that equal the ledger, exactly."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from storeproof.reference.costs import (
    Allocation,
    CostStorage,
    DatabaseCostStorage,
    Dimension,
    InMemoryCostStorage,
    ReportQuery,
    Tag,
)
from storeproof.reference.costs.database.rollups import CLEAR, SPANS, ends
from storeproof.reference.costs.entities import period
from storeproof.reference.database import Database
from storeproof.reference.values import EARLIEST

from .examples import NOW, charge, correction, run

ZONES = ("UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati")


def march(group_by: Dimension, **fields: Any) -> ReportQuery:
    plain: dict[str, Any] = {"start": date(2026, 3, 1), "end": date(2026, 4, 1)}
    return ReportQuery(group_by=group_by, **plain | fields)


async def fill(storage: CostStorage, seed: int) -> None:
    """The same charges and corrections of two months for every storage."""
    choices = random.Random(seed)
    for number in range(150):
        made = charge(
            f"{number}",
            f"{choices.randint(-9, 99)}.{choices.randint(0, 10**9 - 1):09}",
            owner="/".join("abcd"[: choices.randint(0, 4)]),
            model=choices.choice(("small", "large")),
            currency=choices.choice(("USD", "EUR")),
            tags=frozenset(map(Tag, choices.sample("xyz", choices.randint(0, 3)))),
            occurred_at=NOW + timedelta(minutes=choices.randint(-40_000, 40_000)),
        )
        await storage.create(made)
        if number % 7 == 0:
            await storage.correct(correction(f"c{number}", f"{number}", "-0.000000001"))


async def reports(storage: CostStorage) -> list[Any]:
    """Reports over many periods, whose ends are in the middle of days of UTC."""
    choices = random.Random(5)
    found = []
    for zone in ZONES:
        for group_by in Dimension:
            start = date(2026, 2, 10) + timedelta(days=choices.randint(0, 30))
            end = start + timedelta(days=choices.randint(0, 30))
            allocation = choices.choice(tuple(Allocation))
            query = march(group_by, start=start, end=end, timezone=zone, allocation=allocation)
            found.append(await storage.report(query))
    return found


def test_reports_equal_those_of_the_ledger_and_rebuilding_changes_none(url: str) -> None:
    async def use() -> None:
        model = InMemoryCostStorage()
        await fill(model, 1)
        expected = await reports(model)
        async with Database(url, create=True) as database:
            storage = DatabaseCostStorage(database)
            await fill(storage, 1)
            assert await reports(storage) == expected
            await storage.rebuild_rollups()
            assert await reports(storage) == expected
        assert sum(map(bool, expected)) > len(expected) / 2

    run(use())


def test_rebuilding_mends_rollups_that_are_lost(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True) as database:
            storage = DatabaseCostStorage(database)
            await fill(storage, 2)
            query = march(Dimension.MODEL)
            right = await storage.report(query)
            await database.write(CLEAR, {})
            assert await storage.report(query) != right
            await storage.rebuild_rollups()
            assert await storage.report(query) == right

    run(use())


HOUR_OF_A_DAY = timedelta(hours=1)
BOTH_ENDS = ("first", "second")


def parts_of(query: ReportQuery) -> tuple[int, int, int, timedelta]:
    """Days, quarters of days and hours whose rollups are read, and the time of the ledger."""
    given = ends(*period(query))

    def length(name: str) -> Any:
        first, second = (
            given[f"{which}_{name}end"] - given[f"{which}_{name}start"] for which in BOTH_ENDS
        )
        return first + second

    return length("24_"), length("6_"), length("1_"), length("")


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", (31, 0, 0, timedelta())),
        ("Europe/Berlin", (30, 3, 1 + 4, timedelta())),  # the clock is changed within the month
        ("America/New_York", (30, 3, 1 + 4, timedelta())),
        ("Asia/Kathmandu", (30, 3, 5, HOUR_OF_A_DAY)),
    ],
)
def test_only_the_ends_of_a_period_are_read_finely(
    zone: str, expected: tuple[int, int, int, timedelta]
) -> None:
    assert parts_of(march(Dimension.MODEL, timezone=zone)) == expected


def test_a_period_without_a_whole_day_of_utc_is_read_by_its_parts() -> None:
    one_day = march(Dimension.MODEL, end=date(2026, 3, 2), timezone="Asia/Kathmandu")
    assert parts_of(one_day) == (0, 3, 5, HOUR_OF_A_DAY)


@pytest.mark.parametrize("minutes", [1, 49, 58, 62, 600, 60 * 23])
def test_every_moment_of_a_short_period_is_read_once(minutes: int) -> None:
    start, end = NOW + timedelta(minutes=1), NOW + timedelta(minutes=1 + minutes)
    given = ends(start, end)
    hour = timedelta(hours=1)
    pieces = [(given[f"{which}_start"], given[f"{which}_end"]) for which in BOTH_ENDS]
    for span in SPANS:
        for which in BOTH_ENDS:
            bounds = (given[f"{which}_{span}_{edge}"] for edge in ("start", "end"))
            low, high = (EARLIEST + each * span * hour for each in bounds)
            pieces.append((low, high))
    read = sorted(piece for piece in pieces if piece[0] < piece[1])
    assert [start, *(high for _, high in read)] == [*(low for low, _ in read), end]
