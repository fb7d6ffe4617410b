"""Benchmarks of growth fill their databases here, the fastest way that each database has."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from itertools import islice
from typing import Any

import asyncpg
import sqlalchemy as sa

from storeproof.reference.database.compiling import POSTGRES, compile_for

__all__ = ["Target"]

BATCH = 10_000


@dataclass(frozen=True)
class Target:
    """A database whose tables are there, by its dialect and its address."""

    dialect: str
    address: str

    async def add(self, table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows, each a mapping of the table's columns: by COPY, or by executemany."""
        insert = compile_for(self.dialect, sa.insert(table))
        columns = [parameter.name for parameter in insert.parameters]
        records = (tuple(insert.arguments(row)) for row in rows)
        if self.dialect != POSTGRES:
            with closing(sqlite3.connect(self.address)) as connection, connection:
                connection.executemany(insert.text, records)
            return
        async with self._connected() as connection:
            while batch := list(islice(records, BATCH)):
                await connection.copy_records_to_table(table.name, records=batch, columns=columns)

    async def rows(self, table: sa.Table) -> list[tuple[Any, ...]]:
        """Give all rows, in the order of the table's key."""
        found = compile_for(self.dialect, sa.select(table).order_by(*table.primary_key))
        if self.dialect != POSTGRES:
            with closing(sqlite3.connect(self.address)) as connection:
                return found.rows(connection.execute(found.text).fetchall())
        async with self._connected() as connection:
            return found.rows(await connection.fetch(found.text))

    async def settle(self) -> None:
        """Have the server know its tables, as it does by itself after a while."""
        if self.dialect == POSTGRES:
            async with self._connected() as connection:
                await connection.execute("VACUUM ANALYZE")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.address)
        try:
            yield connection
        finally:
            await connection.close()
