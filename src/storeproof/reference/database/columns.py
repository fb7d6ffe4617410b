"""For authors of database storages: the column types, exact and equal on both databases."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = [
    "NAMES",
    "TEXT",
    "TIME",
    "IntegerOf",
    "TextOf",
    "among",
    "column",
    "contains",
    "member_of",
    "members",
    "metadata",
    "set_of",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

TEXT = sa.Text(collation="C").with_variant(sa.Text(collation="BINARY"), "sqlite")
"""Text that is compared and ordered by code point."""


class _Microseconds(sa.TypeDecorator[datetime]):
    impl = sa.BigInteger
    cache_ok = True

    # Not `process_bind_param` and `process_result_value`: each value would take two more calls.

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[datetime | None], int | None]:
        return lambda value: None if value is None else (value - _EPOCH) // _MICROSECOND

    def result_processor(
        self, dialect: sa.Dialect, coltype: object
    ) -> Callable[[int | None], datetime | None]:
        return lambda value: None if value is None else _EPOCH + value * _MICROSECOND


class _Converted(sa.TypeDecorator[Any]):
    def __init__(self, store: Callable[[Any], Any], load: Callable[[Any], Any]) -> None:
        super().__init__()
        self.store = store
        self.load = load

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self.store(value)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        return None if value is None else self.load(value)


class TextOf(_Converted):
    """Values as the text that `store` makes, from which `load` makes an equal value."""

    impl = sa.Text
    cache_ok = True


class IntegerOf(_Converted):
    """Values as the integer that `store` makes, from which `load` makes an equal value."""

    impl = sa.BigInteger
    cache_ok = True


def set_of(kind: type[frozenset[Any]]) -> TextOf:
    """A frozenset of texts or of integers, as a JSON array in their order."""
    return TextOf(_array, msgspec.json.Decoder(kind).decode)


def _array(members: frozenset[Any]) -> str:
    return msgspec.json.encode(sorted(members)).decode()


def member_of(kind: type[Enum]) -> TextOf:
    """A member of an enumeration of texts, by its value."""
    return TextOf(attrgetter("value"), kind)


TIME = sa.DateTime(timezone=True).with_variant(_Microseconds(), "sqlite")
"""An aware instant: timestamptz on PostgreSQL, microseconds since 1970 on SQLite."""

NAMES = set_of(frozenset[str])
"""A frozenset of text, as a JSON array in the order of its code points."""


class _Members(FunctionElement[str]):
    inherit_cache = True
    name = "members"


class _Position(FunctionElement[int]):
    type = sa.Integer()
    inherit_cache = True
    name = "position"


@compiles(_Members, "postgresql")
def _members_on_postgres(element: _Members, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements_text(CAST({compiler.process(element.clauses)} AS jsonb))"


@compiles(_Members, "sqlite")
def _members_on_sqlite(element: _Members, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses)})"


@compiles(_Position, "postgresql")
def _position_on_postgres(element: _Position, compiler: Any, **options: Any) -> str:
    return f"strpos({compiler.process(element.clauses)})"


@compiles(_Position, "sqlite")
def _position_on_sqlite(element: _Position, compiler: Any, **options: Any) -> str:
    return f"instr({compiler.process(element.clauses)})"


class _Among(FunctionElement[bool]):
    type = sa.Boolean()
    inherit_cache = True
    name = "among"


@compiles(_Among, "postgresql")
def _among_on_postgres(element: _Among, compiler: Any, **options: Any) -> str:
    text, names = (compiler.process(each) for each in element.clauses)
    return f"{text} = ANY (ARRAY(SELECT jsonb_array_elements_text(CAST({names} AS jsonb))))"


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    text, names = (compiler.process(each) for each in element.clauses)
    return f"{text} IN (SELECT value FROM json_each({names}))"  # noqa: S608 - compiled, both of them


def among(text: sa.ColumnElement[Any], names: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the text is a member of a NAMES parameter; an index on it is used."""
    return _Among(text, names)


def contains(text: sa.ColumnElement[Any], part: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether `part` is somewhere in the text, compared by code point; an empty one is."""
    return _Position(text, part) > 0


def members(names: sa.ColumnElement[Any]) -> sa.TableValuedAlias:
    """The members of a NAMES column or parameter, as rows with one column, `value`."""
    return _Members(names).table_valued(sa.column("value", TEXT), name="member")


def column(name: str, kind: sa.types.TypeEngine[Any], *args: Any, **options: Any) -> sa.Column[Any]:
    """A column of a table that is not null unless `nullable` says so."""
    return sa.Column(name, kind, *args, **{"nullable": False} | options)


def metadata() -> sa.MetaData:
    """The collection of one component's tables; a constraint is named TABLE_COLUMN.

    The drivers report unique constraints by that name (`UniqueViolated.constraint`).
    """
    unique = "%(table_name)s_%(column_0_N_name)s"
    convention: dict[str, str] = {
        "pk": unique,
        "uq": unique,
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "ix": "%(table_name)s_%(column_0_N_name)s_index",
    }
    return sa.MetaData(naming_convention=convention)
