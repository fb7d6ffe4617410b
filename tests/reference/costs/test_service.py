"""The cost service: budgets are kept and alerts reach every sink, whichever storage it has."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from storeproof.reference.costs import (
    Actor,
    Alert,
    BudgetFilter,
    BudgetId,
    ChargeFilter,
    CostService,
    Currency,
    DatabaseCostStorage,
    Dimension,
    InMemoryCostStorage,
    ModelName,
    OwnerPath,
    Policy,
    ProviderName,
    ReservationState,
    SinkName,
    Tag,
)
from storeproof.reference.costs.exceptions import BudgetExceeded, ReservationClosed
from storeproof.reference.costs.service import Offer
from storeproof.reference.database import Database
from storeproof.reference.exceptions import InvalidValue, VersionConflict

from .examples import DAY, HOUR, NOW, budget, charge, run
from .test_rollups import march

ANN = Actor("ann")
OWNER, USD = OwnerPath("org/team"), Currency("USD")


class Recorder:
    name = SinkName("recorder")

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    async def deliver(self, alert: Alert) -> None:
        self.alerts.append(alert)


class Given:
    """A service with a clock to move, and a sink that is read."""

    def __init__(self, storage: Any, *sinks: Any) -> None:
        self.now: datetime = NOW
        self.sink = Recorder()
        numbers = map(str, itertools.count(1))
        self.storage = storage
        self.service = CostService(
            storage,
            clock=lambda: self.now,
            new_id=lambda: next(numbers),
            sinks=(*sinks, self.sink),
            patience=HOUR,
        )

    async def status(self, id: str) -> tuple[str, str]:
        status = await self.service.budget_status(BudgetId(id))
        return str(status.spent), str(status.reserved)


@asynccontextmanager
async def opened(url: str | None, *sinks: Any) -> AsyncIterator[Given]:
    if url is None:
        yield Given(InMemoryCostStorage(), *sinks)
    else:
        async with Database(url, create=True) as database:
            yield Given(DatabaseCostStorage(database), *sinks)


def offer(model: str, amount: str) -> Offer:
    return Offer(provider=ProviderName("acme"), model=ModelName(model), amount=Decimal(amount))


def test_an_admitted_request_is_settled_in_every_budget_that_covers_it(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            scopes = {"all": "", "org": "org", "team": "org/team", "other": "org/x"}
            for name, scope in scopes.items():
                await given.service.put_budget(ANN, budget(name, scope=scope))
            await given.service.put_budget(ANN, budget("euro", currency="EUR"))
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")])
            assert await given.status("team") == ("0", "3")
            for _ in range(2):
                await given.service.finish(admission, charge("c", "2"))
            found = [await given.status(name) for name in (*scopes, "euro")]
            assert found == [("2", "0")] * 3 + [("0", "0")] * 2
            assert (await given.service.charges(ChargeFilter())).items == (charge("c", "2"),)
            rows = await given.service.report(march(Dimension.TEAM))
            assert [(row.key, str(row.amount)) for row in rows] == [("org/team", "2")]

    run(use())


def test_more_budgets_than_a_page_are_all_found() -> None:
    async def use() -> None:
        async with opened(None) as given:
            for number in range(101):
                await given.service.put_budget(ANN, budget(f"b{number:03}", scope="org"))
            found = await given.service.budgets_of(BudgetFilter(covering=OWNER))
            assert len(found) == len(set(found)) == 101
            with pytest.raises(InvalidValue, match="100"):
                await given.service.admit(OWNER, USD, [offer("large", "1")])

    run(use())


def test_a_request_counts_once_in_each_budget_of_its_tags_provider_and_model(
    place: str | None,
) -> None:
    scopes: dict[str, dict[str, Any]] = {
        "all": {},
        "acme": {"provider": "acme"},
        "other": {"provider": "other"},
        "large": {"model": "large", "scope": "org"},
        "small": {"model": "small"},
        "prod": {"tag": "env=prod"},
        "test": {"tag": "env=test"},
        "x": {"tag": "x", "provider": "acme"},
    }

    async def use() -> None:
        async with opened(place) as given:
            for name, fields in scopes.items():
                await given.service.put_budget(ANN, budget(name, **fields))
            tags = frozenset({Tag("env=prod"), Tag("x"), Tag("y")})
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")], tags)
            for _ in range(2):
                await given.service.finish(admission, charge("c", "2", tags=tags))
            found = {name: await given.status(name) for name in scopes}
            counting = {name for name, (spent, _) in found.items() if spent == "2"}
            assert counting == {"all", "acme", "large", "prod", "x"}
            assert {found[name] for name in set(scopes) - counting} == {("0", "0")}

    run(use())


def test_a_budget_of_a_tag_refuses_and_one_of_a_model_routes(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a", "1", tag="env=prod"))
            route = {"model": "large", "policy": Policy.ROUTE}
            await given.service.put_budget(ANN, budget("b", "1", **route))
            prod = frozenset({Tag("env=prod")})
            with pytest.raises(BudgetExceeded, match="'a'"):
                await given.service.admit(OWNER, USD, [offer("small", "2")], prod)
            offers = [offer("large", "3"), offer("small", "2")]
            assert (await given.service.admit(OWNER, USD, offers)).offer == offers[1]
            assert await given.status("b") == ("0", "0")

    run(use())


def test_without_a_budget_nothing_is_reserved() -> None:
    async def use() -> None:
        async with opened(None) as given:
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")])
            assert admission.reservation is None
            assert await given.service.finish(admission, charge("c")) == ()
            await given.service.abandon(admission)
            assert (await given.service.charges(ChargeFilter())).items == (charge("c"),)

    run(use())


def test_a_blocking_budget_refuses_whatever_else_is_offered(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a", "1"))
            with pytest.raises(BudgetExceeded):
                await given.service.admit(OWNER, USD, [offer("large", "3"), offer("small", "1")])
            assert await given.status("a") == ("0", "0")

    run(use())


def test_a_routing_budget_takes_the_next_cheaper_offer_that_fits(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a", "1", policy=Policy.ROUTE))
            offers = [offer(name, amount) for name, amount in zip("abcd", "3421", strict=True)]
            admission = await given.service.admit(OWNER, USD, offers)
            assert admission.offer == offers[-1]
            assert await given.status("a") == ("0", "1")
            with pytest.raises(BudgetExceeded) as caught:
                await given.service.admit(OWNER, USD, offers)
            assert caught.value.available == 0

    run(use())


def test_a_dearer_offer_is_not_tried_in_place_of_one_that_was_refused() -> None:
    tried: list[Decimal] = []

    class Watched(InMemoryCostStorage):
        async def reserve(self, id: Any, amounts: Any, at: Any, expires_at: Any) -> Any:
            tried.append(amounts[0].amount)
            return await super().reserve(id, amounts, at, expires_at)

    async def use() -> None:
        given = Given(Watched())
        await given.service.put_budget(ANN, budget("a", "1", policy=Policy.ROUTE))
        with pytest.raises(BudgetExceeded):
            await given.service.admit(OWNER, USD, [offer("a", "3"), offer("b", "4")])
        assert tried == [3]

    run(use())


def test_a_warning_budget_admits_and_is_named(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a", "4", policy=Policy.WARN))
            first = await given.service.admit(OWNER, USD, [offer("large", "4")])
            second = await given.service.admit(OWNER, USD, [offer("large", "0.000000001")])
            assert (first.warnings, second.warnings) == ((), ("a",))

    run(use())


def test_no_offer_is_an_error_of_the_caller() -> None:
    async def use() -> None:
        async with opened(None) as given:
            with pytest.raises(ValueError, match="no offer"):
                await given.service.admit(OWNER, USD, [])

    run(use())


def test_what_is_abandoned_or_expires_is_free_again(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a"))
            one, other = [
                await given.service.admit(OWNER, USD, [offer("large", "3")]) for _ in range(2)
            ]
            await given.service.abandon(one)
            assert await given.status("a") == ("0", "3")
            given.now += HOUR
            assert await given.service.expire() == 1
            assert await given.status("a") == ("0", "0")
            assert other.reservation is not None
            late = await given.storage.get_reservation(other.reservation.id)
            assert late.state is ReservationState.EXPIRED

    run(use())


def test_what_was_abandoned_is_not_charged_unless_it_is_recorded_alone(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a"))
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")])
            await given.service.abandon(admission)
            with pytest.raises(ReservationClosed):
                await given.service.finish(admission, charge("c", "3"))
            assert (await given.service.charges(ChargeFilter())).items == ()
            await given.service.record(charge("c", "3"))
            assert (await given.service.charges(ChargeFilter())).items == (charge("c", "3"),)
            assert await given.status("a") == ("0", "0")

    run(use())


def test_a_charge_is_in_the_currency_of_its_admission() -> None:
    async def use() -> None:
        async with opened(None) as given:
            await given.service.put_budget(ANN, budget("a"))
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")])
            with pytest.raises(InvalidValue, match="currency"):
                await given.service.finish(admission, charge("c", currency="EUR"))
            assert await given.status("a") == ("0", "3")
            assert (await given.service.charges(ChargeFilter())).items == ()

    run(use())


def test_a_credit_settles_nothing() -> None:
    async def use() -> None:
        async with opened(None) as given:
            await given.service.put_budget(ANN, budget("a"))
            admission = await given.service.admit(OWNER, USD, [offer("large", "3")])
            await given.service.finish(admission, charge("c", "-2"))
            assert await given.status("a") == ("0", "0")

    run(use())


def test_who_changed_a_budget_is_told(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a"))
            given.now += DAY
            await given.service.put_budget(Actor("bob"), budget("a", "20"), 1)
            with pytest.raises(VersionConflict):
                await given.service.put_budget(Actor("eve"), budget("a", "30"), 1)
            history = (await given.service.budget_history(BudgetId("a"))).items
            told = [(each.actor, str(each.budget.limit), each.at) for each in history]
            assert told == [("ann", "10", NOW), ("bob", "20", NOW + DAY)]

    run(use())


def test_a_correction_is_of_now(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.record(charge("c"))
            given.now += DAY
            made = await given.service.correct(charge("c").id, Decimal("-0.5"), "rebate")
            assert (made.at, made.reason) == (NOW + DAY, "rebate")
            rows = await given.service.report(march(Dimension.MODEL))
            assert [str(row.amount) for row in rows] == ["0.5"]

    run(use())
