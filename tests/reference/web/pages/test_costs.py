"""The pages about costs show what was spent and what is left, and make and change budgets."""

from __future__ import annotations

import itertools
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from storeproof.reference.costs.entities import (
    Actor,
    Budget,
    BudgetId,
    Charge,
    ChargeId,
    Currency,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    Tag,
)
from storeproof.reference.costs.service import Offer

from ..sites import NOW, Site
from .browsing import HOSTILE, Person, become, browse

NUMBERS = itertools.count()
NEW = {"id": "ml", "limit": "100", "currency": "EUR", "scope": "acme/ml", "thresholds": "50, 80"}


def charge(amount: str = "12.50", **more: Any) -> Charge:
    given = {
        "id": ChargeId(f"c{next(NUMBERS)}"),
        "currency": Currency("EUR"),
        "owner": OwnerPath("acme/ml/ann"),
        "provider": ProviderName("openai"),
        "model": ModelName("gpt"),
        "occurred_at": NOW - timedelta(days=1),
    }
    return Charge(amount=Decimal(amount), **(given | more))


async def spend(site: Site, amount: str, **more: Any) -> None:
    """A request that was admitted, and cost this much."""
    made = charge(amount, occurred_at=site.time.now, **more)
    offer = Offer(provider=made.provider, model=made.model, amount=Decimal(0))
    admission = await site.services.costs.admit(made.owner, made.currency, (offer,), made.tags)
    await site.services.costs.finish(admission, made)


async def budget(site: Site, **more: Any) -> None:
    given = {
        "id": BudgetId("ml"),
        "scope": OwnerPath("acme/ml"),
        "limit": Decimal(100),
        "currency": Currency("EUR"),
        "thresholds": frozenset({50}),
        "policy": Policy.WARN,
    }
    await site.services.costs.put_budget(Actor("test"), Budget(**(given | more)))


def test_without_costs_it_says_what_to_do() -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/costs")).status_code == 200
        assert "/api/v1/costs/charges" in person.text
        assert "Make the first one" in person.text
        assert "No budget passed a threshold" in person.text

    browse(work)


@pytest.mark.parametrize(
    ("group_by", "key"),
    [
        ("organisation", "acme"),
        ("team", "acme/ml"),
        ("user", "acme/ml/ann"),
        ("key", "(unallocated)"),
        ("provider", "openai"),
        ("model", "gpt"),
        ("tag", "project=x"),
    ],
)
def test_costs_are_allocated_by_anything(group_by: str, key: str) -> None:
    async def work(site: Site, person: Person) -> None:
        tags = frozenset({Tag("project=x"), Tag("project=y")})
        await site.services.costs.record(charge(tags=tags))
        await site.services.costs.record(charge("3", currency=Currency("USD")))
        for allocation in ("split", "full"):
            path = f"/costs?group_by={group_by}&allocation={allocation}"
            assert (await person.open(path)).status_code == 200
            assert key in person.text
            assert "USD" in person.text
        assert "12.50" in person.text

    browse(work)


def test_tags_share_a_cost_or_count_fully() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.services.costs.record(charge("10", tags=frozenset({Tag("a"), Tag("b")})))
        await person.open("/costs?group_by=tag&allocation=split")
        assert person.text.count("5.00") == 2
        assert "Total 10.00" in person.text
        (csv,) = (each for each in person.links if "report.csv" in each)
        answer = await person.client.get(csv)
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.text.count("5,EUR") == 2
        await person.open("/costs?group_by=tag&allocation=full")
        assert person.text.count("10.00") == 2
        assert "the rows overlap" in person.text
        assert not any("report.csv" in each for each in person.links)

    browse(work)


def test_the_filters_live_in_the_address() -> None:
    async def work(site: Site, person: Person) -> None:
        await site.services.costs.record(charge())
        asked = "range=custom&from=2026-02-01&to=2026-02-27&timezone=Asia%2FTokyo"
        await person.open(f"/costs?{asked}&group_by=model&allocation=full")
        assert "Nothing was charged in this time" in person.text
        for chosen in ("custom", "model", "full"):
            assert f'value="{chosen}" selected' in person.page
        await person.open(f"/costs?{asked.replace('02-27', '02-28')}&group_by=model")
        assert "12.50" in person.text
        (csv,) = (each for each in person.links if "report.csv" in each)
        for part in ("start=2026-02-01", "end=2026-03-01", "timezone=Asia%2FTokyo"):
            assert part in csv

    browse(work)


def test_a_budget_is_made_by_a_form() -> None:
    async def work(site: Site, person: Person) -> None:
        assert (await person.open("/costs/new-budget")).status_code == 200
        await person.follow(await person.send("/costs/new-budget", **NEW, policy="warn"))
        assert "The budget is made" in person.text
        made = (await site.services.costs.budget_status(BudgetId("ml"))).budget
        assert (made.limit, made.scope, made.thresholds) == (100, "acme/ml", frozenset({50, 80}))
        assert (made.policy, made.provider, made.currency) == (Policy.WARN, None, "EUR")
        history = await site.services.costs.budget_history(BudgetId("ml"))
        assert history.items[0].actor == site.administrator.user

    browse(work)


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"limit": ""}, 422, "limit"),
        ({"limit": "much"}, 422, "limit"),
        ({"limit": "NaN"}, 422, "limit"),
        ({"limit": "-1"}, 422, "limit"),
        ({"currency": "euro"}, 422, "currency"),
        ({"thresholds": "half"}, 422, "thresholds"),
        ({"thresholds": "101"}, 422, "thresholds"),
        ({"window": "year"}, 422, "window"),
        ({"timezone": "Nowhere"}, 422, "timezone"),
        ({"id": ""}, 422, "id"),
        ({"scope": "a/b/c/d/e"}, 422, "scope"),
        ({"id": "old"}, 409, "already"),
    ],
)
def test_a_budget_that_can_t_be_is_told_beside_the_form(
    fields: dict[str, str], status: int, field: str
) -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site, id=BudgetId("old"))
        await person.open("/costs/new-budget")
        answer = await person.send("/costs/new-budget", **{**NEW, **fields})
        assert answer.status_code == status
        assert field in person.text.split("New budget")[1]
        assert 'name="scope" value="a' in person.page
        history = await site.services.costs.budget_history(BudgetId("old"))
        assert len(history.items) == 1

    browse(work)


