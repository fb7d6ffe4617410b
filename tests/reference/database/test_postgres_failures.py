"""Whatever breaks on the way to PostgreSQL becomes one of the storage's own errors."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from storeproof.harness.wire import Fault, Of, Wire
from storeproof.reference.config import ConfigurationError
from storeproof.reference.database import (
    Database,
    Transaction,
    UniqueViolated,
    postgres_pool,
)
from storeproof.reference.database.engine import ATTEMPTS
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable

from ..wiring import nobody_connected, wire_to
from .examples import ADD_ONE, ALL, CREATE, GET, LOCK, SCHEMA, note

CUTS = pytest.mark.parametrize("fault", [Fault.CUT, Fault.RESET, Fault.PARTIAL])
LOST = "the connection was lost before the answer came"


@asynccontextmanager
async def wired(url: str, **settings: Any) -> AsyncIterator[tuple[Wire, Database]]:
    """A wire, and a database behind it with one connection whose statements are prepared."""
    with wire_to(url) as (wire, through):
        settings = {"pool_size": 1, **settings}
        async with Database(through, create=True, **settings) as database:
            database.require(SCHEMA)
            await database.write(CREATE, note("warm"))
            await database.read(GET, {"id": "warm"})
            await database.read(ALL, {})
            await database.transact(add_two)
            yield wire, database


async def add_two(transaction: Transaction) -> None:
    await transaction.run(ADD_ONE, {"id": "warm"})
    await transaction.run(ADD_ONE, {"id": "warm"})


async def number(database: Database) -> int:
    return int((await database.read(GET, {"id": "warm"}))[0][-1])


async def refused(call: Awaitable[object]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        await call
    assert type(caught.value).__module__ == "storeproof.reference.exceptions"
    return caught.value


@CUTS
@pytest.mark.parametrize("of", [Of.TRIP, Of.ANSWER])
def test_a_read_whose_answer_is_lost_is_read_again(postgres_url: str, fault: Fault, of: Of) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            wire.plan(fault, of=of)
            assert await database.read(ALL, {}) == [("warm",)]

    asyncio.run(use())


@CUTS
@pytest.mark.parametrize(("of", "written"), [(Of.TRIP, False), (Of.ANSWER, True)])
def test_a_write_whose_answer_is_lost_has_an_unknown_outcome(
    postgres_url: str, fault: Fault, of: Of, written: bool
) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            wire.plan(fault, of=of)
            error = await refused(database.write(CREATE, note("1")))
            assert isinstance(error, OutcomeUnknown)
            assert error.reason == LOST
            assert bool(await database.read(GET, {"id": "1"})) is written

    asyncio.run(use())


@CUTS
@pytest.mark.parametrize("of", [Of.TRIP, Of.ANSWER])
@pytest.mark.parametrize("trip", [1, 2, 3])
def test_a_transaction_that_is_lost_before_its_commit_is_done_again(
    postgres_url: str, fault: Fault, of: Of, trip: int
) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            before = await number(database)
            wire.plan(fault, trip, of)
            await database.transact(add_two)
            assert await number(database) == before + 2

    asyncio.run(use())


@CUTS
@pytest.mark.parametrize(("of", "added"), [(Of.TRIP, 0), (Of.ANSWER, 2)])
def test_a_commit_whose_answer_is_lost_has_an_unknown_outcome(
    postgres_url: str, fault: Fault, of: Of, added: int
) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            before = await number(database)
            wire.plan(fault, 4, of)
            error = await refused(database.transact(add_two))
            assert isinstance(error, OutcomeUnknown)
            assert await number(database) == before + added

    asyncio.run(use())


def test_connections_that_died_in_the_pool_are_replaced(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            for call in (
                database.write(ADD_ONE, {"id": "warm"}),
                database.transact(add_two),
                database.read(ALL, {}),
            ):
                wire.hang_up()
                await nobody_connected(wire)
                await call
            assert await number(database) == 5

    asyncio.run(use())


def test_one_lost_connection_ends_the_idle_ones(postgres_url: str) -> None:
    """A restart ends them all, but they learn of it one by one, each at the cost of a call."""

    async def use() -> None:
        async with wired(postgres_url, pool_size=3) as (wire, database):
            await asyncio.gather(*(database.read(ALL, {}) for _ in range(3)))
            assert wire.connections == 3
            wire.plan(Fault.CUT)
            await refused(database.write(CREATE, note("1")))
            async with asyncio.timeout(5):
                await nobody_connected(wire)
            assert await database.read(ALL, {}) == [("warm",)]

    asyncio.run(use())


def test_a_connection_is_used_again(postgres_url: str) -> None:
    async def fail(transaction: Transaction) -> None:
        await transaction.run(CREATE, note("warm"))

    async def use() -> None:
        async with wired(postgres_url, pool_size=3) as (wire, database):
            for call in (database.transact(fail), database.write(CREATE, note("warm"))):
                with pytest.raises(UniqueViolated):
                    await call
            await database.read(ALL, {})
            assert (wire.connections, wire.opened) == (1, 1)

    asyncio.run(use())


def test_a_connection_that_was_idle_for_long_is_not_used(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            monkeypatch.setattr(postgres_pool, "IDLE_SECONDS", 0.0)
            await database.read(ALL, {})
            assert wire.opened == 2

    asyncio.run(use())


def test_a_server_that_is_gone_is_unavailable(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (wire, database):
            wire.stop()
            for call in (database.read(ALL, {}), database.transact(add_two)):
                assert isinstance(await refused(call), Unavailable)

    asyncio.run(use())


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        (lambda database: database.read(ALL, {}), Unavailable),
        (lambda database: database.write(CREATE, note("1")), OutcomeUnknown),
        (lambda database: database.transact(add_two), Unavailable),
    ],
)
def test_a_silent_wire_ends_in_a_bounded_time(
    postgres_url: str,
    call: Callable[[Database], Awaitable[object]],
    kind: type[StorageError],
) -> None:
    async def use() -> None:
        async with wired(postgres_url, statement_timeout=0.1) as (wire, database):
            wire.plan(Fault.BLACK_HOLE, of=Of.TRIP)
            async with asyncio.timeout(20):
                assert type(await refused(call(database))) is kind

    asyncio.run(use())


@asynccontextmanager
async def locked_row(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT FROM notes FOR UPDATE")
            yield connection
    finally:
        await connection.close()


def test_a_lock_that_is_held_too_long_is_unavailable_and_changes_nothing(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url, statement_timeout=0.2) as (_, database):
            before = await number(database)
            async with locked_row(postgres_url):
                for call in (database.write(ADD_ONE, {"id": "warm"}), database.transact(add_two)):
                    error = await refused(call)
                    assert isinstance(error, Unavailable)
                    assert error.reason == "the statement took too long"
            assert await number(database) == before

    asyncio.run(use())


def test_an_exhausted_pool_is_unavailable(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url, pool_timeout=0.1) as (_, database):

            async def hold(transaction: Transaction) -> None:
                error = await refused(database.read(ALL, {}))
                assert isinstance(error, Unavailable)
                assert error.reason == "no connection to the server was free in time"
                await transaction.run(ADD_ONE, {"id": "warm"})

            await database.transact(hold)
            assert await database.read(ALL, {}) == [("warm",)]

    asyncio.run(use())


def test_a_deadlock_is_resolved_by_repeating(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url, pool_size=2) as (_, database):
            await database.write(CREATE, note("other"))
            both = asyncio.Barrier(2)
            runs = 0

            async def lock(transaction: Transaction, first: str, second: str) -> None:
                nonlocal runs
                runs += 1
                await transaction.run(LOCK, {"id": first})
                if runs <= 2:
                    await both.wait()
                await transaction.run(LOCK, {"id": second})

            await asyncio.gather(
                database.transact(lambda transaction: lock(transaction, "warm", "other")),
                database.transact(lambda transaction: lock(transaction, "other", "warm")),
            )
            assert runs > 2  # whoever repeats may be first to lock, and deadlock, again

    asyncio.run(use())


COLLIDE = """
CREATE SEQUENCE attempts;
CREATE FUNCTION collide() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  PERFORM nextval('attempts');
  RAISE SQLSTATE '40001';
