"""For authors of database storages: statements that notify whoever watches a channel."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storeproof.reference.database.columns import TEXT

__all__ = ["notify"]


class _Notify(FunctionElement[str]):
    type = TEXT
    inherit_cache = True
    name = "notify"


@compiles(_Notify, "postgresql")
def _on_postgres(element: _Notify, compiler: Any, **options: Any) -> str:
    return f"CAST(pg_notify({compiler.process(element.clauses)}) AS TEXT)"


@compiles(_Notify, "sqlite")
def _on_sqlite(element: _Notify, compiler: Any, **options: Any) -> str:
    return "NULL"


def notify(channel: str, payload: sa.ColumnElement[Any] | None = None) -> sa.ColumnElement[Any]:
    """Put into RETURNING: each row that comes back notifies, once the transaction commits.

    `payload` is text; nobody depends on it. SQLite notifies nobody.
    """
    text = sa.literal_column("''") if payload is None else sa.cast(payload, TEXT)
    # A literal: a driver could not tell the type of a parameter of this function.
    return _Notify(sa.literal_column(f"'{channel}'"), text).label("notified")
