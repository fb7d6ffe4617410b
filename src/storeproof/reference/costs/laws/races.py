"""For authors of a cost storage: the laws of calls that run at the same time on two handles."""

from decimal import Decimal

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    AlertFilter,
    BudgetId,
    Dimension,
    Policy,
    ReservationId,
    ReservationState,
)
from storeproof.reference.costs.laws.given import (
    ACTOR,
    LATER,
    NOW,
    add_budget,
    amounts,
    budget,
    charge,
    query,
    reserve,
    rows,
    totals,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.law_words import together

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10
R = ReservationId("r")


@law("COST-068", MUST, needs=TWO)
async def charges_together_count_once_each(storage: CostStorage, second: CostStorage) -> None:
    """Charges created at the same time, each twice, all succeed and count once each."""
    made = [charge(f"{number}", "0.1", tags="x y") for number in range(CROWD)]
    calls = (handle.create(each) for each in made for handle in (storage, second))
    results, errors = await together(*calls)
    assert (len(results), errors) == (2 * CROWD, [])
    assert await storage.report(query(Dimension.MODEL)) == rows(("USD", "small", "1", CROWD))


@law("COST-069", MUST, needs=TWO)
async def one_of_different_charges_is_created(storage: CostStorage, second: CostStorage) -> None:
    """Of different charges created at the same time with one id exactly one is stored."""
    handles = (storage, second) * (CROWD // 2)
    calls = (handle.create(charge("a", f"{n}")) for n, handle in enumerate(handles))
    results, errors = await together(*calls)
    assert errors == ["Duplicate"] * (CROWD - 1)
    assert [await second.get_by_id(results[0].id)] == results
    found = await storage.report(query(Dimension.MODEL))
    assert [row.amount for row in found] == [results[0].amount]


@law("COST-070", MUST, needs=TWO)
async def limit_holds_for_a_crowd(storage: CostStorage, second: CostStorage) -> None:
    """However many reserve at the same time, what is reserved never passes the limit."""
    await add_budget(storage, "a", "0.000000003")
    handles = (storage, second) * CROWD
    calls = (reserve(handle, f"{n}", a="0.000000001") for n, handle in enumerate(handles))
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (3, {"BudgetExceeded"})
    assert (await second.budget_status(BudgetId("a"), NOW)).available == 0


@law("COST-071", MUST, needs=TWO)
async def crossed_reservations_do_not_block(storage: CostStorage, second: CostStorage) -> None:
    """Reservations over the same budgets in any order all end, each whole or not at all."""
    for name in "abc":
        await add_budget(storage, name, "4")
    orders = ({"a": "1", "b": "1", "c": "1"}, {"c": "1", "b": "1", "a": "1"}, {"b": "1", "a": "1"})
    handles = (storage, second) * CROWD
    calls = (
        handle.reserve(ReservationId(f"{n}"), amounts(**orders[n % 3]), NOW, LATER)
        for n, handle in enumerate(handles)
    )
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (4, {"BudgetExceeded"})
    held = sum(len(each.amounts) for each in results)
    found = [(await storage.budget_status(BudgetId(name), NOW)).reserved for name in "abc"]
    assert sum(found) == held


@law("COST-072", MUST, needs=TWO)
async def one_reservation_is_made(storage: CostStorage, second: CostStorage) -> None:
    """One reservation made many times at the same time is one, and no call fails."""
    await add_budget(storage, "a", "1")
    handles = (storage, second) * (CROWD // 2)
    results, errors = await together(*(reserve(handle, "r", a="1") for handle in handles))
    assert (len(results), errors) == (CROWD, [])
    assert await totals(second, "a") == ("0", "1")


@law("COST-073", MUST, needs=TWO)
async def one_settlement_counts(storage: CostStorage, second: CostStorage) -> None:
    """Of settlements with different amounts at the same time one counts, the others fail."""
    await add_budget(storage, "a")
    await reserve(storage, "r", a="1")
    handles = (storage, second) * (CROWD // 2)
    calls = (handle.settle(R, amounts(a=f"{n}")) for n, handle in enumerate(handles))
    results, errors = await together(*calls)
    assert errors == ["ReservationClosed"] * (CROWD - 1)
    assert await totals(second, "a") == (str(results[0].settled[0].amount), "0")


@law("COST-074", MUST, needs=TWO)
async def reservation_ends_once(storage: CostStorage, second: CostStorage) -> None:
    """Settled, released and expired at the same time, a reservation is freed once."""
    await add_budget(storage, "a", policy=Policy.WARN)
    await reserve(storage, "s", NOW, LATER.replace(year=2027), a="7")
    for number in range(4):
        held = ReservationId(f"r{number}")
        await reserve(storage, held, a="2")
        await together(
            storage.release(held),
            second.expire_reservations(LATER, 10),
            second.settle(held, amounts(a="1")),
            storage.release(held),
        )
        assert (await second.get_reservation(held)).state is not ReservationState.OPEN
    status = await storage.budget_status(BudgetId("a"), NOW)
    assert status.reserved == 7


@law("COST-075", MUST, needs=TWO)
async def window_rolls_once(storage: CostStorage, second: CostStorage) -> None:
    """Reservations that together begin a window all count in it."""
    await add_budget(storage, "a", "10")
    handles = (storage, second) * (CROWD // 2)
    results, errors = await together(
        *(reserve(handle, f"{n}", a="1") for n, handle in enumerate(handles))
    )
    assert (len(results), errors) == (CROWD, [])
    assert await totals(storage, "a") == ("0", "10")


@law("COST-076", MUST, needs=TWO)
async def one_caller_raises_each_alert(storage: CostStorage, second: CostStorage) -> None:
    """However many ask at the same time, each alert is returned to exactly one of them."""
    await add_budget(storage, "a", thresholds=frozenset({10, 20, 30}))
    await reserve(storage, "r", a="5")
    await storage.settle(R, amounts(a="5"))
    handles = (storage, second) * (CROWD // 2)
    results, _ = await together(*(handle.raise_alerts(BudgetId("a"), NOW) for handle in handles))
    raised = [alert for alerts in results for alert in alerts]
    assert raised == list((await second.list_alerts(AlertFilter())).items)
    assert [alert.threshold for alert in raised] == [10, 20, 30]


@law("COST-077", MUST, needs=TWO)
async def one_of_equal_versions_is_put(storage: CostStorage, second: CostStorage) -> None:
    """Of puts at the same time that expect one version exactly one happens."""
    for version in (0, 1):
        handles = (storage, second) * (CROWD // 2)
        calls = (
            handle.put_budget(budget("a", f"{version}{n}"), version, ACTOR, NOW)
            for n, handle in enumerate(handles)
        )
        results, errors = await together(*calls)
        assert errors == ["VersionConflict"] * (CROWD - 1)
        versions = (await second.list_budget_versions(BudgetId("a"))).items
        assert [versions[-1]] == results
    assert Decimal(len(versions)) == 2
