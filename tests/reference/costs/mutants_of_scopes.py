"""For the tests of the cost laws: what those of budgets' scopes must not let pass."""

from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import Allocation, Dimension, ReportRow
from storeproof.reference.exceptions import InUse
from storeproof.reference.storage import Page

from ..breaking import Mutant
from .mutants import accepting, after, altering, checking, replacing
from .mutants_of_budgets import budget_as, put_resets


def filtering(**fields: Any) -> Mutant:
    return altering("list_budgets", filter=lambda given: replace(given, **fields))


def kept(page: Page[Any], test: Any) -> Page[Any]:
    return Page(items=tuple(filter(test, page.items)), next_cursor=page.next_cursor)


def only_named(field: str, wanted: str) -> Mutant:
    """What names nothing does not match where something is asked for."""

    async def made(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
        page = await right()
        asked = getattr(filter, wanted) is not None
        return kept(page, lambda each: not asked or getattr(each, field) is not None)

    return replacing("list_budgets", made)


async def all_tags_wanted(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    several = len(filter.tags or ()) > 1
    return kept(await right(), lambda each: each.tag is None or not several)


async def joined(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    """As a join with the tags does it: what names no tag comes once for each of them."""
    page = await right()
    times = len(filter.tags) if filter.tags else 1
    items = tuple(each for each in page.items for _ in range(1 if each.tag is not None else times))
    return Page(items=items, next_cursor=page.next_cursor)


async def folds_case(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    low = filter.provider and filter.provider.lower()
    if low is None:
        return await right()
    page = await right(filter=replace(filter, provider=None))
    return kept(page, lambda each: each.provider is None or each.provider.lower() == low)


async def counts_for_each_tag(_storage: Any, right: Any, query: Any) -> Any:
    rows = await right()
    if query.group_by is Dimension.TAG:
        return rows
    tagged = await right(query=replace(query, group_by=Dimension.TAG, allocation=Allocation.FULL))
    return tuple(replace(each, amount=each.amount * len(tagged)) for each in rows)


async def full_for_split(_storage: Any, right: Any, query: Any) -> tuple[ReportRow, ...]:
    rows: tuple[ReportRow, ...] = await right(query=replace(query, allocation=Allocation.FULL))
    return rows


async def adds_for_each_tag(storage: Any, right: Any, charge: Any, amounts: Any, **_: Any) -> Any:
    times = len(charge.tags) if charge else 1
    return await right(amounts=tuple(amounts) * times)


async def tag_is_fixed(storage: Any, budget: Any, **_: Any) -> None:
    stored = storage._budgets.get(budget.id)
    if stored and stored.budget.tag != budget.tag:
        raise InUse("budget", budget.id, "tag")


async def keeps_old_tag(storage: Any, right: Any, budget: Any, **_: Any) -> Any:
    stored = storage._budgets.get(budget.id)
    return await right(budget=replace(budget, tag=stored.budget.tag if stored else budget.tag))


def forgets_old_scopes(storage: Any, budget: Any, **_: Any) -> None:
    versions = storage._versions[budget.id]
    versions[:] = [replace(each, budget=budget) for each in versions]


MUTANTS: dict[str, list[Mutant]] = {
    "COST-092": [
        *(filtering(**{name: None}) for name in ("covering", "provider", "model", "tags")),
        filtering(currency=None),
        only_named("provider", "provider"),
        only_named("model", "model"),
        only_named("tag", "tags"),
        replacing("list_budgets", all_tags_wanted),
        replacing("list_budgets", folds_case),
        budget_as(tag=None),
    ],
    "COST-093": [
        replacing("list_budgets", joined),
        replacing("report", counts_for_each_tag),
        replacing("report", full_for_split),
        replacing("settle", adds_for_each_tag),
        budget_as(tag=None),
    ],
    "COST-094": [
        checking("put_budget", tag_is_fixed),
        replacing("put_budget", keeps_old_tag),
        after("put_budget", put_resets),
        after("put_budget", forgets_old_scopes),
    ],
    "COST-095": [
        *(accepting("put_budget", field) for field in ("provider", "model", "tag")),
        *(accepting("list_budgets", field) for field in ("provider", "model", "tags")),
    ],
}
