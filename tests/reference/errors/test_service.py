"""The service reports what went wrong, without secrets, whichever storage it was given."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest

from storeproof.reference.errors import (
    Aggregation,
    Bucket,
    Dimension,
    ErrorService,
    ErrorStorage,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    InMemoryErrorStorage,
    Kind,
    Level,
    MetricName,
    MetricQuery,
    Status,
    Tag,
    TimeZone,
    open_error_storage,
)
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW
from storeproof.reference.exceptions import Duplicate, InvalidValue
from storeproof.reference.values import canonical_text

T = TypeVar("T")
SECRET = "s3cr3tV4lue0fTwentyTwo"
METRIC = MetricName("seconds")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(clock: Clock) -> ErrorService:
    return new_service(InMemoryErrorStorage(), clock)


def new_service(storage: ErrorStorage, clock: Clock) -> ErrorService:
    numbers = itertools.count(1)
    return ErrorService(storage, clock=clock, new_id=lambda: f"id{next(numbers)}")


def run(call: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(call)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def deeper(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_capture_reports_type_message_and_stack(service: ErrorService) -> None:
    made = run(service.capture(raised(ValueError("disk full"))))
    assert (made.id, made.occurred_at, made.created, made.level) == ("id1", NOW, True, Level.ERROR)
    assert made.message == "builtins.ValueError: disk full"
    assert "in raised" in made.stack
    assert run(service.get_event(EventId("id1"))).fingerprint == made.group.id


def test_errors_of_one_place_are_one_group(service: ErrorService) -> None:
    one = run(service.capture(raised(ValueError("user 1"))))
    same = run(service.capture(raised(ValueError("another text"))))
    other = run(service.capture(deeper(ValueError("user 1"))))
    third = run(service.capture(raised(KeyError("user 1"))))
    assert one.group.id == same.group.id
    assert len({one.group.id, other.group.id, third.group.id}) == 3


def test_secrets_are_never_stored(service: ErrorService) -> None:
    error = raised(ValueError(f"no connection to postgresql://ann:{SECRET}@db/x"))
    tags = {"url": f"redis://:{SECRET}@x", "db_password": SECRET, "release": "1.4"}
    made = run(service.capture(error, tags=tags))
    assert SECRET not in repr(made)
    assert SECRET not in repr(run(service.get_event(made.id)))
    assert Tag(key="db_password", value="[redacted]") in made.tags
    assert Tag(key="release", value="1.4") in made.tags


def test_what_differs_in_secrets_only_is_one_group(service: ErrorService) -> None:
    one, other = (
        run(service.report("Refused", f"password={secret}")) for secret in ("hunter", "abcdef")
    )
    assert one.group.id == other.group.id


def test_a_redaction_of_ones_own_is_used() -> None:
    service = ErrorService(InMemoryErrorStorage(), redact=lambda text: text.replace("Ann", "?"))
    made = run(service.report("Failed", "Ann left", stack="Ann", tags={"who": "Ann"}))
    assert "Ann" not in repr(made)


def test_what_cant_be_stored_is_made_fit(service: ErrorService) -> None:
    tags = {f"{number:03}": "x" * 2000 for number in range(150)} | {"": "nameless", "\ud800": "\0"}
    made = run(service.report("Bad\0", "\0\ud800" + "x" * 9000, stack="y" * 70000, tags=tags))
    canonical_text("message", made.message, 8192)
    assert made.message.startswith("Bad\ufffd: \ufffd?xxx")
    assert made.message.endswith("…")
    assert len(made.stack) == 65536
    assert len(made.tags) == 100


def test_an_error_without_a_text_is_reported(service: ErrorService) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no text")

    made = run(service.capture(raised(Mute())))
    assert made.message.endswith("its text can't be had")


def test_a_repeated_report_counts_once(service: ErrorService) -> None:
    again: dict[str, Any] = {"id": "one", "occurred_at": NOW - HOUR}
    made = [run(service.report("Failed", "x", **again)) for _ in range(2)]
    assert made[0] == made[1]
    assert made[1].group.count == 1
    with pytest.raises(Duplicate):
        run(service.report("Failed", "x", id="one"))


def test_bad_arguments_are_the_callers(service: ErrorService) -> None:
    with pytest.raises(InvalidValue):
        run(service.report("Failed", "x", id=""))
    with pytest.raises(InvalidValue):
        run(service.report("Failed", "x", occurred_at=NOW.replace(tzinfo=None)))


def test_a_resolved_group_regresses(service: ErrorService, clock: Clock) -> None:
    group = run(service.report("Failed", "x")).group
    resolved = run(service.resolve(group.id, group.version))
    assert (resolved.state.status, resolved.state.at) == (Status.RESOLVED, NOW)
    late = run(service.report("Failed", "x", occurred_at=NOW - HOUR))
    assert not late.regressed
    clock.now += timedelta(seconds=1)
    assert run(service.report("Failed", "x")).regressed


def test_a_group_is_ignored_and_reopened(service: ErrorService, clock: Clock) -> None:
    group = run(service.report("Failed", "x")).group
    ignored = run(service.ignore(group.id, 1, NOW + DAY))
    assert (ignored.state.status, ignored.state.at) == (Status.IGNORED, NOW + DAY)
    assert not run(service.report("Failed", "x")).regressed
    assert run(service.ignore(group.id, 2)).state.at is None
    assert run(service.reopen(group.id, 3)).state.status is Status.UNRESOLVED


@asynccontextmanager
async def in_memory(_url: str) -> AsyncIterator[InMemoryErrorStorage]:
    yield InMemoryErrorStorage()


@pytest.mark.parametrize("open_storage", [in_memory, open_error_storage])
def test_the_service_is_the_same_on_every_storage(
    url: str, clock: Clock, open_storage: Callable[[str], Any]
) -> None:
    async def use() -> None:
        async with open_storage(url) as storage:
            service = new_service(storage, clock)
            for kind in ("A", "B", "B"):
                await service.report(kind, "x")
            page = await service.list_groups(GroupFilter(), GroupSort.OLDEST)
            ids = {group.message: group.id for group in page.items}
            await service.merge(ids["A: x"], ids["B: x"])
            assert (await service.get_group(ids["B: x"])).count == 3
            assert len((await service.list_events(ids["B: x"])).items) == 3
            span = (NOW - HOUR, NOW + HOUR)
            trend = await service.trend(*span, Bucket.HOUR, TimeZone("UTC"))
            assert trend.series[0].counts == (0, 3)
            assert [each.count for each in await service.top(9, Dimension.GROUP, *span)] == [3]
            await service.increment(METRIC)
            await service.increment(METRIC, 4)
            await service.set_gauge(METRIC, 7)
            await service.observe(METRIC, 9, id="mine")
            for kind, way, value in (
                (Kind.COUNTER, Aggregation.SUM, 5),
                (Kind.GAUGE, Aggregation.LAST, 7),
                (Kind.HISTOGRAM, Aggregation.P99, 9),
            ):
                query = MetricQuery(
                    name=METRIC, kind=kind, aggregation=way, start=span[0], end=span[1]
                )
                assert await service.query_metric(query) == value

    asyncio.run(use())


def test_metrics_have_tags_without_secrets(service: ErrorService) -> None:
    tags = {"region": "east", "api_key": SECRET}
    points = [
        run(service.increment(METRIC, tags=tags)),
        run(service.set_gauge(METRIC, 1, tags=tags)),
        run(service.observe(METRIC, 1, tags=tags)),
    ]
    wanted = (Tag(key="api_key", value="[redacted]"), Tag(key="region", value="east"))
    assert [each.tags for each in points] == [wanted] * 3


def test_a_group_id_is_a_fingerprint(service: ErrorService) -> None:
    made = run(service.report("Failed", "x"))
    assert GroupId(made.fingerprint) == made.group.id
    assert made.fingerprint.startswith("1-")
