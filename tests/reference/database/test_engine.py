"""A Database opens when it is first used, is shared by tasks, and is closed for good."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storeproof.reference.database import (
    Database,
    ForeignKeyViolated,
    Transaction,
    UniqueViolated,
)
from storeproof.reference.exceptions import Unavailable

from .examples import ADD_ONE, ALL, CREATE, DELETE, GET, SCHEMA, note


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncIterator[Database]:
    async with Database(url, create=True, **settings) as database:
        database.require(SCHEMA)
        yield database


def test_nothing_is_connected_before_the_first_use(tmp_path: Path) -> None:
    async def use() -> None:
        async with opened(f"sqlite:///{tmp_path}/new.db"):
            assert not (tmp_path / "new.db").exists()
        async with opened("postgresql://nobody@127.0.0.1:1/none"):
            pass

    asyncio.run(use())


def test_a_relative_path_is_that_of_the_working_directory_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def use() -> None:
        async with opened("sqlite:///new.db") as database:
            monkeypatch.chdir("/")
            await database.open()

    asyncio.run(use())
    assert (tmp_path / "new.db").exists()


def test_rows_are_what_a_statement_returns(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database:
            one = note("1")
            assert await database.write(CREATE, one) == [tuple(one.values())]
            assert await database.read(GET, {"id": "1"}) == [tuple(one.values())]
            assert await database.write(DELETE, {"id": "1"}) == [("1",)]
            assert await database.write(DELETE, {"id": "1"}) == []

    asyncio.run(use())


def test_a_missing_parameter_is_an_error_of_the_code(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database:
            await database.read(GET, {})

    with pytest.raises(KeyError, match="id"):
        asyncio.run(use())


@pytest.mark.parametrize(
    ("second", "constraint"),
    [(note("1", text="other"), "notes_id"), (note("2", text="text of 1"), "notes_text")],
)
def test_a_taken_value_is_named_by_table_and_column(
    url: str, second: dict[str, object], constraint: str
) -> None:
    async def use() -> None:
        async with opened(url) as database:
            await database.write(CREATE, note("1"))
            await database.write(CREATE, second)

    with pytest.raises(UniqueViolated) as caught:
        asyncio.run(use())
    assert caught.value.constraint == constraint


def test_a_missing_reference_is_a_violated_foreign_key(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database:
            await database.write(CREATE, note("1", parent="unknown"))

    with pytest.raises(ForeignKeyViolated):
        asyncio.run(use())


def test_a_transaction_happens_as_a_whole_or_not_at_all(url: str) -> None:
    async def create_two(transaction: Transaction) -> str:
        await transaction.run(CREATE, note("1"))
        await transaction.run(CREATE, note("2"))
        return "done"

    async def fail_late(transaction: Transaction) -> None:
        await transaction.run(CREATE, note("3"))
        raise LookupError

    async def use() -> None:
        async with opened(url) as database, opened(url) as other:
            assert await database.transact(create_two) == "done"
            with pytest.raises(LookupError):
                await database.transact(fail_late)
            assert await other.read(ALL, {}) == [("1",), ("2",)]

    asyncio.run(use())


def test_a_broken_constraint_ends_the_transaction(url: str) -> None:
    async def create_twice(transaction: Transaction) -> None:
        await transaction.run(CREATE, note("1"))
        await transaction.run(CREATE, note("1"))

    async def use() -> None:
        async with opened(url) as database:
            with pytest.raises(UniqueViolated):
                await database.transact(create_twice)
            assert await database.read(ALL, {}) == []
            await database.write(CREATE, note("1"))

    asyncio.run(use())


def test_tasks_share_a_database(url: str) -> None:
    async def add(transaction: Transaction) -> None:
        await transaction.run(ADD_ONE, {"id": "1"})
        await transaction.run(ADD_ONE, {"id": "1"})

    async def use() -> int:
        async with opened(url, pool_size=3) as database:
            await database.write(CREATE, note("1"))
            writes = (database.write(ADD_ONE, {"id": "1"}) for _ in range(20))
            transactions = (database.transact(add) for _ in range(20))
            reads = (database.read(GET, {"id": "1"}) for _ in range(20))
            await asyncio.gather(*writes, *transactions, *reads)
            ((*_, number),) = await database.read(GET, {"id": "1"})
            return int(number)

    assert asyncio.run(use()) == 60


def test_transactions_with_the_same_lock_follow_each_other(url: str) -> None:
    """Each reads a number and then writes the next one, which only works one by one."""
    held = 0

    async def alone(transaction: Transaction) -> None:
        nonlocal held
        held += 1
        assert held == 1
        await transaction.run(ALL, {})
        await transaction.run(ALL, {})
        held -= 1

    async def use() -> None:
        async with opened(url) as database, opened(url) as other:
            await asyncio.gather(
                *(each.transact(alone, lock=SCHEMA) for each in [database, other] * 8)
            )

    asyncio.run(use())


def test_a_closed_database_stays_closed(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database:
            await database.read(ALL, {})
        await database.close()
        for call in (database.read(ALL, {}), database.write(CREATE, note("1")), database.open()):
            with pytest.raises(Unavailable, match="has been closed"):
                await call

    asyncio.run(use())


def test_closing_ends_what_is_running(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database:

            async def close(transaction: Transaction) -> None:
                await transaction.run(CREATE, note("1"))
                await database.close()
                await transaction.run(CREATE, note("2"))

            with pytest.raises(Unavailable):
                await database.transact(close)
        async with opened(url) as other:
            assert await other.read(ALL, {}) == []

    asyncio.run(use())


def test_a_database_that_nobody_closed_lets_the_process_end(sqlite_url: str) -> None:
    script = f"""
import asyncio
from storeproof.reference.database import Database
database = Database({sqlite_url!r}, create=True)
asyncio.run(database.open())
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)  # noqa: S603 - ours
    assert done.returncode == 0
