"""Events that are created at once find their groups, also while those are merged or made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from storeproof.reference.database import Database
from storeproof.reference.errors import (
    Bucket,
    DatabaseErrorStorage,
    Dimension,
    ErrorEvent,
    ErrorStorage,
    GroupId,
    GroupState,
    InMemoryErrorStorage,
    Level,
    Status,
    TimeZone,
    Trend,
)
from storeproof.reference.errors.laws.given import DAY, HOUR, NOW, content, event

from ..at_once import databases
from ..counting import counted, deadlocks, until_waiting

A, B, C = GroupId("a"), GroupId("b"), GroupId("c")


def burst(first: int = 0) -> list[ErrorEvent]:
    """Events of all groups, before and after NOW."""
    return [
        event(f"e{n}", fingerprint="abc"[n % 3], occurred_at=NOW + (n % 5 - 2) * HOUR)
        for n in range(first, first + 30)
    ]


async def prepare(storage: ErrorStorage) -> None:
    """The group b is resolved, and c was merged into it."""
    for group in (A, B, C):
        await storage.create(event(f"first of {group}", fingerprint=group, occurred_at=NOW - HOUR))
    await storage.merge(C, B)
    await storage.set_state(B, GroupState(status=Status.RESOLVED, at=NOW), 1)


async def create_all(storage: ErrorStorage, events: list[ErrorEvent]) -> list[Any]:
    return await asyncio.gather(*map(storage.create, events))


async def expected(events: list[ErrorEvent]) -> tuple[list[Any], InMemoryErrorStorage]:
    model = InMemoryErrorStorage()
    await prepare(model)
    return [await model.create(each) for each in events], model


def test_they_regress_and_follow_merges_as_on_the_model(url: str) -> None:
    async def use() -> None:
        answers, model = await expected(burst())
        assert sum(answer.regressed for answer in answers) == 1
        async with Database(url, create=True) as database:
            storage = DatabaseErrorStorage(database)
            await prepare(storage)
            assert await create_all(storage, burst()) == answers
            assert await content(storage) == await content(model)
            assert await trends(storage) == await trends(model)

    asyncio.run(use())


async def trends(storage: ErrorStorage) -> list[Trend]:
    """By hour, in which bursts have several counts, and by day."""
    span = (NOW - DAY, NOW + 2 * DAY)
    return [
        await storage.trend(*span, bucket, TimeZone("UTC"), by)
        for bucket in (Bucket.HOUR, Bucket.DAY)
        for by in Dimension
    ]


def test_two_processes_lock_groups_in_one_order(postgres_url: str) -> None:
    """Both wait for a row that a third one holds, with what they locked before it."""

    async def use() -> None:
        before = await deadlocks(postgres_url)
        async with databases(postgres_url, 3) as (one, two, third):
            await create_all(DatabaseErrorStorage(one), [event(each, each) for each in "abc"])
            jobs: list[asyncio.Future[list[Any]]] = []

            async def hold(unit: Database) -> None:
                await DatabaseErrorStorage(unit).create(event("held", B, level=Level.FATAL))
                for database, groups, level in (
                    (one, "abc", Level.INFO),
                    (two, "cba", Level.DEBUG),
                ):
                    alone = event(f"alone {groups}", f"alone {groups}", level=level)
                    others = [event(f"{groups} {each}", each) for each in groups]
                    storage = DatabaseErrorStorage(database)
                    jobs.append(asyncio.ensure_future(create_all(storage, [alone, *others])))
                await until_waiting(postgres_url, 2)

            await third.together(hold)
            for job in jobs:
                assert len(await job) == 4
        assert await deadlocks(postgres_url) == before

    asyncio.run(use())


def test_one_that_is_there_already_costs_the_others_nothing(postgres_url: str) -> None:
    async def use() -> None:
        async with counted(postgres_url, DatabaseErrorStorage) as (storage, sent):
            trips = []
            for number in range(3):
                before = sent()
                answers = await create_all(storage, [*burst(30 * number), burst()[1]])
                trips.append(sent() - before)
            assert answers[-1].group.count == 30
            assert trips[-1] == len(["the first alone", "the others", "the one that is there"])

    asyncio.run(use())


async def merge(storage: ErrorStorage) -> None:
    await storage.merge(A, B)


async def make(storage: ErrorStorage) -> None:
    await storage.create(event("made", fingerprint="new"))


async def count(storage: ErrorStorage) -> None:
    """On days of which the group has counts already, and on one of which it has none."""
    for number, at in enumerate((NOW, NOW + HOUR, NOW + DAY)):
        await storage.create(event(f"counted {number}", fingerprint=A, occurred_at=at))


@pytest.mark.parametrize("meanwhile", [merge, make, count])
def test_what_happens_meanwhile_is_heeded(
    postgres_url: str, meanwhile: Callable[[ErrorStorage], Any]
) -> None:
    """The burst waits for a row that another process changes, and finds it changed."""

    async def use() -> None:
        async with databases(postgres_url, 2) as (one, two):
            storage = DatabaseErrorStorage(one)
            await prepare(storage)
            late = event("late", fingerprint=A, occurred_at=NOW + DAY)
            events = [*burst(), late, event("also", fingerprint="new")]
            # The first one goes alone, and waits for none of the rows that the others wait for.
            events = [event("alone", fingerprint="z", level=Level.INFO), *events]

            async def hold(unit: Database) -> asyncio.Future[list[Any]]:
                await meanwhile(DatabaseErrorStorage(unit))
                job = asyncio.ensure_future(create_all(storage, events))
                await until_waiting(postgres_url, 1)
                return job

            await (await two.together(hold))
            model = InMemoryErrorStorage()
            await prepare(model)
            await meanwhile(model)
            for each in events:
                await model.create(each)
            assert await content(storage) == await content(model)
            assert await trends(storage) == await trends(model)

    asyncio.run(use())
