"""For `storeproof schema check` and for suites: what the tables in the code make of a database."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from storeproof.reference.database.compiling import SQLITE
from storeproof.reference.database.revisions.catalogue import (
    Catalogue,
    differences,
    read_catalogue,
)
from storeproof.reference.database.revisions.connecting import run
from storeproof.reference.database.schema import ALL_VERSIONS, VERSION_TABLE, Schema

__all__ = ["check", "mismatches"]


async def check(url: str, schemas: Iterable[Schema]) -> list[str]:
    """A sentence for each thing in which a database differs from the code; changes nothing.

    Looked at are the components whose tables are there, each in its version; tables of others
    are nobody's business. Raises Unavailable or ConfigurationError.
    """

    def work(connection: sa.Connection) -> list[str]:
        versions = _versions(connection)
        present = [each for each in schemas if each.component in versions]
        if not present:
            return ["no component has tables: run storeproof schema upgrade URL"]
        wrong = [
            f"{each.component} has version {versions[each.component]}, not {each.version}"
            for each in present
            if versions[each.component] != each.version
        ]
        return wrong or mismatches(connection, present)

    return await run(url, work)


def mismatches(connection: sa.Connection, schemas: Sequence[Schema]) -> list[str]:
    """In what the tables of these schemas differ from the code, by catalogue and by Alembic."""
    names = {name for each in schemas for name in each.tables.tables}
    found = {
        name: text
        for name, text in read_catalogue(connection).items()
        if name.partition(" ")[0] in names
    }
    return differences(_expected(connection, schemas), found) or _by_alembic(connection, schemas)


def _expected(connection: sa.Connection, schemas: Sequence[Schema]) -> Catalogue:
    """The catalogue of the code's own tables, made where nobody sees them, and gone at once."""
    if connection.dialect.name == SQLITE:
        with sa.create_engine("sqlite://").connect() as scratch:
            return _made(scratch, schemas)
    connection.exec_driver_sql("BEGIN")
    try:
        # The first in the search path is where tables are created: temporary ones.
        connection.exec_driver_sql("SET LOCAL search_path = pg_temp")
        return _made(connection, schemas, connection.scalar(_TEMPORARY))
    finally:
        connection.exec_driver_sql("ROLLBACK")


def _made(
    connection: sa.Connection, schemas: Sequence[Schema], schema: str | None = None
) -> Catalogue:
    for each in schemas:
        for element in each.creation():
            connection.execute(element)
    return read_catalogue(connection, schema)


def _by_alembic(connection: sa.Connection, schemas: Sequence[Schema]) -> list[str]:
    names = {name for each in schemas for name in each.tables.tables}
    opts = {"include_name": lambda name, kind, _: kind != "table" or name in names}
    context = MigrationContext.configure(connection, opts=opts)
    tables: Any = [each.tables for each in schemas]
    return [f"Alembic finds {each}" for each in compare_metadata(context, tables)]


def _versions(connection: sa.Connection) -> dict[str, int]:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return {}
    return {row.component: row.version for row in connection.execute(ALL_VERSIONS)}


_TEMPORARY = sa.text("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
