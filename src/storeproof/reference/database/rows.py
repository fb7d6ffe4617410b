"""For authors of database storages: statements that take many rows at once.

    GIVEN = given_rows(TABLE.c)
    ADD = per_dialect(lambda insert: insert(TABLE).from_select(list(TABLE.c), sa.select(GIVEN)))
    await database.write(ADD, {"given": [{"id": "a"}, {"id": "b"}]})

The rows are one parameter, JSON, so the statement's text is the same for any number of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

__all__ = ["given_rows"]


class _Rows(sa.TypeDecorator[Sequence[Mapping[str, Any]]]):
    impl = sa.Text
    cache_ok = False

    def __init__(self, columns: Sequence[sa.ColumnElement[Any]]) -> None:
        super().__init__()
        self._columns = columns

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        converted = [
            (str(each.key), each.type.dialect_impl(dialect).bind_processor(dialect))
            for each in self._columns
        ]

        def process(rows: Sequence[Mapping[str, Any]]) -> str:
            values = [
                [row[key] if convert is None else convert(row[key]) for key, convert in converted]
                for row in rows
            ]
            return msgspec.json.encode(values).decode()

        return process


class _Elements(FunctionElement[Any]):
    inherit_cache = True
    name = "elements"


class _Value(FunctionElement[str]):
    type = sa.Text()
    inherit_cache = True
    name = "value"


@compiles(_Elements, "postgresql")
def _elements_on_postgres(element: _Elements, compiler: Any, **options: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses)} AS jsonb))"


@compiles(_Elements, "sqlite")
def _elements_on_sqlite(element: _Elements, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses)})"


@compiles(_Value, "postgresql")
def _value_on_postgres(element: _Value, compiler: Any, **options: Any) -> str:
    row, position = map(compiler.process, element.clauses)
    return f"({row} ->> {position})"


@compiles(_Value, "sqlite")
def _value_on_sqlite(element: _Value, compiler: Any, **options: Any) -> str:
    row, position = map(compiler.process, element.clauses)
    return f"json_extract({row}, '$[' || {position} || ']')"


def given_rows(columns: Iterable[sa.ColumnElement[Any]], name: str = "given") -> sa.CTE:
    """The rows of the parameter of this name, which are mappings by the columns' keys.

    Values are converted as those of the columns are.
    """
    wanted = list(columns)
    rows = sa.bindparam(name, type_=_Rows(wanted))
    each = _Elements(rows).table_valued(sa.column("value", sa.Text()), name="row")
    values = (
        sa.cast(_Value(each.c.value, sa.literal_column(str(position))), column.type)
        for position, column in enumerate(wanted)
    )
    labelled = (value.label(column.key) for value, column in zip(values, wanted, strict=True))
    return sa.select(*labelled).cte(name)
