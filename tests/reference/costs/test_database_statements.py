"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
from storeproof.reference.values import EARLIEST

from ..counting import operations_in, operations_of, statements_of
from .examples import ACTOR, DAY, HOUR, NOW, amounts, budget, charge, correction, put, reserve
from .test_rollups import march

Call = Callable[[CostStorage, str], Awaitable[object]]
A = BudgetId("a")
LOG = SinkName("log")
RAISED = alert_id(BudgetId("early"), EARLIEST, 50)


async def settle(storage: CostStorage, number: str, made: Charge | None = None) -> None:
    await storage.settle(ReservationId(f"open {number}"), amounts(a="1", b="1"), made)


ON_SQLITE = {
    "create": 4,
    "create, again": 4,
    "reserve": 9,
    "reserve, again": 4,
    "reserve, refused": 3,
    "reserve, in a new window": 7,
}
"""Where SQLite has no one statement; its round trips cross no network."""

CASES: dict[str, tuple[int, Call]] = {
    "get_by_id": (1, lambda s, i: s.get_by_id(ChargeId("kept"))),
    "create": (1, lambda s, i: s.create(charge(i))),
    "create, again": (2, lambda s, i: s.create(charge("kept"))),
    "correct": (5, lambda s, i: s.correct(correction(i, "kept"))),
    "list_charges": (1, lambda s, i: s.list_charges(ChargeFilter())),
    "list_corrections": (1, lambda s, i: s.list_corrections(ChargeId("kept"))),
    "report": (1, lambda s, i: s.report(march(Dimension.TAG))),
    "rebuild_rollups": (5, lambda s, i: s.rebuild_rollups()),
    "put_budget": (5, lambda s, i: s.put_budget(budget(f"new {i}"), 0, ACTOR, NOW)),
    "put_budget, again": (5, lambda s, i: s.put_budget(budget(f"to put {i}"), 1, ACTOR, NOW)),
    "budget_status": (1, lambda s, i: s.budget_status(A, NOW)),
    "list_budgets": (1, lambda s, i: s.list_budgets(BudgetFilter())),
    "list_budgets, with tags": (
        1,
        lambda s, i: s.list_budgets(BudgetFilter(tags=frozenset({Tag("x"), Tag("y")}))),
    ),
    "list_budget_versions": (1, lambda s, i: s.list_budget_versions(A)),
    "reserve": (1, lambda s, i: reserve(s, i, a="1", b="1")),
    "reserve, again": (5, lambda s, i: reserve(s, "kept", a="1", b="1")),
    "reserve, refused": (5, lambda s, i: _refused(reserve(s, i, a="999", b="1"))),
    "reserve, in a new window": (
        8,
        lambda s, i: s.reserve(
            ReservationId(i), amounts(w="1"), NOW + int(i) * DAY, NOW + 99 * DAY
        ),
    ),
    "get_reservation": (1, lambda s, i: s.get_reservation(ReservationId("kept"))),
    "settle": (10, settle),
    "settle, with a charge": (12, lambda s, i: settle(s, i, charge(i))),
    "settle, with a known charge": (12, lambda s, i: settle(s, i, charge("kept"))),
    "release": (8, lambda s, i: s.release(ReservationId(f"open {i}"))),
    "expire_reservations": (8, lambda s, i: s.expire_reservations(NOW + HOUR, 3)),
    "expire_reservations, nothing due": (3, lambda s, i: s.expire_reservations(NOW, 3)),
    "raise_alerts": (7, lambda s, i: s.raise_alerts(BudgetId(f"spent {i}"), NOW)),
    "raise_alerts, nothing new": (1, lambda s, i: s.raise_alerts(A, NOW)),
    "list_alerts": (1, lambda s, i: s.list_alerts(AlertFilter())),
    "list_alerts, undelivered": (1, lambda s, i: s.list_alerts(AlertFilter(undelivered_to=LOG))),
    "mark_delivered": (1, lambda s, i: s.mark_delivered(RAISED, SinkName(f"new {i}"), NOW)),
    "mark_delivered, again": (1, lambda s, i: s.mark_delivered(RAISED, LOG, NOW)),
    "list_deliveries": (1, lambda s, i: s.list_deliveries(RAISED)),
}


async def _refused(call: Awaitable[object]) -> None:
    with pytest.raises(BudgetExceeded):
        await call


def test_every_operation_has_a_case() -> None:
    assert operations_in(CASES) == operations_of(CostStorage)


async def prepare(storage: CostStorage, *runs: str) -> None:
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
    for number in runs:
        await put(storage, f"to put {number}")
        await put(storage, f"spent {number}", thresholds=frozenset({50, 100}))
        await reserve(storage, f"spent {number}", **{f"spent {number}": "10"})
        spent = amounts(**{f"spent {number}": "10"})
        await storage.settle(ReservationId(f"spent {number}"), spent)
    for number in "123456":
        await reserve(storage, f"open {number}", a="1", b="1")


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    expected, call = CASES[name]
    if url.startswith("sqlite"):
        expected = ON_SQLITE.get(name, expected)
    assert statements_of(url, DatabaseCostStorage, prepare, call) == expected
