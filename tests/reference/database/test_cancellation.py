"""A cancelled call happened or did not; either way nothing of it is left behind."""

from __future__ import annotations

import asyncio

from storeproof.reference.database import Database, Transaction

from ..cancelling import cancel_everywhere
from .examples import ALL, CREATE, GET, SCHEMA, note


async def names(database: Database) -> set[str]:
    return {row[0] for row in await database.read(ALL, {})}


async def works(database: Database, other: Database, mark: str) -> None:
    """Both write, through every connection that they have, without waiting for a lock."""
    async with asyncio.timeout(5):
        for each in (other, database):
            await each.write(CREATE, note(f"{mark} {id(each)}"))


def opened(url: str) -> Database:
    database = Database(url, create=True, pool_size=1, pool_timeout=5, statement_timeout=5)
    database.require(SCHEMA)
    return database


def test_a_cancelled_write_is_over(url: str) -> None:
    async def use() -> int:
        async with opened(url) as database, opened(url) as other:
            await other.open()

            async def call(nth: int) -> None:
                await database.write(CREATE, note(f"{nth}"))

            async def check(nth: int) -> None:
                first = await names(other)
                await works(database, other, f"after {nth}")
                assert (f"{nth}" in first) is (f"{nth}" in await names(other))

            return await cancel_everywhere(call, check)

    assert asyncio.run(use()) >= 1


def test_a_cancelled_transaction_is_over(url: str) -> None:
    async def use() -> int:
        async with opened(url) as database, opened(url) as other:
            await other.open()

            async def call(nth: int) -> None:
                async def work(transaction: Transaction) -> None:
                    await transaction.run(CREATE, note(f"{nth} one"))
                    await transaction.run(CREATE, note(f"{nth} two"))

                await database.transact(work, lock=SCHEMA)

            async def check(nth: int) -> None:
                first = {f"{nth} one", f"{nth} two"} & await names(other)
                assert len(first) in (0, 2)
                await works(database, other, f"after {nth}")
                assert first == {f"{nth} one", f"{nth} two"} & await names(other)

            return await cancel_everywhere(call, check)

    assert asyncio.run(use()) >= 4


def test_a_transaction_that_is_cancelled_again_while_it_ends_leaves_no_lock(url: str) -> None:
    async def use() -> int:
        async with opened(url) as database, opened(url) as other:
            await other.open()

            async def call(nth: int) -> None:
                async def work(transaction: Transaction) -> None:
                    await transaction.run(CREATE, note(f"{nth} one"))
                    await transaction.run(CREATE, note(f"{nth} two"))

                await database.transact(work, lock=SCHEMA)

            async def check(nth: int) -> None:
                await works(database, other, f"after {nth}")
                assert len({f"{nth} one", f"{nth} two"} & await names(other)) in (0, 2)

            return await cancel_everywhere(call, check, again=True)

    assert asyncio.run(use()) >= 4


def test_a_cancelled_read_is_over(url: str) -> None:
    async def use() -> int:
        async with opened(url) as database, opened(url) as other:
            await other.open()

            async def call(nth: int) -> None:
                await database.read(GET, {"id": "1"})

            async def check(nth: int) -> None:
                await works(database, other, f"after {nth}")

            return await cancel_everywhere(call, check)

    assert asyncio.run(use()) >= 1


def test_a_cancelled_opening_can_be_repeated(url: str) -> None:
    async def use() -> int:
        databases: list[Database] = []

        async def call(nth: int) -> None:
            databases.append(opened(url))
            await databases[-1].open()

        async def check(nth: int) -> None:
            async with opened(url) as other, databases[-1] as database:
                await works(database, other, f"{nth}")

        return await cancel_everywhere(call, check)

    assert asyncio.run(use()) >= 2


def test_a_call_that_waits_for_its_turn_can_be_cancelled(url: str) -> None:
    async def use() -> None:
        async with opened(url) as database, opened(url) as other:
            await database.open()

            async def hold(transaction: Transaction) -> None:
                await transaction.run(CREATE, note("1"))
                waiting = asyncio.ensure_future(database.write(CREATE, note("2")))
                while not waiting.done():
                    await asyncio.sleep(0)
                    waiting.cancel()
                await transaction.run(CREATE, note("3"))

            await database.transact(hold)
            assert await names(other) == {"1", "3"}
            await works(database, other, "after")

    asyncio.run(use())
