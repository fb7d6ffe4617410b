"""For the tests of the cost laws: what those of alerts to be delivered must not let pass."""

import asyncio
from typing import Any

from msgspec.structs import replace

from storeproof.reference.costs import AlertFilter, Delivery
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.storage import Page

from ..breaking import Mutant
from .mutants import TICK, accepting, after, altering, answering, checking, ignoring, replacing
from .mutants_of_ledger import any_cursor, endless
from .mutants_of_values import naive_as_utc


def another_id(alerts: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(replace(each, id=f"{each.budget} {each.threshold}") for each in alerts)


async def one_id_for_all_windows(storage: Any, right: Any, **_: Any) -> Any:
    raised = await right()
    known = {(each.budget, each.threshold): each.id for each in reversed(storage._alerts.values())}
    return tuple(replace(each, id=known[each.budget, each.threshold]) for each in raised)


def filtering(**fields: Any) -> Mutant:
    return altering("list_alerts", filter=lambda given: replace(given, **fields))


def delivered_to_all(storage: Any, alert: Any, sink: Any, at: Any) -> None:
    for other in ("log", "hook"):
        storage._deliveries[alert, other] = Delivery(alert=alert, sink=other, at=at)


async def lists_delivered_ones(storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    page = await right(filter=replace(filter, undelivered_to=None))
    sink = filter.undelivered_to
    kept = (each for each in page.items if not sink or (each.id, sink) in storage._deliveries)
    return Page(items=tuple(kept), next_cursor=page.next_cursor)


async def last_counts(storage: Any, right: Any, alert: Any, sink: Any, **_: Any) -> Any:
    storage._deliveries.pop((alert, sink), None)
    return await right()


async def only_once(storage: Any, alert: Any, sink: Any, at: Any) -> None:
    stored = storage._deliveries.get((alert, sink))
    if stored is not None and stored.at != at:
        raise Duplicate("alert")


def by_time(page: Page[Any]) -> Page[Any]:
    items = tuple(sorted(page.items, key=lambda each: each.at))
    return Page(items=items, next_cursor=page.next_cursor)


async def forgets_delivered_ones(storage: Any, right: Any, **_: Any) -> Any:
    for alert, _sink in storage._deliveries:
        storage._alerts.pop(alert, None)
    return await right()


async def marks_anything(storage: Any, right: Any, alert: Any, sink: Any, at: Any) -> Any:
    try:
        return await right()
    except NotFound:
        storage._deliveries[alert, sink] = Delivery(alert=alert, sink=sink, at=at)
        raise


async def all_deliveries(storage: Any, right: Any, **_: Any) -> Any:
    page = await right()
    if page.next_cursor is None:
        return Page(items=tuple(sorted(storage._deliveries.values(), key=lambda each: each.sink)))
    return page


def by_budget(page: Page[Any]) -> Page[Any]:
    items = tuple(sorted(page.items, key=lambda each: (each.raised_at, each.budget)))
    return Page(items=items, next_cursor=page.next_cursor)


async def known_first(storage: Any, alert: Any, **_: Any) -> None:
    if isinstance(alert, str) and alert == "no":
        raise NotFound("alert", alert)


async def overwrites(storage: Any, right: Any, alert: Any, sink: Any, **_: Any) -> Any:
    unknown = (alert, sink) not in storage._deliveries
    await asyncio.sleep(0)
    if unknown:
        storage._deliveries.pop((alert, sink), None)
    return await right()


MUTANTS: dict[str, list[Mutant]] = {
    "COST-083": [
        answering("raise_alerts", another_id),
        replacing("raise_alerts", one_id_for_all_windows),
    ],
    "COST-084": [
        filtering(undelivered_to=None),
        after("mark_delivered", delivered_to_all),
        replacing("list_alerts", lists_delivered_ones),
    ],
    "COST-085": [
        replacing("mark_delivered", last_counts),
        checking("mark_delivered", only_once),
        altering("mark_delivered", at=lambda at: at - TICK),
        answering("list_deliveries", by_time),
    ],
    "COST-086": [replacing("raise_alerts", forgets_delivered_ones)],
    "COST-087": [
        ignoring("mark_delivered", NotFound),
        replacing("mark_delivered", marks_anything),
    ],
    "COST-088": [
        filtering(budget=None),
        filtering(since=None),
        altering("list_alerts", filter=lambda f: replace(f, since=f.since and f.since + TICK)),
        altering("list_alerts", filter=lambda f: AlertFilter(budget=f.budget, since=f.since)),
        answering("list_alerts", by_budget),
        replacing("list_alerts", endless),
    ],
    "COST-089": [
        answering("list_deliveries", by_time),
        replacing("list_deliveries", endless),
        replacing("list_deliveries", any_cursor),
        replacing("list_deliveries", all_deliveries),
        accepting("list_deliveries", "limit"),
    ],
    "COST-090": [
        accepting("mark_delivered", "alert"),
        accepting("mark_delivered", "sink"),
        accepting("list_deliveries", "alert"),
        accepting("list_alerts", "undelivered_to"),
        accepting("list_alerts", "since"),
        altering("mark_delivered", at=naive_as_utc),
        checking("mark_delivered", known_first),
    ],
    "COST-091": [replacing("mark_delivered", overwrites)],
}
