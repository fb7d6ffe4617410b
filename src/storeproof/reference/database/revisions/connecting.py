"""For `upgrade`, `downgrade` and tools: SQLAlchemy on a database of one of the known kinds."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from storeproof.reference.database.addresses import open_driver
from storeproof.reference.database.compiling import POSTGRES, SQLITE
from storeproof.reference.database.drivers import Settings
from storeproof.reference.exceptions import Unavailable

__all__ = ["run"]

T = TypeVar("T")

_NAMES: Final = {POSTGRES: "postgresql+asyncpg://", SQLITE: "sqlite+aiosqlite://"}

_LONG = 86_400.0
"""Seconds for what is in nobody's way, such as building an index."""

_SHORT = 1.0
"""Seconds for which SQLite waits for a lock by itself, where nothing can interrupt it."""


async def run(url: str, work: Callable[[sa.Connection], T], *, create: bool = False) -> T:
    """Runs `work` on a connection of its own, on which nobody begins or commits by itself.

    `create`: makes a missing file of SQLite. Raises Unavailable, or ConfigurationError for a
    URL that can't be used.
    """
    try:
        async with _connection(url, create) as connection:
            result: T = await connection.run_sync(work)
            return result
    except sa.exc.DBAPIError as error:
        raise Unavailable(str(error.orig).partition("\n")[0]) from error


@asynccontextmanager
async def _connection(url: str, create: bool) -> AsyncIterator[AsyncConnection]:
    driver = open_driver(url, _settings(create, _LONG))
    if driver.dialect == SQLITE:
        driver = open_driver(url, _settings(create, _SHORT))
    engine = create_async_engine(
        _NAMES[driver.dialect],
        async_creator=driver.connect,
        poolclass=NullPool,
        isolation_level="AUTOCOMMIT",
    )
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def _settings(create: bool, seconds: float) -> Settings:
    return Settings(create=create, pool_size=1, pool_timeout=10.0, statement_timeout=seconds)