END $$
"""


def test_collisions_are_repeated_a_bounded_number_of_times(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (_, database):
            connection = await asyncpg.connect(postgres_url)
            try:
                await connection.execute(COLLIDE)
                error = await refused(database.write(sa.select(sa.func.collide()), {}))
                assert isinstance(error, Unavailable)
                assert error.reason == "the transaction collided with another"
                assert await connection.fetchval("SELECT last_value FROM attempts") == ATTEMPTS
            finally:
                await connection.close()

    asyncio.run(use())


END_THE_WAITING = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock'
"""


def test_a_backend_that_is_ended_under_a_write_leaves_the_outcome_unknown(
    postgres_url: str,
) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (_, database), locked_row(postgres_url) as connection:
            waiting = asyncio.ensure_future(refused(database.write(ADD_ONE, {"id": "warm"})))
            while not await connection.fetchval(END_THE_WAITING):
                await asyncio.sleep(0)
            assert isinstance(await waiting, OutcomeUnknown)

    asyncio.run(use())


def test_a_missing_table_is_unavailable(postgres_url: str) -> None:
    async def use() -> None:
        async with wired(postgres_url) as (_, database):
            connection = await asyncpg.connect(postgres_url)
            await connection.execute("DROP TABLE notes")
            await connection.close()
            error = await refused(database.read(ALL, {}))
            assert isinstance(error, Unavailable)
            assert error.reason == "the table notes is missing"

    asyncio.run(use())


