"""For applications and operators: load an archive into empty storages, all of it or nothing."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from storeproof.reference.archive.exceptions import RepeatedValue, TargetNotEmpty
from storeproof.reference.archive.exporting import Progress, no_progress
from storeproof.reference.archive.loading import (
    check_empty,
    check_read_back,
    counted,
    keep_others_out,
    load,
)
from storeproof.reference.archive.manifest import Manifest
from storeproof.reference.archive.orphans import check_in_memory
from storeproof.reference.archive.reading import StoredArchive, open_archive
from storeproof.reference.archive.snapshots import MemorySnapshot, require_all
from storeproof.reference.collections import Collection, Key
from storeproof.reference.database import Database
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
                items = list(chain.from_iterable(counted(archive, each, progress)))
                known[each.name] = {each.key_of(item) for item in items}
                _check_unique(each, items)
                check_in_memory(each, items, known)
                each.take(getattr(unit, content.component), items)
        await check_read_back(archive, MemorySnapshot(unit), progress)

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
        await keep_others_out(bulk)
        await check_empty(bulk)
        await load(archive, bulk, progress)
