"""Many rows are one parameter, and arrive as they were given."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.reference.database import Database, UniqueViolated, per_dialect
from storeproof.reference.database.compiling import POSTGRES, SQLITE, compile_for
from storeproof.reference.database.rows import given_rows

from .examples import NOTES, SCHEMA, note

COLUMNS = list(NOTES.c)


def _add(insert: Any) -> Any:
    given = given_rows(COLUMNS)
    return insert(NOTES).from_select(COLUMNS, sa.select(*given.c)).returning(*NOTES.c)


ADD = per_dialect(_add)
EXTREMES = [
    note("b", at=datetime(2026, 3, 1, 12, 0, 0, 123456, UTC), tags=frozenset({"x", 'y"\\'})),
    note("a", number=2**63 - 1, done=True, at=datetime(1, 1, 2, tzinfo=UTC)),
    note("c", number=-(2**63), done=False, text="ünï\U0001f600 '\"\\\n$[0]"),
    note("d", at=datetime(9999, 12, 30, 23, 59, 59, 999999, UTC), tags=frozenset()),
    note("e", text="", parent="a"),
]


async def written(url: str, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    async with Database(url, create=True) as database:
        database.require(SCHEMA)
        return await database.write(ADD, {"given": rows})


def test_rows_arrive_as_they_were_given(url: str) -> None:
    found = asyncio.run(written(url, EXTREMES))
    assert [dict(zip(NOTES.c.keys(), row, strict=True)) for row in found] == EXTREMES


def test_no_rows_are_none(url: str) -> None:
    assert asyncio.run(written(url, [])) == []


def test_all_rows_are_one_statement_that_happens_as_a_whole(url: str) -> None:
    async def body() -> None:
        async with Database(url, create=True) as database:
            database.require(SCHEMA)
            with pytest.raises(UniqueViolated):
                await database.write(ADD, {"given": [note("a"), note("b"), note("a")]})
            assert await database.read(sa.select(NOTES.c.id), {}) == []

    asyncio.run(body())


@pytest.mark.parametrize("dialect", [POSTGRES, SQLITE])
def test_they_are_one_parameter(dialect: str) -> None:
    arguments = compile_for(dialect, ADD).arguments({"given": EXTREMES})
    assert [type(each) for each in arguments] == [str]
