"""Entities as rows: what is stored comes back equal, a taken key is told, a missing row named."""

import asyncio
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from storeproof.reference.database import Database, Schema
from storeproof.reference.database.columns import (
    TEXT,
    IntegerOf,
    TextOf,
    column,
    member_of,
    metadata,
    set_of,
)
from storeproof.reference.database.entities import bind, columns, entity, first, insert_new
from storeproof.reference.database.opening import open_storage
from storeproof.reference.exceptions import NotFound


class Colour(StrEnum):
    RED = "r"
    BLUE = "b"


class Paint(msgspec.Struct, frozen=True, kw_only=True):
    price: Decimal | None
    colour: Colour | None
    grades: frozenset[int] | None
    mix: complex | None
    id: str


TABLES = metadata()
SCHEMA = Schema("paints", 1, TABLES)
PAINTS = sa.Table(
    "paints",
    TABLES,
    column("id", TEXT, primary_key=True),
    column("colour", member_of(Colour), nullable=True),
    column(
        "price",
        IntegerOf(lambda amount: int(amount * 100), lambda n: Decimal(n) / 100),
        nullable=True,
    ),
    column("grades", set_of(frozenset[int]), nullable=True),
    column("mix", TextOf(str, complex), nullable=True),
)
ADD = insert_new(PAINTS)
GET = sa.select(*columns(PAINTS, Paint)).where(PAINTS.c.id == bind(PAINTS.c.id, "wanted"))
DEARER = sa.update(PAINTS).values(price=PAINTS.c.price + PAINTS.c.price).returning(PAINTS.c.price)
RED = Paint(id="1", colour=Colour.RED, price=Decimal("1.25"), grades=frozenset({10, 9}), mix=1 - 2j)
NOTHING = Paint(id="2", colour=None, price=None, grades=None, mix=None)


class Shop:
    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self.database = database

    async def add(self, paint: Paint) -> Any:
        return await self.database.write(ADD, asdict(paint))

    async def get(self, id: str) -> Paint:
        return entity(Paint, first(await self.database.read(GET, {"wanted": id}), "paint", id))


def test_an_entity_comes_back_equal(url: str) -> None:
    async def body() -> None:
        async with open_storage(url, Shop) as shop:
            for paint in (RED, NOTHING):
                await shop.add(paint)
                assert await shop.get(paint.id) == paint

    asyncio.run(body())


def test_a_taken_key_returns_no_row_and_changes_nothing(url: str) -> None:
    async def body() -> None:
        async with open_storage(url, Shop) as shop:
            assert [row[0] for row in await shop.add(RED)] == ["1"]
            assert list(await shop.add(replace(RED, colour=Colour.BLUE))) == []
            assert await shop.get("1") == RED

    asyncio.run(body())


def test_a_missing_row_is_named(url: str) -> None:
    async def body() -> None:
        async with open_storage(url, Shop) as shop:
            with pytest.raises(NotFound) as caught:
                await shop.get("none")
        assert vars(caught.value) == {"kind": "paint", "id": "none"}

    asyncio.run(body())


def test_a_converted_integer_is_added_as_an_integer(url: str) -> None:
    async def body() -> None:
        async with open_storage(url, Shop) as shop:
            await shop.add(RED)
            assert [row[0] for row in await shop.database.write(DEARER, {})] == [Decimal("2.5")]

    asyncio.run(body())


def test_a_column_is_not_null_unless_it_says_so() -> None:
    assert not PAINTS.c.id.nullable
    assert PAINTS.c.colour.nullable
    assert not column("text", TEXT).nullable
