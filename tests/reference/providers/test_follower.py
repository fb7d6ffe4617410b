"""A process that follows the configuration sees what another one changes, and misses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from storeproof.reference.config import Config
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.providers import (
    Change,
    Follower,
    InMemoryProviderStorage,
    ModelName,
    ProviderService,
    ProviderStorage,
    Revision,
)
from storeproof.reference.providers.laws.given import (
    EAST,
    NOW,
    WEST,
    add,
    provider,
)
from storeproof.reference.providers.service import KeyRing, NoProviderAvailable
from storeproof.reference.selection import Storages, open_storages
from storeproof.reference.storage import MAX_LIMIT

from .test_service import ring

MODEL = ModelName("m")
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


class Stopped(Exception):
    """The application gives up."""


class Gate:
    """In the place of `asyncio.sleep`: a pause lasts until it is let through."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self.open = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.open.wait()
        self.open.clear()


@asynccontextmanager
async def two(url: str | None) -> AsyncIterator[tuple[Storages, Storages]]:
    """The storages of two processes; in memory both are the same."""
    config = Config(database_url=url, create_schema=True)
    async with open_storages(config) as one, open_storages(config) as other:
        async with asyncio.timeout(30):
            await one.providers.changes_since(Revision(0))
            yield one, other if url else one


@asynccontextmanager
async def following(storage: ProviderStorage, pause: Any = None) -> AsyncIterator[Follower]:
    """A follower that looks again only when it is woken, or when the pause ends."""
    before = asyncio.all_tasks()
    follower = Follower(storage, every=timedelta(seconds=7), pause=pause or Gate())
    task = asyncio.ensure_future(follower.follow())
    try:
        yield follower
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == before


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0)


def ids(follower: Follower) -> list[str]:
    return [each.id for each in follower.providers]


