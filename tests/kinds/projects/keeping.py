"""For the projects of this folder: a contract of tasks, whatever their class is made with."""

from __future__ import annotations

import copy
import json
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

import aiosqlite
from sqlalchemy import make_url

from storeproof import Contract

TABLE = "CREATE TABLE IF NOT EXISTS tasks (id TEXT PRIMARY KEY, task TEXT)"
WRITE = "INSERT INTO tasks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET task = excluded.task"
READ = "SELECT task FROM tasks WHERE id = ?"
LIST = "SELECT task FROM tasks ORDER BY id"


class TaskMissing(Exception):
    """Nothing has this id."""


class Kind:
    """How tasks of one class become text, and what is their id."""

    def __init__(
        self,
        encode: Callable[[Any], str],
        decode: Callable[[str], Any],
        id_of: Callable[[Any], str] = lambda task: task.id,
    ) -> None:
        self.encode, self.decode, self.id_of = encode, decode, id_of

    def careless(self) -> Kind:
        """Give the same with a defect: white space around a title is lost."""

        def encode(task: Any) -> str:
            fields = json.loads(self.encode(task))
            return json.dumps({**fields, "title": fields["title"].strip()})

        return Kind(encode, self.decode, self.id_of)


class Model:
    """The in-memory implementation."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.tasks = kind, dict[str, Any]()

    async def get(self, id: Any) -> Any:
        if id not in self.tasks:
            raise TaskMissing
        return copy.deepcopy(self.tasks[id])

    async def put(self, task: Any) -> None:
        self.tasks[self.kind.id_of(task)] = copy.deepcopy(task)

    async def list_all(self) -> list[Any]:
        return [copy.deepcopy(self.tasks[each]) for each in sorted(self.tasks)]


class Sqlite:
    """Tasks as text in a database."""

    def __init__(self, kind: Kind, connection: aiosqlite.Connection) -> None:
        self.kind, self.connection = kind, connection

    async def get(self, id: Any) -> Any:
        rows = list(await self.connection.execute_fetchall(READ, (id,)))
        if not rows:
            raise TaskMissing
        return self.kind.decode(rows[0][0])

    async def put(self, task: Any) -> None:
        row = (self.kind.id_of(task), self.kind.encode(task))
        await self.connection.execute(WRITE, row)

    async def list_all(self) -> list[Any]:
        rows = await self.connection.execute_fetchall(LIST)
        return [self.kind.decode(row[0]) for row in rows]


def file(url: str) -> str:
    """Give the file of a backend's URL."""
    return str(make_url(url).database)


def opener(kind: Kind) -> Callable[[str], AbstractAsyncContextManager[Sqlite]]:
    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Sqlite]:
        async with aiosqlite.connect(file(url), isolation_level=None, timeout=30) as connection:
            await connection.execute(TABLE)
            yield Sqlite(kind, connection)

    return opened


class SyncModel:
    """The in-memory implementation, without async."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.tasks = kind, dict[str, Any]()

    def get(self, id: Any) -> Any:
        if id not in self.tasks:
            raise TaskMissing
        return copy.deepcopy(self.tasks[id])

    def put(self, task: Any) -> None:
        self.tasks[self.kind.id_of(task)] = copy.deepcopy(task)

    def list_all(self) -> list[Any]:
        return [copy.deepcopy(self.tasks[each]) for each in sorted(self.tasks)]


class SyncSqlite:
    """Tasks as text in a database, without async."""

    def __init__(self, kind: Kind, connection: sqlite3.Connection) -> None:
        self.kind, self.connection, self.lock = kind, connection, threading.Lock()

    def rows(self, statement: str, *values: str) -> list[Any]:
        with self.lock:
            return self.connection.execute(statement, values).fetchall()

    def get(self, id: Any) -> Any:
        rows = self.rows(READ, id)
        if not rows:
            raise TaskMissing
        return self.kind.decode(rows[0][0])

    def put(self, task: Any) -> None:
        self.rows(WRITE, self.kind.id_of(task), self.kind.encode(task))

    def list_all(self) -> list[Any]:
        return [self.kind.decode(row[0]) for row in self.rows(LIST)]


def sync_opener(kind: Kind) -> Callable[[str], AbstractAsyncContextManager[SyncSqlite]]:
    @contextmanager
    def connected(path: str) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(
            path, isolation_level=None, timeout=30, check_same_thread=False
        )
        yield connection
        connection.close()

    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[SyncSqlite]:
        with connected(file(url)) as connection:
            connection.execute(TABLE)
            yield SyncSqlite(kind, connection)

    return opened


def contract_of(protocol: type, kind: Kind, **given: Any) -> Contract:
    """Give the contract of a Protocol, with a storage on SQLite."""
    return Contract(
        protocol,
        model=lambda: Model(kind),
        storages={"sqlite": opener(kind)},
        errors=(TaskMissing,),
        **given,
    )
