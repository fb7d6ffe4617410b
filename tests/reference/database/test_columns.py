"""What a database gives back is exactly what it was given, and sorts by code point."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import asyncpg
import sqlalchemy as sa

from storeproof.reference.database import Database
from storeproof.reference.database.columns import NAMES, among, contains, members
from storeproof.reference.values import EARLIEST, LATEST, MAX_INTEGER, MIN_INTEGER

from .examples import CREATE, GET, NOTES, SCHEMA, note

TEXTS = ("", "a", "A", "ß", "é", "e\u0301", "\U0001f600", "\uffff", "a b", "%", "_", "\\", "'", '"')


async def stored(url: str, *notes: dict[str, object]) -> list[dict[str, Any]]:
    async with Database(url, create=True) as database:
        database.require(SCHEMA)
        for each in notes:
            await database.write(CREATE, each)
        rows = [(await database.read(GET, {"id": each["id"]}))[0] for each in notes]
        return [dict(zip(NOTES.c.keys(), row, strict=True)) for row in rows]


VALUES = {
    "text": TEXTS,
    "at": (
        EARLIEST,
        LATEST,
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        None,
    ),
    "tags": (frozenset(), frozenset(TEXTS), None),
    "done": (True, False, None),
    "number": (MIN_INTEGER, MAX_INTEGER, None),
}


def test_a_value_comes_back_as_it_was(url: str) -> None:
    given = [
        note(f"{column} {number}", **{column: value})
        for column, values in VALUES.items()
        for number, value in enumerate(values)
    ]
    found = asyncio.run(stored(url, *given))
    assert found == given
    assert [list(map(type, row.values())) for row in found] == [
        list(map(type, row.values())) for row in given
    ]


def test_a_time_comes_back_in_utc(url: str) -> None:
    there = datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    (found,) = asyncio.run(stored(url, note("1", at=there)))
    assert found["at"] == there
    assert found["at"].tzinfo is UTC


async def ordered(url: str, column: str, *notes: dict[str, object]) -> list[Any]:
    async with Database(url, create=True) as database:
        database.require(SCHEMA)
        for each in notes:
            await database.write(CREATE, each)
        rows = await database.read(sa.select(NOTES.c[column]).order_by(NOTES.c[column]), {})
        return [row[0] for row in rows]


def test_texts_are_ordered_by_code_point(url: str) -> None:
    notes = [note(str(number), text=text) for number, text in enumerate(TEXTS)]
    assert asyncio.run(ordered(url, "text", *notes)) == sorted(TEXTS)


COLLATIONS = """
SELECT collation_name FROM information_schema.columns
 WHERE table_name = 'notes' AND table_schema = current_schema AND column_name = 'text'
"""


def test_texts_have_their_order_from_the_column_and_not_from_the_database(
    postgres_url: str,
) -> None:
    async def use() -> list[str]:
        await ordered(postgres_url, "text")
        connection = await asyncpg.connect(postgres_url)
        try:
            return [row[0] for row in await connection.fetch(COLLATIONS)]
        finally:
            await connection.close()

    assert asyncio.run(use()) == ["C"]


def test_times_are_ordered_from_the_first_to_the_last(url: str) -> None:
    times = [LATEST, EARLIEST, datetime(1970, 1, 1, tzinfo=UTC)]
    notes = [note(str(number), at=at) for number, at in enumerate(times)]
    assert asyncio.run(ordered(url, "at", *notes)) == sorted(times)


def test_contains_compares_code_points(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True) as database:
            database.require(SCHEMA)
            for number, text in enumerate(TEXTS):
                await database.write(CREATE, note(str(number), text=text))
            condition = contains(NOTES.c.text, sa.bindparam("part", type_=NOTES.c.text.type))
            statement = sa.select(NOTES.c.text).where(condition)
            for part in TEXTS:
                found = {row[0] for row in await database.read(statement, {"part": part})}
                assert found == {text for text in TEXTS if part in text}

    asyncio.run(use())


def test_among_compares_code_points(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True) as database:
            database.require(SCHEMA)
            for number, text in enumerate(TEXTS):
                await database.write(CREATE, note(str(number), text=text))
            condition = among(NOTES.c.text, sa.bindparam("names", type_=NAMES))
            statement = sa.select(NOTES.c.text).where(condition)
            for names in (frozenset(), frozenset({"A", "é", "no"}), frozenset(TEXTS)):
                found = {row[0] for row in await database.read(statement, {"names": names})}
                assert found == names & set(TEXTS)

    asyncio.run(use())


def test_members_are_the_names_in_a_set(url: str) -> None:
    async def found() -> set[str]:
        async with Database(url, create=True) as database:
            database.require(SCHEMA)
            await database.write(CREATE, note("1", tags=frozenset(TEXTS)))
            await database.write(CREATE, note("2", tags=frozenset()))
            member = members(NOTES.c.tags)
            statement = sa.select(member.c.value).select_from(NOTES).join(member, sa.true())
            return {row[0] for row in await database.read(statement, {})}

    assert asyncio.run(found()) == set(TEXTS)
