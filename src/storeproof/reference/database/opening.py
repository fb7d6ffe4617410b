"""For authors of database storages: a storage with a `Database` of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from storeproof.reference.database.engine import Database

__all__ = ["TIMEOUT", "open_storage"]

Storage = TypeVar("Storage")

TIMEOUT = 10.0
"""Seconds that a storage waits for a statement or a connection, unless told otherwise."""


@asynccontextmanager
async def open_storage(
    url: str, make: Callable[[Database], Storage], timeout: float = TIMEOUT
) -> AsyncIterator[Storage]:
    """The storage made with the database at this URL; its tables are created if absent."""
    async with Database(
        url, create=True, pool_timeout=timeout, statement_timeout=timeout
    ) as database:
        storage = make(database)
        await database.open()
        yield storage
