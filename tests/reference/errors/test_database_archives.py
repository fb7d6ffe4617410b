"""Archiving in a database: verified before it is committed, and in nobody's way."""

from __future__ import annotations

import asyncio
import itertools
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import asyncpg
import pytest

from storeproof.reference.database import POSTGRES, Database, Transaction
from storeproof.reference.database.compiling import compile_for
from storeproof.reference.errors import (
    ArchiveDamaged,
    ArchiveId,
    DatabaseErrorStorage,
    ErrorStorage,
    EventId,
    GroupId,
)
from storeproof.reference.errors.archives import events_in
from storeproof.reference.errors.laws.given import (
    DAY,
    DISK,
    NET,
    NOW,
    add,
    content,
    event,
    is_refused,
)
from storeproof.reference.exceptions import Duplicate, NotFound

from ..at_once import databases, outcomes
from ..counting import until_waiting
from .test_database_races import consistent_groups

ONE, TWO = ArchiveId("one"), ArchiveId("two")
LATER = NOW + DAY
SECONDS = 20.0
"""After which a call that waits for a lock is given up, and the test fails."""

ON_SQLITE = """CREATE TRIGGER damage AFTER INSERT ON errors_archives BEGIN
    UPDATE errors_archives SET file = {file} WHERE id = NEW.id; END"""
ON_POSTGRES = """CREATE FUNCTION damage() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN NEW.file := {file}; RETURN NEW; END $$;
    CREATE TRIGGER damage BEFORE INSERT ON errors_archives
    FOR EACH ROW EXECUTE FUNCTION damage()"""


@asynccontextmanager
async def opened(url: str, number: int) -> AsyncIterator[list[Database]]:
    async with databases(url, number, SECONDS) as found:
        for database in found:
            DatabaseErrorStorage(database)
            await database.open()
        yield found


