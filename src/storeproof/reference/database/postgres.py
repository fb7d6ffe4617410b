"""For `Database`: statements on PostgreSQL, through asyncpg."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.engine import URL

from storeproof.reference.config import ConfigurationError
from storeproof.reference.database.compiling import POSTGRES, Rows
from storeproof.reference.database.drivers import (
    Carrier,
    Ear,
    Lost,
    Notified,
    Run,
    Settings,
    to_its_end,
)
from storeproof.reference.database.exceptions import Retryable
from storeproof.reference.database.postgres_answers import ERRORS, REASONS, answer, fetch
from storeproof.reference.database.postgres_bulk import PostgresCarrier
from storeproof.reference.database.postgres_pool import PostgresPool, close_connection
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["PostgresDriver"]

STATEMENTS = 1024
"""Prepared statements that a connection keeps; there are fewer."""

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


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
            return await fetch(Retryable, connection, text, arguments)

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        async with self._pool.connection() as connection:
            return await fetch(OutcomeUnknown, connection, text, arguments)

    @asynccontextmanager
    async def transaction(self, lock: int | None) -> AsyncIterator[Run]:
        # The lock comes with BEGIN, in one round trip. It ends with the transaction.
        begin = BEGIN if lock is None else f"{BEGIN}; SELECT pg_advisory_xact_lock({lock})"
        async with self._pool.connection() as connection, self._begun(connection, begin):

            async def run(text: str, arguments: Sequence[Any]) -> Rows:
                return await fetch(Retryable, connection, text, arguments)

            yield run

    @asynccontextmanager
    async def bulk(self, *, writes: bool) -> AsyncIterator[Carrier]:
        connection = await self._connect(None)
        try:
            async with self._begun(connection, BEGIN if writes else SNAPSHOT):
                yield PostgresCarrier(connection, self._cancel, self._cleaning_timeout)
        finally:
            await to_its_end(close_connection(connection, self._cleaning_timeout))

    async def listen(self, notified: Notified, lost: Lost) -> Ear | None:
        return PostgresEar(await self.connect(), self._settings, notified, lost)

    async def close(self) -> None:
        await self._pool.close()

    async def connect(self) -> Any:
        return await self._connect(self._settings.statement_timeout)

    async def _cancel(self, process: int) -> None:
        connection = await self.connect()
        try:
            await fetch(Retryable, connection, "SELECT pg_cancel_backend($1)", [process])
        finally:
            await to_its_end(close_connection(connection, self._cleaning_timeout))

    @asynccontextmanager
    async def _begun(self, connection: Any, begin: str) -> AsyncIterator[None]:
        """A transaction for the block, which commits unless the block raises."""
        try:
            await answer(Retryable, connection.execute, begin)
            yield
            await answer(OutcomeUnknown, connection.execute, "COMMIT")
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


class PostgresEar:
    """Implements `Ear`."""

    def __init__(self, connection: Any, settings: Settings, notified: Notified, lost: Lost) -> None:
        self.connection = connection
        self._cleaning_timeout = settings.cleaning_timeout
        self._notified = notified
        connection.add_termination_listener(lambda _: lost())

    async def hear(self, channel: str) -> None:
        await answer(Retryable, self.connection.add_listener, channel, self._hear)

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
        raise Unavailable(REASONS.get(code, "the server can't be connected to")) from error


async def _roll_back(connection: Any, timeout: float) -> None:
    """Ends a failed transaction. asyncpg first waits until a cancelled statement has ended."""
    try:
        async with asyncio.timeout(timeout):
            await connection.execute("ROLLBACK")
    except ERRORS:
        connection.terminate()


def _dsn(url: URL) -> str:
    query = dict(url.query)
    if "ssl" in query:  # SQLAlchemy's word for what libpq calls sslmode
        query["sslmode"] = query.pop("ssl")
    return url.set(drivername="postgresql", query=query).render_as_string(hide_password=False)