def use(url: str | None, work: Callable[[Storages, Storages], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with two(url) as opened:
            await work(*opened)

    asyncio.run(run())


def test_a_change_of_another_process_arrives(heard_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        await add(one.providers, EAST)
        async with following(other.providers) as follower:
            await until(lambda: ids(follower) == [EAST])
            await add(one.providers, WEST, priority=0)
            await until(lambda: ids(follower) == [EAST, WEST])
            await one.providers.update(provider(EAST, priority=5), 1)
            await until(lambda: ids(follower) == [WEST, EAST])
            await one.providers.delete(WEST)
            await until(lambda: ids(follower) == [EAST])
            assert follower.revision == 4

    use(heard_url, work)


def test_a_deleted_provider_is_no_longer_chosen_by_another_process(heard_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        await add(one.providers, EAST, models=frozenset({MODEL}))
        await add(one.providers, WEST, models=frozenset({MODEL}), priority=1)
        async with following(other.providers) as follower:
            service = ProviderService(
                other.providers, cipher=ring("k1"), clock=lambda: NOW, follower=follower
            )
            await until(lambda: len(follower.providers) == 2)
            assert (await service.choose(MODEL))[0].id == EAST
            await one.providers.delete(EAST)
            await until(lambda: follower.revision == 3)
            snapshot = await service.snapshot(MODEL)
            assert [each.provider.id for each in snapshot.candidates] == [WEST]
            await one.providers.update(provider(WEST, models=frozenset({MODEL}), enabled=False), 1)
            await until(lambda: follower.revision == 4)
            with pytest.raises(NoProviderAvailable):
                await service.choose(MODEL)
            with pytest.raises(NoProviderAvailable):
                await service.choose(ModelName("other"))

    use(heard_url, work)


def test_who_has_not_heard_of_a_deletion_is_refused_by_the_storage(any_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        await add(one.providers, EAST, WEST, models=frozenset({MODEL}))
        follower = Follower(other.providers)
        await follower.refresh()
        cipher: KeyRing = ring("k1")
        service = ProviderService(
            other.providers, cipher=cipher, clock=lambda: NOW, follower=follower
        )
        await one.providers.delete(EAST)
        assert ids(follower) == [EAST, WEST]
        assert (await service.choose(MODEL))[0].id == WEST

    use(any_url, work)


def test_it_looks_from_time_to_time_where_nothing_is_heard(any_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        gate = Gate()
        async with following(Deaf(other.providers), gate) as follower:
            for number in range(3):
                await until(lambda n=number: len(gate.asked) == n + 1)  # type: ignore[misc] # a bound number
                await add(one.providers, provider(f"p{number}").id)
                assert len(follower.providers) == number
                gate.open.set()
                await until(lambda n=number: len(follower.providers) == n + 1)  # type: ignore[misc] # as above
        assert set(gate.asked) == {7.0}

    use(any_url, work)


class Deaf:
    """A storage that nobody can watch, and that is unavailable at times."""

    def __init__(self, storage: ProviderStorage) -> None:
        self._storage = storage
        self.failures = 0
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        if name == "watch":
            raise AttributeError(name)
        return getattr(self._storage, name)

    async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
        self.asked += 1
        if self.failures:
            self.failures -= 1
            raise Unavailable("nobody is there")
        return await self._storage.changes_since(revision, limit)


def test_the_copy_stays_while_the_storage_is_unavailable() -> None:
    async def run() -> None:
        storage, gate = Deaf(InMemoryProviderStorage()), Gate()
        await add(storage, EAST)  # type: ignore[arg-type] # it has every operation
        async with asyncio.timeout(30), following(storage, gate) as follower:  # type: ignore[arg-type] # as above
            await follower.refresh()
            await storage.delete(EAST)
            storage.failures = 2
            for _ in range(2):
                asked = storage.asked
                gate.open.set()
                await until(lambda asked=asked: storage.asked > asked)  # type: ignore[misc] # a bound number
                assert ids(follower) == [EAST]
            gate.open.set()
            await until(lambda: ids(follower) == [])

    asyncio.run(run())


def test_an_error_of_another_kind_ends_it() -> None:
    class Broken(InMemoryProviderStorage):
        async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
            raise Stopped

    async def broken(seconds: float) -> None:
        raise Stopped

    async def silent() -> None:
        with pytest.raises(Stopped):
            await Follower(Broken()).follow()
        with pytest.raises(Stopped):
            await Follower(Deaf(InMemoryProviderStorage()), pause=broken).follow()  # type: ignore[arg-type] # it has every operation

    asyncio.run(silent())


def test_all_changes_are_taken_over_however_many() -> None:
    async def run() -> None:
        storage = InMemoryProviderStorage()
        follower = Follower(storage)
        await add(storage, *(provider(f"p{number}").id for number in range(MAX_LIMIT + 1)))
        await follower.refresh()
        assert len(follower.providers) == follower.revision == MAX_LIMIT + 1

    asyncio.run(run())


def test_a_slow_answer_does_not_bring_back_what_was_deleted() -> None:
    class Slow(InMemoryProviderStorage):
        async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
            found = await super().changes_since(revision, limit)
            await answers.pop(0).wait()
            return found

    async def run() -> None:
        storage = Slow()
        follower = Follower(storage)
        first, second = asyncio.Event(), asyncio.Event()
        later = asyncio.Event()
        later.set()
        answers.extend((first, second, later, later))
        await add(storage, EAST)
        slow = asyncio.ensure_future(follower.refresh())
        await until(lambda: len(answers) == 3)
        await storage.delete(EAST)
        quick = asyncio.ensure_future(follower.refresh())
        await until(lambda: len(answers) == 2)
        second.set()
        await quick
        first.set()
        await slow
        assert (ids(follower), follower.revision) == ([], 2)

    answers: list[asyncio.Event] = []
    asyncio.run(run())


def test_a_lost_connection_hides_no_change(postgres_url: str) -> None:
    async def work(one: Storages, other: Storages) -> None:
        server = await asyncpg.connect(postgres_url.partition("?")[0])
        async with following(other.providers) as follower:
            for number in range(3):
                await add(one.providers, provider(f"p{number}").id)
                await until(lambda n=number: len(follower.providers) == n + 1)  # type: ignore[misc] # a bound number
                await add(one.providers, provider(f"before {number}").id)
                assert await server.fetchval(CUT) == 1
                await one.providers.delete(provider(f"before {number}").id)
                await until(lambda n=number: follower.revision == 3 * n + 3)  # type: ignore[misc] # as above
        await server.close()

    use(postgres_url, work)


def test_closing_does_not_end_it_but_cancelling_does(any_url: str | None) -> None:
    async def work(one: Storages, other: Storages) -> None:
        gate = Gate()
        async with following(other.providers, gate) as follower:
            await add(one.providers, EAST)
            await until(lambda: bool(gate.asked))
            await other.close()
            gate.open.set()
            await until(lambda: len(gate.asked) >= 2)
            assert set(ids(follower)) <= {EAST}

    use(any_url, work)
