"""For imports and verifications: an archive that is there, and its rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import chain, pairwise, starmap
from operator import getitem, lt
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

__all__ = ["Bad", "Read", "StoredArchive", "key_in", "open_archive"]

LONGEST = 40
"""Characters that are shown of the name of a field that nobody knows."""


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
        part, digest, last = self.part(collection), RowsDigest(), list[Key]()
        for read in self.reads(collection):
            if read.bad:
                raise read.bad[0].error(collection)
            last = self._check_order(collection, read, last)
            if digested:
                digest.add(lines_in(read.text))
            yield read.items
        if digested and (digest.count, digest.hexdigest()) != (part.count, part.digest):
            raise ArchiveEdited(self.path, part.file)

    def reads(self, collection: Collection[Any]) -> Iterator["Read"]:
        """What a collection's file says, some lines at a time, in whatever order it does."""
        decoder, before = msgspec.json.Decoder(collection.item), 0
        for text in self.texts(collection):
            read = _read(collection, decoder, before, text)
            before += len(read.numbers) + len(read.bad)
            yield read

    def texts(self, collection: Collection[Any]) -> Iterator[bytes]:
        """The lines of a collection's file, with their ends, some at a time.

        Raises ArchiveEdited for what can't be decompressed.
        """
        return self._texts(self.part(collection))

    def _texts(self, part: Part) -> Iterator[bytes]:
        try:
            yield from texts_in(self.path / part.file)
        except (ValueError, EOFError) as error:
            raise ArchiveEdited(self.path, part.file) from error

    def _check_order(self, collection: Collection[Any], read: "Read", last: list[Key]) -> list[Key]:
        """The key of the last item, if each comes after the one before it."""
        for line in self.repeated(collection, read, last):
            raise RepeatedRow(collection.name, line)
        return collection.keys_of(read.items[-1:]) or last

    def repeated(self, collection: Collection[Any], read: "Read", last: list[Key]) -> Iterator[int]:
        """The lines whose items have the key of the one before; `last`: of the one before all.

        Raises ArchiveReordered for the first one whose key comes before that.
        """
        keys = last + collection.keys_of(read.items)
        if all(starmap(lt, pairwise(keys))):
            return
        lines = read.numbers[1 - len(last) :]
        for line, (one, other) in zip(lines, pairwise(keys), strict=True):
            if other < one:
                raise ArchiveReordered(self.path, self.part(collection).file)
            if other == one:
                yield line

    def _has_the_rows(self, part: Part) -> bool:
        digest = RowsDigest()
        for text in self._texts(part):
            digest.add(lines_in(text))
        return (digest.count, digest.hexdigest()) == (part.count, part.digest)


def open_archive(path: Path, contents: Sequence[Content]) -> StoredArchive:
    """The archive at `path`; its files are not looked at yet. Raises as `read_manifest` does."""
    return StoredArchive(path, read_manifest(path, contents))


@dataclass(frozen=True)
class Bad:
    """A line that no storage would have written so."""

    line: int
    text: bytes
    field: str
    reason: str

    def error(self, collection: Collection[Any]) -> BadRow:
        """What is raised for it."""
        return BadRow(collection.name, self.line, self.field, self.reason)


@dataclass(frozen=True)
class Read:
    """Some lines of a collection's file: the items in them, the numbers of their lines, others."""

    text: bytes
    items: list[Any]
    numbers: Sequence[int]
    bad: Sequence[Bad] = ()


def _read(
    collection: Collection[Any], decoder: msgspec.json.Decoder[Any], before: int, text: bytes
) -> Read:
    """What these lines say, `before` of which there were others."""
    try:
        items = collection.all_canonical(decoder.decode_lines(text))
        if text_of(items) == text:
            return Read(text, items, range(before + 1, before + 1 + len(items)))
    except (msgspec.DecodeError, UnicodeDecodeError, InvalidValue):
        pass  # which line it is, is found out below
    return _read_one_by_one(collection, decoder, before, text)


def _read_one_by_one(
    collection: Collection[Any], decoder: msgspec.json.Decoder[Any], before: int, text: bytes
) -> Read:
    items, numbers, bad = [], [], []
    for number, line in enumerate(lines_in(text), before + 1):
        try:
            items.append(_item(collection, decoder, line))
            numbers.append(number)
        except InvalidValue as error:
            bad.append(Bad(number, line, error.field, error.reason))
    return Read(text, items, numbers, bad)


def _item(collection: Collection[Any], decoder: msgspec.json.Decoder[Any], line: bytes) -> Any:
    """The item in a line. Raises InvalidValue."""
    try:
        item = collection.canonical(decoder.decode(line))
    except msgspec.ValidationError as error:  # it names the field and the type, and no value
        raise InvalidValue("", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidValue("", "is not JSON") from error
    if line_of(item) == line:
        return item
    for name in msgspec.json.decode(line):
        if name not in collection.item.__struct_fields__:
            raise InvalidValue(ascii(name)[1:-1][:LONGEST], "is not a field")
    raise InvalidValue("", "is not in the canonical form")


def key_in(collection: Collection[Any], line: bytes) -> tuple[str, ...]:
    """The key that a line has, as text; none where it can't be read."""
    try:
        row = msgspec.json.decode(line)
        return tuple(str(reduce(getitem, name.split("."), row)) for name in collection.key)
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError):
        return ()
