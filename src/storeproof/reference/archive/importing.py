"""For applications and operators: load an archive into empty storages, all of it or nothing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storeproof.reference.archive.differences import differences, differing
from storeproof.reference.archive.exceptions import (
    ContentDiffers,
    Orphan,
    RepeatedValue,
    TargetNotEmpty,
)
from storeproof.reference.archive.exporting import Progress, no_progress
from storeproof.reference.archive.manifest import Manifest
from storeproof.reference.archive.orphans import check_in_database, check_in_memory
from storeproof.reference.archive.reading import StoredArchive, open_archive
from storeproof.reference.archive.snapshots import (
    DatabaseSnapshot,
    MemorySnapshot,
    Snapshot,
    require_all,
)
from storeproof.reference.collections import Collection, Content, Key
from storeproof.reference.database import (
    POSTGRES,
    Bulk,
    Database,
    ForeignKeyViolated,
    UniqueViolated,
)
from storeproof.reference.selection import CONTENTS, Storages

__all__ = ["import_archive"]


async def import_archive(
    path: Path, storages: Storages, *, progress: Progress = no_progress
) -> Manifest:
    """Loads the archive at `path` into empty storages; returns its manifest.

    Every file is first compared with what was written. Then, in one transaction, the rows are
    checked and loaded, what follows from them is made again, and all of it is read back: it is
    kept only if each collection has the count and the digest that the archive says, and no row
    names one that is missing. Nothing of a database is locked for readers meanwhile; writers
    wait. Into memory it is loaded at once, before any other task runs.

    Raises ArchiveError, or as storages do; then the storages are as before, except where
    OutcomeUnknown says that the commit's answer was lost.
    """
    archive = open_archive(path, CONTENTS)
    archive.check_files()
    if storages.database is None:
        await _into_memory(archive, storages, progress)
    else:
        require_all(storages)
        await _into_database(archive, storages.database, progress)
    return archive.manifest


async def _into_memory(archive: StoredArchive, storages: Storages, progress: Progress) -> None:
    async def work(unit: Storages) -> None:
        _check_memory_empty(unit)
        known: dict[str, set[Key]] = {}
        for content in CONTENTS:
            for each in content.collections:
                items = list(_counted(archive, each, progress))
                known[each.name] = {each.key_of(item) for item in items}
                _check_unique(each, items)
                check_in_memory(each, items, known)
                each.take(getattr(unit, content.component), items)
        await _check_read_back(archive, MemorySnapshot(unit))

    await storages.together(work)


def _check_memory_empty(storages: Storages) -> None:
    for content in CONTENTS:
        for each in content.collections:
            for _ in each.give(getattr(storages, content.component)):
                raise TargetNotEmpty(each.name)


def _check_unique(collection: Collection[Any], items: Sequence[Any]) -> None:
    for field, value_of in collection.unique.items():
        values = {value_of(item) for item in items}
        if len(values) != len(items):
            raise RepeatedValue(collection.name, field)


async def _into_database(archive: StoredArchive, database: Database, progress: Progress) -> None:
    async with database.bulk(writes=True) as bulk:
        await _lock(bulk)
        await _check_tables_empty(bulk)
        for content in CONTENTS:
            for each in content.collections:
                await _load(archive, each, bulk, progress)
            await _derive(bulk, content)
        await check_in_database(bulk, CONTENTS)
        await _check_read_back(archive, DatabaseSnapshot(bulk))


def _tables() -> list[sa.Table]:
    return [table for content in CONTENTS for table in content.schema.tables.sorted_tables]


async def _lock(bulk: Bulk) -> None:
    """Nobody else writes until the transaction ends. SQLite's writer is alone anyway."""
    if bulk.dialect == POSTGRES:
        names = ", ".join(table.name for table in _tables())
        await bulk.run(sa.text(f"LOCK TABLE {names} IN EXCLUSIVE MODE").columns(), {})


async def _check_tables_empty(bulk: Bulk) -> None:
    named = {each.kept.table: each.name for content in CONTENTS for each in content.collections}
    for table in _tables():
        if await bulk.run(sa.select(sa.literal(1)).select_from(table).limit(1), {}):
            raise TargetNotEmpty(named.get(table, table.name))


async def _load(
    archive: StoredArchive, collection: Collection[Any], bulk: Bulk, progress: Progress
) -> None:
    rows = collection.kept.rows(_counted(archive, collection, progress))
    try:
        await bulk.insert(collection.kept.table, rows)
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


async def _check_read_back(archive: StoredArchive, snapshot: Snapshot) -> None:
    wrong = await differing(archive, snapshot, CONTENTS)
    if wrong:
        raise ContentDiffers(await differences(archive, snapshot, wrong))


def _counted(
    archive: StoredArchive, collection: Collection[Any], progress: Progress
) -> Iterator[Any]:
    """The items of a collection, of whose number `progress` is told now and then."""
    total, done = archive.part(collection).count, 0
    for item in archive.items(collection):
        yield item
        done += 1
        if done % collection.batch == 0:
            progress(collection.name, done, total)
    progress(collection.name, done, total)
