"""For archives: all rows of storages, as they are at one moment, whatever keeps them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.lines import lines_of
from storeproof.reference.collections import Collection
from storeproof.reference.database import Bulk
from storeproof.reference.selection import CONTENTS, Storages

__all__ = [
    "DatabaseSnapshot",
    "MemorySnapshot",
    "Snapshot",
    "digest_of",
    "require_all",
    "snapshot_of",
]


class Snapshot(Protocol):
    """What storages hold at one moment."""

    def batches(self, collection: Collection[Any]) -> AsyncIterator[list[Any]]:
        """The items of a collection in the order of its key, some at a time."""
        ...


class MemorySnapshot:
    """Storages in memory, copied when it is made, with nothing in between."""

    def __init__(self, storages: Storages) -> None:
        self._items = {
            each.name: list(each.give(getattr(storages, content.component)))
            for content in CONTENTS
            for each in content.collections
        }

    async def batches(self, collection: Collection[Any]) -> AsyncIterator[list[Any]]:
        items = sorted(self._items[collection.name], key=collection.key_of)
        for start in range(0, len(items), collection.batch):
            yield items[start : start + collection.batch]


class DatabaseSnapshot:
    """A database, as its transaction sees it."""

    def __init__(self, bulk: Bulk) -> None:
        self._bulk = bulk

    async def batches(self, collection: Collection[Any]) -> AsyncIterator[list[Any]]:
        make = collection.kept.make
        async for rows in self._bulk.stream(collection.kept.select, collection.batch):
            yield [make(row) for row in rows]


@asynccontextmanager
async def snapshot_of(storages: Storages) -> AsyncIterator[Snapshot]:
    """What these storages hold now; others go on writing meanwhile. Raises as storages do."""
    if storages.database is None:
        yield MemorySnapshot(storages)
        return
    require_all(storages)
    async with storages.database.bulk(writes=False) as bulk:
        yield DatabaseSnapshot(bulk)


def require_all(storages: Storages) -> None:
    """Has the tables of every component checked before the database is used next."""
    for content in CONTENTS:
        getattr(storages, content.component)


async def digest_of(snapshot: Snapshot, collection: Collection[Any]) -> RowsDigest:
    """The count and the digest of a collection's rows."""
    digest = RowsDigest()
    async for items in snapshot.batches(collection):
        digest.add(lines_of(items))
    return digest
