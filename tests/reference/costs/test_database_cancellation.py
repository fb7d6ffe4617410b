"""A cancelled operation happened as a whole or not at all: no amount stays reserved by nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import pytest

from storeproof.reference.costs import (
    BudgetId,
    ChargeFilter,
    CostStorage,
    Dimension,
    Reservation,
    ReservationId,
    Window,
    open_cost_storage,
)
from storeproof.reference.exceptions import NotFound

from ..cancelling import cancel_everywhere
from .examples import DAY, HOUR, NOW, amounts, charge, correction, put, reserve
from .test_rollups import march

Act = Callable[[CostStorage, int], Coroutine[Any, Any, object]]
FAR = NOW + 900 * DAY


def rid(nth: int) -> ReservationId:
    return ReservationId(f"r{nth}")


ACTS: dict[str, tuple[int, Act]] = {
    # At how many suspensions at least it is cancelled.
    "create": (1, lambda s, n: s.create(charge(f"new {n}", "0.1"))),
    "correct": (5, lambda s, n: s.correct(correction(f"c{n}", "kept"))),
    "reserve": (1, lambda s, n: s.reserve(rid(-n), amounts(a="1", b="2"), NOW, FAR)),
    "reserve, in a new window": (
        6,
        lambda s, n: s.reserve(rid(-n), amounts(d="1", a="1"), NOW + n * DAY, FAR),
    ),
    "settle": (8, lambda s, n: s.settle(rid(n), amounts(a="3"))),
    "settle, with a charge": (
        10,
        lambda s, n: s.settle(rid(n), amounts(a="3"), charge(f"paid {rid(n)}", "3")),
    ),
    "release": (7, lambda s, n: s.release(rid(n))),
    "expire_reservations": (7, lambda s, n: s.expire_reservations(NOW + HOUR, 1)),
}


async def found(storage: CostStorage, name: ReservationId) -> Reservation | None:
    try:
        return await storage.get_reservation(name)
    except NotFound:
        return None


async def check_sums(storage: CostStorage, last: int) -> None:
    """Budgets have what their reservations say, and reports what the ledger says."""
    found_ones = [await found(storage, rid(n)) for n in range(-last, last + 1)]
    made = [each for each in found_ones if each is not None]
    for name in "ab":
        held = [
            part.amount
            for each in made
            for part in each.amounts
            if each.state.value == "open" and part.budget == name
        ]
        spent = [part.amount for each in made for part in each.settled or () if part.budget == name]
        status = await storage.budget_status(BudgetId(name), NOW)
        assert (status.reserved, status.spent) == (sum(held), sum(spent))
    charges = (await storage.list_charges(ChargeFilter(), None, 1000)).items
    corrections = (await storage.list_corrections(charge("kept").id, None, 1000)).items
    [row] = await storage.report(march(Dimension.MODEL))
    ledger = [each.amount for each in (*charges, *corrections)]
    assert (row.amount, row.charges) == (sum(ledger, Decimal(0)), len(charges))


async def check_paid(storage: CostStorage, last: int) -> None:
    """What is settled is charged, and nothing else is."""
    made = [await storage.get_reservation(rid(n)) for n in range(1, last)]
    charges = (await storage.list_charges(ChargeFilter(), None, 1000)).items
    settled = {f"paid {each.id}" for each in made if each.settled is not None}
    assert {each.id for each in charges} == settled | {"kept"}


@pytest.mark.parametrize("name", ACTS)
def test_a_cancelled_operation(url: str, name: str) -> None:
    least, act = ACTS[name]

    async def use() -> int:
        async with AsyncExitStack() as stack:
            storage, other = [
                await stack.enter_async_context(open_cost_storage(url)) for _ in range(2)
            ]
            await other.create(charge("kept"))
            for each in "abd":
                window = Window.DAY if each == "d" else Window.TOTAL
                await put(other, each, "100000", window=window)
            for number in range(1, 60):
                await reserve(other, f"r{number}", a="1", b="2")

            async def check(nth: int) -> None:
                async with asyncio.timeout(5):
                    await check_sums(other, 60)
                    if name == "settle, with a charge":
                        await check_paid(other, 60)
                    # No lock is left behind.
                    await other.reserve(rid(1000 + nth), amounts(a="0", b="0", d="0"), NOW, FAR)

            return await cancel_everywhere(lambda nth: act(storage, nth), check)

    assert asyncio.run(use()) >= least
