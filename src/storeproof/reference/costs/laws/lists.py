"""For authors of a cost storage: the laws of lists and their filters."""

from typing import Any

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    AlertFilter,
    BudgetFilter,
    BudgetId,
    ChargeFilter,
    ChargeId,
)
from storeproof.reference.costs.laws.given import (
    ACTOR,
    DAY,
    NOW,
    TICK,
    add_budget,
    amounts,
    budget,
    charge,
    correction,
    is_invalid,
    reservation_id,
    reserve,
    walk,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.storage import Cursor

__all__: list[str] = []

A = BudgetId("a")


async def found(storage: CostStorage, **fields: Any) -> str:
    """The ids of the charges that match."""
    return "".join(each.id for each in (await storage.list_charges(ChargeFilter(**fields))).items)


@law("COST-052", MUST)
async def charges_are_ordered_by_time(storage: CostStorage) -> None:
    """Charges are listed by `occurred_at`, then by id, one page after the other."""
    times = {"a": NOW + DAY, "b": NOW, "B": NOW, "c": NOW - TICK, "é": NOW, "z": NOW}
    for name, time in times.items():
        await storage.create(charge(name, occurred_at=time))
    for limit in (1, 2, 3, 6, 7):
        listed = await walk(storage.list_charges, ChargeFilter(), limit=limit)
        assert "".join(each.id for each in listed) == "cBbzéa"
    assert (await storage.list_charges(ChargeFilter(), None, 6)).next_cursor is None


@law("COST-053", MUST)
async def charges_match_all_that_is_given(storage: CostStorage) -> None:
    """A filter matches exactly; an owner covers those below it; `until` is not included."""
    await storage.create(charge("a", owner="o/t", tags="x y"))
    await storage.create(charge("b", owner="o/tt", provider="ACME", tags="xy"))
    await storage.create(charge("c", owner="", model="large", currency="EUR"))
    await storage.create(charge("d", owner="o", occurred_at=NOW + TICK))
    await storage.create(charge("e", owner="o/t/u/k", occurred_at=NOW + DAY, tags="%"))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"owner": ""}, "abcde"),
        ({"owner": "o"}, "abde"),
        ({"owner": "o/t"}, "ae"),
        ({"owner": "O"}, ""),
        ({"provider": "acme"}, "acde"),
        ({"model": "large"}, "c"),
        ({"currency": "EUR"}, "c"),
        ({"tag": "x"}, "a"),
        ({"tag": "%"}, "e"),
        ({"since": NOW + TICK}, "de"),
        ({"until": NOW + TICK}, "abc"),
        ({"since": NOW + TICK, "until": NOW + DAY}, "d"),
        ({"owner": "o/t", "tag": "y", "provider": "acme"}, "a"),
    ]
    for fields, expected in cases:
        assert await found(storage, **fields) == expected, fields


@law("COST-054", MUST)
async def budgets_that_cover_are_listed(storage: CostStorage) -> None:
    """Budgets are listed by id; those that cover an owner are of its path or one above it."""
    scopes = {"a": "", "b": "o", "c": "o/t", "d": "o/tt", "e": "o/t/u", "f": "p"}
    for name, scope in reversed(scopes.items()):
        await add_budget(storage, name, scope=scope, currency="EUR" if name == "b" else "USD")
    cases = [
        (BudgetFilter(), "abcdef"),
        (BudgetFilter(covering="o/t"), "abc"),  # type: ignore[arg-type] # laws write NewTypes as text
        (BudgetFilter(covering=""), "a"),  # type: ignore[arg-type] # as above
        (BudgetFilter(covering="o/t/u/k", currency="USD"), "ace"),  # type: ignore[arg-type] # as above
        (BudgetFilter(currency="EUR"), "b"),  # type: ignore[arg-type] # as above
    ]
    for filter_, expected in cases:
        listed = await walk(storage.list_budgets, filter_, limit=2)
        assert "".join(each.id for each in listed) == expected


@law("COST-055", MUST)
async def each_list_has_pages(storage: CostStorage) -> None:
    """Corrections, versions and alerts come in pages, in their order, and of their own only."""
    for name in "ab":
        await storage.create(charge(name))
        for number, time in enumerate((NOW + DAY, NOW, NOW)):
            await storage.correct(correction(f"{name}{number}", name, at=time))
        await add_budget(storage, name, thresholds=frozenset({50, 100}))
    for version in range(1, 12):
        await storage.put_budget(budget("a", thresholds=frozenset({9, 100})), version, ACTOR, NOW)
    for day in range(2):
        await reserve(storage, f"r{day}", NOW + day * DAY, a="10", b="10")
        await storage.settle(reservation_id(f"r{day}"), amounts(a="10", b="10"))
        for name in "ab":
            await storage.raise_alerts(BudgetId(name), NOW)
    for limit in (1, 2, 100):
        corrections = await walk(storage.list_corrections, ChargeId("a"), limit=limit)
        versions = await walk(storage.list_budget_versions, A, limit=limit)
        alerts = await walk(storage.list_alerts, AlertFilter(budget=A), limit=limit)
        assert [each.id for each in corrections] == ["a1", "a2", "a0"]
        assert [each.version for each in versions] == list(range(1, 13))
        assert [each.threshold for each in alerts] == [9, 100, 9, 100]


@law("COST-056", MUST)
async def bad_pages_are_invalid(storage: CostStorage) -> None:
    """A limit outside 1 to 1000, or a cursor of another list, is invalid, whatever is listed."""
    await storage.create(charge("a"))
    await storage.create(charge("b"))
    other = (await storage.list_charges(ChargeFilter(), None, 1)).next_cursor
    lists: list[tuple[Any, Any]] = [
        (storage.list_corrections, ChargeId("a")),
        (storage.list_budgets, BudgetFilter()),
        (storage.list_budget_versions, A),
        (storage.list_alerts, AlertFilter()),
        (storage.list_charges, ChargeFilter()),
    ]
    for operation, argument in lists:
        for limit in (0, 1001):
            await is_invalid(operation(argument, None, limit), "limit")
        await is_invalid(operation(argument, Cursor("no"), 1), "cursor")
        if operation != storage.list_charges:
            await is_invalid(operation(argument, other, 1), "cursor")
