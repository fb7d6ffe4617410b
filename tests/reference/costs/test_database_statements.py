"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

import aiosqlite
import pytest

from storeproof.reference.costs import (
    AlertFilter,
    BudgetFilter,
    BudgetId,
    Charge,
    ChargeFilter,
    ChargeId,
    CostStorage,
    Dimension,
    ReservationId,
    SinkName,
    Tag,
    Window,
)
from storeproof.reference.costs.database import DatabaseCostStorage
from storeproof.reference.costs.entities import alert_id
from storeproof.reference.costs.exceptions import BudgetExceeded
from storeproof.reference.database import Database
from storeproof.reference.exceptions import StorageError
from storeproof.reference.values import EARLIEST

from ..wire import wire_to
from .examples import ACTOR, DAY, HOUR, NOW, amounts, budget, charge, correction, put, reserve
from .test_rollups import march

Call = Callable[[CostStorage, str], Awaitable[object]]
A = BudgetId("a")
LOG = SinkName("log")
RAISED = alert_id(BudgetId("early"), EARLIEST, 50)


async def settle(storage: CostStorage, number: str, made: Charge | None = None) -> None:
    await storage.settle(ReservationId(f"open {number}"), amounts(a="1", b="1"), made)


CASES: dict[str, tuple[int, int, Call]] = {
    # On PostgreSQL, on SQLite.
    "get_by_id": (1, 1, lambda s, i: s.get_by_id(ChargeId("kept"))),
    "create": (1, 4, lambda s, i: s.create(charge(i))),
    "create, again": (2, 4, lambda s, i: s.create(charge("kept"))),
    "correct": (5, 5, lambda s, i: s.correct(correction(i, "kept"))),
    "list_charges": (1, 1, lambda s, i: s.list_charges(ChargeFilter())),
    "list_corrections": (1, 1, lambda s, i: s.list_corrections(ChargeId("kept"))),
    "report": (1, 1, lambda s, i: s.report(march(Dimension.TAG))),
    "rebuild_rollups": (5, 5, lambda s, i: s.rebuild_rollups()),
    "put_budget": (5, 5, lambda s, i: s.put_budget(budget(f"new {i}"), 0, ACTOR, NOW)),
    "put_budget, again": (5, 5, lambda s, i: s.put_budget(budget(f"to put {i}"), 1, ACTOR, NOW)),
    "budget_status": (1, 1, lambda s, i: s.budget_status(A, NOW)),
    "list_budgets": (1, 1, lambda s, i: s.list_budgets(BudgetFilter())),
    "list_budgets, with tags": (
        1,
        1,
        lambda s, i: s.list_budgets(BudgetFilter(tags=frozenset({Tag("x"), Tag("y")}))),
    ),
    "list_budget_versions": (1, 1, lambda s, i: s.list_budget_versions(A)),
    "reserve": (1, 9, lambda s, i: reserve(s, i, a="1", b="1")),
    "reserve, again": (5, 4, lambda s, i: reserve(s, "kept", a="1", b="1")),
    "reserve, refused": (5, 3, lambda s, i: _refused(reserve(s, i, a="999", b="1"))),
    "reserve, in a new window": (
        8,
        7,
        lambda s, i: s.reserve(
            ReservationId(i), amounts(w="1"), NOW + int(i) * DAY, NOW + 99 * DAY
        ),
    ),
    "get_reservation": (1, 1, lambda s, i: s.get_reservation(ReservationId("kept"))),
    "settle": (10, 10, settle),
    "settle, with a charge": (12, 12, lambda s, i: settle(s, i, charge(i))),
    "settle, with a known charge": (12, 12, lambda s, i: settle(s, i, charge("kept"))),
    "release": (8, 8, lambda s, i: s.release(ReservationId(f"open {i}"))),
    "expire_reservations": (8, 8, lambda s, i: s.expire_reservations(NOW + HOUR, 3)),
    "expire_reservations, nothing due": (3, 3, lambda s, i: s.expire_reservations(NOW, 3)),
    "raise_alerts": (7, 7, lambda s, i: s.raise_alerts(BudgetId(f"spent {i}"), NOW)),
    "raise_alerts, nothing new": (1, 1, lambda s, i: s.raise_alerts(A, NOW)),
    "list_alerts": (1, 1, lambda s, i: s.list_alerts(AlertFilter())),
    "list_alerts, undelivered": (1, 1, lambda s, i: s.list_alerts(AlertFilter(undelivered_to=LOG))),
    "mark_delivered": (1, 1, lambda s, i: s.mark_delivered(RAISED, SinkName(f"new {i}"), NOW)),
    "mark_delivered, again": (1, 1, lambda s, i: s.mark_delivered(RAISED, LOG, NOW)),
    "list_deliveries": (1, 1, lambda s, i: s.list_deliveries(RAISED)),
}


async def _refused(call: Awaitable[object]) -> None:
    with pytest.raises(BudgetExceeded):
        await call


def test_every_operation_has_a_case() -> None:
    operations = {
        name for name, _ in inspect.getmembers(CostStorage, inspect.isfunction) if name[0] != "_"
    }
    assert {name.partition(",")[0] for name in CASES} == operations


async def prepare(storage: CostStorage) -> None:
    """What the cases start from; the budgets' windows have begun."""
    await storage.create(charge("kept"))
    for name in "ab":
        await put(storage, name, "100")
    await put(storage, "w", window=Window.DAY)
    await reserve(storage, "kept", a="1", b="1")
    await storage.release(ReservationId("kept"))
    await put(storage, "early", window=Window.TOTAL, thresholds=frozenset({50}))
    await reserve(storage, "early", early="10")
    await storage.settle(ReservationId("early"), amounts(early="10"))
    await storage.raise_alerts(BudgetId("early"), NOW)
    for number in "12":
        await put(storage, f"to put {number}")
        await put(storage, f"spent {number}", thresholds=frozenset({50, 100}))
        await reserve(storage, f"spent {number}", **{f"spent {number}": "10"})
        spent = amounts(**{f"spent {number}": "10"})
        await storage.settle(ReservationId(f"spent {number}"), spent)
    for number in "123456":
        await reserve(storage, f"open {number}", a="1", b="1")


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[DatabaseCostStorage, Callable[[], int]]]:
    """A storage with one connection, and how many statements have been sent so far."""
    async with _wire_or_calls(url) as (address, sent), _database(address) as database:
        storage = DatabaseCostStorage(database)
        await database.open()
        yield storage, sent


def _database(url: str) -> Database:
    return Database(url, create=True, pool_size=1)


@asynccontextmanager
async def _wire_or_calls(url: str) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    if url.startswith("postgres"):
        async with wire_to(url) as wire:
            yield wire.url, lambda: wire.trips
    else:
        with patch.object(
            aiosqlite.Connection,
            "execute_fetchall",
            autospec=True,
            side_effect=aiosqlite.Connection.execute_fetchall,
        ) as calls:
            yield url, lambda: calls.call_count


async def run(call: Awaitable[object]) -> None:
    try:
        await call
    except StorageError as error:
        raise AssertionError("the case is of a call that succeeds") from error


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    on_postgres, on_sqlite, call = CASES[name]

    async def use() -> int:
        async with counted(url) as (storage, sent):
            await prepare(storage)
            # The first run prepares the statements.
            for number in "12":
                before = sent()
                await run(call(storage, number))
            return sent() - before

    assert asyncio.run(use()) == (on_postgres if url.startswith("postgres") else on_sqlite)
