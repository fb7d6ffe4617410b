"""Vaults on SQLite: correct ones, and ones whose statements grow with the data."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

import aiosqlite

from .vaults import LIMIT, Box, BoxId, Full, Missing, Outdated, Taken

TABLES = (
    "CREATE TABLE IF NOT EXISTS boxes (id TEXT PRIMARY KEY, label TEXT, coins INT, version INT)",
    "CREATE TABLE IF NOT EXISTS past (id TEXT, label TEXT, version INT)",
)
COLUMNS = "id, label, coins, version"


class SqliteVault:
    """Right, and the same number of statements whatever it holds."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[Self]:
        path = address.partition(":///")[2]
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute("PRAGMA synchronous = OFF")
            for table in TABLES:
                await connection.execute(table)
            yield cls(connection)

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        return list(await self.connection.execute_fetchall(sql, values))

    async def boxes(self, rest: str, *values: Any) -> list[Box]:
        sql = f"SELECT {COLUMNS} FROM boxes {rest}"  # noqa: S608 - both are this module's
        return [Box(*row) for row in await self.rows(sql, *values)]

    async def found(self, id: BoxId) -> Box:
        for box in await self.boxes("WHERE id = ?", id):
            return box
        raise Missing

    async def create(self, box: Box) -> Box:
        try:
            values = box.id, box.label, box.coins, box.version
            await self.rows("INSERT INTO boxes VALUES (?, ?, ?, ?)", *values)
        except aiosqlite.IntegrityError:
            raise Taken from None
        return box

    async def get(self, id: BoxId) -> Box:
        return await self.found(id)

    async def add(self, id: BoxId) -> None:
        if (await self.found(id)).coins >= LIMIT:
            raise Full
        await self.rows("UPDATE boxes SET coins = coins + 1 WHERE id = ?", id)

    async def rename(self, id: BoxId, label: str) -> Box:
        await self.rows("UPDATE boxes SET label = ? WHERE id = ?", label, id)
        return await self.found(id)

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        box = await self.found(id)
        if box.version != version:
            raise Outdated
        await self.rows("INSERT INTO past VALUES (?, ?, ?)", id, box.label, version)
        values = label, version + 1, id
        await self.rows("UPDATE boxes SET label = ?, version = ? WHERE id = ?", *values)
        return await self.found(id)

    async def move(self, source: BoxId, target: BoxId) -> None:
        coins = (await self.found(source)).coins
        await self.found(target)
        if source != target:
            await self.rows("UPDATE boxes SET coins = coins + ? WHERE id = ?", coins, target)
            await self.rows("UPDATE boxes SET coins = 0 WHERE id = ?", source)

    async def take(self) -> Box:
        for box in await self.boxes("ORDER BY id LIMIT 1"):
            await self.rows("DELETE FROM boxes WHERE id = ?", box.id)
            return box
        raise Missing

    async def list_boxes(self) -> list[Box]:
        return await self.boxes("ORDER BY id")


class ReadsByPages(SqliteVault):
    """Reads a fixed number of rows at once."""

    async def list_boxes(self) -> list[Box]:
        found: list[Box] = []
        page: Sequence[Box] = await self.boxes("ORDER BY id LIMIT 10")
        while page:
            found += page
            page = await self.boxes("WHERE id > ? ORDER BY id LIMIT 10", page[-1].id)
        return found


class KeepsCounts(SqliteVault):
    """SQLite does more for every row than it is told to: triggers, and a foreign key's actions."""

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[Self]:
        async with super().open(address) as vault:
            await vault.rows("PRAGMA foreign_keys = ON")
            await vault.rows("PRAGMA recursive_triggers = ON")
            await vault.rows(
                "CREATE TRIGGER IF NOT EXISTS counting AFTER UPDATE ON boxes BEGIN "
                "UPDATE past SET label = label WHERE id = new.id; END"
            )
            yield vault

    async def take(self) -> Box:
        await self.rows("UPDATE boxes SET label = label")
        return await super().take()


class ListsRowByRow(SqliteVault):
    """Reads the ids, then each box."""

    async def list_boxes(self) -> list[Box]:
        return [await self.found(each) for (each,) in await self.rows("SELECT id FROM boxes")]


class ScansToCreate(SqliteVault):
    """Looks at each box in turn to see whether an id is free."""

    async def create(self, box: Box) -> Box:
        for (taken,) in await self.rows("SELECT id FROM boxes"):
            if (await self.found(taken)).id == box.id:
                raise Taken
        return await super().create(box)


class ReadsThePast(SqliteVault):
    """Reads each earlier version before it adds one."""

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        for (past,) in await self.rows("SELECT version FROM past WHERE id = ?", id):
            await self.rows("SELECT label FROM past WHERE id = ? AND version = ?", id, past)
        return await super().update(id, label, version)


class DeletesRowByRow(SqliteVault):
    """Closes the gap that a box leaves, box by box."""

    async def take(self) -> Box:
        box = await super().take()
        for other in await self.boxes("ORDER BY id"):
            await self.rows("UPDATE boxes SET label = ? WHERE id = ?", other.label, other.id)
        return box


THRIFTY = (SqliteVault, ReadsByPages, KeepsCounts)
SPENDING = {
    ListsRowByRow: "list_boxes",
    ScansToCreate: "create",
    ReadsThePast: "update",
    DeletesRowByRow: "take",
}
