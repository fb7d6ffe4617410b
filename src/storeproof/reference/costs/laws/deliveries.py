"""For authors of a cost storage: the laws of alerts that are to be delivered."""

from datetime import timedelta
from typing import Any

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.costs.entities import (
    Alert,
    AlertFilter,
    AlertId,
    BudgetId,
    Delivery,
    SinkName,
    alert_id,
)
from storeproof.reference.costs.laws.given import (
    DAY,
    HOUR,
    NOW,
    TICK,
    add_budget,
    is_invalid,
    is_refused,
    spend,
    walk,
)
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.exceptions import NotFound
from storeproof.reference.law_words import together
from storeproof.reference.storage import Cursor

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10
HALVES = frozenset({50, 100})
MIDNIGHT = NOW.replace(hour=0)
A, B = BudgetId("a"), BudgetId("b")
LOG, HOOK = SinkName("log"), SinkName("hook")


async def raised(storage: CostStorage, *days: int) -> list[Alert]:
    """Alerts of 50 and 100 percent of the budgets a and b, by day, as they are raised."""
    alerts: list[Alert] = []
    for name in (A, B):
        await add_budget(storage, name, thresholds=HALVES)
    for day in days:
        at = NOW + day * DAY
        await spend(storage, f"r{day}", at, a="10", b="10")
        for name in (B, A):
            alerts += await storage.raise_alerts(name, at)
    return alerts


async def found(storage: CostStorage, **fields: Any) -> list[AlertId]:
    """The ids of the alerts that match, in their order."""
    return [each.id for each in (await storage.list_alerts(AlertFilter(**fields))).items]


@law("COST-083", MUST)
async def alert_has_an_id_of_its_own(storage: CostStorage) -> None:
    """The id of an alert is made of its budget, window and threshold, wherever it is met."""
    alerts = await raised(storage, 0, 1)
    expected = {
        alert_id(budget, MIDNIGHT + day * DAY, threshold)
        for budget in (A, B)
        for day in (0, 1)
        for threshold in HALVES
    }
    assert len(expected) == len(alerts) == 8
    assert {each.id for each in alerts} == set(await found(storage)) == expected


@law("COST-084", MUST)
async def undelivered_alerts_are_listed(storage: CostStorage) -> None:
    """An alert is undelivered to each sink until it is marked as delivered to that one."""
    first, second, *others = [each.id for each in await raised(storage, 0)]
    assert len(await found(storage, undelivered_to=LOG)) == 4
    await storage.mark_delivered(first, LOG, NOW)
    await storage.mark_delivered(second, HOOK, NOW)
    assert set(await found(storage, undelivered_to=LOG)) == {second, *others}
    assert set(await found(storage, undelivered_to=HOOK)) == {first, *others}
    assert set(await found(storage)) == {first, second, *others}


@law("COST-085", MUST)
async def delivery_is_recorded_once(storage: CostStorage) -> None:
    """Marking again returns the first record, whenever it is done; sinks are listed by name."""
    alert = (await raised(storage, 0))[0].id
    first = Delivery(alert=alert, sink=LOG, at=NOW + TICK)
    assert await storage.mark_delivered(alert, LOG, NOW + TICK) == first
    for at in (NOW + DAY, NOW, NOW + TICK):
        assert await storage.mark_delivered(alert, LOG, at) == first
    other = await storage.mark_delivered(alert, HOOK, NOW + HOUR)
    assert (await storage.list_deliveries(alert)).items == (other, first)


@law("COST-086", MUST)
async def delivered_alert_is_not_raised_again(storage: CostStorage) -> None:
    """An alert that is delivered stays raised, as it was."""
    alerts = await raised(storage, 0)
    for each in alerts:
        await storage.mark_delivered(each.id, LOG, NOW)
    assert await storage.raise_alerts(A, NOW + HOUR) == ()
    assert set((await storage.list_alerts(AlertFilter())).items) == set(alerts)


