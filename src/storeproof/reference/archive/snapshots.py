"""For archives: all rows of storages, as they are at one moment, whatever keeps them."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol

import sqlalchemy as sa

from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.lines import line_of, text_of
from storeproof.reference.collections import Collection
from storeproof.reference.database import Bulk, Row
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

    def batches(self, collection: Collection[Any]) -> AsyncGenerator[list[Any], None]:
        """The items of a collection in the order of its key, some at a time."""
        ...

    def texts(self, collection: Collection[Any]) -> AsyncGenerator[bytes, None]:
        """Their canonical lines, each with its end."""
        ...

    def lines(self, collection: Collection[Any]) -> AsyncGenerator[list[bytes], None]:
        """Their canonical lines without ends, in any order."""
        ...


class MemorySnapshot:
    """Storages in memory, copied when it is made, with nothing in between."""

    def __init__(self, storages: Storages) -> None:
        self._items = {
            each.name: list(each.give(getattr(storages, content.component)))
            for content in CONTENTS
            for each in content.collections
        }

    async def batches(self, collection: Collection[Any]) -> AsyncGenerator[list[Any], None]:
        items = sorted(self._items[collection.name], key=collection.key_of)
        for start in range(0, len(items), collection.batch):
            yield items[start : start + collection.batch]

    async def texts(self, collection: Collection[Any]) -> AsyncGenerator[bytes, None]:
        async for items in self.batches(collection):
            yield text_of(items)

    async def lines(self, collection: Collection[Any]) -> AsyncGenerator[list[bytes], None]:
        async for items in self.batches(collection):
            yield list(map(line_of, items))


class DatabaseSnapshot:
    """A database, as its transaction sees it."""

    def __init__(self, bulk: Bulk) -> None:
        self._bulk = bulk

    async def batches(self, collection: Collection[Any]) -> AsyncGenerator[list[Any], None]:
        async with aclosing(self._rows(collection, collection.kept.select)) as batches:
            async for rows in batches:
                yield list(map(collection.kept.make, rows))

    async def texts(self, collection: Collection[Any]) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._rows(collection, collection.kept.select)) as batches:
            async for rows in batches:
                yield text_of(collection.kept.written(rows))

    async def lines(self, collection: Collection[Any]) -> AsyncGenerator[list[bytes], None]:
        async with aclosing(self._rows(collection, collection.kept.unordered)) as batches:
            async for rows in batches:
                yield list(map(line_of, collection.kept.written(rows)))

    def _rows(
        self, collection: Collection[Any], query: sa.Select[Any]
    ) -> AsyncGenerator[list[Row], None]:
        return self._bulk.stream(query, collection.batch)


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


async def digest_of(
    snapshot: Snapshot, collection: Collection[Any], told: Callable[[int], None]
) -> RowsDigest:
    """The count and the digest of a collection's rows; `told` how many were added by then."""
    digest = RowsDigest()
    async with aclosing(snapshot.lines(collection)) as batches:
        async for lines in batches:
            digest.add(lines)
            told(digest.count)
    return digest
