"""Alerts reach every sink at least once, whatever fails, and nobody is asked to guess which did."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storeproof.reference.costs import (
    Alert,
    AlertFilter,
    BudgetId,
    CostService,
    InMemoryCostStorage,
    SinkName,
)
from storeproof.reference.costs.service import AlertNotDelivered, LogSink, WebhookSink
from storeproof.reference.exceptions import Unavailable

from .examples import DAY, NOW, budget, charge, run
from .test_service import ANN, OWNER, USD, Given, Recorder, offer, opened
from .test_webhook import SECRET, Script

HALVES = frozenset({50, 100})


class Failing(Recorder):
    """Fails as long as it has an error to raise, after it has taken note of the alert."""

    name = SinkName("failing")

    def __init__(self, *errors: Exception) -> None:
        super().__init__()
        self.errors = list(errors)

    async def deliver(self, alert: Alert) -> None:
        await super().deliver(alert)
        if self.errors:
            raise self.errors.pop(0)


async def spend(given: Given, id: str, amount: str = "5") -> tuple[Alert, ...]:
    admission = await given.service.admit(OWNER, USD, [offer("large", amount)])
    return await given.service.finish(admission, charge(id, amount))


def test_every_alert_is_raised_by_what_finishes_and_delivered_afterwards(
    place: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async def use() -> None:
        async with opened(place, LogSink()) as given:
            await given.service.put_budget(ANN, budget("a", thresholds=HALVES))
            assert [alert.threshold for alert in await spend(given, "1")] == [50]
            assert given.sink.alerts == []
            given.now += DAY
            made = await given.service.deliver_alerts()
            assert [(each.sink, each.at) for each in made] == [
                ("log", NOW + DAY),
                ("recorder", NOW + DAY),
            ]
            assert await given.service.deliver_alerts() == ()
            assert [alert.threshold for alert in await spend(given, "2")] == [100]
            await given.service.deliver_alerts()
            assert [alert.threshold for alert in given.sink.alerts] == [50, 100]
            assert "budget a: 50 % reached, 5 of 10 spent" in caplog.text
            assert {record.levelname for record in caplog.records} == {"WARNING"}

    run(use())


def test_a_sink_that_fails_blocks_nothing_and_is_tried_again(
    place: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(AlertNotDelivered("this", "it is broken"), RuntimeError("it is wrong"))

    async def use() -> None:
        async with opened(place, failing) as given:
            await given.service.put_budget(ANN, budget("a", thresholds=frozenset({30, 40, 50})))
            await spend(given, "1")
            made = await given.service.deliver_alerts()
            assert [each.sink for each in made] == ["failing", *["recorder"] * 3]
            left = (await given.service.undelivered(failing.name)).items
            assert [alert.threshold for alert in left] == [30, 40]
            assert (await given.service.undelivered(given.sink.name)).items == ()
            assert "it is broken" in caplog.text
            assert "it is wrong" in caplog.text
            assert len(await given.service.deliver_alerts()) == 2
            assert [alert.threshold for alert in failing.alerts] == [30, 40, 50, 30, 40]
            assert [alert.threshold for alert in given.sink.alerts] == [30, 40, 50]
            assert await given.service.deliver_alerts() == ()

    run(use())


def test_what_was_raised_before_a_crash_is_delivered_by_the_next_process(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a", thresholds=HALVES))
            await spend(given, "1")
            sink = Recorder()
            next_one = CostService(given.storage, clock=lambda: NOW, sinks=[sink])
            assert len(await next_one.deliver_alerts()) == 1
            assert await given.service.deliver_alerts() == ()
            assert [alert.threshold for alert in sink.alerts] == [50]

    run(use())


def test_what_a_process_did_not_come_to_raise_is_raised_when_all_budgets_are_asked(
    place: str | None,
) -> None:
    async def use() -> None:
        async with opened(place) as given:
            for name in "ba":
                await given.service.put_budget(ANN, budget(name, thresholds=HALVES))
            admission = await given.service.admit(OWNER, USD, [offer("large", "5")])
            assert admission.reservation is not None
            await given.storage.settle(admission.reservation.id, admission.reservation.amounts)
            raised = await given.service.raise_alerts()
            assert [(alert.budget, alert.threshold) for alert in raised] == [("a", 50), ("b", 50)]
            assert await given.service.raise_alerts() == ()

    run(use())


def test_a_delivery_that_could_not_be_recorded_is_repeated_under_the_same_key() -> None:
    class Lossy(InMemoryCostStorage):
        lost = 1

        async def mark_delivered(self, alert: Any, sink: Any, at: Any) -> Any:
            if self.lost:
                self.lost -= 1
                raise Unavailable("the test says so")
            return await super().mark_delivered(alert, sink, at)

    async def use() -> None:
        script = Script(200, 200)
        given = Given(Lossy(), script.sink())
        await given.service.put_budget(ANN, budget("a", thresholds=HALVES))
        [alert] = await spend(given, "1")
        with pytest.raises(Unavailable):
            await given.service.deliver_alerts()
        await given.service.deliver_alerts()
        keys = [headers["Idempotency-Key"] for _, headers, _ in script.posts]
        assert keys == [alert.id, alert.id]
        deliveries = await given.storage.list_deliveries(alert.id)
        assert [each.sink for each in deliveries.items] == ["recorder", "webhook"]

    run(use())


def test_more_alerts_than_a_page_are_all_delivered() -> None:
    async def use() -> None:
        given = Given(InMemoryCostStorage())
        levels = frozenset(range(1, 101))
        for name in "ab":
            await given.service.put_budget(ANN, budget(name, thresholds=levels))
        await spend(given, "1", "10")
        assert len(await given.service.deliver_alerts()) == len(given.sink.alerts) == 200

    run(use())


def test_an_alert_is_given_up_after_a_while_and_stays_listed() -> None:
    async def use() -> None:
        given = Given(InMemoryCostStorage())
        await given.service.put_budget(ANN, budget("a", thresholds=HALVES))
        await spend(given, "1")
        given.now += timedelta(days=7, microseconds=1)
        assert await given.service.deliver_alerts() == ()
        assert len((await given.service.undelivered(given.sink.name)).items) == 1
        given.now = NOW + timedelta(days=7)
        assert len(await given.service.deliver_alerts()) == 1

    run(use())


def test_thresholds_that_are_added_later_are_raised_when_asked(place: str | None) -> None:
    async def use() -> None:
        async with opened(place) as given:
            await given.service.put_budget(ANN, budget("a"))
            assert await spend(given, "1") == ()
            await given.service.put_budget(ANN, budget("a", thresholds=HALVES), 1)
            raised = await given.service.raise_alerts([BudgetId("a")])
            assert [alert.threshold for alert in raised] == [50]
            assert (await given.storage.list_alerts(AlertFilter())).items == raised

    run(use())


def test_sinks_have_names_of_their_own() -> None:
    hooks = [WebhookSink("https://a.example", SECRET, name=SinkName(name)) for name in "ab"]
    CostService(InMemoryCostStorage(), sinks=hooks)
    with pytest.raises(ValueError, match="the same name"):
        CostService(InMemoryCostStorage(), sinks=[Recorder(), Recorder()])