async def open_failure(url: str) -> Exception:
    async with Database(url, pool_timeout=2) as database:
        with pytest.raises((StorageError, ConfigurationError)) as caught:
            await database.read(ALL, {})
    return caught.value


def test_a_wrong_password_is_said_without_quoting_it(postgres_url: str) -> None:
    wrong = postgres_url.replace("storeproof:", "storeproof:wrong-")
    error = asyncio.run(open_failure(wrong))
    assert isinstance(error, Unavailable)
    assert error.reason == "the server refuses the password"
    assert "wrong-" not in str(error)


def test_a_missing_database_is_said(postgres_url: str) -> None:
    error = asyncio.run(open_failure(postgres_url.replace("/postgres?", "/missing?")))
    assert isinstance(error, Unavailable)
    assert error.reason == "the server has no such database"


def test_nobody_listening_is_unavailable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = asyncio.run(open_failure(f"postgresql://a:b@127.0.0.1:{port}/c"))
    assert isinstance(error, Unavailable)
    assert error.reason == "the server can't be connected to"


def test_parameters_that_the_driver_refuses_are_an_error_of_the_configuration() -> None:
    error = asyncio.run(open_failure("postgresql://a:b@127.0.0.1/c?sslmode=perhaps"))
    assert isinstance(error, ConfigurationError)
    assert error.key == "database_url"


def test_another_encoding_than_utf8_is_refused(postgres_url: str) -> None:
    latin = (
        "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
    )

    async def use() -> Exception:
        connection = await asyncpg.connect(postgres_url)
        try:
            await connection.execute(latin)
            return await open_failure(postgres_url.rpartition("/")[0] + "/latin")
        finally:
            await connection.execute("DROP DATABASE latin WITH (FORCE)")
            await connection.close()

    error = asyncio.run(use())
    assert isinstance(error, ConfigurationError)
    assert "UTF8" in str(error)
