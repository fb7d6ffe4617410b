"""For `Database`: statements of SQLAlchemy Core as text that a driver runs, compiled once.

A statement is written once, at import, in SQLAlchemy's language. Its text, the order of
its parameters and the conversions of its values are worked out once for each database;
a call then costs what the driver costs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import aiosqlite
from sqlalchemy.schema import ExecutableDDLElement
from sqlalchemy.sql.expression import Executable

__all__ = [
    "POSTGRES",
    "SQLITE",
    "Compiled",
    "Insertion",
    "PerDialect",
    "Row",
    "Rows",
    "Statement",
    "compile_ddl",
    "compile_for",
    "converted",
    "converters",
    "per_dialect",
]

POSTGRES, SQLITE = "postgresql", "sqlite"
_CLASSES: dict[str, Any] = {POSTGRES: asyncpg.dialect, SQLITE: aiosqlite.dialect}
_DIALECTS: dict[str, sa.Dialect] = {name: create() for name, create in _CLASSES.items()}

Row: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = Sequence[Sequence[Any]]
Convert: TypeAlias = Callable[[Any], Any]
Insertion: TypeAlias = Any
"""`postgresql.insert` or `sqlite.insert`: equal in use, unrelated as types."""


@dataclass(frozen=True, eq=False)
class PerDialect:
    """One statement whose ON CONFLICT each dialect has a construct of its own for."""

    variants: Mapping[str, Executable]


Statement: TypeAlias = Executable | PerDialect


def per_dialect(build: Callable[[Insertion], Executable]) -> PerDialect:
    """The statement that `build` makes of a dialect's own `insert`."""
    return PerDialect({POSTGRES: build(postgresql.insert), SQLITE: build(sqlite.insert)})


@dataclass(frozen=True, slots=True)
class _Parameter:
    name: str
    required: bool
    default: Any
    convert: Convert | None

    def value(self, given: Mapping[str, Any]) -> Any:
        value = given[self.name] if self.required else given.get(self.name, self.default)
        return value if self.convert is None else self.convert(value)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement's text for one database, with the conversions of its values."""

    text: str
    parameters: tuple[_Parameter, ...]
    columns: tuple[Convert | None, ...]

    def arguments(self, given: Mapping[str, Any]) -> list[Any]:
        """The driver's positional arguments. Raises KeyError where a parameter is missing."""
        return [parameter.value(given) for parameter in self.parameters]

    def rows(self, found: Rows) -> list[Row]:
        """The driver's rows as the values that were stored."""
        return converted(found, self.columns)


def converted(rows: Rows, changes: Sequence[Convert | None]) -> list[Row]:
    """The rows with the values that are made of theirs, by column; None: the same value."""
    if not (rows and any(changes)):
        return list(map(tuple, rows))
    columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
    for place, convert in enumerate(changes):
        if convert is not None:
            columns[place] = map(convert, columns[place])
    return list(zip(*columns, strict=True))


@cache
def compile_for(dialect: str, statement: Statement) -> Compiled:
    """The statement for the database `dialect` (POSTGRES or SQLITE)."""
    chosen: Any = statement.variants[dialect] if isinstance(statement, PerDialect) else statement
    target = _DIALECTS[dialect]
    compiled = chosen.compile(dialect=target)
    parameters = (compiled.binds[name] for name in compiled.positiontup)
    return Compiled(
        text=compiled.string,
        parameters=tuple(
            _Parameter(bind.key, bind.required, bind.value, _binding(bind.type, target))
            for bind in parameters
        ),
        columns=tuple(_resulting(column.type, target) for column in chosen.exported_columns),
    )


def converters(dialect: str, columns: Iterable[sa.Column[Any]]) -> list[Convert | None]:
    """Of each column, what makes the driver's value of one; None where it is the same."""
    return [
        # What SQLAlchemy has for it only makes sure that it is one.
        None if isinstance(column.type, sa.Boolean) else _binding(column.type, _DIALECTS[dialect])
        for column in columns
    ]


def compile_ddl(dialect: str, element: ExecutableDDLElement) -> str:
    """The text that creates a table or an index."""
    return str(element.compile(dialect=_DIALECTS[dialect]))


def _binding(kind: Any, dialect: sa.Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _resulting(kind: Any, dialect: sa.Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert
