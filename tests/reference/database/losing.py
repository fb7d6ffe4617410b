"""Notes on PostgreSQL: a correct storage, and some that are wrong when the connection is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NewType, Protocol

from storeproof import Contract
from storeproof.reference.database import Database, Row, Statement, Transaction, UniqueViolated
from storeproof.reference.database.compiling import Rows
from storeproof.reference.database.exceptions import Retryable
from storeproof.reference.database.postgres import PostgresDriver
from storeproof.reference.database.postgres_answers import fetch
from storeproof.reference.database.postgres_pool import PostgresPool
from storeproof.reference.exceptions import (
    Duplicate,
    NotFound,
    OutcomeUnknown,
    StorageError,
    Unavailable,
)

from .examples import ADD_ONE, CREATE, GET, SCHEMA, note

NoteId = NewType("NoteId", str)


class Notes(Protocol):
    """Notes, each with a number."""

    async def create(self, id: NoteId) -> None:
        """Store a note with the number 0. Raises Duplicate."""
        ...

    async def add(self, id: NoteId) -> None:
        """Add one to its number. Raises NotFound."""
        ...

    async def add_to_both(self, id: NoteId, other: NoteId) -> None:
        """Add one to each, as a whole. Raises NotFound."""
        ...

    async def get_number(self, id: NoteId) -> int:
        """Give its number. Raises NotFound."""
        ...


class InMemoryNotes:
    """The model."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    async def create(self, id: NoteId) -> None:
        if id in self.numbers:
            raise Duplicate("id")
        self.numbers[id] = 0

    async def add(self, id: NoteId) -> None:
        self.numbers[id] = await self.get_number(id) + 1

    async def add_to_both(self, id: NoteId, other: NoteId) -> None:
        await self.get_number(id)
        await self.get_number(other)
        await self.add(id)
        await self.add(other)

    async def get_number(self, id: NoteId) -> int:
        if id not in self.numbers:
            raise NotFound("note", id)
        return self.numbers[id]


notes = Contract(
    Notes,
    model=InMemoryNotes,
    errors=[StorageError],
    uncertain=[OutcomeUnknown],
    unavailable=[Unavailable],
    ends_within=4.0,
    arguments={NoteId: ["a", "b", "c"]},
    name="notes",
)


class DatabaseNotes:
    """Correct."""

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self.database = database

    async def create(self, id: NoteId) -> None:
        try:
            await self.database.write(CREATE, note(id))
        except UniqueViolated:
            raise Duplicate("id") from None

    async def add(self, id: NoteId) -> None:
        _found(id, await self.database.write(ADD_ONE, {"id": id}))

    async def add_to_both(self, id: NoteId, other: NoteId) -> None:
        async def work(transaction: Transaction) -> None:
            for each in (id, other):
                _found(each, await transaction.run(ADD_ONE, {"id": each}))

        await self.database.transact(work)

    async def get_number(self, id: NoteId) -> int:
        return int(_found(id, await self.database.read(GET, {"id": id}))[-1])


def _found(id: str, rows: Sequence[Row]) -> Row:
    if not rows:
        raise NotFound("note", id)
    return rows[0]


Opener = Callable[..., AbstractAsyncContextManager[Any]]
LOSING: dict[str, Opener] = {}


def opener(
    make: Callable[[Database], Any],
    database: Callable[..., Database] = Database,
    driver: type[PostgresDriver] = PostgresDriver,
    pool: type[PostgresPool] = PostgresPool,
) -> Opener:
    @asynccontextmanager
    async def opened(url: str, *, timeout: float = 10.0) -> AsyncIterator[Any]:
        made = database(url, create=True, pool_timeout=timeout, statement_timeout=timeout)
        async with made:
            own: Any = made._driver
            own.__class__, own._pool.__class__ = driver, pool
            own._pool._connect = own.connect
            storage = make(made)
            await made.open()
            yield storage

    return opened


def losing(make: Any) -> Any:
    """Enlists a broken storage, database, driver or pool under its name."""
    kinds = {
        "database": Database,
        "driver": PostgresDriver,
        "pool": PostgresPool,
        "make": DatabaseNotes,
    }
    role = next(role for role, kind in kinds.items() if issubclass(make, kind))
    chosen: dict[str, Any] = {"make": DatabaseNotes, role: make}
    LOSING[make.__name__] = opener(**chosen)
    return make


@losing
class AddsToEachAlone(DatabaseNotes):
    """Two transactions for one effect."""

    async def add_to_both(self, id: NoteId, other: NoteId) -> None:
        await self.get_number(id)
        await self.get_number(other)
        await self.add(id)
        await self.add(other)


@losing
class CountsALostAnswerAsDone(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except OutcomeUnknown:
            return [("?",)]


@losing
class CallsALostAnswerSafe(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except OutcomeUnknown as error:
            raise Unavailable(error.reason) from error


@losing
class RepeatsEveryWrite(PostgresDriver):
    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._pool.connection() as connection:
            return await fetch(Retryable, connection, text, arguments)


@losing
class LeaksWhatAsyncpgRaises(PostgresDriver):
    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._pool.connection() as connection:
            rows: Rows = await connection.fetch(text, *arguments)
            return rows


@losing
class WaitsForEver(PostgresDriver):
    async def connect(self) -> Any:
        return await self._connect(None)


@losing
class GivesDeadConnections(PostgresPool):
    def _reusable(self) -> Any:
        return self._idle.pop()[0] if self._idle else None

    async def _give_back(self, connection: Any, sound: bool) -> None:
        self._idle.append((connection, 0.0))