async def execute(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as file:
            file.execute(statement)
        file.close()
    else:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()


def use(url: str, number: int, work: Callable[..., Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with opened(url, number) as databases:
            await work(*databases)

    asyncio.run(run())


@pytest.mark.parametrize("file", ["substr(NEW.file, 1, 0)", "substr(NEW.file, 2)"])
def test_a_file_that_is_not_stored_as_it_was_given_archives_nothing(url: str, file: str) -> None:
    """A trigger damages what is stored, so reading it back finds it out."""

    async def work(database: Database) -> None:
        storage = DatabaseErrorStorage(database)
        await add(storage, "ab")
        before = await content(storage)
        trigger = ON_SQLITE if url.startswith("sqlite") else ON_POSTGRES
        await execute(url, trigger.format(file=file))
        await is_refused(storage.archive(ONE, LATER, 9), ArchiveDamaged(ONE))
        assert await content(storage) == before
        assert (await storage.list_archives()).items == ()

    use(url, 1, work)


def test_a_file_that_was_damaged_later_is_not_given(url: str) -> None:
    async def work(database: Database) -> None:
        storage = DatabaseErrorStorage(database)
        await add(storage, "ab")
        await storage.archive(ONE, LATER, 9)
        await execute(url, "UPDATE errors_archives SET file = substr(file, 2)")
        await is_refused(storage.archive_file(ONE), ArchiveDamaged(ONE))
        await is_refused(storage.restore_archive(ONE), ArchiveDamaged(ONE))
        assert (await storage.list_events(DISK)).items == ()
        assert (await storage.get_archive(ONE)).state == "held"
        await storage.purge(ONE)
        assert (await add(storage, "a")).group.count == 3

    use(url, 1, work)


def test_an_archive_is_restored_as_a_whole_or_not_at_all(url: str) -> None:
    async def work(database: Database) -> None:
        storage = DatabaseErrorStorage(database)
        await add(storage, "ab")
        await storage.archive(ONE, LATER, 9)
        await execute(url, "DELETE FROM errors_events WHERE id = 'b'")
        await is_refused(storage.restore_archive(ONE), ArchiveDamaged(ONE))
        await is_refused(storage.get_by_id(EventId("a")), NotFound("event", "a"))
        assert (await storage.get_archive(ONE)).state == "held"

    use(url, 1, work)


@pytest.mark.parametrize("operation", ["archive", "restore_archive", "purge"])
def test_no_creation_waits_for_an_archive(postgres_url: str, operation: str) -> None:
    """It is open, all its statements done, while events of the same group are created."""

    async def work(one: Database, two: Database) -> None:
        storage = DatabaseErrorStorage(two)
        await add(storage, "ab")
        if operation != "archive":
            await storage.archive(ONE, LATER, 9)
        done, go_on = asyncio.Event(), asyncio.Event()

        async def hold(unit: Database) -> None:
            arguments = (ONE, LATER, 9) if operation == "archive" else (ONE,)
            await getattr(DatabaseErrorStorage(unit), operation)(*arguments)
            done.set()
            await go_on.wait()

        holding = asyncio.create_task(one.together(hold))
        await done.wait()
        assert (await add(storage, "c")).group.count == 3
        assert (await add(storage, "a")).group.count == 3
        await is_refused(storage.create(event("a", NET)), Duplicate("id"))
        go_on.set()
        await holding
        found = [each.id for each in (await storage.list_events(DISK)).items]
        assert found == (["c", "b", "a"] if operation == "restore_archive" else ["c"])

    use(postgres_url, 2, work)


@pytest.mark.parametrize("purged", [False, True])
def test_a_creation_that_began_before_finds_the_id_taken(postgres_url: str, purged: bool) -> None:
    """It sees the events of when it began, without this one, and yet it must not store it.

    Only when the id was forgotten meanwhile it does, which shows that it saw nothing.
    """

    async def work(one: Database, two: Database) -> None:
        late, storage = DatabaseErrorStorage(one), DatabaseErrorStorage(two)
        await add(storage, "z", NET, LATER)
        blocker = await asyncpg.connect(postgres_url)
        await blocker.execute("BEGIN; SELECT 1 FROM errors_groups WHERE id = 'net' FOR UPDATE")
        creating = asyncio.create_task(late.create(event("a", NET)))
        await until_waiting(postgres_url, 1)
        await add(storage, "a")
        await storage.archive(ONE, LATER, 9)
        if purged:
            await storage.purge(ONE)
        await blocker.execute("COMMIT")
        await blocker.close()
        if purged:
            assert (await creating).group.count == 2
        else:
            await is_refused(creating, Duplicate("id"))
            assert (await storage.get_group(NET)).count == 1
        assert (await storage.get_group(DISK)).count == 1

    use(postgres_url, 2, work)


async def places(storage: ErrorStorage) -> Counter[str]:
    """In how many places each event is."""
    found = Counter(each.id for _, events in await content(storage) for each in events)
    for archive in (await storage.list_archives(None, 1000)).items:
        if archive.state == "held":
            entries = events_in(archive, await storage.archive_file(archive.id))
            found.update(entry.event.id for entry in entries)
    return Counter(found)


def test_every_event_is_in_one_place_whatever_runs_at_once(url: str) -> None:
    """Archives, restorings, merges and creations of all events, new and known, at once."""

    async def work(*databases: Database) -> None:
        storages = [DatabaseErrorStorage(each) for each in databases]
        groups = [GroupId(name) for name in "abcd"]
        events = [event(f"{g}{n}", g, NOW) for n in range(10) for g in groups]
        for each in events[: len(events) // 2]:
            await storages[0].create(each)
        for number, (source, target) in enumerate(itertools.pairwise(groups)):
            handles = itertools.cycle(storages)
            calls = [next(handles).create(each) for each in events]
            for step in range(8):
                name = ArchiveId(f"{number} {step}")
                calls.insert(5 * step, next(handles).archive(name, LATER, 4))
            for step, archive in enumerate((await storages[0].list_archives(None, 1000)).items):
                calls.insert(5 * step, next(handles).restore_archive(archive.id))
            calls.insert(20, next(handles).merge(source, target))
            assert not [each for each in await outcomes(calls) if isinstance(each, Exception)]
            assert await places(storages[0]) == Counter(each.id for each in events)
        assert await consistent_groups(storages[1]) == {"d": len(events)}

    use(url, 3, work)


MANY = """INSERT INTO errors_events
    SELECT 'many ' || n, 'disk', 1, 'error', '', repeat('x', 1000), '[]', '2026-03-12'::timestamptz
        + n * interval '1 second', 'disk', NULL, NULL FROM generate_series(1, 30000) AS n;
    ANALYZE"""


def test_archiving_looks_its_events_up(postgres_url: str) -> None:
    """Whatever else the table holds: no statement reads all of it."""

    async def work(database: Database) -> None:
        storage = DatabaseErrorStorage(database)
        await add(storage, "abc")
        await execute(postgres_url, MANY)
        with patch.object(Transaction, "run", autospec=True, side_effect=Transaction.run) as run:
            await storage.archive(ONE, LATER, 2)
            await storage.archive(TWO, LATER, 2)
            await storage.restore_archive(ONE)
            await storage.purge(TWO)
        connection = await asyncpg.connect(postgres_url)
        for _, statement, parameters in (call.args for call in run.call_args_list):
            compiled = compile_for(POSTGRES, statement)
            text = f"EXPLAIN {compiled.text}"
            plan = await connection.fetch(text, *compiled.arguments(parameters))
            slow = ("Seq Scan on errors_events", "Sort")
            assert not [row[0] for row in plan if any(each in row[0] for each in slow)]
        assert len(run.call_args_list) == 5 + 5 + 3 + 2
        await connection.close()

    use(postgres_url, 1, work)
