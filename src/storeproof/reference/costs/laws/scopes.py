"""For authors of a cost storage: the laws of what counts in which budgets."""

from typing import Any

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    Allocation,
    BudgetFilter,
    BudgetId,
    Dimension,
    ReservationId,
)
from storeproof.reference.costs.laws.given import (
    ACTOR,
    LATER,
    NOW,
    add_budget,
    amounts,
    budget,
    charge,
    is_invalid,
    reserve,
    sums,
    totals,
    walk,
)
from storeproof.reference.costs.protocol import CostStorage

__all__: list[str] = []

R = ReservationId("r")
REQUEST: dict[str, Any] = {
    "covering": "org/team",
    "provider": "acme",
    "model": "small",
    "tags": frozenset({"env=prod", "x", "y"}),
    "currency": "USD",
}


async def found(storage: CostStorage, **fields: Any) -> str:
    """The ids of the budgets that match, walked one by one."""
    listed = await walk(storage.list_budgets, BudgetFilter(**fields), limit=1)
    return "".join(each.id for each in listed)


@law("COST-092", MUST)
async def budget_counts_what_it_names(storage: CostStorage) -> None:
    """A budget counts what has the provider, the model and the tag that it names, by code point."""
    scopes: dict[str, dict[str, Any]] = {
        "a": {},
        "b": {"provider": "acme"},
        "c": {"provider": "ACME"},
        "d": {"model": "small"},
        "e": {"model": "large"},
        "f": {"tag": "env=prod"},
        "g": {"tag": "env=Prod"},
        "h": {"tag": "x", "scope": "org", "provider": "acme", "model": "small"},
        "i": {"tag": "x", "scope": "other"},
        "j": {"tag": "x", "model": "large"},
    }
    for name, fields in scopes.items():
        await add_budget(storage, name, **fields)
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "abcdefghij"),
        ({"provider": "acme"}, "abdefghij"),
        ({"model": "small"}, "abcdfghi"),
        ({"tags": frozenset()}, "abcde"),
        ({"tags": frozenset({"x"})}, "abcdehij"),
        ({"tags": frozenset({"env=prod", "y", '"x"', "en"})}, "abcdef"),
        (REQUEST, "abdfh"),
        (REQUEST | {"covering": "other/team"}, "abdfi"),
        (REQUEST | {"currency": "EUR"}, ""),
    ]
    for fields, expected in cases:
        assert await found(storage, **fields) == expected, fields


@law("COST-093", MUST)
async def many_tags_count_once(storage: CostStorage) -> None:
    """A request with several tags counts once in each budget, and once in what was spent."""
    tags: dict[str, str | None] = {"a": "x", "b": "y", "c": None, "d": "z", "e": "env=prod"}
    for name, tag in tags.items():
        await add_budget(storage, name, tag=tag)
    names = await found(storage, **REQUEST)
    assert names == "abce"
    await storage.reserve(R, amounts(**dict.fromkeys(names, "3")), NOW, LATER)
    made = charge("1", "2.000000001", tags="env=prod x y")
    await storage.settle(R, amounts(**dict.fromkeys(names, "2.000000001")), made)
    spent = {name: (await totals(storage, name))[0] for name in tags}
    assert spent == dict.fromkeys("abce", "2.000000001") | {"d": "0"}
    for group_by in set(Dimension) - {Dimension.TAG}:
        assert sum((await sums(storage, group_by)).values()) == made.amount
    split = await sums(storage, Dimension.TAG, allocation=Allocation.SPLIT)
    assert (len(split), sum(split.values())) == (3, made.amount)


@law("COST-094", MUST)
async def scope_of_a_budget_may_change(storage: CostStorage) -> None:
    """A budget's provider, model and tag change with a new version, and keep what was spent."""
    await add_budget(storage, "a", tag="x", provider="acme", model="small")
    await reserve(storage, "r", a="3")
    changed = budget("a", tag="y", model="large")
    for version, made in enumerate((changed, replace(changed, tag=None)), 1):
        put = await storage.put_budget(made, version, ACTOR, NOW)
        assert put.budget == made
        assert (await storage.budget_status(BudgetId("a"), NOW)).budget == made
        assert (await storage.list_budgets(BudgetFilter())).items == (made,)
        assert await totals(storage, "a") == ("0", "3")
    stored = (await storage.list_budget_versions(BudgetId("a"))).items
    assert [each.budget.tag for each in stored] == ["x", "y", None]
    assert [each.budget.provider for each in stored] == ["acme", None, None]
    assert await found(storage, **REQUEST) == ""
    assert await found(storage, **REQUEST | {"model": "large"}) == "a"


@law("COST-095", MUST)
async def bad_scopes_are_invalid(storage: CostStorage) -> None:
    """A provider, a model or a tag that is no name is invalid, in this order, before the limit."""
    await add_budget(storage, "a", tag="x")
    for bad in ("", "a\0", "a" * 129, "\ud800"):
        for field in ("provider", "model", "tag"):
            scope: dict[str, Any] = {field: bad}
            wrong = budget("b", "-1", **scope)
            await is_invalid(storage.put_budget(wrong, 0, ACTOR, NOW), field)
            if field != "tag":
                await is_invalid(storage.list_budgets(BudgetFilter(**scope)), field)
        both = budget("b", model=bad, tag=bad)
        await is_invalid(storage.put_budget(both, 0, ACTOR, NOW), "model")
        tags: Any = frozenset({"x", bad})
        await is_invalid(storage.list_budgets(BudgetFilter(tags=tags)), "tags")
    not_a_set: Any = ["x"]
    await is_invalid(storage.list_budgets(BudgetFilter(tags=not_a_set)), "tags")
    assert await found(storage) == "a"
