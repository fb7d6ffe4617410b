"""What must hold while several do it at once, each through connections of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storeproof.reference.database import Database, Transaction
from storeproof.reference.exceptions import StorageError
from storeproof.reference.providers import (
    DatabaseProviderStorage,
    LeaseId,
    RateLimited,
    Revision,
)
from storeproof.reference.providers.database.tables import USAGE
from storeproof.reference.providers.laws.given import EAST, MINUTE, NOW, add, provider, used

from ..at_once import kinds, opened, outcomes
from ..counting import until_waiting

CLIENTS = 4
CALLS = 200


def test_leases_never_exceed_either_limit(url: str) -> None:
    """Leases of several sizes, in two minutes, some of them asked for twice at once."""

    def minute(number: int) -> datetime:
        return NOW + MINUTE * (number % 2)

    async def use() -> None:
        async with opened(url, CLIENTS, DatabaseProviderStorage) as storages:
            await add(storages[0], EAST, rpm=50, tpm=120)
            asked = [number // 2 if number < 40 else number for number in range(CALLS)]
            found = await outcomes(
                storages[place % CLIENTS].acquire(
                    LeaseId(str(number)), EAST, number % 5, minute(number)
                )
                for place, number in enumerate(asked)
            )
            assert set(kinds(found)) == {RateLimited}
            given = {each for each in found if not isinstance(each, StorageError)}
            for number in range(2):
                leases = [each for each in given if each.at == minute(number)]
                ((requests, tokens),) = await used(storages[0], minute(number))
                assert requests == len(leases) <= 50
                assert tokens == sum(each.tokens for each in leases) <= 120
                assert requests == 50 or tokens > 115

    asyncio.run(use())


def test_limits_do_not_change_under_a_lease_that_waits(postgres_url: str) -> None:
    """An update waits for a lease that has read the limits already, and is still to be counted."""
    hold = sa.select(USAGE.c.requests).with_for_update()

    async def use() -> None:
        async with (
            opened(postgres_url, 2, DatabaseProviderStorage) as (one, two),
            Database(postgres_url) as holder,
        ):
            await add(one, EAST, rpm=2)
            await one.acquire(LeaseId("a"), EAST, 0, NOW)

            async def work(transaction: Transaction) -> tuple[asyncio.Task[Any], ...]:
                await transaction.run(hold, {})
                lease = asyncio.create_task(one.acquire(LeaseId("b"), EAST, 0, NOW))
                await until_waiting(postgres_url, 1, lease)
                update = asyncio.create_task(two.update(provider(EAST, rpm=1), 1))
                await until_waiting(postgres_url, 2, update)
                assert not update.done()
                return lease, update

            await asyncio.gather(*await holder.transact(work))
            assert await used(two) == [(2, 0)]

    asyncio.run(use())


def test_changes_are_seen_without_a_gap(url: str) -> None:
    """Who follows the revisions while others write sees every change, in order."""

    async def use() -> None:
        async with opened(url, 3, DatabaseProviderStorage) as (one, two, reader):
            seen: list[int] = []

            async def follow() -> None:
                while len(seen) < 40:
                    last = Revision(seen[-1] if seen else 0)
                    changes = await reader.changes_since(last)
                    seen.extend(each.revision for each in changes)

            writes = [(one, two)[n % 2].create(provider(f"p{n}")) for n in range(40)]
            async with asyncio.timeout(60):
                await asyncio.gather(follow(), *writes)
            assert seen == list(range(1, 41))

    asyncio.run(use())


def test_purges_at_once_take_each_minute_once(url: str) -> None:
    async def use() -> None:
        async with opened(url, 2, DatabaseProviderStorage) as (one, two):
            await add(one, EAST)
            for number in range(30):
                await one.acquire(LeaseId(str(number)), EAST, 1, NOW - number * MINUTE)
            calls = [(one, two)[n % 2].purge_usage(NOW + MINUTE, 4) for n in range(12)]
            taken = Counter[object](await outcomes(calls))
            assert sum(int(str(size)) * times for size, times in taken.items()) <= 30
            while await one.purge_usage(NOW + MINUTE, 4):
                pass
            assert await used(one) == []

    asyncio.run(use())
