"""Writes that come at once share round trips, and are what they would be one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from msgspec.structs import replace

from storeproof.reference.costs import (
    ChargeFilter,
    ChargeId,
    DatabaseCostStorage,
    Dimension,
    InMemoryCostStorage,
)
from storeproof.reference.database import Database
from storeproof.reference.errors import (
    Aggregation,
    Bucket,
    DatabaseErrorStorage,
    ErrorEvent,
    GroupFilter,
    GroupSort,
    InMemoryErrorStorage,
    Kind,
    MetricName,
    MetricQuery,
    TimeZone,
)
from storeproof.reference.errors import Dimension as GroupedBy
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW, event, point
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.providers import DatabaseProviderStorage, InMemoryProviderStorage
from storeproof.reference.providers.laws import given as providers

from .at_once import databases
from .cancelling import cancel_everywhere
from .costs.examples import charge
from .costs.test_rollups import march
from .counting import counted, deadlocks, until_waiting

MANY = 64


@dataclass(frozen=True)
class Write:
    """An operation whose calls share round trips."""

    storage_in: Callable[[Database], Any]
    model: Callable[[], Any]
    make: Callable[[int], Any]
    """An entity of this number, in one of a few groups whose sums all share."""
    other: Callable[[int], Any]
    """Another entity with the same id."""
    write: Callable[[Any, Any], Awaitable[Any]]
    content: Callable[[Any], Awaitable[Hashable]]
    """All of it, with the sums that are kept beside it."""
    postgres: int
    """Round trips of the calls that go together."""
    sqlite: int


def _event(number: int, message: str = "no space") -> ErrorEvent:
    """Of five groups; the later ones occurred earlier, as half of each burst does."""
    occurred_at = NOW + (-1) ** number * number * HOUR
    fields = {"fingerprint": f"group {number % 5}", "occurred_at": occurred_at}
    return event(f"{number}", message=message, **fields)


async def _events(storage: Any) -> Hashable:
    groups = (await storage.list_groups(GroupFilter(), GroupSort.OLDEST, None, 1000)).items
    events = [(await storage.list_events(group.id, None, 1000)).items for group in groups]
    # Which of those that came at once made the group is their order's affair.
    known = [replace(group, created_by="", created_at=NOW, message="") for group in groups]
    level = await storage.trend(NOW - 99 * DAY, NOW + 99 * DAY, Bucket.DAY, TimeZone("UTC"))
    ranks = await storage.top(9, GroupedBy.GROUP, NOW - 99 * DAY, NOW + 99 * DAY)
    return sorted(map(str, known)), sorted(map(str, events)), level, ranks


async def _ledger(storage: Any) -> Hashable:
    charges = (await storage.list_charges(ChargeFilter(), None, 1000)).items
    return charges, await storage.report(march(Dimension.MODEL))


async def _record(storage: Any, made: Any) -> Any:
    try:
        return await storage.record_outcome(made)
    except NotFound:
        with suppress(Duplicate):
            await storage.create(providers.provider(providers.EAST))
        return await storage.record_outcome(made)


def _outcome(number: int, latency: int) -> Any:
    at = providers.NOW + number % 2 * providers.TICK
    return providers.outcome(f"{number}", at=at, latency=latency, tokens=number)


async def _statistics(storage: Any) -> Hashable:
    starts = (providers.NOW, providers.NOW + providers.TICK)
    end = providers.NOW + providers.HOUR
    found = [await storage.stats(providers.EAST, start, end) for start in starts]
    return tuple((each.count, each.tokens, each.cost, each.latencies) for each in found)


async def _points(storage: Any) -> Hashable:
    plain = MetricQuery(
        name=MetricName("seconds"),
        kind=Kind.HISTOGRAM,
        aggregation=Aggregation.COUNT,
        start=NOW,
        end=NOW + DAY,
    )
    ways = (Aggregation.COUNT, Aggregation.SUM, Aggregation.MIN, Aggregation.P50)
    return [await storage.query_metric(replace(plain, aggregation=each)) for each in ways]


WRITES = {
    "ErrorStorage.record_metric": Write(
        storage_in=DatabaseErrorStorage,
        model=InMemoryErrorStorage,
        make=lambda n: point(f"{n}", n, at=NOW + n * HOUR / 99),
        other=lambda n: point(f"{n}", n + 1),
        write=lambda storage, made: storage.record_metric(made),
        content=_points,
        postgres=1,
        sqlite=1,
    ),
    "ProviderStorage.record_outcome": Write(
        storage_in=DatabaseProviderStorage,
        model=InMemoryProviderStorage,
        make=lambda n: _outcome(n, latency=n % 3),
        other=lambda n: _outcome(n, latency=9),
        write=_record,
        content=_statistics,
        postgres=1,
        sqlite=4,
    ),
    "CostStorage.create": Write(
        storage_in=DatabaseCostStorage,
        model=InMemoryCostStorage,
        make=lambda n: charge(f"{n}", "0.1", model=f"m{n % 3}"),
        other=lambda n: charge(f"{n}", "0.2", model=f"m{n % 3}"),
        write=lambda storage, entity: storage.create(entity),
        content=_ledger,
        postgres=1,
        sqlite=4,
    ),
    "ErrorStorage.create": Write(
        storage_in=DatabaseErrorStorage,
        model=InMemoryErrorStorage,
        make=_event,
        other=lambda n: _event(n, "another message"),
        write=lambda storage, entity: storage.create(entity),
        content=_events,
        postgres=1,
        sqlite=6,  # BEGIN, the groups, the events, the groups, the rollups, COMMIT
    ),
}


@pytest.fixture(params=WRITES)
def write(request: pytest.FixtureRequest) -> Write:
    return WRITES[request.param]


async def at_once(write: Write, storage: Any, entities: list[Any]) -> list[Any]:
    return await asyncio.gather(
        *(write.write(storage, each) for each in entities), return_exceptions=True
    )


async def on_the_model(write: Write, entities: list[Any]) -> Hashable:
    model = write.model()
    for each in entities:
        await write.write(model, each)
    return await write.content(model)


def test_writes_at_once_share_round_trips(url: str, write: Write) -> None:
    async def use() -> None:
        async with counted(url, write.storage_in) as (storage, sent):
            warm = [write.make(n) for n in range(3 * MANY)]
            await at_once(write, storage, warm[:MANY])
            before = sent()
            await write.write(storage, warm[MANY])
            alone = sent() - before
            before = sent()
            assert await at_once(write, storage, warm[MANY + 1 :][: MANY + 1])
            together = write.postgres if url.startswith("postgres") else write.sqlite
            assert sent() - before == alone + together

    asyncio.run(use())


def test_they_answer_and_leave_what_the_model_does(url: str, write: Write) -> None:
    """In the order in which they came, which the model takes them in one after the other."""

    async def use() -> None:
        entities = [write.make(n) for n in range(MANY)]
        model = write.model()
        expected = [await write.write(model, each) for each in entities]
        async with Database(url, create=True) as database:
            storage = write.storage_in(database)
            assert await at_once(write, storage, entities) == expected
            assert await write.content(storage) == await write.content(model)

    asyncio.run(use())


def test_equal_ones_at_once_count_once_and_different_ones_are_refused(
    url: str, write: Write
) -> None:
    async def use() -> None:
        first = [write.make(n) for n in range(8)]
        async with Database(url, create=True) as database:
            storage = write.storage_in(database)
            # The second half is recorded already when the first half comes again.
            await at_once(write, storage, first[4:])
            calls = [*first, *first, *(write.other(n) for n in range(8))]
            outcomes = await at_once(write, storage, calls)
            errors = [each for each in outcomes if isinstance(each, BaseException)]
            assert outcomes[16:] == errors
            assert [(type(each), each.args) for each in errors] == [(Duplicate, ("id",))] * 8
            assert await write.content(storage) == await on_the_model(write, first)

    asyncio.run(use())


def test_two_processes_never_wait_in_a_circle(postgres_url: str, write: Write) -> None:
    """Each holds its first row and waits for the second, which a third one holds for a while."""

    async def use() -> None:
        before = await deadlocks(postgres_url)
        async with databases(postgres_url, 3) as (one, two, third):
            for database, number in ((one, 10), (two, 11)):
                await write.write(write.storage_in(database), write.make(number))
            jobs: list[asyncio.Future[Any]] = []

            async def hold(unit: Database) -> None:
                await write.write(write.storage_in(unit), write.make(2))
                for database, numbers in ((one, (22, 1, 2, 3)), (two, (24, 3, 2, 1))):
                    entities = [write.make(number) for number in numbers]
                    storage = write.storage_in(database)
                    jobs.append(asyncio.ensure_future(at_once(write, storage, entities)))
                await until_waiting(postgres_url, 2)

            await third.together(hold)
            outcomes = [each for job in jobs for each in await job]
            assert not [each for each in outcomes if isinstance(each, BaseException)]
            entities = [write.make(number) for number in (10, 11, 2, 22, 1, 3, 24)]
            content = await write.content(write.storage_in(one))
            assert content == await on_the_model(write, entities)
        assert await deadlocks(postgres_url) == before

    asyncio.run(use())


@pytest.mark.parametrize("again", [False, True], ids=["once", "again"])
def test_one_cancelled_among_others(url: str, write: Write, again: bool) -> None:
    """It happened or not; the others always happen, each once."""

    async def use() -> int:
        async with Database(url, create=True, pool_size=1) as database:
            storage = write.storage_in(database)
            others: list[Any] = []

            async def act(nth: int) -> None:
                company = [write.make(10 * nth + each) for each in range(4)]
                others.extend(company)
                tasks = [asyncio.ensure_future(write.write(storage, each)) for each in company]
                await asyncio.sleep(0)
                try:
                    await write.write(storage, write.make(10 * nth + 5))
                finally:
                    await asyncio.wait(tasks)

            async def check(nth: int) -> None:
                async with asyncio.timeout(5):
                    await at_once(write, storage, others)
                    for made in range(1, nth + 1):
                        await write.write(storage, write.make(10 * made + 5))
                    added = [write.make(10 * made + 5) for made in range(1, nth + 1)]
                    assert await write.content(storage) == await on_the_model(
                        write, [*others, *added]
                    )

            return await cancel_everywhere(act, check, again=again)

    assert asyncio.run(use()) >= 1


def test_a_charge_that_was_cancelled_while_it_waited_is_not_recorded(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True, pool_size=1) as database:
            storage = DatabaseCostStorage(database)
            await storage.create(charge("before"))
            tasks = [asyncio.ensure_future(storage.create(charge(name))) for name in "abc"]
            await asyncio.sleep(0)
            tasks[1].cancel()
            await asyncio.wait(tasks)
            found = await storage.list_charges(ChargeFilter())
            assert {each.id for each in found.items} == {*map(ChargeId, ("before", "a", "c"))}

    asyncio.run(use())
