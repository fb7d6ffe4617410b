"""For `Database`: statements on PostgreSQL, through a pool of asyncpg's connections."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy.engine import URL

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database.compiling import POSTGRES, Rows
from storeproof.reference.database.drivers import Run, Settings, to_its_end
from storeproof.reference.database.exceptions import (
    ForeignKeyViolated,
    Retryable,
    TableExists,
    TableMissing,
    UniqueViolated,
)
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["PostgresDriver"]

CLEANING_SECONDS = 2.0
"""How long closing, releasing or rolling back may take on a connection that may be dead."""

STATEMENTS = 1024
"""Prepared statements that a connection keeps; there are fewer."""

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"

_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
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

Lost: TypeAlias = type[Retryable] | type[OutcomeUnknown]
"""What a call means to its caller when its answer never came."""


class PostgresDriver:
    """Implements `Driver`. The connections come from a pool that grows when it is used."""

    dialect = POSTGRES

    def __init__(self, url: URL, settings: Settings) -> None:
        self._dsn = _dsn(url)
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        if self._pool is None:
            self._pool = await self._create_pool()

    async def read(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._connection() as connection:
            return await _fetch(Retryable, connection, text, arguments)

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._connection() as connection:
            return await _fetch(OutcomeUnknown, connection, text, arguments)

    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        # The lock comes with BEGIN, in one round trip. It ends with the transaction.
        begin = BEGIN if lock is None else f"{BEGIN}; SELECT pg_advisory_xact_lock({lock})"
        async with self._connection() as connection:

            async def run(text: str, arguments: Sequence[Any]) -> Rows:
                return await _fetch(Retryable, connection, text, arguments)

            try:
                await _answer(Retryable, connection.execute, begin)
                yield run
                await _answer(OutcomeUnknown, connection.execute, "COMMIT")
            except BaseException:
                await to_its_end(_roll_back(connection))
                raise

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(CLEANING_SECONDS):
                await pool.close()
        except _ERRORS:
            pool.terminate()

    async def _create_pool(self) -> asyncpg.Pool:
        milliseconds = str(max(1, round(self._settings.statement_timeout * 1000)))
        return await asyncpg.create_pool(
            self._dsn,
            min_size=0,
            max_size=self._settings.pool_size,
            # The server gives up first; the client only where no answer comes at all.
            command_timeout=self._settings.statement_timeout + CLEANING_SECONDS,
            server_settings={
                "application_name": "storeproof",
                "statement_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
            statement_cache_size=STATEMENTS,
            max_cached_statement_lifetime=0,
            init=_check_encoding,
            reset=_leave_as_it_is,
        )

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        if self._pool is None:
            raise Unavailable("this Database has been closed")
        pool = self._pool
        connection = await _acquired(pool.acquire(timeout=self._settings.pool_timeout))
        try:
            yield connection
        finally:
            # Waits until a cancelled statement has ended; a dead connection is dropped.
            with suppress(*_ERRORS):
                await pool.release(connection, timeout=CLEANING_SECONDS)


async def _check_encoding(connection: Any) -> None:
    if connection.get_settings().server_encoding != "UTF8":
        remedy = "Use a database that was created with ENCODING 'UTF8'"
        raise ConfigurationError("database_url", "the database's encoding is not UTF8", remedy)


async def _leave_as_it_is(connection: Any) -> None:
    """Replaces the pool's reset, a round trip: no statement here changes a session."""


async def _acquired(connecting: Awaitable[Any]) -> Any:
    try:
        return await connecting
    except TimeoutError as error:
        raise Unavailable("no connection to the server was free in time") from error
    except ValueError as error:
        reason = "asyncpg can't use the URL"
        raise ConfigurationError("database_url", reason, "Correct its parts") from error
    except _ERRORS as error:
        code = getattr(error, "sqlstate", None)
        raise Unavailable(_REASONS.get(code, "the server can't be connected to")) from error


async def _answer(lost: Lost, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    try:
        # The call itself may raise: for a connection that the pool has taken back.
        return await call(*arguments)
    except _ERRORS as error:
        raise _meaning(error, lost) from error


async def _fetch(lost: Lost, connection: Any, text: str, arguments: Sequence[Any]) -> Rows:
    rows: Rows = await _answer(lost, connection.fetch, text, *arguments)
    return rows


async def _roll_back(connection: Any) -> None:
    """Ends a failed transaction. asyncpg first waits until a cancelled statement has ended."""
    with suppress(*_ERRORS):  # the pool has dropped a connection that died
        try:
            await connection.execute("ROLLBACK", timeout=CLEANING_SECONDS)
        except _ERRORS:
            connection.terminate()


def _meaning(error: Exception, lost: Lost) -> Exception:
    code = getattr(error, "sqlstate", None)
    meaning: Exception
    match code:
        case "23503":
            meaning = ForeignKeyViolated()
        case "23505":
            meaning = UniqueViolated(getattr(error, "constraint_name", ""))
        case "42P01":
            meaning = TableMissing("a table is missing")
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


def _lost(error: Exception, lost: Lost) -> Exception:
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
