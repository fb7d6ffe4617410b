"""For suites of schemas: rows that are hard to keep, in whatever tables there are."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import sqlalchemy as sa

from storeproof.reference.database.revisions.patience import transaction
from storeproof.reference.database.schema import VERSION_TABLE

__all__ = ["Rows", "Values", "changes", "fill_tables", "read_rows"]

Values: TypeAlias = Mapping[str, Callable[[int], Any]]
"""What the n-th row has in a column, by `table.column`, where its type does not tell."""

Row: TypeAlias = dict[str, Any]
Rows: TypeAlias = dict[str, list[Row]]
"""The rows of each table, as the driver gives them."""

_TEXTS = (
    "",
    "É",  # composed; the next one is not
    "E\u0301",
    "a'b\"c;--",
    "🗝 \u202ex",
    " \t\n",
    "null",
    "x" * 5000,
)
_YEARS = (1, 1969, 1970, 2026, 9998)


def fill_tables(connection: sa.Connection, first: int, count: int, values: Values) -> None:
    """Adds rows number `first` and so on to each table; those of one number refer to each other.

    Texts, numbers and times lie at the edges of their types; every third value that may be
    null is. Raises ValueError for a column of a type that is not known here.
    """
    tables = _tables(connection)
    made: dict[str, list[Row]] = {table.name: [] for table in tables}
    for number in range(first, first + count):
        for table in tables:
            made[table.name].append(_row(table, number, values, made))
    with transaction(connection):
        for table in tables:
            connection.execute(sa.insert(table), made[table.name])


def read_rows(connection: sa.Connection) -> Rows:
    """All rows of all tables, exactly as they are stored, in no particular order."""
    quote = connection.dialect.identifier_preparer.quote
    return {
        name: [
            dict(row._mapping)
            for row in connection.exec_driver_sql(f"SELECT * FROM {quote(name)}")  # noqa: S608 - quoted
        ]
        for name in sa.inspect(connection).get_table_names()
        if name != VERSION_TABLE
    }


def changes(
    before: Rows, after: Rows, ignored: Collection[str] = (), *, exact: bool = True
) -> list[str]:
    """A sentence for each table whose rows are not the same, `table.column`s in `ignored` apart.

    Not `exact`: tables and columns that are only before, or only after, are left out.
    """
    found = [f"{table} is not there both times" for table in sorted(before.keys() ^ after.keys())]
    common = sorted(before.keys() & after.keys())
    return (found if exact else []) + [
        f"{table}: {difference}"
        for table in common
        for difference in _differences(table, before[table], after[table], ignored, exact)
    ]


def _differences(
    table: str, before: list[Row], after: list[Row], ignored: Collection[str], exact: bool
) -> list[str]:
    if len(before) != len(after):
        return [f"{len(before)} rows before, {len(after)} after"]
    names = [{*row} for row in (*before[:1], *after[:1])]
    if exact and any(each != names[0] for each in names):
        return ["the columns are others"]
    common = sorted(set.intersection(*names)) if names else []
    kept = [name for name in common if f"{table}.{name}" not in ignored]
    single = [each for name in kept for each in _of_column(name, before, after)]
    together = _values(before, kept) == _values(after, kept)
    return single or ([] if together else ["values have moved to other rows"])


def _of_column(name: str, before: list[Row], after: list[Row]) -> list[str]:
    pairs = zip(_values(before, [name]), _values(after, [name]), strict=True)
    return [f"{name} was {old[:200]}, is {new[:200]}" for old, new in pairs if old != new][:1]


def _values(rows: list[Row], names: Sequence[str]) -> list[str]:
    return sorted(", ".join(repr(row[name]) for name in names) for row in rows)


def _tables(connection: sa.Connection) -> list[sa.Table]:
    """Those that are referred to come first."""
    found = sa.MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name != VERSION_TABLE]


def _row(table: sa.Table, number: int, values: Values, made: Rows) -> Row:
    row = {
        column.name: _value(table, column, number + place, number, values)
        for place, column in enumerate(table.columns)
    }
    for key in table.foreign_key_constraints:
        parent = row if key.referred_table is table else made[key.referred_table.name][-1]
        row.update({each.parent.name: parent[each.column.name] for each in key.elements})
    return row


def _value(
    table: sa.Table, column: sa.Column[Any], spread: int, number: int, values: Values
) -> Any:
    name = f"{table.name}.{column.name}"
    if name in values:
        return values[name](number)
    if column.nullable and spread % 3 == 0:
        return None
    return _of_type(name, column.type, number)


def _of_type(name: str, kind: Any, number: int) -> Any:
    for known, make in _MAKERS:
        if isinstance(kind, known):
            return make(kind, number)
    raise ValueError(f"{name} is of type {kind}: say what its rows have, by values={{{name!r}: …}}")


def _integer(kind: Any, number: int) -> int:
    bits = 63 if isinstance(kind, sa.BigInteger) else 31
    limit: int = 2 ** (15 if isinstance(kind, sa.SmallInteger) else bits)
    return limit - number if number % 2 else number - limit


def _time(kind: Any, number: int) -> datetime:
    zone = UTC if kind.timezone else None
    start = datetime(_YEARS[number % len(_YEARS)], 12, 31, 23, 59, 59, 999_999, zone)
    return start - timedelta(microseconds=number)


def _array(kind: Any, number: int) -> list[Any]:
    return [_of_type("an element", kind.item_type, number + each) for each in range(number % 3)]


_MAKERS: tuple[tuple[Any, Callable[[Any, int], Any]], ...] = (
    (sa.Boolean, lambda _, n: n % 2 == 0),
    (sa.Integer, _integer),
    (sa.String, lambda _, n: f"{n}{_TEXTS[n % len(_TEXTS)]}"),
    (sa.DateTime, _time),
    (sa.LargeBinary, lambda _, n: b"\0\xff" + str(n).encode()),
    (sa.Float, lambda _, n: n / 3),
    (sa.Numeric, lambda _, n: Decimal(n) / 8),
    (sa.ARRAY, _array),
)
