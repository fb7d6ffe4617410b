"""The tests of the backends share this contract and these ways to open it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import asyncpg

from storeproof.harness.backends.postgres_url import PostgresUrl, parse_url
from storeproof.harness.contract import Contract

T = TypeVar("T")


class Notes(Protocol):
    async def put(self, key: str, text: str) -> None: ...

    async def get_all(self) -> dict[str, str]: ...


class MemoryNotes:
    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    async def put(self, key: str, text: str) -> None:
        self.notes[key] = text

    async def get_all(self) -> dict[str, str]:
        return dict(self.notes)


@dataclass
class SqliteNotes:
    connection: sqlite3.Connection

    async def put(self, key: str, text: str) -> None:
        """Creates its table at the first call, as lazy storages do."""
        self.connection.execute("CREATE TABLE IF NOT EXISTS notes (key PRIMARY KEY, text)")
        self.connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (key, text))
        self.connection.commit()

    async def get_all(self) -> dict[str, str]:
        try:
            return dict(self.connection.execute("SELECT key, text FROM notes").fetchall())
        except sqlite3.OperationalError:
            return {}


@dataclass
class PostgresNotes:
    connection: asyncpg.Connection

    async def put(self, key: str, text: str) -> None:
        await self.connection.execute(
            "CREATE TABLE IF NOT EXISTS notes (key text PRIMARY KEY, text text)"
        )
        await self.connection.execute("INSERT INTO notes VALUES ($1, $2)", key, text)

    async def get_all(self) -> dict[str, str]:
        try:
            return dict(await self.connection.fetch("SELECT key, text FROM notes"))
        except asyncpg.UndefinedTableError:
            return {}


@asynccontextmanager
async def open_sqlite(address: str) -> AsyncIterator[SqliteNotes]:
    connection = sqlite3.connect(address.removeprefix("sqlite+aiosqlite:///"))
    try:
        yield SqliteNotes(connection)
    finally:
        connection.close()


@asynccontextmanager
async def open_postgres(address: str) -> AsyncIterator[PostgresNotes]:
    connection = await asyncpg.connect(**url_of(address).arguments())
    try:
        yield PostgresNotes(connection)
    finally:
        await connection.close()


def notes_contract(**storages: Any) -> Contract:
    return Contract(
        Notes,
        model=MemoryNotes,
        storages={"sqlite": open_sqlite, "postgres": open_postgres, **storages},
    )


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def execute(url: PostgresUrl, *statements: str) -> None:
    connection = await asyncpg.connect(**url.arguments())
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def column(url: PostgresUrl, query: str, *arguments: object) -> list[Any]:
    connection = await asyncpg.connect(**url.arguments())
    try:
        return [row[0] for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


def databases(url: PostgresUrl) -> set[str]:
    return set(run(column(url, "SELECT datname FROM pg_database")))


def url_of(address: str) -> PostgresUrl:
    """The URL of a store's or a server's address."""
    return parse_url(address)
