"""Many at once on a real database: no limit is passed, none waits in a circle, nothing is lost."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal

from storeproof.reference.costs import (
    BudgetId,
    ChargeFilter,
    CostStorage,
    DatabaseCostStorage,
    Dimension,
    ReservationId,
)
from storeproof.reference.costs.entities import nanos
from storeproof.reference.costs.exceptions import BudgetExceeded
from storeproof.reference.database import Database
from storeproof.reference.exceptions import Unavailable

from ..counting import deadlocks
from .examples import HOUR, NOW, amounts, charge, correction, put, run
from .test_rollups import march

MANY = 200
NAMES = ("a", "b", "c", "d")


async def _crowd(storage: CostStorage, seed: int) -> list[object]:
    """Reservations over one to four budgets in any order; some end again at once."""
    choices = random.Random(seed)
    jobs = []
    for number in range(MANY):
        names = choices.sample(NAMES, choices.randint(1, 4))
        asked = {name: f"0.{choices.randint(1, 9)}00000001" for name in names}
        jobs.append(_one(storage, f"r{number}", asked, choices.random()))
    return await asyncio.gather(*jobs, return_exceptions=True)


async def _one(storage: CostStorage, name: str, asked: dict[str, str], fate: float) -> str:
    id = ReservationId(name)  # noqa: A001 - the Protocol's name
    await storage.reserve(id, amounts(**asked), NOW, NOW + HOUR)
    if fate < 0.2:
        await storage.release(id)
    elif fate < 0.6:
        await storage.settle(id, amounts(**asked), charge(name, "0.000000001"))
    return name


def test_200_reservations_at_once_pass_no_limit_and_block_nobody(url: str) -> None:
    async def use() -> None:
        before = await deadlocks(url)
        async with Database(url, create=True, pool_size=16, pool_timeout=60) as database:
            storage = DatabaseCostStorage(database)
            for name in NAMES:
                await put(storage, name, "9")
            outcomes = await _crowd(storage, 7)
            made = [each for each in outcomes if isinstance(each, str)]
            refused = [each for each in outcomes if isinstance(each, BudgetExceeded)]
            assert len(made) + len(refused) == MANY, outcomes
            assert made
            assert refused
            await _sums_are_right(storage, made)
            await _settled_are_charged(storage, made)
        assert await deadlocks(url) == before

    run(use())


async def _sums_are_right(storage: CostStorage, made: list[str]) -> None:
    found = [await storage.get_reservation(ReservationId(name)) for name in made]
    for name in NAMES:
        status = await storage.budget_status(BudgetId(name), NOW)
        held = [
            each.amount
            for one in found
            if one.state.value == "open"
            for each in one.amounts
            if each.budget == name
        ]
        spent = [each.amount for one in found for each in one.settled or () if each.budget == name]
        assert (status.reserved, status.spent) == (sum(held), sum(spent))
        assert nanos(status.reserved) + nanos(status.spent) <= nanos(Decimal(9))


async def _settled_are_charged(storage: CostStorage, made: list[str]) -> None:
    found = [await storage.get_reservation(ReservationId(name)) for name in made]
    settled = [each.id for each in found if each.settled]
    charges = (await storage.list_charges(ChargeFilter(), None, 1000)).items
    assert sorted(each.id for each in charges) == sorted(settled)
    [row] = await storage.report(march(Dimension.MODEL))
    assert (nanos(row.amount), row.charges) == (len(settled), len(settled))


def test_200_equal_reservations_fill_a_limit_to_the_nano_unit(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True, pool_size=16, pool_timeout=60) as database:
            storage = DatabaseCostStorage(database)
            await put(storage, "a", "0.000000150")
            calls = (
                storage.reserve(ReservationId(f"{n}"), amounts(a="1E-9"), NOW, NOW + HOUR)
                for n in range(MANY)
            )
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            refused = [each for each in outcomes if isinstance(each, BudgetExceeded)]
            assert len(refused) == MANY - 150
            assert not [each for each in outcomes if isinstance(each, Unavailable)]
            assert (await storage.budget_status(BudgetId("a"), NOW)).available == 0

    run(use())


def test_rollups_stay_right_while_they_are_rebuilt(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True, pool_size=8, pool_timeout=60) as database:
            storage = DatabaseCostStorage(database)
            await storage.create(charge("first"))
            created = [storage.create(charge(f"{n}", "0.1")) for n in range(100)]
            corrected = [storage.correct(correction(f"{n}", "first", "-1E-9")) for n in range(40)]
            rebuilt = [storage.rebuild_rollups() for _ in range(8)]
            jobs = [*created, *corrected, *rebuilt]
            random.Random(3).shuffle(jobs)
            await asyncio.gather(*jobs)
            before = await storage.report(march(Dimension.MODEL))
            assert [(str(row.amount), row.charges) for row in before] == [("10.99999996", 101)]
            await storage.rebuild_rollups()
            assert await storage.report(march(Dimension.MODEL)) == before

    run(use())
