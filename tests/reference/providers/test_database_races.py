"""What must hold while several do it at once, each through connections of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import sqlalchemy as sa

from storeproof.reference.database import Database, Transaction
from storeproof.reference.exceptions import StorageError
from storeproof.reference.providers import (
    DatabaseProviderStorage,
    LeaseId,
    ProviderStorage,
    RateLimited,
    Revision,
)
from storeproof.reference.providers.database.tables import USAGE
from storeproof.reference.providers.laws.given import EAST, MINUTE, NOW, add, provider, used

CLIENTS = 4
CALLS = 200


@asynccontextmanager
async def opened(url: str, number: int) -> AsyncIterator[list[ProviderStorage]]:
    databases = [
        Database(url, create=True, pool_timeout=60, statement_timeout=60) for _ in range(number)
    ]
    async with AsyncExitStack() as stack:
        for database in databases:
            await stack.enter_async_context(database)
        yield [DatabaseProviderStorage(database) for database in databases]


async def outcomes(calls: Iterable[Awaitable[object]]) -> list[object]:
    """Runs the calls at once; gives results, or errors of the storage's own."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, StorageError):
            raise each
    return list(found)


def test_leases_never_exceed_either_limit(url: str) -> None:
    """Leases of several sizes, in two minutes, some of them asked for twice at once."""

    def minute(number: int) -> datetime:
        return NOW + MINUTE * (number % 2)

    async def use() -> None:
        async with opened(url, CLIENTS) as storages:
            await add(storages[0], EAST, rpm=50, tpm=120)
            asked = [number // 2 if number < 40 else number for number in range(CALLS)]
            found = await outcomes(
                storages[place % CLIENTS].acquire(
                    LeaseId(str(number)), EAST, number % 5, minute(number)
                )
                for place, number in enumerate(asked)
            )
            errors = {type(each) for each in found if isinstance(each, StorageError)}
            assert errors == {RateLimited}
            given = {each for each in found if not isinstance(each, StorageError)}
            for number in range(2):
                leases = [each for each in given if each.at == minute(number)]  # type: ignore[attr-defined] # leases are left
                ((requests, tokens),) = await used(storages[0], minute(number))
                assert requests == len(leases) <= 50
                assert tokens == sum(each.tokens for each in leases) <= 120  # type: ignore[attr-defined] # as above
                assert requests == 50 or tokens > 115

    asyncio.run(use())


async def waiting(server: Any, number: int, other: asyncio.Task[object]) -> None:
    """Returns when so many sessions wait for a lock, or the other task is done."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(30):
        while await server.fetchval(query) < number and not other.done():
            await asyncio.sleep(0.01)


def test_limits_do_not_change_under_a_lease_that_waits(postgres_url: str) -> None:
    """An update waits for a lease that has read the limits already, and is still to be counted."""
    hold = sa.select(USAGE.c.requests).with_for_update()

    async def use() -> None:
        async with opened(postgres_url, 2) as (one, two), Database(postgres_url) as holder:
            await add(one, EAST, rpm=2)
            await one.acquire(LeaseId("a"), EAST, 0, NOW)
            server = await asyncpg.connect(postgres_url.partition("?")[0])

            async def work(transaction: Transaction) -> tuple[asyncio.Task[Any], ...]:
                await transaction.run(hold, {})
                lease = asyncio.create_task(one.acquire(LeaseId("b"), EAST, 0, NOW))
                await waiting(server, 1, lease)
                update = asyncio.create_task(two.update(provider(EAST, rpm=1), 1))
                await waiting(server, 2, update)
                assert not update.done()
                return lease, update

            await asyncio.gather(*await holder.transact(work))
            assert await used(two) == [(2, 0)]
            await server.close()

    asyncio.run(use())


def test_changes_are_seen_without_a_gap(url: str) -> None:
    """Who follows the revisions while others write sees every change, in order."""

    async def use() -> None:
        async with opened(url, 3) as (one, two, reader):
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
        async with opened(url, 2) as (one, two):
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