@law("COST-087", MUST)
async def unknown_alert_is_not_found(storage: CostStorage) -> None:
    """An alert that was never raised is NotFound, and is not delivered once it is raised."""
    alert = alert_id(A, MIDNIGHT, 50)
    await is_refused(storage.mark_delivered(alert, LOG, NOW), NotFound("alert", alert))
    assert (await storage.list_deliveries(alert)).items == ()
    await raised(storage, 0)
    assert alert in await found(storage, undelivered_to=LOG)


@law("COST-088", MUST)
async def alerts_match_all_that_is_given(storage: CostStorage) -> None:
    """Alerts are listed by `raised_at`, window, threshold and budget; `since` is included."""
    await raised(storage, 0, 1)

    def ids(*parts: tuple[BudgetId, int, int]) -> list[AlertId]:
        return [alert_id(name, MIDNIGHT + day * DAY, level) for name, day, level in parts]

    days = [[(A, day, 50), (B, day, 50), (A, day, 100), (B, day, 100)] for day in (0, 1)]
    assert await found(storage) == ids(*days[0], *days[1])
    assert await found(storage, since=NOW + DAY) == ids(*days[1])
    assert await found(storage, since=NOW + TICK, budget=B) == ids((B, 1, 50), (B, 1, 100))
    await storage.mark_delivered(alert_id(B, MIDNIGHT + DAY, 50), LOG, NOW)
    both = await found(storage, since=NOW + TICK, budget=B, undelivered_to=LOG)
    assert both == ids((B, 1, 100))
    assert await found(storage, budget=BudgetId("no")) == []
    listed = await walk(storage.list_alerts, AlertFilter(undelivered_to=LOG), limit=2)
    assert [each.id for each in listed] == ids(*days[0], days[1][0], *days[1][2:])


@law("COST-089", MUST)
async def deliveries_have_pages(storage: CostStorage) -> None:
    """The deliveries of an alert come in pages, by sink, and of that alert only."""
    first, second, *_ = [each.id for each in await raised(storage, 0)]
    for number, name in enumerate("bBéa"):
        await storage.mark_delivered(first, SinkName(name), NOW - number * TICK)
    await storage.mark_delivered(second, LOG, NOW)
    for limit in (1, 2, 4, 5):
        listed = await walk(storage.list_deliveries, first, limit=limit)
        assert "".join(each.sink for each in listed) == "Babé"
    for limit in (0, 1001):
        await is_invalid(storage.list_deliveries(first, None, limit), "limit")
    other = (await storage.list_alerts(AlertFilter(), None, 1)).next_cursor
    for cursor in (Cursor("no"), other):
        await is_invalid(storage.list_deliveries(first, cursor, 1), "cursor")


@law("COST-090", MUST)
async def bad_deliveries_are_invalid(storage: CostStorage) -> None:
    """A bad alert, sink or time, in this order, is invalid, and nothing is recorded."""
    alert = (await raised(storage, 0))[0].id
    naive = NOW.replace(tzinfo=None)
    for bad in ("", "a\0", "a" * 256):
        no_sink = SinkName("")
        await is_invalid(storage.mark_delivered(AlertId(bad), no_sink, naive), "alert")
        await is_invalid(storage.mark_delivered(alert, SinkName(bad), naive), "sink")
        await is_invalid(storage.list_deliveries(AlertId(bad)), "alert")
        filtered = AlertFilter(undelivered_to=SinkName(bad))
        await is_invalid(storage.list_alerts(filtered), "undelivered_to")
    await is_invalid(storage.mark_delivered(AlertId("no"), LOG, naive), "at")
    await is_invalid(storage.list_alerts(AlertFilter(since=naive)), "since")
    assert (await storage.list_deliveries(alert)).items == ()


@law("COST-091", MUST, needs=TWO)
async def one_of_equal_deliveries_is_recorded(storage: CostStorage, second: CostStorage) -> None:
    """However many mark a delivery at the same time, all get the one that is recorded."""
    alert = (await raised(storage, 0))[0].id
    calls = (
        handle.mark_delivered(alert, LOG, NOW + number * timedelta(seconds=1))
        for number, handle in enumerate((storage, second) * (CROWD // 2))
    )
    results, errors = await together(*calls)
    assert (len(results), errors) == (CROWD, [])
    assert set((await second.list_deliveries(alert)).items) == set(results)
    assert len(set(results)) == 1
