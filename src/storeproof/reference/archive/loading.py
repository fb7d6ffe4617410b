"""For imports and migrations: an archive's rows in the tables of an open transaction."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

import sqlalchemy as sa

from storeproof.reference.archive.differences import differences, differing
from storeproof.reference.archive.exceptions import (
    ContentDiffers,
    Orphan,
    RepeatedValue,
    TargetNotEmpty,
)
from storeproof.reference.archive.exporting import Progress, staged
from storeproof.reference.archive.orphans import check_in_database
from storeproof.reference.archive.reading import StoredArchive
from storeproof.reference.archive.snapshots import DatabaseSnapshot, Snapshot
from storeproof.reference.collections import Collection, Content
from storeproof.reference.database import POSTGRES, Bulk, ForeignKeyViolated, UniqueViolated
from storeproof.reference.selection import CONTENTS

__all__ = ["check_empty", "check_read_back", "counted", "empty", "keep_others_out", "load"]

_TABLES = [table for content in CONTENTS for table in content.schema.tables.sorted_tables]


async def keep_others_out(bulk: Bulk) -> None:
    """Nobody else writes until the transaction ends. SQLite's writer is alone anyway."""
    if bulk.dialect == POSTGRES:
        names = ", ".join(table.name for table in _TABLES)
        await bulk.run(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE").columns(), {})


async def check_empty(bulk: Bulk) -> None:
    """Raises TargetNotEmpty where any table has a row."""
    named = {each.kept.table: each.name for content in CONTENTS for each in content.collections}
    for table in _TABLES:
        if await bulk.run(sa.select(sa.literal(1)).select_from(table).limit(1), {}):
            raise TargetNotEmpty(named.get(table, table.name))


async def empty(bulk: Bulk) -> None:
    """Deletes every row of every component."""
    for content in reversed(CONTENTS):
        for table in reversed(content.schema.tables.sorted_tables):
            await bulk.run(sa.delete(table), {})


async def load(archive: StoredArchive, bulk: Bulk, progress: Progress) -> None:
    """Loads an archive into empty tables, and compares what they hold then.

    Raises DamagedArchive or ContentDiffers; the transaction must end with them.
    """
    for content in CONTENTS:
        for each in content.collections:
            await _insert(archive, each, bulk, progress)
        await _derive(bulk, content)
    loaded = {part.collection for part in archive.manifest.parts if part.count}
    await check_in_database(bulk, CONTENTS, loaded)
    await check_read_back(archive, DatabaseSnapshot(bulk), progress)


async def _insert(
    archive: StoredArchive, collection: Collection[Any], bulk: Bulk, progress: Progress
) -> None:
    items = chain.from_iterable(counted(archive, collection, progress))
    rows = collection.kept.rows(items)
    try:
        await bulk.insert(collection.kept.table, rows, collection.batch)
    except UniqueViolated as error:
        raise RepeatedValue(collection.name, error.constraint) from error
    except ForeignKeyViolated as error:
        to = [name for each in collection.references for name in each.to]
        raise Orphan(collection.name, (), to) from error


async def _derive(bulk: Bulk, content: Content) -> None:
    for collection in content.collections:
        for statement in collection.kept.after:
            await bulk.run(statement, {})
    for statement in content.rebuild:
        await bulk.run(statement, {})


async def check_read_back(archive: StoredArchive, snapshot: Snapshot, progress: Progress) -> None:
    """Raises ContentDiffers where storages do not hold what the archive does."""
    wrong = await differing(archive, snapshot, CONTENTS, staged(progress, "read back"))
    if wrong:
        raise ContentDiffers(await differences(archive, snapshot, wrong))


def counted(
    archive: StoredArchive,
    collection: Collection[Any],
    progress: Progress,
    *,
    digested: bool = False,
) -> Iterator[list[Any]]:
    """The items of a collection, some at a time, of whose number `progress` is told."""
    total, done = archive.part(collection).count, 0
    for items in archive.batches(collection, digested=digested):
        yield items
        done += len(items)
        progress(collection.name, done, total)
    if not done:
        progress(collection.name, done, total)
