"""For migrations: the ledger in the target, a row for each migration that was made there."""

from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.schema import CreateTable

from storeproof.reference.database import Bulk, Database
from storeproof.reference.database.columns import TEXT, TIME, TextOf, column, metadata
from storeproof.reference.database.compiling import compile_ddl
from storeproof.reference.database.entities import bind, columns, entity
from storeproof.reference.database.exceptions import TableMissing
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.migration.exceptions import NotTheLast, UnknownMigration

__all__ = ["Entry", "add", "entries", "last_of", "mark"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A migration: who made it, when, from what, and what the target held then and before.

    `backup` is the archive of the target as it was before, `rows` and `digests` those of each
    collection after it. `undone_at`: when it was taken back; `undone_to` is the archive of what
    the target held until then, what was written since the migration included.
    """

    id: str
    at: datetime
    actor: str
    source: str
    backup: str
    rows: dict[str, int]
    digests: dict[str, str]
    undone_at: datetime | None = None
    undone_to: str | None = None


def _text(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value, order="deterministic").decode()


_TABLE = sa.Table(
    "storeproof_migrations",
    metadata(),
    column("id", TEXT, primary_key=True),
    column("at", TIME),
    column("actor", TEXT),
    column("source", TEXT),
    column("backup", TEXT),
    column("rows", TextOf(_text, msgspec.json.decode)),
    column("digests", TextOf(_text, msgspec.json.decode)),
    column("undone_at", TIME, nullable=True),
    column("undone_to", TEXT, nullable=True),
)
_LIST = sa.select(*columns(_TABLE, Entry)).order_by(_TABLE.c.at, _TABLE.c.id)
_ADD = sa.insert(_TABLE)
_MARK = (
    sa.update(_TABLE)
    .where(_TABLE.c.id == bind(_TABLE.c.id, "key"))
    .values(undone_at=bind(_TABLE.c.undone_at), undone_to=bind(_TABLE.c.undone_to))
)


async def entries(database: Database) -> list[Entry]:
    """The migrations of a database, in the order in which they were made."""
    try:
        rows = await database.read(_LIST, {})
    except Unavailable as error:
        if isinstance(error.__cause__, TableMissing):
            return []
        raise
    return [entity(Entry, row) for row in rows]


async def last_of(database: Database, id: str) -> Entry:
    """The migration with this id, which is the last one that has not been taken back.

    Raises UnknownMigration or NotTheLast.
    """
    made = [each for each in await entries(database) if each.undone_at is None]
    if id not in [each.id for each in made]:
        raise UnknownMigration(id)
    if made[-1].id != id:
        raise NotTheLast(id, made[-1].id)
    return made[-1]


async def add(bulk: Bulk, entry: Entry) -> None:
    """Records a migration, in the transaction that makes it."""
    create = compile_ddl(bulk.dialect, CreateTable(_TABLE, if_not_exists=True))
    await bulk.run(sa.text(create).columns(), {})
    await bulk.run(_ADD, asdict(entry))


async def mark(bulk: Bulk, id: str, at: datetime, archive: str) -> None:
    """Records that a migration was taken back, in the transaction that does so."""
    await bulk.run(_MARK, {"key": id, "undone_at": at, "undone_to": archive})
