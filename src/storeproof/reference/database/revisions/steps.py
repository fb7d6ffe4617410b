"""For authors of gradual revisions: changes of large tables that are in nobody's way.

A revision with `gradual = True` calls these functions and nothing else. On PostgreSQL each
is one or several short transactions (`Patience`) or a statement that only scans; a revision
that was interrupted is run again from its start, and what is done already is passed over. On
SQLite all of it is part of the one transaction of the upgrade.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import sqlalchemy as sa
from alembic import op

from storeproof.reference.database.compiling import SQLITE
from storeproof.reference.database.revisions import sqlite_tables
from storeproof.reference.database.revisions.patience import Patience

__all__ = [
    "add_column",
    "create_index",
    "drop_column",
    "drop_index",
    "fill",
    "relax",
    "require",
]


def add_column(table: str, column: sa.Column[Any]) -> None:
    """Adds a column, unless it is there: one that may be null, or has a constant default."""
    if column.name not in _columns(table):
        _shortly(lambda: op.add_column(table, column))


def drop_column(table: str, name: str) -> None:
    """Drops a column, if it is there. No index or constraint may need it."""
    if name in _columns(table):
        _shortly(lambda: op.drop_column(table, name))


def fill(table: str, values: Mapping[str, str], where: str, *, batch: int = 1000) -> None:
    """Sets columns to the values of SQL expressions in the rows that a condition holds for.

    Afterwards it must hold for none of them. On PostgreSQL so many rows at a time, in the
    order of the primary key, again until none is left.
    """
    target = _reflected(table)
    update = sa.update(target).where(sa.text(where))
    update = update.values({name: sa.text(value) for name, value in values.items()})
    if _is_sqlite():
        op.get_bind().execute(update)
        return
    while _any(table, where):
        for within in _batches(list(target.primary_key.columns), batch):
            _shortly(_executing(update.where(within)))


def require(table: str, column: str) -> None:
    """Makes a column NOT NULL. Raises where a row has none, and then leaves no trace.

    On PostgreSQL the rows are looked through under a lock that stops nobody: a check is added
    for new rows, validated for old ones, and believed by SET NOT NULL.
    """
    if _is_sqlite():
        sqlite_tables.require(op.get_bind(), table, column)
        return
    check = f"{table}_{column}_is_not_null"
    if _columns(table)[column]["nullable"]:
        if check not in _checks(table):
            _alter(
                table,
                f"ADD CONSTRAINT {_quoted(check)} CHECK ({_quoted(column)} IS NOT NULL) NOT VALID",
            )
        _validate(table, check)
        _alter(table, f"ALTER COLUMN {_quoted(column)} SET NOT NULL")
    if check in _checks(table):
        _alter(table, f"DROP CONSTRAINT {_quoted(check)}")


def relax(table: str, column: str) -> None:
    """Makes a column one that may be null."""
    if _is_sqlite():
        sqlite_tables.relax(op.get_bind(), table, column)
    else:
        _alter(table, f"ALTER COLUMN {_quoted(column)} DROP NOT NULL")


def create_index(
    name: str,
    table: str,
    columns: Sequence[str],
    *,
    unique: bool = False,
    where: str | None = None,
) -> None:
    """Creates an index, on PostgreSQL while the table is written to.

    Where that fails, or failed in an earlier attempt, the invalid index is dropped.
    """
    if _is_sqlite():
        _create_index(name, table, columns, unique, where)
        return
    valid = op.get_bind().scalar(_IS_VALID, {"name": _quoted(name)})
    if valid is False:
        drop_index(name, table)
    if not valid:
        try:
            _create_index(name, table, columns, unique, where)
        except sa.exc.DBAPIError:
            with suppress(
                sa.exc.SQLAlchemyError
            ):  # a lost connection leaves it to the next attempt
                drop_index(name, table)
            raise


def drop_index(name: str, table: str) -> None:
    """Drops an index, if it is there, on PostgreSQL while the table is used."""
    concurrently = not _is_sqlite()
    op.drop_index(name, table, if_exists=True, postgresql_concurrently=concurrently)


_IS_VALID = sa.text(
    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(CAST(:name AS text))"
)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == SQLITE


def _create_index(
    name: str, table: str, columns: Sequence[str], unique: bool, where: str | None
) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        name,
        table,
        columns,
        unique=unique,
        sqlite_where=condition,
        postgresql_where=condition,
        postgresql_concurrently=True,
        if_not_exists=True,
    )


def _shortly(work: Callable[[], None]) -> None:
    if _is_sqlite():
        work()
        return
    patience: Patience = op.get_context().opts["patience"]
    patience.repeat(op.get_bind(), work)


def _executing(statement: sa.Executable) -> Callable[[], None]:
    def execute() -> None:
        op.get_bind().execute(statement)

    return execute


def _alter(table: str, change: str) -> None:
    _shortly(_executing(sa.text(f"ALTER TABLE {_quoted(table)} {change}")))


def _validate(table: str, check: str) -> None:
    statement = f"ALTER TABLE {_quoted(table)} VALIDATE CONSTRAINT {_quoted(check)}"
    try:
        op.get_bind().execute(sa.text(statement))
    except sa.exc.DBAPIError:
        with suppress(sa.exc.SQLAlchemyError):
            _alter(table, f"DROP CONSTRAINT {_quoted(check)}")
        raise


def _columns(table: str) -> dict[str, Any]:
    return {each["name"]: each for each in sa.inspect(op.get_bind()).get_columns(table)}


def _checks(table: str) -> list[str | None]:
    return [each["name"] for each in sa.inspect(op.get_bind()).get_check_constraints(table)]


def _quoted(name: str) -> str:
    return op.get_bind().dialect.identifier_preparer.quote(name)


def _any(table: str, where: str) -> bool:
    query = sa.select(sa.literal(1)).select_from(sa.table(table)).where(sa.text(where)).limit(1)
    return op.get_bind().execute(query).first() is not None


def _reflected(table: str) -> sa.Table:
    return sa.Table(table, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)


def _batches(keys: Sequence[sa.Column[Any]], size: int) -> Iterable[sa.ColumnElement[bool]]:
    """Conditions, each of which holds for the next rows in the order of the key."""
    row: sa.ColumnElement[Any] = sa.tuple_(*keys)
    after: sa.ColumnElement[bool] = sa.true()
    while True:
        ends = sa.select(*keys).where(after).order_by(*keys).offset(size - 1).limit(1)
        end = op.get_bind().execute(ends).first()
        if end is None:
            yield after
            return
        last = sa.tuple_(*map(sa.literal, end, (key.type for key in keys)))
        yield sa.and_(after, row <= last)
        after = row > last
