"""For `Bulk`: rows of PostgreSQL as lines of JSON, many of which are decoded at once.

The server makes an array of each row. That is exact for the types of TYPES, and takes a program
little more than half as long as having its driver make each value by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from storeproof.reference.database.compiling import Row, Rows, Statement

__all__ = ["TYPES", "Packed", "packed"]

TYPES: Final[dict[type[Any], Any]] = {
    sa.BigInteger: int,
    sa.Boolean: bool,
    sa.DateTime: datetime,
    sa.Integer: int,
    sa.Text: str,
}
"""What the values of columns are in Python, by the type that stores them."""


@dataclass(frozen=True, eq=False)
class Packed:
    """A query whose rows have one column, a text: the JSON array of a row's values."""

    statement: sa.Select[Any]
    decoder: msgspec.json.Decoder[Row]

    def rows(self, found: Rows) -> list[Row]:
        """The rows that were packed; one with a value of another type as JSON tells it."""
        text = "\n".join(chain.from_iterable(found))
        try:
            return self.decoder.decode_lines(text)
        except msgspec.ValidationError:  # a time before the year 1 or after 9999, or none: infinity
            return [_row(self.decoder, line) for line in text.splitlines()]


@cache
def packed(query: Statement) -> Packed | None:
    """The packed form of a query; None where it has a column of another type."""
    if not isinstance(query, sa.Select):
        return None
    columns = list(query.selected_columns)
    kinds = [TYPES.get(type(_stored(column.type))) for column in columns]
    if not all(kinds):
        return None
    array = sa.cast(sa.func.json_build_array(*columns), sa.Text())
    return Packed(query.with_only_columns(array), _decoder(kinds))


def _stored(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind


def _decoder(kinds: Sequence[Any]) -> msgspec.json.Decoder[Row]:
    row: Any = tuple[tuple(kind | None for kind in kinds)]  # type: ignore[misc]
    return msgspec.json.Decoder(row)


def _row(decoder: msgspec.json.Decoder[Row], line: str) -> Row:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError:
        return tuple(msgspec.json.decode(line))
