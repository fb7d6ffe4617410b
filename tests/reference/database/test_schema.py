"""Tables are created when asked, checked when opened, and never adopted, altered or dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa

from storeproof.reference.database import (
    VERSION_TABLE,
    Database,
    Schema,
    SchemaMismatch,
    Statement,
)

from .examples import ALL, CREATE, NOTES, SCHEMA, TABLES, note

OTHERS = sa.MetaData()
OTHER = Schema("others", 3, OTHERS)
sa.Table("others", OTHERS, sa.Column("id", sa.BigInteger, primary_key=True))

VERSIONS = sa.table(VERSION_TABLE, sa.column("component"), sa.column("version"))


async def open_with(url: str, *schemas: Schema, create: bool = False) -> None:
    async with Database(url, create=create) as database:
        for schema in schemas:
            database.require(schema)
        await database.open()


async def versions(url: str) -> dict[str, int]:
    async with Database(url) as database:
        found = sa.select(VERSIONS.c.component, VERSIONS.c.version)
        return {row[0]: row[1] for row in await database.read(found, {})}


async def change(url: str, statement: Statement) -> None:
    async with Database(url) as database:
        await database.write(statement, {})


def test_absent_tables_are_an_error_that_says_what_to_do(url: str) -> None:
    asyncio.run(open_with(url, OTHER, create=True))
    with pytest.raises(
        SchemaMismatch, match=r"no version of the notes tables.*schema upgrade URL.*create=True"
    ) as caught:
        asyncio.run(open_with(url, SCHEMA))
    assert (caught.value.component, caught.value.found, caught.value.wanted) == ("notes", None, 1)


def test_an_empty_database_is_an_error_too(url: str) -> None:
    asyncio.run(open_with(url, create=True))
    with pytest.raises(SchemaMismatch, match="create=True"):
        asyncio.run(open_with(url, SCHEMA))


def test_each_component_has_its_version(url: str) -> None:
    asyncio.run(open_with(url, SCHEMA, create=True))
    asyncio.run(open_with(url, SCHEMA, OTHER, create=True))
    asyncio.run(open_with(url, SCHEMA, OTHER))
    assert asyncio.run(versions(url)) == {"notes": 1, "others": 3}


def test_creating_again_keeps_what_is_there(url: str) -> None:
    async def use() -> None:
        for name in ("1", "2"):
            async with Database(url, create=True) as database:
                database.require(SCHEMA)
                await database.write(CREATE, note(name))
        async with Database(url) as database:
            assert await database.read(ALL, {}) == [("1",), ("2",)]

    asyncio.run(use())


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize(
    ("version", "remedy"),
    [(0, "schema upgrade URL"), (2, "schema downgrade URL --to 1")],
)
def test_another_version_is_refused(url: str, create: bool, version: int, remedy: str) -> None:
    asyncio.run(open_with(url, SCHEMA, create=True))
    asyncio.run(change(url, sa.update(VERSIONS).values(version=version)))
    with pytest.raises(SchemaMismatch, match=f"version {version} of the notes.*{remedy}"):
        asyncio.run(open_with(url, SCHEMA, create=create))


def test_tables_of_somebody_else_are_not_adopted(url: str) -> None:
    asyncio.run(open_with(url, SCHEMA, create=True))
    asyncio.run(change(url, sa.delete(VERSIONS)))
    with pytest.raises(SchemaMismatch, match="not made by storeproof"):
        asyncio.run(open_with(url, SCHEMA, create=True))
    assert asyncio.run(versions(url)) == {}


def test_a_failed_creation_leaves_nothing(url: str) -> None:
    more = sa.MetaData()
    sa.Table("before", more, sa.Column("id", sa.BigInteger, primary_key=True))
    NOTES.to_metadata(more)
    asyncio.run(open_with(url, SCHEMA, create=True))
    for _ in range(2):
        with pytest.raises(SchemaMismatch):
            asyncio.run(open_with(url, Schema("more", 1, more), create=True))
    asyncio.run(open_with(url, Schema("less", 1, _only_before()), create=True))


def _only_before() -> sa.MetaData:
    tables = sa.MetaData()
    sa.Table("before", tables, sa.Column("id", sa.BigInteger, primary_key=True))
    return tables


def test_many_may_create_at_once(url: str) -> None:
    async def use() -> None:
        both = (SCHEMA, OTHER)
        await asyncio.gather(*(open_with(url, both[n % 2], create=True) for n in range(8)))

    asyncio.run(use())
    assert asyncio.run(versions(url)) == {"notes": 1, "others": 3}


def test_a_schema_required_late_is_checked_before_the_next_statement(url: str) -> None:
    async def use() -> None:
        async with Database(url, create=True) as database:
            database.require(SCHEMA)
            await database.read(ALL, {})
            database.require(OTHER)
            await database.read(ALL, {})
        assert await versions(url) == {"notes": 1, "others": 3}

    asyncio.run(use())


def test_every_table_of_a_schema_is_created() -> None:
    elements: list[Any] = list(SCHEMA.creation())
    created = [str(each.element.name) for each in elements]
    assert created == [*TABLES.tables, "notes_at_index"]