def test_a_budget_shows_what_is_spent_and_what_comes() -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site)
        site.time.pass_by(timedelta(days=3))
        await person.sign_in()
        await spend(site, "30")
        await person.open("/costs/budgets/ml")
        assert "30.00 of 100.00 EUR, 30 %" in person.text
        assert "A day 10.00" in person.text
        assert "nothing will be left at 2026-03-11 12:00 UTC" in person.text
        assert "data-chart=" in person.page
        assert "Burn-down, as a table" in person.text

    browse(work)


@pytest.mark.parametrize(
    "more",
    [
        {"scope": OwnerPath("")},
        {"scope": OwnerPath(""), "provider": ProviderName("openai")},
        {"scope": OwnerPath(""), "model": ModelName("gpt")},
        {"scope": OwnerPath(""), "tag": Tag("a")},
        {"provider": ProviderName("openai"), "model": ModelName("gpt")},
        {"limit": Decimal(0)},
    ],
)
def test_whatever_a_budget_is_for_it_is_shown(more: dict[str, Any]) -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site, **more)
        assert (await person.open("/costs/budgets/ml")).status_code == 200
        site.time.pass_by(timedelta(days=2))
        await person.sign_in()
        await spend(site, "7", tags=frozenset({Tag("a")}))
        assert (await person.open("/costs/budgets/ml")).status_code == 200
        assert "Spent 7.00" in person.text

    browse(work)


@pytest.mark.parametrize("window", ["day", "week", "total"])
def test_every_window_is_shown(window: str) -> None:
    async def work(site: Site, person: Person) -> None:
        await person.open("/costs/new-budget")
        await person.send("/costs/new-budget", **NEW, window=window)
        site.time.pass_by(timedelta(days=400))
        await person.sign_in()
        assert (await person.open("/costs/budgets/ml")).status_code == 200
        assert "Burn-down" in person.text

    browse(work)


def test_an_alert_appears() -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site)
        await spend(site, "49")
        await person.open("/costs")
        assert "No budget passed" in person.text
        await spend(site, "2")
        for path in ("/costs", "/costs/budgets/ml"):
            await person.open(path)
            assert "ml 50 % 51.00 100.00 2026-03-01 12:00 UTC" in person.text

    browse(work)


def test_a_changed_budget_has_the_alerts_of_its_new_thresholds() -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site)
        await spend(site, "30")
        await person.open("/costs/budgets/ml")
        fields = {"limit": "200", "thresholds": "10", "policy": "route", "version": "1"}
        await person.follow(await person.send("/costs/budgets/ml", **fields))
        assert "The budget is changed." in person.text
        assert "ml 10 % 30.00 200.00" in person.text
        made = (await site.services.costs.budget_status(BudgetId("ml"))).budget
        assert (made.limit, made.policy, made.scope) == (200, Policy.ROUTE, "acme/ml")

    browse(work)


def test_a_change_to_what_changed_meanwhile_is_not_made() -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site)
        await person.open("/costs/budgets/ml")
        fields = {"limit": "200", "version": "1"}
        await person.send("/costs/budgets/ml", **fields)
        answer = await person.send("/costs/budgets/ml", **{**fields, "limit": "300"})
        assert answer.status_code == 412
        assert "Somebody changed this budget" in person.text
        answer = await person.send("/costs/budgets/ml", version="2", limit="x")
        assert answer.status_code == 422
        assert (await site.services.costs.budget_status(BudgetId("ml"))).budget.limit == 200

    browse(work)


def test_who_may_only_read_makes_no_budgets() -> None:
    async def work(site: Site, person: Person) -> None:
        await budget(site)
        await become(site, person, "olga", "observer")
        await person.open("/costs")
        assert "/costs/new-budget" not in person.links
        await person.open("/costs/budgets/ml")
        assert 'name="limit"' not in person.page
        assert (await person.send("/costs/budgets/ml", limit="1", version="1")).status_code == 403

    browse(work)


def test_names_are_text() -> None:
    async def work(site: Site, person: Person) -> None:
        name = HOSTILE.replace("/", "_")
        await site.services.costs.record(charge(provider=ProviderName(HOSTILE)))
        await budget(site, id=BudgetId(name), scope=OwnerPath(name), tag=Tag(HOSTILE))
        await person.open("/costs?group_by=provider")
        paths = [each for each in person.links if "/costs/budgets/" in each]
        assert paths
        assert "&lt;script&gt;" in person.page
        for path in paths:
            assert (await person.open(path)).status_code == 200
            assert "<script>alert" not in person.page
            assert "<img" not in person.page

    browse(work)


def test_a_budget_that_is_not_there_is_not_found() -> None:
    async def work(_: Site, person: Person) -> None:
        assert (await person.open("/costs/budgets/none")).status_code == 404

    browse(work)
