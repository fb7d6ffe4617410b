"""For `Database`: statements on PostgreSQL, through asyncpg."""

import asyncio
import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import partial
from itertools import count
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy.engine import URL

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database.compiling import POSTGRES, Row, Rows
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
    Retryable,
    TableExists,
    TableMissing,
    UniqueViolated,
)
from storeproof.reference.database.postgres_pool import (
    ERRORS,
    PostgresPool,
    close_connection,
)
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["PostgresDriver"]

STATEMENTS = 1024
"""Prepared statements that a connection keeps; there are fewer."""

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

_REASONS: dict[str | None, str] = {
    "28000": "the server refuses the user",
    "28P01": "the server refuses the password",
    "3D000": "the server has no such database",
    "40001": "the transaction collided with another",
    "40P01": "the transaction was in a deadlock",
    "42501": "the database role may not do that",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left",
    "55P03": "a lock was not granted in time",
    "57014": "the statement took too long",
}

Meaning: TypeAlias = type[Retryable] | type[OutcomeUnknown]
"""What a call means to its caller when its answer never came."""


class PostgresDriver:
    """Implements `Driver`."""

    dialect = POSTGRES

    def __init__(self, url: URL, settings: Settings) -> None:
        self._dsn = _dsn(url)
        self._settings, self._cleaning_timeout = settings, settings.cleaning_timeout
        self._pool = PostgresPool(self.connect, settings)

    async def open(self) -> None:
        """Nothing to do: the first statement connects."""

    async def read(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._pool.connection() as connection:
            return await _fetch(Retryable, connection, text, arguments)

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._pool.connection() as connection:
            return await _fetch(OutcomeUnknown, connection, text, arguments)

    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        # The lock comes with BEGIN, in one round trip. It ends with the transaction.
        begin = BEGIN if lock is None else f"{BEGIN}; SELECT pg_advisory_xact_lock({lock})"
        async with self._pool.connection() as connection, self._begun(connection, begin):

            async def run(text: str, arguments: Sequence[Any]) -> Rows:
                return await _fetch(Retryable, connection, text, arguments)

            yield run

    @asynccontextmanager
    async def bulk(self, *, writes: bool) -> AsyncIterator[Carrier]:
        connection = await self._connect(None)
        try:
            async with self._begun(connection, BEGIN if writes else SNAPSHOT):
                yield PostgresCarrier(connection)
        finally:
            await to_its_end(close_connection(connection, self._cleaning_timeout))

    async def listen(self, notified: Notified, lost: Lost) -> Ear | None:
        return PostgresEar(await self.connect(), self._settings, notified, lost)

    async def close(self) -> None:
        await self._pool.close()

    async def connect(self) -> Any:
        return await self._connect(self._settings.statement_timeout)

    @asynccontextmanager
    async def _begun(self, connection: Any, begin: str) -> AsyncIterator[None]:
        """A transaction for the block, which commits unless the block raises."""
        try:
            await _answer(Retryable, connection.execute, begin)
            yield
            await _answer(OutcomeUnknown, connection.execute, "COMMIT")
        except BaseException:
            await to_its_end(_roll_back(connection, self._cleaning_timeout))
            raise

    async def _connect(self, seconds: float | None) -> Any:
        """A connection whose statements take so long at most; None: as long as they need."""
        milliseconds = "0" if seconds is None else str(max(1, round(seconds * 1000)))
        connecting = asyncpg.connect(
            self._dsn,
            timeout=self._settings.pool_timeout,
            # The server gives up first; the client only where no answer comes at all.
            command_timeout=None if seconds is None else seconds + self._cleaning_timeout,
            server_settings={
                "application_name": "storeproof",
                "timezone": "UTC",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
                # To start workers takes longer than any of our statements by itself.
                "max_parallel_workers_per_gather": "0",
            },
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
        )
        connection = await _connected(connecting)
        if connection.get_settings().server_encoding != "UTF8":
            connection.terminate()
            remedy = "Use a database that was created with ENCODING 'UTF8'"
            raise ConfigurationError("database_url", "the database's encoding is not UTF8", remedy)
        return connection


class PostgresCarrier:
    """Implements `Carrier`, by cursors of the server and by COPY."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._numbers = count(1)

    async def run(self, text: str, arguments: Sequence[Any]) -> Rows:
        return await _fetch(Retryable, self._connection, text, arguments)

    async def stream(self, text: str, size: int) -> AsyncGenerator[Rows, None]:
        # A cursor's name is never used again: asyncpg keeps what a FETCH from it returns.
        name = f"stream_{next(self._numbers)}"
        await self._execute(f"DECLARE {name} NO SCROLL CURSOR FOR {text}")
        fetch = partial(self.run, f"FETCH {size} FROM {name}", ())
        coming: asyncio.Task[Rows] | None = asyncio.create_task(fetch())
        try:
            while coming is not None:
                rows = await coming
                coming = asyncio.create_task(fetch()) if len(rows) == size else None
                # Has it sent: the server makes the next rows while its caller works on these.
                await asyncio.sleep(0)
                if rows:
                    yield rows
        finally:
            if coming is not None:
                await to_its_end(_ended(coming))
        await self._execute(f"CLOSE {name}")

    async def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], size: int
    ) -> None:
        # asyncpg takes the rows one by one, and holds half a mebibyte of them.
        copy = partial(self._connection.copy_records_to_table, records=rows, columns=columns)
        await _answer(Retryable, copy, table)

    async def _execute(self, text: str) -> None:
        await _answer(Retryable, self._connection.execute, text)


class PostgresEar:
    """Implements `Ear`."""

    def __init__(self, connection: Any, settings: Settings, notified: Notified, lost: Lost) -> None:
        self.connection = connection
        self._cleaning_timeout = settings.cleaning_timeout
        self._notified = notified
        connection.add_termination_listener(lambda _: lost())

    async def hear(self, channel: str) -> None:
        await _answer(Retryable, self.connection.add_listener, channel, self._hear)

    def is_closed(self) -> bool:
        return bool(self.connection.is_closed())

    async def close(self) -> None:
        await close_connection(self.connection, self._cleaning_timeout)

    def _hear(self, _connection: Any, _process: int, channel: str, _payload: str) -> None:
        self._notified(channel)


async def _connected(connecting: Awaitable[Any]) -> Any:
    try:
        return await connecting
    except ValueError as error:
        reason = "asyncpg can't use the URL"
        raise ConfigurationError("database_url", reason, "Correct its parts") from error
    except ERRORS as error:
        code = getattr(error, "sqlstate", None)
        raise Unavailable(_REASONS.get(code, "the server can't be connected to")) from error


async def _answer(lost: Meaning, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    try:
        return await call(*arguments)
    except ERRORS as error:
        raise _meaning(error, lost) from error


async def _fetch(lost: Meaning, connection: Any, text: str, arguments: Sequence[Any]) -> Rows:
    rows: Rows = await _answer(lost, connection.fetch, text, *arguments)
    return rows


async def _ended(task: asyncio.Task[Any]) -> None:
    """Waits for a task of whose outcome nobody wants to hear."""
    await asyncio.gather(task, return_exceptions=True)


async def _roll_back(connection: Any, timeout: float) -> None:
    """Ends a failed transaction. asyncpg first waits until a cancelled statement has ended."""
    try:
        async with asyncio.timeout(timeout):
            await connection.execute("ROLLBACK")
    except ERRORS:
        connection.terminate()


def _meaning(error: Exception, lost: Meaning) -> Exception:
    code = getattr(error, "sqlstate", None)
    meaning: Exception
    match code:
        case "23503":
            meaning = ForeignKeyViolated()
        case "23505":
            meaning = UniqueViolated(getattr(error, "constraint_name", ""))
        case "42P01":
            meaning = TableMissing(_quoted(str(error)))
        case "42P07":
            meaning = TableExists("a table is there already")
        case "40001" | "40P01":
            meaning = Retryable(_REASONS[code])
        case None | "57P01" | "57P02" | "57P03":
            meaning = _lost(error, lost)
        case _ if code.startswith("08"):
            meaning = _lost(error, lost)
        case _:
            meaning = Unavailable(_REASONS.get(code, "the server refused the statement"))
    return meaning


def _quoted(text: str) -> str | None:
    """The name in a message of the server, which says it in no other way than in its language."""
    found = re.search(r'"(\w+)"', text)
    return None if found is None else found[1]


def _lost(error: Exception, lost: Meaning) -> Exception:
    if isinstance(error, asyncpg.InterfaceError):
        return Retryable("the connection was closed before it was used")
    if isinstance(error, TimeoutError) and lost is Retryable:
        return Unavailable("no answer came in time")
    return lost("the connection was lost before the answer came")


def _dsn(url: URL) -> str:
    query = dict(url.query)
    if "ssl" in query:  # SQLAlchemy's word for what libpq calls sslmode
        query["sslmode"] = query.pop("ssl")
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
