"""Whoever watches the providers is woken by each change, and by nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

import sqlalchemy as sa

from storeproof.reference.database import notify
from storeproof.reference.providers import ProviderStorage
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    NOW,
    WEST,
    acquire,
    add,
    ciphertext,
    outcome,
    provider,
    secret,
)
from storeproof.reference.selection import Storages
from storeproof.reference.watching import Watch, Watchable

from .test_follower import Stopped, use


@asynccontextmanager
async def watching(storage: ProviderStorage) -> AsyncIterator[Watch]:
    assert isinstance(storage, Watchable)
    block: AbstractAsyncContextManager[Watch] = storage.watch()
    async with block as watch:
        await watch.wait()
        yield watch


async def wakes(watch: Watch, call: Awaitable[object]) -> None:
    await call
    await watch.wait()


def test_every_change_of_a_provider_or_a_secret_wakes(heard_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        storage = one.providers
        async with watching(other.providers) as watch:
            for call in (
                storage.create(provider(EAST)),
                storage.update(provider(EAST), 1),
                storage.put_secret(secret("a")),
                storage.rotate_secret(secret("b", key="k2"), ciphertext("a")),
                storage.delete(EAST),
            ):
                await wakes(watch, call)

    use(heard_url, work)


async def half(unit: Storages) -> None:
    await unit.providers.create(provider("half"))
    raise Stopped


def test_what_is_no_change_or_is_undone_wakes_nobody(heard_url: str | None) -> None:
    """Notifications come in their order, so what comes first is the change at the end."""

    async def quiet(one: Storages) -> None:
        storage = one.providers
        await acquire(storage, "a")
        await storage.record_outcome(outcome("a"))
        await storage.cool_down(EAST, NOW + HOUR)
        assert not await storage.rotate_secret(secret("c"), ciphertext("b"))
        with suppress(Stopped):
            await one.together(half)

    async def work(one: Storages, other: Storages) -> None:
        storage = one.providers
        await add(storage, EAST)
        await storage.put_secret(secret("a"))
        async with watching(other.providers) as watch, nothing_on_the_way(other) as passed:
            await (watch.wait() if other.database else turns())
            waiting = asyncio.ensure_future(watch.wait())
            await turns()
            await quiet(one)
            await passed()
            assert not waiting.done()
            await add(storage, WEST)
            await waiting

    use(heard_url, work)


async def turns() -> None:
    """Lets the other tasks go on as far as they can in memory."""
    for _ in range(5):
        await asyncio.sleep(0)


@asynccontextmanager
async def nothing_on_the_way(storages: Storages) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """What returns when all that was notified so far has been heard by these storages."""
    if storages.database is None:
        yield turns
        return
    mark = sa.select(notify("mark"))
    async with storages.database.watch("mark") as marks:
        await marks.wait()

        async def passed() -> None:
            assert storages.database is not None
            await storages.database.write(mark, {})
            await marks.wait()

        yield passed
