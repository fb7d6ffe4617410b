"""For the tests of races: storages with connections of their own, and calls that go on at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

from storeproof.reference.database import Database
from storeproof.reference.exceptions import StorageError

Storage = TypeVar("Storage")

ROUNDS = 25
"""How often a race between two storages is run."""


@asynccontextmanager
async def databases(
    url: str, number: int, statement_timeout: float = 60
) -> AsyncIterator[list[Database]]:
    """So many pools of connections to one database."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Database(url, create=True, pool_timeout=60, statement_timeout=statement_timeout)
            )
            for _ in range(number)
        ]


@asynccontextmanager
async def opened(
    url: str, number: int, storage_in: Callable[[Database], Storage]
) -> AsyncIterator[list[Storage]]:
    """So many storages of the same data."""
    async with databases(url, number) as found:
        yield [storage_in(database) for database in found]


async def outcomes(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Runs the calls at once; gives results, or errors of the storage's own."""
    found = await asyncio.gather(*calls, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException) and not isinstance(each, StorageError):
            raise each
    return list(found)


def kinds(found: Sequence[object]) -> list[type]:
    """The classes of the errors among the outcomes, in the order of their names."""
    errors = [type(each) for each in found if isinstance(each, StorageError)]
    return sorted(errors, key=lambda kind: kind.__name__)


def repeat(
    url: str,
    storage_in: Callable[[Database], Storage],
    once: Callable[[Storage, Storage, int], Coroutine[Any, Any, None]],
) -> None:
    """Runs `once(one, two, number)` on two storages of the same data, a number of times."""

    async def use() -> None:
        async with opened(url, 2, storage_in) as (one, two):
            for number in range(ROUNDS):
                await once(one, two, number)

    asyncio.run(use())
