"""For imports and verifications: an archive that is there, and its rows."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
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
from storeproof.reference.archive.files import hash_of, open_lines
from storeproof.reference.archive.lines import line_of
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

    def items(self, collection: Collection[Any], *, digested: bool = True) -> Iterator[Any]:
        """The items of a collection, in the order of its key.

        `digested`: not needed where the digest of what becomes of them is compared.

        Raises BadRow for a line that storeproof would not have written so, ArchiveReordered or
        RepeatedRow for one that does not come after the one before it; at the end
        ArchiveEdited where these are not the rows that were exported.
        """
        part, digest, before = self.part(collection), RowsDigest(), 0
        decode, last = msgspec.json.Decoder(collection.item).decode, None
        with open_lines(self.path / part.file) as lines:
            read = self._read(lines, part)
            while some := list(islice(read, collection.batch)):
                items = _items(collection, decode, before, some)
                last = self._check_order(collection, items, last, before)
                before += len(some)
                if digested:
                    digest.add(some)
                yield from items
        if digested and (digest.count, digest.hexdigest()) != (part.count, part.digest):
            raise ArchiveEdited(self.path, part.file)

    def _read(self, lines: Iterator[bytes], part: Part) -> Iterator[bytes]:
        try:
            yield from lines
        except (ValueError, EOFError) as error:
            raise ArchiveEdited(self.path, part.file) from error

    def _check_order(
        self, collection: Collection[Any], items: list[Any], last: Key | None, before: int
    ) -> Key | None:
        """The key of the last item, if each comes after the one before it."""
        for place, key in enumerate(map(collection.key_of, items), before + 1):
            if last is not None and key <= last:
                if key == last:
                    raise RepeatedRow(collection.name, place)
                raise ArchiveReordered(self.path, self.part(collection).file)
            last = key
        return last

    def _has_the_rows(self, part: Part) -> bool:
        digest = RowsDigest()
        with open_lines(self.path / part.file) as lines:
            digest.add(self._read(lines, part))
        return (digest.count, digest.hexdigest()) == (part.count, part.digest)


def open_archive(path: Path, contents: Sequence[Content]) -> StoredArchive:
    """The archive at `path`; its files are not looked at yet. Raises as `read_manifest` does."""
    return StoredArchive(path, read_manifest(path, contents))


def _items(
    collection: Collection[Any], decode: Callable[[bytes], Any], before: int, lines: list[bytes]
) -> list[Any]:
    """The items in these lines, `before` of which there were others."""
    items = []
    for number, line in enumerate(lines, before + 1):
        try:
            item = collection.canonical(decode(line))
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
