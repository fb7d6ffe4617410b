"""Clients go on reading and writing while PostgreSQL is upgraded: by locks, not by clocks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy.util import await_only

from storeproof.reference.database.revisions import (
    History,
    Patience,
    RevisionFailed,
    upgrade,
)

from .histories import LANG, PARTS, SUBJECT, write

LETTER = "INSERT INTO letters (id, n, at) VALUES ($1, 1, now())"
LOCKS = """
SELECT l.mode, l.granted FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.relation = 'letters'::regclass AND a.query LIKE $1
"""


@asynccontextmanager
async def client(url: str, **settings: str) -> AsyncIterator[Any]:
    """A client whose statement fails rather than wait long for a lock."""
    connection = await asyncpg.connect(url, server_settings={"lock_timeout": "20s"} | settings)
    try:
        yield connection
    finally:
        await connection.close()


def patient(pause: Callable[[float], Awaitable[None]], **limits: Any) -> Patience:
    return Patience(pause=pause, **{"lock": 0.05, "bound": 20.0, "interval": 0.0} | limits)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return write(tmp_path / "history")


def test_a_lock_that_is_not_granted_is_given_up_and_tried_again(
    postgres_url: str, history: History
) -> None:
    """While one client holds the table, others work between the attempts, and in them."""

    async def scenario() -> int:
        await upgrade(postgres_url, history, to=1)
        pauses = 0
        async with client(postgres_url) as reader, client(postgres_url) as other:
            reading = reader.transaction()
            await reading.start()
            await reader.fetch("SELECT * FROM letters")

            async def pause(_seconds: float) -> None:
                nonlocal pauses
                pauses += 1
                await other.execute(LETTER, str(pauses))
                assert await other.fetchval("SELECT count(*) FROM letters") == pauses
                if pauses == 3:
                    await reading.rollback()

            made = await upgrade(postgres_url, history, to=2, patience=patient(pause))
            assert [each.number for each in made] == [2]
        return pauses

    assert asyncio.run(scenario()) == 3


def test_who_queues_behind_an_upgrade_that_waits_gets_on(
    postgres_url: str, history: History
) -> None:
    """Seen by a client whose statement began while the upgrade was waiting for its lock."""

    async def scenario() -> None:
        await upgrade(postgres_url, history, to=1)
        async with client(postgres_url) as reader, client(postgres_url) as other:
            reading = reader.transaction()
            await reading.start()
            await reader.fetch("SELECT * FROM letters")
            done = asyncio.Event()

            async def pause(_seconds: float) -> None:
                if done.is_set() and reader.is_in_transaction():
                    await reading.rollback()

            upgrading = asyncio.ensure_future(
                upgrade(postgres_url, history, to=2, patience=patient(pause, lock=1.0))
            )
            async with client(postgres_url) as observer:
                await seen(observer, ("AccessExclusiveLock", False), "ALTER TABLE letters%")
            await other.execute(LETTER, "behind")
            done.set()
            await upgrading

    asyncio.run(scenario())


def test_an_upgrade_that_never_gets_its_lock_gives_up(postgres_url: str, history: History) -> None:
    async def scenario() -> int:
        await upgrade(postgres_url, history, to=1)
        pauses = 0

        async def pause(_seconds: float) -> None:
            nonlocal pauses
            pauses += 1

        async with client(postgres_url) as reader, reader.transaction():
            await reader.fetch("SELECT * FROM letters")
            with pytest.raises(RevisionFailed, match=r"0002.*lock timeout"):
                await upgrade(
                    postgres_url, history, to=2, patience=patient(pause, attempts=3, lock=0.01)
                )
        return pauses

    assert asyncio.run(scenario()) == 2


def test_a_revision_that_would_lock_for_long_ends_at_its_bound(
    postgres_url: str, tmp_path: Path
) -> None:
    """Its clock jumps to the bound while it holds the table; the server ends its next statement."""
    slow = SUBJECT.replace("def upgrade():", "def upgrade():\n    op.execute('LOCK letters')")
    slow = slow.replace(
        "    op.add_column", "    op.execute('SELECT pg_sleep(60)')\n    op.add_column"
    )
    history = write(tmp_path / "slow", (PARTS[0], ("letters", None, slow)))
    times = iter([0.0, 0.0, 0.0])

    async def scenario() -> None:
        await upgrade(postgres_url, history, to=1)
        patience = Patience(bound=5.0, clock=lambda: next(times, 4.99))
        with pytest.raises(RevisionFailed, match="statement timeout"):
            await upgrade(postgres_url, history, patience=patience)
        async with client(postgres_url) as other:
            await other.execute(LETTER, "afterwards")

    asyncio.run(scenario())


CHECK = "ALTER TABLE letters ADD CONSTRAINT letters_lang_is_not_null CHECK (lang IS NOT NULL)"
STEPS = {
    "steps.create_index": ("CREATE INDEX CONCURRENTLY%", "pass"),
    "steps.require": ("ALTER TABLE letters VALIDATE%", f"op.execute('{CHECK} NOT VALID')"),
}
"""The statement of each that takes long, and what it comes after."""


@pytest.mark.parametrize("step", STEPS)
def test_long_steps_hold_locks_that_stop_nobody(
    postgres_url: str, tmp_path: Path, step: str
) -> None:
    """The step is held by another such lock; readers and writers pass it meanwhile."""
    lines = LANG.splitlines()
    place = next(n for n, line in enumerate(lines) if step in line)
    query, before = STEPS[step]
    pausing = [*lines[:place], f"    {before}", "    HOLD()", *lines[place:]]
    parts = (PARTS[0], ("letters", "the languages", "\n".join(pausing)))
    history = write(tmp_path / "history", parts)
    waiting = ("ShareUpdateExclusiveLock", False)

    async def scenario() -> None:
        await upgrade(postgres_url, history, to=1)
        async with client(postgres_url) as holder, client(postgres_url) as other:
            await other.executemany(LETTER, [(str(number),) for number in range(5)])
            holding = holder.transaction()

            async def hold() -> None:
                await holding.start()
                await holder.execute("LOCK letters IN SHARE UPDATE EXCLUSIVE MODE")

            vars(history.revisions[1].module)["HOLD"] = lambda: await_only(hold())
            upgrading = asyncio.ensure_future(upgrade(postgres_url, history))
            async with client(postgres_url) as observer:
                await seen(observer, waiting, query)
                lang = "INSERT INTO letters (id, n, at, lang) VALUES ('m', 1, now(), 'fr')"
                await other.execute(lang)
                await other.execute("UPDATE letters SET n = n + 1")
                assert await other.fetchval("SELECT count(*) FROM letters") == 6
                await seen(observer, waiting, query)
            await holding.rollback()
            assert [each.number for each in await upgrading] == [2]

    asyncio.run(scenario())


def test_clients_that_never_stop_see_no_error_and_lose_nothing(
    postgres_url: str, tmp_path: Path
) -> None:
    """Readers and writers work from before the first revision until after the last one."""
    default = LANG.replace(
        'sa.Column("lang", TEXT)', 'sa.Column("lang", TEXT, server_default="en")'
    )
    parts = (PARTS[0], PARTS[1], ("letters", "the languages", default))
    history = write(tmp_path / "history", parts)

    async def scenario() -> None:
        await upgrade(postgres_url, history, to=1)
        ended, written, reads = False, [0, 0], [0, 0]

        async def write_on(place: int) -> None:
            async with client(postgres_url) as connection:
                while not ended:
                    await connection.execute(LETTER, f"{place} {written[place]}")
                    written[place] += 1
                    await connection.execute("UPDATE letters SET n = n WHERE id = $1", f"{place} 0")

        async def read_on(place: int) -> None:
            async with client(postgres_url) as connection:
                while not ended:
                    known = written[place]
                    found = "SELECT count(*) FROM letters WHERE id LIKE $1"
                    assert await connection.fetchval(found, f"{place} %") >= known
                    reads[place] += 1

        working = asyncio.gather(*(each(place) for each in (write_on, read_on) for place in (0, 1)))
        while min(written + reads) < 5:
            await asyncio.sleep(0)
        before = written + reads
        made = await upgrade(postgres_url, history, patience=Patience(interval=0.0))
        assert [each.number for each in made] == [2, 3]
        during = [now - then for now, then in zip(written + reads, before, strict=True)]
        ended = True
        await working
        assert min(during) > 0
        async with client(postgres_url) as connection:
            langs = await connection.fetch("SELECT lang FROM letters")
            assert [row[0] for row in langs] == ["en"] * sum(written)

    asyncio.run(scenario())


async def seen(observer: Any, lock: tuple[str, bool], query: str) -> None:
    """Returns when a statement like this one holds such a lock, or waits for it."""
    for _ in range(10_000):
        found = {tuple(row) for row in await observer.fetch(LOCKS, query)}
        if lock in found:
            assert not {mode for mode, granted in found if granted and mode in BLOCKING}
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"{lock} was not seen")


BLOCKING = {"AccessExclusiveLock", "ExclusiveLock", "ShareRowExclusiveLock", "ShareLock"}
