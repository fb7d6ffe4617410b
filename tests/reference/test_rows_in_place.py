"""What is counted again and again stays where it is: so reports find it among rows of its time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from storeproof.reference.costs import DatabaseCostStorage
from storeproof.reference.database import Database
from storeproof.reference.errors import DatabaseErrorStorage
from storeproof.reference.errors.laws.given import event

from .costs.examples import charge

ROWS, ROUNDS = 60, 6
SUMS = ["counts", "whole", "nano", "charges"]


def create_event(database: Database) -> Callable[[int], Awaitable[object]]:
    storage = DatabaseErrorStorage(database)
    return lambda number: storage.create(event(f"{number}", f"group {number % ROWS}"))


def create_charge(database: Database) -> Callable[[int], Awaitable[object]]:
    storage = DatabaseCostStorage(database)
    return lambda number: storage.create(charge(f"{number}", model=f"model {number % ROWS}"))


async def places(url: str, table: str) -> dict[str, Any]:
    """The page of each row."""
    connection = await asyncpg.connect(url)
    try:
        page = "(CAST(CAST(ctid AS text) AS point))[0]"
        # S608: the name is of this module
        query = f"SELECT CAST(to_jsonb(rollup) - $1::text[] AS text), {page} FROM {table} AS rollup"  # noqa: S608
        return dict(await connection.fetch(query, SUMS))
    finally:
        await connection.close()


@pytest.mark.parametrize(
    ("table", "writer"), [("errors_rollups", create_event), ("cost_rollups", create_charge)]
)
def test_a_row_that_is_added_to_stays_in_its_page(
    postgres_url: str, table: str, writer: Callable[[Database], Callable[[int], Awaitable[object]]]
) -> None:
    async def use() -> None:
        async with Database(postgres_url, create=True) as database:
            write = writer(database)
            await asyncio.gather(*map(write, range(ROWS)))
            before = await places(postgres_url, table)
            assert len(set(before.values())) > 1
            await asyncio.gather(*map(write, range(ROWS, ROUNDS * ROWS)))
            assert await places(postgres_url, table) == before

    asyncio.run(use())
