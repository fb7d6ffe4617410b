"""For imports and verifications: an archive that is there, and its rows."""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, starmap
from operator import lt
from pathlib import Path
from typing import Any

import msgspec

from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.exceptions import (
    ArchiveEdited,
    ArchiveReordered,
    ArchiveTruncated,
    BadRow,
    RepeatedRow,
)
from storeproof.reference.archive.files import hash_of, texts_in
from storeproof.reference.archive.lines import line_of, lines_in, text_of
from storeproof.reference.archive.manifest import Manifest, Part, read_manifest
from storeproof.reference.collections import Collection, Content, Key
from storeproof.reference.exceptions import InvalidValue

__all__ = ["StoredArchive", "open_archive"]


class StoredArchive:
    """The archive at `path`, whose manifest has been read; `open_archive` makes it."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest
        self._parts = {part.collection: part for part in manifest.parts}

    def part(self, collection: Collection[Any]) -> Part:
        """What the manifest says of a collection's file."""
        return self._parts[collection.name]

    def check_files(self) -> None:
        """Compares every file with what was written, byte for byte.

        Raises ArchiveTruncated, ArchiveReordered or ArchiveEdited for the first that differs.
        """
        for part in self.manifest.parts:
            file = self.path / part.file
            if not file.is_file() or file.stat().st_size < part.size:
                raise ArchiveTruncated(self.path, part.file)
            if hash_of(file) != part.sha256:
                same = self._has_the_rows(part)
                raise (ArchiveReordered if same else ArchiveEdited)(self.path, part.file)

    def items(self, collection: Collection[Any]) -> Iterator[Any]:
        """The items of a collection, one by one. Raises as `batches` does."""
        return chain.from_iterable(self.batches(collection))

    def batches(self, collection: Collection[Any], *, digested: bool = True) -> Iterator[list[Any]]:
        """The items of a collection, in the order of its key, some at a time.

        `digested`: not needed where the digest of what becomes of them is compared.

        Raises BadRow for a line that storeproof would not have written so, ArchiveReordered or
        RepeatedRow for one that does not come after the one before it; at the end
        ArchiveEdited where these are not the rows that were exported.
        """
        part, digest, before = self.part(collection), RowsDigest(), 0
        decoder, last = msgspec.json.Decoder(collection.item), list[Key]()
        for text in self._texts(part):
            items = _items(collection, decoder, before, text)
            last = self._check_order(collection, items, last, before)
            before += len(items)
            if digested:
                digest.add(lines_in(text))
            yield items
        if digested and (digest.count, digest.hexdigest()) != (part.count, part.digest):
            raise ArchiveEdited(self.path, part.file)

    def _texts(self, part: Part) -> Iterator[bytes]:
        try:
            yield from texts_in(self.path / part.file)
        except (ValueError, EOFError) as error:
            raise ArchiveEdited(self.path, part.file) from error

    def _check_order(
        self, collection: Collection[Any], items: list[Any], last: list[Key], before: int
    ) -> list[Key]:
        """The key of the last item, if each comes after the one before it."""
        keys = last + collection.keys_of(items)
        if not all(starmap(lt, pairwise(keys))):
            first = before + 1 - len(last)
            place = next(n for n, pair in enumerate(pairwise(keys), first) if not lt(*pair))
            if keys[place - first] == keys[place - first + 1]:
                raise RepeatedRow(collection.name, place + 1)
            raise ArchiveReordered(self.path, self.part(collection).file)
        return keys[-1:]

    def _has_the_rows(self, part: Part) -> bool:
        digest = RowsDigest()
        for text in self._texts(part):
            digest.add(lines_in(text))
        return (digest.count, digest.hexdigest()) == (part.count, part.digest)


def open_archive(path: Path, contents: Sequence[Content]) -> StoredArchive:
    """The archive at `path`; its files are not looked at yet. Raises as `read_manifest` does."""
    return StoredArchive(path, read_manifest(path, contents))


def _items(
    collection: Collection[Any], decoder: msgspec.json.Decoder[Any], before: int, text: bytes
) -> list[Any]:
    """The items in these lines, `before` of which there were others."""
    try:
        items = collection.all_canonical(decoder.decode_lines(text))
        if text_of(items) == text:
            return items
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidValue):
        pass  # which line it is, is found out below
    return _items_one_by_one(collection, decoder, before, text)


def _items_one_by_one(
    collection: Collection[Any], decoder: msgspec.json.Decoder[Any], before: int, text: bytes
) -> list[Any]:
    items = []
    for number, line in enumerate(lines_in(text), before + 1):
        try:
            item = collection.canonical(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadRow(collection.name, number, "", _reason(error)) from error
        except InvalidValue as error:
            raise BadRow(collection.name, number, error.field, error.reason) from error
        if line_of(item) != line:
            raise BadRow(collection.name, number, "", "is not in the canonical form")
        items.append(item)
    return items


def _reason(error: Exception) -> str:
    """What msgspec says names the field and the type, and never quotes a value."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "is not JSON"
