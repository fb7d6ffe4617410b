"""For authors of database storages: the rows of tables as entities."""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from storeproof.reference.database.compiling import PerDialect, Row, per_dialect
from storeproof.reference.exceptions import NotFound

__all__ = ["bind", "columns", "entity", "first", "insert_new", "taken_field"]

Item = TypeVar("Item", bound=msgspec.Struct)


def bind(column: sa.ColumnElement[Any], name: str | None = None) -> sa.BindParameter[Any]:
    """A parameter of the column's type, called like the column if no name is given."""
    return sa.bindparam(name or column.key, type_=column.type)


def columns(table: sa.Table, kind: type[msgspec.Struct]) -> tuple[sa.Column[Any], ...]:
    """The columns that are the fields of an entity, in their order."""
    return tuple(table.c[name] for name in kind.__struct_fields__)


def entity(kind: type[Item], row: Row) -> Item:
    """The entity whose fields, in their order (`columns`), a row has."""
    return kind(**dict(zip(_fields(kind), row, strict=True)))


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__


def first(rows: Sequence[Row], kind: str, id: str) -> Row:
    """The first row; NotFound(kind, id) when there is none."""
    if not rows:
        raise NotFound(kind, id)
    return rows[0]


def insert_new(table: sa.Table) -> PerDialect:
    """Inserts a row and returns the first column of its key; nothing where the key is taken."""
    key = list(table.primary_key)

    def build(insert: Any) -> Any:
        return insert(table).on_conflict_do_nothing(index_elements=key).returning(key[0])

    return per_dialect(build)


def taken_field(id: str, rows: Sequence[Row], field: str) -> str | None:
    """Which field of a new row is taken: the id, or else the other one; None if there are no rows.

    `rows` are those that have either of the two, each with its id first, read by one statement:
    by two, a row that goes in between would have the one field taken for the other.
    """
    if not rows:
        return None
    return "id" if any(row[0] == id for row in rows) else field
