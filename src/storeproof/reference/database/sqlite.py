"""For `Database`: statements on SQLite, through two connections of aiosqlite.

One connection reads and one writes, each in a thread of its own. In WAL mode a reader
never waits, and there is one writer at a time anyway: so writers wait for each other
here, in order, instead of polling the file's lock.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any

import aiosqlite

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database.compiling import SQLITE, Row, Rows, Statement, compile_for
from storeproof.reference.database.drivers import (
    Carrier,
    Ear,
    Lost,
    Notified,
    Run,
    Settings,
    to_its_end,
)
from storeproof.reference.database.exceptions import (
    ForeignKeyViolated,
    TableExists,
    TableMissing,
    UniqueViolated,
)
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["SqliteDriver"]

OLDEST = (3, 35)
"""The first SQLite with RETURNING."""

STATEMENTS = 256
PARAMETERS = 32_000
"""Of one statement, at most; SQLite allows 32,766."""

POLL_SECONDS = 0.01
ENDING_SECONDS = 1.0

# synchronous NORMAL: with WAL no crash of the process loses or tears anything; a loss of
# power may undo the last commits, whole ones. FULL would sync the disk at every commit.
PRAGMAS = ("synchronous = NORMAL", "foreign_keys = ON")

_REASONS = {
    "SQLITE_BUSY": "the database is locked",
    "SQLITE_LOCKED": "the database is locked",
    "SQLITE_FULL": "the disk is full",
    "SQLITE_READONLY": "the database can't be written to",
    "SQLITE_CANTOPEN": "the database file can't be opened",
    "SQLITE_NOTADB": "the file is not a SQLite database",
    "SQLITE_CORRUPT": "the database file is damaged",
}


class SqliteDriver:
    """Implements `Driver`. A statement runs to its end even when its caller is cancelled."""

    dialect = SQLITE

    def __init__(self, path: str, settings: Settings) -> None:
        if sqlite3.sqlite_version_info < OLDEST:
            reason = f"Python's SQLite is {sqlite3.sqlite_version}, older than 3.35"
            raise ConfigurationError("database_url", reason, "Use a Python with a later one")
        # Now, because the working directory may change before the first use.
        self._path = Path(path).absolute()
        self._settings = settings
        self._reader: aiosqlite.Connection | None = None
        self._writer: aiosqlite.Connection | None = None
        self._writing = asyncio.Lock()
        self._waiting = 0

    async def open(self) -> None:
        self._require_file()
        if self._writer is None:
            self._writer = await self._connect(PRAGMAS)
        if self._reader is None:
            self._reader = await self._connect((*PRAGMAS, "query_only = ON"))

    async def connect(self) -> aiosqlite.Connection:
        self._require_file()
        return await self._connect(("synchronous = NORMAL", "foreign_keys = OFF"))

    async def read(self, text: str, arguments: Sequence[Any]) -> Rows:
        return await _run(_present(self._reader), text, arguments)

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._turn() as writer:
            try:
                return await _run(writer, text, arguments)
            except asyncio.CancelledError:
                await to_its_end(_roll_back(writer))
                raise

    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        async with self._turn() as writer:

            async def run(text: str, arguments: Sequence[Any]) -> Rows:
                return await _run(writer, text, arguments)

            try:
                await run("BEGIN IMMEDIATE", ())
                yield run
                await run("COMMIT", ())
            except BaseException:
                await to_its_end(_roll_back(writer))
                raise

    @asynccontextmanager
    async def bulk(self, *, writes: bool) -> AsyncIterator[Carrier]:
        if writes:
            async with self.transaction(None):
                yield SqliteCarrier(_present(self._writer))
            return
        reader = await self._connect((*PRAGMAS, "query_only = ON"))
        try:
            # Its first query takes the moment that all of them see.
            await _run(reader, "BEGIN", ())
            yield SqliteCarrier(reader)
        finally:
            await to_its_end(reader.close())

    async def listen(self, notified: Notified, lost: Lost) -> Ear | None:
        return None

    async def close(self) -> None:
        opened = [each for each in (self._reader, self._writer) if each is not None]
        self._reader = self._writer = None
        await to_its_end(_close(opened))

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[aiosqlite.Connection]:
        if self._waiting or self._writing.locked():
            await self._wait()
        else:
            await self._writing.acquire()
        try:
            yield _present(self._writer)
        finally:
            self._writing.release()

    async def _wait(self) -> None:
        self._waiting += 1
        try:
            async with asyncio.timeout(self._settings.pool_timeout):
                await self._writing.acquire()
        except TimeoutError as error:
            raise Unavailable("the turn to write did not come in time") from error
        finally:
            self._waiting -= 1

    def _require_file(self) -> None:
        if not self._settings.create and not self._path.exists():
            remedy = "Open it once with create=True (Config: create_schema) to create it"
            raise ConfigurationError("database_url", f"there is no file {self._path}", remedy)

    async def _connect(self, pragmas: Sequence[str]) -> aiosqlite.Connection:
        mode = "rwc" if self._settings.create else "rw"
        connecting = aiosqlite.connect(
            f"{self._path.as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=self._settings.statement_timeout,
            cached_statements=STATEMENTS,
        )
        # A Database that nobody closed must not keep the process from ending.
        thread: Any = getattr(connecting, "_thread", connecting)
        thread.daemon = True
        try:
            connection = await to_its_end(connecting)
            await self._enter_wal(connection)
            for pragma in pragmas:
                await connection.execute_fetchall(f"PRAGMA {pragma}")
        except BaseException as error:
            await to_its_end(connecting.close())
            # A thread whose connecting failed ends by itself, but not before it told the loop.
            await to_its_end(asyncio.to_thread(thread.join, ENDING_SECONDS))
            if isinstance(error, sqlite3.Error):
                raise _meaning(error) from error
            raise
        return connection

    async def _enter_wal(self, connection: aiosqlite.Connection) -> None:
        """Changes the file's mode. SQLite does not wait for its lock then, so this does."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self._settings.statement_timeout
        while True:
            try:
                await connection.execute_fetchall("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorname != "SQLITE_BUSY" or clock() > deadline:
                    raise
            await asyncio.sleep(POLL_SECONDS)


class SqliteCarrier:
    """Implements `Carrier`, on a connection with an open transaction."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def run(self, text: str, arguments: Sequence[Any]) -> Rows:
        return await _run(self._connection, text, arguments)

    async def stream(self, query: Statement, size: int) -> AsyncGenerator[Rows, None]:
        with _meant():
            async with self._connection.execute(compile_for(SQLITE, query).text) as cursor:
                while rows := list(await cursor.fetchmany(size)):
                    yield rows

    async def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], size: int
    ) -> None:
        names = ", ".join(f'"{each}"' for each in columns)
        places = f"({', '.join('?' for _ in columns)})"
        start = f'INSERT INTO "{table}" ({names}) VALUES '  # noqa: S608 - the schema's names
        waiting = iter(rows)
        # While SQLite takes one statement's rows, it leaves Python to the making of the next ones.
        # It does not with `executemany`, which runs a statement for each row.
        storing: asyncio.Task[Rows] | None = None
        try:
            while some := list(islice(waiting, min(size, PARAMETERS // len(columns)))):
                text = start + ", ".join([places] * len(some))
                storing = await self._next(storing, text, list(chain.from_iterable(some)))
            if storing is not None:
                await storing
        finally:
            if storing is not None:
                await to_its_end(asyncio.wait([storing]))

    async def _next(
        self, storing: asyncio.Task[Rows] | None, text: str, arguments: Sequence[Any]
    ) -> asyncio.Task[Rows]:
        """Starts a statement when the one before it has ended. Raises as that did."""
        if storing is not None:
            await storing
        task = asyncio.create_task(self.run(text, arguments))
        await asyncio.sleep(0)  # it is on its way to SQLite when its caller goes on
        return task


def _present(connection: aiosqlite.Connection | None) -> aiosqlite.Connection:
    if connection is None:
        raise Unavailable("this Database has been closed")
    return connection


async def _run(connection: aiosqlite.Connection, text: str, arguments: Sequence[Any]) -> Rows:
    with _meant():
        return list(await connection.execute_fetchall(text, arguments))


@contextmanager
def _meant() -> Iterator[None]:
    """Errors of the driver as what they mean to its caller."""
    try:
        yield
    except sqlite3.Error as error:
        raise _meaning(error) from error
    except ValueError as error:  # aiosqlite's way to say that it was closed meanwhile
        raise Unavailable("this Database has been closed") from error


async def _close(connections: Sequence[aiosqlite.Connection]) -> None:
    """One after the other, so that the last one knows that it is, and clears the journal away."""
    for connection in connections:
        await connection.close()


async def _roll_back(writer: aiosqlite.Connection) -> None:
    """Queued behind a statement that still runs; does nothing where no transaction is open."""
    with suppress(sqlite3.Error, ValueError):  # a closed connection has rolled back
        await writer.rollback()


def _meaning(error: sqlite3.Error) -> Exception:
    name = getattr(error, "sqlite_errorname", None) or ""
    text = str(error)
    if name in ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"):
        return UniqueViolated(_constraint(text))
    if name == "SQLITE_CONSTRAINT_FOREIGNKEY":
        return ForeignKeyViolated()
    if text.startswith("no such table"):
        return TableMissing(text.rpartition(": ")[2].rpartition(".")[2])
    if text.endswith("already exists"):
        return TableExists("a table is there already")
    if name.startswith("SQLITE_IOERR"):
        return OutcomeUnknown("the disk failed")
    kind = "_".join(name.split("_")[:2])
    return Unavailable(_REASONS.get(kind, "SQLite refused the statement"))


def _constraint(text: str) -> str:
    """TABLE_COLUMN from "UNIQUE constraint failed: TABLE.COLUMN, TABLE.COLUMN"."""
    columns = [column.split(".") for column in text.partition(": ")[2].split(", ")]
    return "_".join([columns[0][0], *(column[-1] for column in columns)])
