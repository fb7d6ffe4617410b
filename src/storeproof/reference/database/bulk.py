"""For archives and migrations: one transaction for more rows than should be held at once."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from storeproof.reference.database.compiling import Row, Statement, compile_for, converters
from storeproof.reference.database.drivers import Carrier

__all__ = ["Bulk"]


class Bulk:
    """Reads and writes in one transaction; `Database.bulk` makes and ends it."""

    def __init__(self, dialect: str, carrier: Carrier) -> None:
        self.dialect = dialect
        self._carrier = carrier

    async def run(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        """Runs one statement; gives the rows that it returns."""
        compiled = compile_for(self.dialect, statement)
        rows = await self._carrier.run(compiled.text, compiled.arguments(parameters))
        return compiled.rows(rows)

    async def stream(self, statement: Statement, size: int) -> AsyncIterator[list[Row]]:
        """The rows of a query without parameters, `size` of them at a time."""
        compiled = compile_for(self.dialect, statement)
        async for rows in self._carrier.stream(compiled.text, size):
            yield compiled.rows(rows)

    async def insert(self, table: sa.Table, rows: Iterable[Row]) -> None:
        """Stores rows, which have a value for each column of the table.

        Raises UniqueViolated or ForeignKeyViolated; the transaction must end with them.
        """
        convert = converters(self.dialect, table.columns)
        names = [column.name for column in table.columns]
        changed = [(place, each) for place, each in enumerate(convert) if each is not None]
        converted = (_converted(row, changed) for row in rows) if changed else rows
        await self._carrier.insert(table.name, names, converted)


def _converted(row: Row, changed: list[tuple[int, Any]]) -> Row:
    values = list(row)
    for place, convert in changed:
        values[place] = convert(values[place])
    return tuple(values)
