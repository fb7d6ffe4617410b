"""For imports and verifications: in which rows, and fields, storages differ from an archive."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from enum import StrEnum
from typing import Any

import msgspec

from storeproof.reference.archive.exporting import Progress, no_progress
from storeproof.reference.archive.lines import line_of
from storeproof.reference.archive.manifest import Part
from storeproof.reference.archive.reading import StoredArchive
from storeproof.reference.archive.snapshots import Snapshot, digest_of
from storeproof.reference.collections import Collection, Content

__all__ = ["Difference", "FieldDifference", "Kind", "differences", "differing"]

MOST = 10
LONGEST = 120
HIDDEN = "(secret)"


class Kind(StrEnum):
    """How a row differs."""

    MISSING = "missing"
    UNEXPECTED = "unexpected"
    CHANGED = "changed"


class FieldDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A field's value in the archive and in the storages, as JSON of ASCII characters.

    Of a secret there is only that it differs.
    """

    field: str
    archived: str
    stored: str


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A row that the storages lack (missing), the archive lacks (unexpected), or both differ in."""

    collection: str
    key: tuple[str, ...]
    kind: Kind
    fields: tuple[FieldDifference, ...] = ()

    def __str__(self) -> str:
        name = f"{self.collection} {', '.join(map(ascii, self.key))}: {self.kind.value}"
        told = (f"{each.field} {each.archived} became {each.stored}" for each in self.fields)
        return "; ".join([name, *told])


async def differing(
    archive: StoredArchive,
    snapshot: Snapshot,
    contents: Sequence[Content],
    progress: Progress = no_progress,
) -> list[Collection[Any]]:
    """The collections of which the storages hold other rows than the archive says."""
    found = []
    for content in contents:
        for collection in content.collections:
            part = archive.part(collection)
            digest = await digest_of(snapshot, collection, _telling(progress, part))
            if (digest.count, digest.hexdigest()) != (part.count, part.digest):
                found.append(collection)
    return found


def _telling(progress: Progress, part: Part) -> Callable[[int], None]:
    return lambda done: progress(part.collection, done, part.count)


async def differences(
    archive: StoredArchive,
    snapshot: Snapshot,
    collections: Sequence[Collection[Any]],
    most: int = MOST,
) -> list[Difference]:
    """The first rows, by collection and key, in which the storages differ from the archive."""
    found: list[Difference] = []
    for collection in collections:
        pairs = _paired(collection, archive.items(collection), snapshot.batches(collection))
        async with aclosing(pairs):
            async for archived, stored in pairs:
                if archived is None or stored is None or line_of(archived) != line_of(stored):
                    found.append(_difference(collection, archived, stored))
                if len(found) == most:
                    return found
    return found


async def _paired(
    collection: Collection[Any], archived: Iterator[Any], stored: AsyncGenerator[list[Any], None]
) -> AsyncGenerator[tuple[Any, Any], None]:
    """The items with the same key, in order; None for one that only the other side has."""
    waiting = next(archived, None)
    async with aclosing(stored):
        async for batch in stored:
            for item in batch:
                key = collection.key_of(item)
                while waiting is not None and collection.key_of(waiting) < key:
                    yield waiting, None
                    waiting = next(archived, None)
                if waiting is not None and collection.key_of(waiting) == key:
                    yield waiting, item
                    waiting = next(archived, None)
                else:
                    yield None, item
    while waiting is not None:
        yield waiting, None
        waiting = next(archived, None)


def _difference(collection: Collection[Any], archived: Any, stored: Any) -> Difference:
    item = stored if archived is None else archived
    key = tuple(map(str, collection.key_of(item)))
    if archived is None or stored is None:
        kind = Kind.UNEXPECTED if archived is None else Kind.MISSING
        return Difference(collection=collection.name, key=key, kind=kind)
    fields = tuple(
        FieldDifference(
            field=name,
            archived=_shown(collection, archived, name),
            stored=_shown(collection, stored, name),
        )
        for name in item.__struct_fields__
        if line_of(getattr(archived, name)) != line_of(getattr(stored, name))
    )
    return Difference(collection=collection.name, key=key, kind=Kind.CHANGED, fields=fields)


def _shown(collection: Collection[Any], item: Any, name: str) -> str:
    if name in collection.secret:
        return HIDDEN
    text = ascii(line_of(getattr(item, name)).decode())[1:-1]
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
