"""Maintainers run `pytest benchmarks --storage=postgres`: the cost storage's latency budgets."""

from __future__ import annotations

from typing import Any

from budgets import Budget, gates_of

from storeproof.harness.latency.workloads import stated
from storeproof.reference.costs import (
    AlertFilter,
    BudgetFilter,
    BudgetId,
    ChargeFilter,
    Dimension,
    ReservationId,
    SinkName,
)
from storeproof.reference.costs.laws import contract
from storeproof.reference.costs.laws.given import (
    ACTOR,
    DAY,
    HOUR,
    NOW,
    amounts,
    budget,
    charge,
    correction,
    query,
)

HALF = frozenset({50})


def amount(number: int) -> Any:
    return amounts(**{f"b{number}": "6"})


async def new_charge(s: Any, n: int) -> None:
    await s.create(charge(f"c{n}"))


async def new_budget(s: Any, n: int) -> None:
    await s.put_budget(budget(f"b{n}", scope=f"org/t{n}", thresholds=HALF), 0, ACTOR, NOW)


async def new_reservation(s: Any, n: int) -> None:
    await s.reserve(ReservationId(f"r{n}"), amount(n), NOW, NOW + HOUR)


async def spent(s: Any, n: int) -> None:
    await s.settle(ReservationId(f"r{n}"), amount(n))


async def alerted(s: Any, n: int) -> None:
    await s.raise_alerts(BudgetId(f"b{n}"), NOW)


async def prepared_delivery(storage: Any, number: int) -> Any:
    for each in (new_budget, new_reservation, spent):
        await each(storage, number)
    [alert, *_] = await storage.raise_alerts(BudgetId(f"b{number}"), NOW)
    return lambda: storage.mark_delivered(alert.id, SinkName("mail"), NOW)


async def prepared_list(storage: Any, number: int) -> Any:
    for each in (new_budget, new_reservation, spent):
        await each(storage, number)
    [alert, *_] = await storage.raise_alerts(BudgetId(f"b{number}"), NOW)
    await storage.mark_delivered(alert.id, SinkName("mail"), NOW)
    return lambda: storage.list_deliveries(alert.id, limit=10)


RESERVED = (new_budget, new_reservation)
CALLS = {
    "get_by_id": stated(lambda s, n: s.get_by_id(f"c{n}"), new_charge),
    "create": stated(new_charge),
    "correct": stated(lambda s, n: s.correct(correction(f"k{n}", f"c{n}")), new_charge),
    "list_charges": stated(lambda s, n: s.list_charges(ChargeFilter(), limit=10), new_charge),
    "list_corrections": stated(lambda s, n: s.list_corrections(f"c{n}", limit=10), new_charge),
    "report": stated(lambda s, n: s.report(query(Dimension.MODEL)), new_charge),
    "rebuild_rollups": stated(lambda s, n: s.rebuild_rollups(), new_charge),
    "put_budget": stated(new_budget),
    "budget_status": stated(lambda s, n: s.budget_status(f"b{n}", NOW), new_budget),
    "list_budgets": stated(lambda s, n: s.list_budgets(BudgetFilter(), limit=10), new_budget),
    "list_budget_versions": stated(
        lambda s, n: s.list_budget_versions(f"b{n}", limit=10), new_budget
    ),
    "reserve": stated(new_reservation, new_budget),
    "get_reservation": stated(lambda s, n: s.get_reservation(f"r{n}"), *RESERVED),
    "settle": stated(spent, *RESERVED),
    "release": stated(lambda s, n: s.release(f"r{n}"), *RESERVED),
    "expire_reservations": stated(lambda s, n: s.expire_reservations(NOW + DAY, 1), *RESERVED),
    "raise_alerts": stated(alerted, *RESERVED, spent),
    "list_alerts": stated(
        lambda s, n: s.list_alerts(AlertFilter(), limit=10), *RESERVED, spent, alerted
    ),
    "mark_delivered": prepared_delivery,
    "list_deliveries": prepared_list,
}
BUDGETS = {
    "get_by_id": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "create": Budget("insert", sqlite=8.25, postgres=1.75, round_trips=1),
    "correct": Budget("insert", sqlite=8.75, postgres=4.25, round_trips=5),
    "list_charges": Budget("read", sqlite=4.5, postgres=1.5, round_trips=1),
    "list_corrections": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "report": Budget("read", sqlite=3.75, postgres=1.75, round_trips=1),
    "rebuild_rollups": Budget("insert", sqlite=33.25, postgres=5.75, round_trips=5),
    "put_budget": Budget("insert", sqlite=8.5, postgres=4, round_trips=5),
    "budget_status": Budget("read", sqlite=2.75, postgres=1.25, round_trips=1),
    "list_budgets": Budget("read", sqlite=5, postgres=1.25, round_trips=1),
    "list_budget_versions": Budget("read", sqlite=2.5, postgres=1.25, round_trips=1),
    "reserve": Budget("insert", sqlite=11.25, postgres=6, round_trips=8),
    "get_reservation": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "settle": Budget("insert", sqlite=12.75, postgres=5.5, round_trips=8),
    "release": Budget("insert", sqlite=10.5, postgres=5.5, round_trips=7),
    "expire_reservations": Budget("insert", sqlite=11.25, postgres=5.25, round_trips=7),
    "raise_alerts": Budget("insert", sqlite=10.25, postgres=4.25, round_trips=6),
    "list_alerts": Budget("read", sqlite=4.75, postgres=1.5, round_trips=1),
    "mark_delivered": Budget("insert", sqlite=2.5, postgres=1.25, round_trips=1),
    "list_deliveries": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
}

TestCosts = contract.benchmarks(gates=gates_of(BUDGETS), calls=CALLS)
