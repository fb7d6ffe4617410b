"""For the steps of revisions and for catalogues: a SQLite table by the text that made it.

SQLite keeps that text, and can't change every part of it in place. Where it can't, the table
is made anew from the changed text, with its rows, indexes and triggers.
"""

from collections.abc import Callable

import sqlalchemy as sa

__all__ = ["definitions", "relax", "require"]

_NOT_NULL = " NOT NULL"


def require(connection: sa.Connection, table: str, column: str) -> None:
    """Makes a column NOT NULL. Raises IntegrityError where a row has none."""

    def change(text: str) -> str:
        return text if _NOT_NULL in text else text + _NOT_NULL

    _make_anew(connection, table, column, change)


def relax(connection: sa.Connection, table: str, column: str) -> None:
    """Makes a column one that may be null."""
    _make_anew(connection, table, column, lambda text: text.replace(_NOT_NULL, ""))


def definitions(create: str) -> list[str]:
    """The definitions of columns and constraints in the text of a CREATE TABLE."""
    inside = create[create.index("(") + 1 : create.rindex(")")]
    parts, depth, quote = [""], 0, ""
    for character in inside:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "," and depth == 0:
            parts.append("")
            continue
        parts[-1] += character
    return [" ".join(part.split()) for part in parts]


def _make_anew(
    connection: sa.Connection, table: str, column: str, change: Callable[[str], str]
) -> None:
    quoted = connection.dialect.identifier_preparer.quote
    old, new = quoted(table), quoted(f"{table}_made_anew")
    create = connection.execute(_TABLE, {"table": table}).scalar_one()
    others = connection.execute(_OTHERS, {"table": table}).scalars().all()
    body = ", ".join(
        change(part) if part.split()[0].strip('"') == column else part
        for part in definitions(create)
    )
    names = ", ".join(quoted(each["name"]) for each in sa.inspect(connection).get_columns(table))
    for statement in (
        f"CREATE TABLE {new} ({body}){create[create.rindex(')') + 1 :]}",
        f"INSERT INTO {new} ({names}) SELECT {names} FROM {old}",  # noqa: S608 - quoted
        f"DROP TABLE {old}",
        f"ALTER TABLE {new} RENAME TO {old}",
        *others,
    ):
        connection.exec_driver_sql(statement)


_TABLE = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table")
_OTHERS = sa.text(
    "SELECT sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND tbl_name = :table "
    "AND sql IS NOT NULL ORDER BY rowid"
)
