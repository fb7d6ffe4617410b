"""Statistics cost by slots and buckets, and the counts that they are read from stay right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storeproof.reference.database import Database, engine
from storeproof.reference.providers import DatabaseProviderStorage, Stats
from storeproof.reference.providers.database.counting import LEVELS, bounds
from storeproof.reference.providers.database.tables import COUNTS, OUTCOMES
from storeproof.reference.providers.laws.given import EAST, HOUR, MINUTE, NOW, TICK, add, outcome

CELLS = sa.select(sa.func.count()).select_from(COUNTS)
KINDS = 7


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[Database, DatabaseProviderStorage]]:
    async with Database(url, create=True) as database:
        storage = DatabaseProviderStorage(database)
        await add(storage, EAST)
        yield database, storage


def use(url: str, work: Callable[[Database, DatabaseProviderStorage], Awaitable[None]]) -> None:
    async def run() -> None:
        async with opened(url) as (database, storage):
            await work(database, storage)

    asyncio.run(run())


async def record(storage: DatabaseProviderStorage, first: int, last: int) -> None:
    """Outcomes of a few latencies, in two minutes of an hour."""
    for number in range(first, last):
        at = NOW + MINUTE * (number % 2) + number * TICK
        made = outcome(str(number), at=at, latency=number % KINDS, tokens=number)
        await storage.record_outcome(made)


async def cells(database: Database) -> int:
    return int((await database.read(CELLS, {}))[0][0])


def test_more_outcomes_are_no_more_rows_to_read(url: str) -> None:
    async def work(database: Database, storage: DatabaseProviderStorage) -> None:
        await record(storage, 0, 2 * KINDS)
        few = await cells(database)
        assert few == KINDS * (2 + 1 + 1)
        await record(storage, 2 * KINDS, 20 * KINDS)
        assert await cells(database) == few

    use(url, work)


def test_statistics_of_whole_minutes_read_no_outcome(url: str) -> None:
    """They stay the same when all outcomes are taken away behind the storage's back."""

    async def everywhere(storage: DatabaseProviderStorage) -> list[Stats]:
        whole = ((NOW, NOW + MINUTE), (NOW, NOW + HOUR), (NOW - 12 * HOUR, NOW + 36 * HOUR))
        return [await storage.stats(EAST, start, end) for start, end in whole]

    async def work(database: Database, storage: DatabaseProviderStorage) -> None:
        await record(storage, 0, 40)
        before = await everywhere(storage)
        assert [each.count for each in before] == [20, 40, 40]
        await database.write(sa.delete(OUTCOMES).returning(OUTCOMES.c.id), {})
        assert await everywhere(storage) == before
        assert (await storage.stats(EAST, NOW, NOW + MINUTE / 2)).count == 0

    use(url, work)


def test_counts_of_nothing_are_not_kept(url: str) -> None:
    async def work(database: Database, storage: DatabaseProviderStorage) -> None:
        await record(storage, 0, 20)
        await storage.record_outcome(outcome("kept", at=NOW + HOUR))
        while await storage.purge_outcomes(NOW + HOUR, 6):
            pass
        assert await cells(database) == 3
        await storage.purge_outcomes(NOW + 2 * HOUR, 6)
        assert await cells(database) == 0

    use(url, work)


def test_a_refused_outcome_is_not_counted(url: str) -> None:
    async def work(database: Database, storage: DatabaseProviderStorage) -> None:
        for made in (
            outcome("a"),
            outcome("a"),
            outcome("a", tokens=1),
            outcome("b", provider="x"),
        ):
            await asyncio.gather(storage.record_outcome(made), return_exceptions=True)
        assert (await storage.stats(EAST, NOW, NOW + MINUTE)).count == 1
        assert await cells(database) == 3

    use(url, work)


def test_recording_and_purging_at_once_never_end_in_a_deadlock(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadlock would be tried again, and so go unseen: here nothing is."""

    async def work(database: Database, storage: DatabaseProviderStorage) -> None:
        async with Database(url, pool_timeout=60, statement_timeout=60) as other:
            second = DatabaseProviderStorage(other)
            await second.get_by_id(EAST)
            monkeypatch.setattr(engine, "ATTEMPTS", 1)
            calls: list[Awaitable[object]] = []
            for number in range(200):
                at = NOW + (number * 37 % 50) * MINUTE
                made = outcome(str(number), at=at, latency=number * 31 % 9)
                calls.append((storage, second)[number % 2].record_outcome(made))
                if number % 8 == 0:
                    calls.append((second, storage)[number % 2].purge_outcomes(NOW + HOUR, 5))
            await asyncio.gather(*calls)
            left = int((await other.read(sa.select(sa.func.count(OUTCOMES.c.id)), {}))[0][0])
            for start, end in ((NOW, NOW + HOUR), (NOW - TICK, NOW + HOUR - TICK)):
                assert (await second.stats(EAST, start, end)).count == left > 0

    use(url, work)


TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
LENGTHS = st.one_of(
    st.timedeltas(timedelta(0), timedelta(minutes=3)),
    st.timedeltas(timedelta(0), timedelta(days=4)),
)


@given(TIMES, LENGTHS)
def test_a_range_is_cut_into_whole_slots_without_gap_or_overlap(
    start: datetime, length: timedelta
) -> None:
    found = bounds(start, start + length)
    names = (0, *LEVELS)
    order = [f"low_{n}" for n in names] + [f"high_{n}" for n in reversed(names)]
    assert [found[name] for name in order] == sorted(found.values())
    assert (found["low_0"], found["high_0"]) == (start, start + length)
    for minutes in LEVELS:
        if found[f"low_{minutes}"] != found[f"high_{minutes}"]:
            assert is_whole(found[f"low_{minutes}"], minutes)
            assert is_whole(found[f"high_{minutes}"], minutes)


def is_whole(at: datetime, minutes: int) -> bool:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) % timedelta(minutes=minutes) == timedelta(0)
