"""Who watches a channel is woken by commits, and after every loss; nothing is left behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from storeproof.harness.wire import Fault, Of, Wire
from storeproof.reference.database import Database, Transaction, notify
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.watching import Watch

from ..cancelling import cancel_everywhere
from ..wiring import nobody_connected, wire_to
from .examples import ALL, NOTES, SCHEMA, note

CREATE = sa.insert(NOTES).returning(NOTES.c.id, notify("notes", NOTES.c.id))
MARK = sa.insert(NOTES).returning(NOTES.c.id, notify("marks"))
LISTENING = "SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
CUT = "SELECT pg_terminate_backend($1)"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1"


class Stopped(Exception):
    """The application gives up."""


@asynccontextmanager
async def wired(
    url: str, pauses: Sequence[float] = (), pause: Any = asyncio.sleep
) -> AsyncIterator[tuple[Wire, Database, Database]]:
    """A wire, the database behind it that watches, and another one that changes things."""
    with wire_to(url) as (wire, through):
        listener = Database(through, create=True, relisten_pauses=pauses, pause=pause)
        async with listener, Database(url, create=True) as other:
            for each in (listener, other):
                each.require(SCHEMA)
            await other.open()
            async with asyncio.timeout(30):
                yield wire, listener, other


def use(
    url: str,
    work: Callable[[Wire, Database, Database], Awaitable[None]],
    **settings: Any,
) -> None:
    async def run() -> None:
        before = asyncio.all_tasks()
        async with wired(url, **settings) as opened:
            await work(*opened)
            await no_connections(opened[0], opened[1])
        assert asyncio.all_tasks() == before

    asyncio.run(run())


async def no_connections(wire: Wire, database: Database) -> None:
    await database.close()
    await nobody_connected(wire)


async def ready(watch: Watch) -> asyncio.Task[None]:
    """A task that waits for what comes from now on."""
    await watch.wait()
    waiting = asyncio.ensure_future(watch.wait())
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


async def cut(url: str) -> None:
    """Ends the session that listens, on the server."""
    server = await asyncpg.connect(url.partition("?")[0])
    try:
        (listening,) = await server.fetch(LISTENING)
        assert await server.fetchval(CUT, listening["pid"])
        while await server.fetchval(COUNT, listening["pid"]):
            pass
    finally:
        await server.close()


def test_a_commit_of_another_database_wakes(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as watch:
            for number in range(3):
                waiting = await ready(watch) if number == 0 else asyncio.ensure_future(watch.wait())
                await other.write(CREATE, note(str(number)))
                await waiting

    use(postgres_url, work)


def test_what_happened_before_the_wait_wakes(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as one, listener.watch("notes") as two:
            for each in (one, two):
                await each.wait()
            await other.write(CREATE, note("1"))
            await one.wait()
            await two.wait()

    use(postgres_url, work)


@pytest.mark.parametrize("together", [False, True])
def test_what_is_rolled_back_wakes_nobody(postgres_url: str, together: bool) -> None:
    async def refused(call: Transaction | Database) -> None:
        run = call.run if isinstance(call, Transaction) else call.write
        await run(CREATE, note("1"))
        raise Stopped

    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("marks") as marks, listener.watch("notes") as watch:
            waiting = await ready(watch)
            await marks.wait()
            with suppress(Stopped):
                await (other.together(refused) if together else other.transact(refused))
            await other.write(MARK, note("2"))
            await marks.wait()
            assert not waiting.done()
            await other.write(CREATE, note("1"))
            await waiting

    use(postgres_url, work)


def test_nothing_is_missed_while_the_connection_was_lost(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as one, listener.watch("notes") as two:
            waiting = [await ready(each) for each in (one, two)]
            await cut(postgres_url)
            await other.write(CREATE, note("1"))
            await asyncio.gather(*waiting)
            assert wire.opened == 2
            waiting = [asyncio.ensure_future(each.wait()) for each in (one, two)]
            await other.write(CREATE, note("2"))
            await asyncio.gather(*waiting)

    use(postgres_url, work)


def test_attempts_to_listen_again_are_bounded(postgres_url: str) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        wires[0].plan(Fault.CUT, of=Of.TRIP)

    wires: list[Wire] = []

    async def work(wire: Wire, listener: Database, other: Database) -> None:
        wires.append(wire)
        async with listener.watch("notes") as watch:
            waiting = await ready(watch)
            wire.plan(Fault.CUT, of=Of.TRIP)
            await cut(postgres_url)
            with pytest.raises(Unavailable) as caught:
                await waiting
            assert type(caught.value) is Unavailable
            assert paused == [1.5, 2.5]
            await other.write(CREATE, note("1"))
            wire.mend()
            await watch.wait()
            assert paused == [1.5, 2.5]

    use(postgres_url, work, pauses=(1.5, 2.5), pause=pause)


def test_closing_ends_the_waiting(url: str) -> None:
    async def run() -> None:
        async with Database(url, create=True) as database, database.watch("notes") as watch:
            waiting = await ready(watch)
            await database.close()
            async with asyncio.timeout(30):
                with pytest.raises(Unavailable, match="closed"):
                    await waiting
            with pytest.raises(Unavailable, match="closed"):
                await watch.wait()

    asyncio.run(run())


def test_a_watch_is_used_within_its_block(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as watch:
            pass
        with pytest.raises(Unavailable, match="closed"):
            await watch.wait()

    use(postgres_url, work)


def test_the_connection_ends_with_the_last_watch(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as watch:
            await watch.wait()
            async with listener.watch("marks") as marks:
                await marks.wait()
            waiting = await ready(watch)
            await other.write(CREATE, note("1"))
            await waiting
            assert wire.connections == 1
        await nobody_connected(wire)
        assert await listener.read(ALL, {}) == [("1",)]

    use(postgres_url, work)


@pytest.mark.parametrize("again", [False, True])
def test_a_cancelled_wait_leaves_nothing(postgres_url: str, again: bool) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async def call(nth: int) -> None:
            async with listener.watch("notes") as watch:
                await watch.wait()

        async def check(nth: int) -> None:
            await nobody_connected(wire)

        assert await cancel_everywhere(call, check, again=again) >= 4

    use(postgres_url, work)


def test_a_cancelled_wait_loses_no_news(postgres_url: str) -> None:
    async def work(wire: Wire, listener: Database, other: Database) -> None:
        async with listener.watch("notes") as watch, listener.watch("notes") as second:
            waiting = await ready(watch)
            await second.wait()
            waiting.cancel()
            with suppress(asyncio.CancelledError):
                await waiting
            await other.write(CREATE, note("1"))
            await second.wait()
            await watch.wait()

    use(postgres_url, work)


def test_nobody_notifies_on_sqlite(sqlite_url: str) -> None:
    async def run() -> None:
        async with Database(sqlite_url, create=True) as database, database.watch("notes") as watch:
            database.require(SCHEMA)
            waiting = await ready(watch)
            assert await database.write(CREATE, note("1")) == [("1", None)]
            assert not waiting.done()
            waiting.cancel()

    asyncio.run(run())
