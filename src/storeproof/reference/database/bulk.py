"""For archives and migrations: one transaction for more rows than should be held at once."""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from functools import partial
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa

from storeproof.reference.database.compiling import (
    Compiled,
    Row,
    Rows,
    Statement,
    compile_for,
    converted,
    converters,
)
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

    async def stream(self, statement: Statement, size: int) -> AsyncGenerator[list[Row], None]:
        """The rows of a query without parameters, `size` of them or some hundred kilobytes at once.

        A value that nothing can be made of, because another program wrote it, is given as it is.
        """
        compiled = compile_for(self.dialect, statement)
        async with aclosing(self._carrier.stream(statement, size)) as batches:
            async for rows in batches:
                yield _as_stored(compiled, rows)

    async def insert(self, table: sa.Table, rows: Iterable[Row], size: int) -> None:
        """Stores rows, which have a value for each column of the table; holds `size` at once.

        Raises UniqueViolated or ForeignKeyViolated; the transaction must end with them.
        """
        changes = converters(self.dialect, table.columns)
        names = [column.name for column in table.columns]
        if any(changes):
            rows = chain.from_iterable(_all_converted(rows, changes, size))
        await self._carrier.insert(table.name, names, rows, size)


def _as_stored(compiled: Compiled, rows: Rows) -> list[Row]:
    try:
        return compiled.rows(rows)
    except Exception:  # what a conversion says of a value that is not its own
        return converted(rows, [each and partial(_kept, each) for each in compiled.columns])


def _kept(convert: Callable[[Any], Any], value: Any) -> Any:
    try:
        return convert(value)
    except Exception:  # as above
        return value


def _all_converted(rows: Iterable[Row], changes: Sequence[Any], size: int) -> Iterator[list[Row]]:
    waiting = iter(rows)
    while some := list(islice(waiting, size)):
        yield converted(some, changes)
