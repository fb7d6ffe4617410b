"""Maintainers run `pytest benchmarks --storage=postgres`: the error storage's latency budgets."""

from __future__ import annotations

from typing import Any

from budgets import Budget, gates_of

from storeproof.harness.latency.workloads import stated
from storeproof.reference.errors import (
    Aggregation,
    ArchiveId,
    Bucket,
    Dimension,
    EventId,
    GroupFilter,
    Kind,
    MetricName,
    MetricQuery,
)
from storeproof.reference.errors.laws import contract
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW, event, point, resolved


async def new_event(s: Any, n: int) -> None:
    await s.create(event(f"e{n}", f"g{n % 50}"))


async def new_group(s: Any, n: int) -> None:
    await s.create(event(f"e{n}", f"g{n}"))


async def other_group(s: Any, n: int) -> None:
    await s.create(event(f"o{n}", f"h{n}"))


async def new_archive(s: Any, n: int) -> None:
    await s.archive(ArchiveId(f"a{n}"), NOW + DAY, 1)


async def new_point(s: Any, n: int) -> None:
    await s.record_metric(point(f"p{n}"))


ARCHIVED = (new_event, new_archive)
SUM = MetricQuery(
    name=MetricName("seconds"),
    kind=Kind.HISTOGRAM,
    aggregation=Aggregation.SUM,
    start=NOW - HOUR,
    end=NOW + HOUR,
)
CALLS = {
    "get_by_id": stated(lambda s, n: s.get_by_id(EventId(f"e{n}")), new_event),
    "create": stated(new_event),
    "get_group": stated(lambda s, n: s.get_group(f"g{n}"), new_group),
    "list_groups": stated(lambda s, n: s.list_groups(GroupFilter(), limit=10), new_group),
    "set_state": stated(lambda s, n: s.set_state(f"g{n}", resolved(), 1), new_group),
    "merge": stated(lambda s, n: s.merge(f"g{n}", f"h{n}"), new_group, other_group),
    "list_events": stated(lambda s, n: s.list_events(f"g{n}", limit=10), new_group),
    "archive": stated(new_archive, new_event),
    "get_archive": stated(lambda s, n: s.get_archive(f"a{n}"), *ARCHIVED),
    "archive_file": stated(lambda s, n: s.archive_file(f"a{n}"), *ARCHIVED),
    "list_archives": stated(lambda s, n: s.list_archives(limit=10), *ARCHIVED),
    "restore_archive": stated(lambda s, n: s.restore_archive(f"a{n}"), *ARCHIVED),
    "purge": stated(lambda s, n: s.purge(f"a{n}"), *ARCHIVED),
    "trend": stated(lambda s, n: s.trend(NOW - DAY, NOW + DAY, Bucket.HOUR, "UTC"), new_event),
    "top": stated(lambda s, n: s.top(10, Dimension.GROUP, NOW - DAY, NOW + DAY), new_event),
    "record_metric": stated(new_point),
    "query_metric": stated(lambda s, n: s.query_metric(SUM), new_point),
}
BUDGETS = {
    "get_by_id": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "create": Budget("insert", sqlite=16.25, postgres=2, round_trips=1),
    "get_group": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "list_groups": Budget("read", sqlite=5.25, postgres=1.5, round_trips=1),
    "set_state": Budget("insert", sqlite=2.75, postgres=1.25, round_trips=1),
    "merge": Budget("insert", sqlite=13.25, postgres=5.25, round_trips=8),
    "list_events": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "archive": Budget("insert", sqlite=14.25, postgres=5.75, round_trips=7),
    "get_archive": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "archive_file": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "list_archives": Budget("read", sqlite=4.5, postgres=1.5, round_trips=1),
    "restore_archive": Budget("insert", sqlite=9.75, postgres=4.25, round_trips=5),
    "purge": Budget("insert", sqlite=6.25, postgres=2.25, round_trips=4),
    "trend": Budget("read", sqlite=10.25, postgres=3.25, round_trips=1),
    "top": Budget("read", sqlite=11.75, postgres=1.75, round_trips=1),
    "record_metric": Budget("insert", sqlite=3.25, postgres=1.25, round_trips=1),
    "query_metric": Budget("read", sqlite=4.75, postgres=1.5, round_trips=1),
}

TestErrors = contract.benchmarks(gates=gates_of(BUDGETS), calls=CALLS)
