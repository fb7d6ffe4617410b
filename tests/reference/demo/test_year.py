"""A made-up year is the same for the same seed, and shows everything that there is to see."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from storeproof.reference.auth.entities import Email, UserFilter
from storeproof.reference.auth.service import AuthService
from storeproof.reference.config import Config
from storeproof.reference.costs.entities import AlertFilter, BudgetFilter, ChargeFilter, Policy
from storeproof.reference.demo import DAYS, PEOPLE, Year, fill, make_year
from storeproof.reference.errors.entities import GroupFilter, Status
from storeproof.reference.selection import Storages
from storeproof.reference.web import ROLES

NOW = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
PASSWORD = "correct horse battery"


def year(seed: int = 1, errors: int = 1500, traffic: int = 1000, now: datetime = NOW) -> Year:
    return make_year(now, seed=seed, errors=errors, traffic=traffic)


def filled(work: Callable[[Storages, Year], Awaitable[None]], made: Year | None = None) -> None:
    async def run() -> None:
        storages, data = Storages(Config()), made or year()
        await fill(data, storages, password=PASSWORD, roles=ROLES)
        await work(storages, data)

    asyncio.run(run())


def test_a_seed_makes_one_year() -> None:
    assert year() == year()
    assert year(seed=2) != year()


@pytest.mark.parametrize(("errors", "traffic"), [(0, 0), (1, 1), (777, 333)])
def test_there_is_as_much_as_was_asked_for(errors: int, traffic: int) -> None:
    made = year(errors=errors, traffic=traffic)
    assert (len(made.failures), len(made.requests)) == (errors, traffic)
    assert len({each.id for each in made.failures}) == errors


@pytest.mark.parametrize("hour", [0, 12, 23])
def test_all_of_it_happened_in_the_year_before_in_order(hour: int) -> None:
    now = NOW.replace(hour=hour)
    made = year(now=now)
    for times in ([each.at for each in made.failures], [each.at for each in made.requests]):
        assert times == sorted(times)
        assert now - timedelta(days=DAYS) <= times[0]
        assert times[-1] < now


def test_there_is_more_by_day_and_towards_the_end() -> None:
    times = [each.at for each in year().requests]
    late = [at for at in times if at > NOW - timedelta(days=DAYS // 2)]
    by_day = [at for at in times if 8 <= at.hour < 20]
    assert len(late) > len(times) * 0.55
    assert len(by_day) > len(times) * 0.6


def test_errors_regress_are_resolved_and_ignored() -> None:
    async def work(storages: Storages, made: Year) -> None:
        page = await storages.errors.list_groups(GroupFilter())
        states = {each.message.split(":")[0]: each for each in page.items}
        assert sum(each.count for each in page.items) == len(made.failures)
        assert states["ValueError"].state.status is Status.RESOLVED
        assert states["PermissionError"].state.status is Status.IGNORED
        regressed = states["KeyError"]
        assert (regressed.state.status, regressed.version > 1) == (Status.UNRESOLVED, True)
        assert {each.state.status for each in page.items} == {*Status}

    filled(work)


def test_budgets_raise_alerts_and_those_that_block_are_kept() -> None:
    async def work(storages: Storages, made: Year) -> None:
        budgets = (await storages.costs.list_budgets(BudgetFilter())).items
        assert len(budgets) == len(made.budgets) == 5
        for each in budgets:
            status = await storages.costs.budget_status(each.id, NOW)
            assert status.reserved == 0
            assert each.policy is not Policy.BLOCK or status.spent <= each.limit
        raised = (await storages.costs.list_alerts(AlertFilter(), None, 1000)).items
        assert len({each.budget for each in raised}) >= 2
        waiting = AlertFilter(undelivered_to="log")  # type: ignore[arg-type]  # a sink's name
        assert (await storages.costs.list_alerts(waiting)).items == ()

    filled(work)


def test_every_charge_has_its_outcome() -> None:
    async def work(storages: Storages, made: Year) -> None:
        page = await storages.costs.list_charges(ChargeFilter(), None, 1000)
        start, end = NOW - timedelta(days=DAYS + 1), NOW
        ids = {each.provider for each in made.requests}
        stats = [await storages.providers.stats(each, start, end) for each in ids]
        assert sum(each.count - each.errors for each in stats) == len(page.items)
        assert sum(each.cost for each in stats) == sum(each.amount for each in page.items)
        assert sum(each.errors for each in stats) > 0
        assert (await storages.providers.list_usage(NOW)).items
        assert len((await storages.providers.list_cooling(NOW)).items) == 1

    filled(work)


def test_everybody_who_is_enabled_signs_in() -> None:
    async def work(storages: Storages, made: Year) -> None:
        users = (await storages.auth.list_users(UserFilter())).items
        assert {each.email for each in users} == {Email(each.email) for each in PEOPLE}
        auth = AuthService(storages.auth)
        for person in PEOPLE[:2]:
            assert (await auth.log_in(person.email, PASSWORD)).token

    filled(work, year(errors=0, traffic=0))


def test_money_is_money() -> None:
    assert all(each.charge.amount > Decimal(0) for each in year().requests if each.charge)
