"""What a connection to PostgreSQL is set to, whatever the server's defaults are."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa

from storeproof.reference.database import Database


def test_a_statement_has_one_process_and_times_are_in_utc(postgres_url: str) -> None:
    names = ["TimeZone", "max_parallel_workers_per_gather"]
    settings = sa.select(*(sa.func.current_setting(sa.literal(name)) for name in names))

    async def read() -> list[object]:
        async with Database(postgres_url) as database:
            return list(await database.read(settings, {}))

    assert [tuple(row) for row in asyncio.run(read())] == [("UTC", "0")]  # type: ignore[call-overload]
