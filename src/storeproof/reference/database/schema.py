"""For authors of database storages: a component's tables, and the version that they have.

The table `storeproof_schema_version` holds one row for each component. Tables are only
ever created where none of their names is taken; nothing is dropped or altered here.
`database.revisions` leads from one version to the next.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement

from storeproof.reference.database.columns import TEXT, metadata
from storeproof.reference.database.compiling import Rows, compile_ddl, compile_for
from storeproof.reference.database.drivers import Driver, Run
from storeproof.reference.database.exceptions import SchemaMismatch, TableExists, TableMissing

__all__ = [
    "ALL_VERSIONS",
    "CHANGING",
    "VERSIONS",
    "VERSION_TABLE",
    "Schema",
    "newer",
    "prepare",
    "read_versions",
]

VERSION_TABLE = "storeproof_schema_version"

VERSIONS = sa.Table(
    VERSION_TABLE,
    metadata(),
    sa.Column("component", TEXT, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
)
_FIND = sa.select(VERSIONS.c.version).where(
    VERSIONS.c.component == sa.bindparam("component", type_=TEXT)
)
ALL_VERSIONS = sa.select(VERSIONS.c.component, VERSIONS.c.version)
_RECORD = sa.insert(VERSIONS)


class _Creation(CreateTable):
    """A table whose `info` may say how full PostgreSQL makes its pages: `fillfactor`, in percent.

    SQLAlchemy says that itself only from 2.1 on.
    """


@compiles(_Creation, "postgresql")
def _create_on_postgres(element: _Creation, compiler: Any, **options: Any) -> str:
    text: str = compiler.visit_create_table(element)
    percent = element.element.info.get("fillfactor")
    return text if percent is None else f"{text.rstrip()} WITH (fillfactor = {percent})"


@dataclass(frozen=True, eq=False)
class Schema:
    """The tables of one component, in the version that this release reads and writes.

    `version` is the number of the last revision (`database.revisions`) of this component.
    """

    component: str
    version: int
    tables: sa.MetaData

    @cached_property
    def key(self) -> int:
        """What PostgreSQL's advisory locks know this component by."""
        return _lock_key(self.component)

    def creation(self) -> Iterator[ExecutableDDLElement]:
        """What creates the tables, in order."""
        for table in self.tables.sorted_tables:
            yield _Creation(table)
            indexes = sorted(table.indexes, key=lambda index: str(index.name))
            yield from (CreateIndex(index) for index in indexes)


def _lock_key(name: str) -> int:
    digest = hashlib.sha256(f"storeproof {name}".encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


CHANGING = _lock_key("creation of tables")
"""The advisory lock of PostgreSQL that is held by who creates, upgrades or downgrades tables."""


async def read_versions(driver: Driver) -> dict[str, int]:
    """The version of each component's tables that are in the database."""
    try:
        found = await driver.read(compile_for(driver.dialect, ALL_VERSIONS).text, ())
    except TableMissing:
        return {}
    return {row[0]: row[1] for row in found}


async def prepare(driver: Driver, schema: Schema, *, create: bool) -> None:
    """Checks that the tables are there in the wanted version; creates them if told to.

    Raises SchemaMismatch otherwise.
    """
    try:
        found = await _version(driver.read, driver.dialect, schema)
    except TableMissing:
        found = None
    if found is None and create:
        found = await _create(driver, schema)
    if found != schema.version:
        raise SchemaMismatch(schema.component, found, schema.version, _remedy(found, schema))


async def _create(driver: Driver, schema: Schema) -> int:
    try:
        async with driver.transaction(CHANGING) as run:
            await run(compile_ddl(driver.dialect, CreateTable(VERSIONS, if_not_exists=True)), ())
            found = await _version(run, driver.dialect, schema)
            return await _create_all(driver.dialect, run, schema) if found is None else found
    except TableExists as error:
        remedy = "Its tables are there, but not made by storeproof; use another database or schema"
        raise SchemaMismatch(schema.component, None, schema.version, remedy) from error


async def _create_all(dialect: str, run: Run, schema: Schema) -> int:
    for element in schema.creation():
        await run(compile_ddl(dialect, element), ())
    record = compile_for(dialect, _RECORD)
    row = {"component": schema.component, "version": schema.version}
    await run(record.text, record.arguments(row))
    return schema.version


async def _version(run: Run, dialect: str, schema: Schema) -> int | None:
    find = compile_for(dialect, _FIND)
    rows: Rows = await run(find.text, find.arguments({"component": schema.component}))
    return rows[0][0] if rows else None


def _remedy(found: int | None, schema: Schema) -> str:
    if found is None:
        wanted = f"{_UPGRADE} --component {schema.component}"
        return f"{wanted}, or open it once with create=True (Config: create_schema)"
    return _UPGRADE if found < schema.version else newer(schema.version)


_UPGRADE = "Run: storeproof schema upgrade URL"


def newer(version: int) -> str:
    """What to do about tables of a later release than this one, whose version this is."""
    return (
        "Install the release of storeproof that made them, or a later one; or have that release "
        f"undo what is newer: storeproof schema downgrade URL --to {version}"
    )
