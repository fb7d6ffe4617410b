"""For `Bulk`: rows of PostgreSQL as lines of JSON, many of which are decoded at once.

The server makes an array of each row. That is exact for the types of TYPES, and takes a program
little more than half as long as having its driver make each value by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storeproof.reference.database.compiling import POSTGRES, Row, Statement, compile_for

__all__ = ["TYPES", "Packed", "packed"]

TYPES: Final[dict[type[Any], Any]] = {
    sa.BigInteger: int,
    sa.Boolean: bool,
    sa.DateTime: datetime,
    sa.Integer: int,
    sa.Text: str,
}
"""What the values of columns are in Python, by the type that stores them."""

# In its text format COPY doubles them, and writes otherwise what JSON never holds as it is.
_TWO_BACKSLASHES, _BACKSLASH = b"\\\\", b"\\"

STANDARD = 16
"""The first PostgreSQL that has the standard's JSON_ARRAY, which takes it less time."""


class _Array(FunctionElement[Any]):
    type = sa.JSON()
    inherit_cache = True
    name = "array"


@compiles(_Array, "postgresql")
def _array_on_postgres(element: _Array, compiler: Any, **options: Any) -> str:
    return f"JSON_ARRAY({compiler.process(element.clauses)} NULL ON NULL)"


@dataclass(frozen=True, eq=False)
class Packed:
    """A query in two forms, whose rows have one column: the JSON array of a row's values."""

    standard: sa.Select[Any]
    older: sa.Select[Any]
    decoder: msgspec.json.Decoder[Row]

    def text(self, server: int) -> str:
        """The query for a server of this version."""
        form = self.standard if server >= STANDARD else self.older
        return compile_for(POSTGRES, form).text

    def rows(self, copied: bytearray) -> list[Row]:
        """The rows that are in lines of COPY; one with a value of another type as JSON tells it."""
        text = copied.replace(_TWO_BACKSLASHES, _BACKSLASH) if _BACKSLASH in copied else copied
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
    return Packed(
        standard=query.with_only_columns(_Array(*columns)),
        older=query.with_only_columns(sa.func.json_build_array(*columns)),
        decoder=_decoder(kinds),
    )


def _stored(kind: sa.types.TypeEngine[Any]) -> sa.types.TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, sa.TypeDecorator) else kind


def _decoder(kinds: Sequence[Any]) -> msgspec.json.Decoder[Row]:
    row: Any = tuple[tuple(kind | None for kind in kinds)]  # type: ignore[misc]
    return msgspec.json.Decoder(row)


def _row(decoder: msgspec.json.Decoder[Row], line: bytearray) -> Row:
    try:
        return decoder.decode(line)
    except msgspec.ValidationError:
        return tuple(msgspec.json.decode(line))
