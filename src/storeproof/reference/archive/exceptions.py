"""For callers of exports, imports and verifications: why an archive is refused, by name.

    ArchiveError
    ├── ArchiveExists(path)                     there is something where it should be written
    ├── NotAnArchive(path, reason)              it is something else
    ├── NewerArchive(path, what, found, known)  a later release wrote it
    ├── OlderArchive(path, what, found, known)  its rows have another form than this release's
    ├── ForeignCollection(path, collection)     it holds what this release knows nothing of
    ├── DamagedArchive                          it is not as it was written
    │   ├── CollectionMissing(path, collection)     it lacks what every archive has
    │   ├── ArchiveTruncated(path, file)            a file is shorter than it was, or gone
    │   ├── ArchiveReordered(path, file)            a file has its rows, in another order
    │   ├── ArchiveEdited(path, file)               a file has changed in any other way
    │   ├── BadRow(collection, line, field, reason) a row that no storage would have written
    │   ├── RepeatedRow(collection, line)           two rows have one key
    │   ├── RepeatedValue(collection, field)        two rows share what may be there once
    │   └── Orphan(collection, key, to)             a row names another one that is not there
    ├── TargetNotEmpty(collection)              the storages hold something already
    └── ContentDiffers(differences)             the storages do not hold what the archive does

Whenever one is raised, the storages are as before. None of them quotes a value.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storeproof.reference.archive.differences import Difference
    from storeproof.reference.collections import Key

__all__ = [
    "ArchiveEdited",
    "ArchiveError",
    "ArchiveExists",
    "ArchiveReordered",
    "ArchiveTruncated",
    "BadRow",
    "CollectionMissing",
    "ContentDiffers",
    "DamagedArchive",
    "ForeignCollection",
    "NewerArchive",
    "NotAnArchive",
    "OlderArchive",
    "Orphan",
    "RepeatedRow",
    "RepeatedValue",
    "TargetNotEmpty",
]


class ArchiveError(Exception):
    """An archive can't be written, read or loaded; nothing was changed."""


class DamagedArchive(ArchiveError):
    """The archive is not as it was written. Use another copy."""


class ArchiveExists(ArchiveError):
    """There is something at `path` already."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"There is something at {self.path} already. Choose another path, or remove it."


class NotAnArchive(ArchiveError):
    """What is at `path` was not written as an archive."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} is no archive of storeproof: {self.reason}."


class _OtherVersion(ArchiveError):
    def __init__(self, path: Path, what: str, found: int, known: int) -> None:
        super().__init__(path, what, found, known)
        self.path = path
        self.what = what
        self.found = found
        self.known = known


class NewerArchive(_OtherVersion):
    """`what` (the format, or a component's rows) is of a version that comes after ours."""

    def __str__(self) -> str:
        return (
            f"{self.path} has version {self.found} of {self.what}; this release knows "
            f"{self.known}. Install the release that wrote it, or a later one."
        )


class OlderArchive(_OtherVersion):
    """`what` (the format, a component's rows) is of a version that came before ours."""

    def __str__(self) -> str:
        return (
            f"{self.path} has version {self.found} of {self.what}; this release loads "
            f"{self.known}. Load it with the release that wrote it, and upgrade the database."
        )


class _OfCollection(ArchiveError):
    def __init__(self, path: Path, collection: str) -> None:
        super().__init__(path, collection)
        self.path = path
        self.collection = collection


class ForeignCollection(_OfCollection):
    """The archive holds a collection that this release has nowhere to put."""

    def __str__(self) -> str:
        return f"{self.path} holds {self.collection}, which this release knows nothing of."


class CollectionMissing(_OfCollection, DamagedArchive):
    """The archive's manifest does not name a collection that every archive has."""

    def __str__(self) -> str:
        return f"{self.path} is incomplete: its manifest does not name {self.collection}."


class _OfFile(DamagedArchive):
    def __init__(self, path: Path, file: str) -> None:
        super().__init__(path, file)
        self.path = path
        self.file = file


class ArchiveTruncated(_OfFile):
    """`file` has lost its end, or is gone."""

    def __str__(self) -> str:
        return f"{self.path / self.file} is shorter than it was written. Use another copy."


class ArchiveReordered(_OfFile):
    """`file` has all of its rows, but not in the order of their keys."""

    def __str__(self) -> str:
        return f"{self.path / self.file} has its rows in another order. Use another copy."


class ArchiveEdited(_OfFile):
    """`file` is not as it was written."""

    def __str__(self) -> str:
        return f"{self.path / self.file} has been changed since it was written. Use another copy."


class BadRow(DamagedArchive):
    """The row in this `line` (from 1) of a collection's file has a `field` that is wrong.

    `field` is "" where the row as a whole is.
    """

    def __init__(self, collection: str, line: int, field: str, reason: str) -> None:
        super().__init__(collection, line, field, reason)
        self.collection = collection
        self.line = line
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        field = f", {self.field}" if self.field else ""
        return f"{self.collection}, line {self.line}{field}: {self.reason}."


class RepeatedRow(DamagedArchive):
    """The row in this `line` (from 1) has the key of the one before it."""

    def __init__(self, collection: str, line: int) -> None:
        super().__init__(collection, line)
        self.collection = collection
        self.line = line

    def __str__(self) -> str:
        return f"{self.collection}, line {self.line}: a row with this key came before."


class RepeatedValue(DamagedArchive):
    """Two rows of a collection have the same `field`, which must tell them apart."""

    def __init__(self, collection: str, field: str) -> None:
        super().__init__(collection, field)
        self.collection = collection
        self.field = field

    def __str__(self) -> str:
        return f"Two rows of {self.collection} have the same {self.field}."


class Orphan(DamagedArchive):
    """A row of `collection` names `key`, which is in none of the collections `to`."""

    def __init__(self, collection: str, key: "Key", to: Sequence[str]) -> None:
        super().__init__(collection, key, to)
        self.collection = collection
        self.key = key
        self.to = tuple(to)

    def __str__(self) -> str:
        name = ", ".join(map(str, self.key))
        return f"A row of {self.collection} names {name!r}, which {' and '.join(self.to)} lack."


class TargetNotEmpty(ArchiveError):
    """The storages that an archive is to be loaded into hold rows of `collection`."""

    def __init__(self, collection: str) -> None:
        super().__init__(collection)
        self.collection = collection

    def __str__(self) -> str:
        return f"The target holds {self.collection} already. Load into an empty one."


class ContentDiffers(ArchiveError):
    """The storages do not hold what the archive does; `differences` are the first ones."""

    def __init__(self, differences: "Sequence[Difference]") -> None:
        super().__init__(differences)
        self.differences = tuple(differences)

    def __str__(self) -> str:
        lines = [str(each) for each in self.differences]
        return "\n".join(["The storages do not hold what the archive does:", *lines])
