"""For archives: what `manifest.json` says of the files beside it.

`seal` is the SHA-256 of the manifest with an empty seal, so a manifest that was changed by
hand, or cut short, is told from one that was written.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from storeproof.reference.archive.exceptions import (
    ArchiveEdited,
    CollectionMissing,
    ForeignCollection,
    NewerArchive,
    NotAnArchive,
    OlderArchive,
)
from storeproof.reference.collections import Content

__all__ = [
    "FORMAT",
    "MANIFEST",
    "VERSION",
    "Manifest",
    "Part",
    "read_manifest",
    "sealed",
    "text_of",
]

FORMAT: Final = "storeproof-archive"
VERSION: Final = 2
MANIFEST: Final = "manifest.json"
SUFFIXES: Final = (".ndjson", ".ndjson.zst")


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One collection: its file, of `size` bytes with this `sha256`, and `count` rows.

    `digest` is the `RowsDigest` of the rows.
    """

    collection: str
    file: str
    count: int
    size: int
    sha256: str
    digest: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An archive of `components`, with the version of the schema that each one's rows have.

    `release` of storeproof wrote it; it shows what was there at `exported_at`.
    """

    format: str = FORMAT
    version: int = VERSION
    release: str
    exported_at: datetime
    components: dict[str, int]
    parts: tuple[Part, ...]
    seal: str = ""


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    format: str
    version: int


def sealed(manifest: Manifest) -> Manifest:
    """The manifest with its seal."""
    return replace(manifest, seal=sha256(text_of(replace(manifest, seal=""))).hexdigest())


def text_of(manifest: Manifest) -> bytes:
    """The text of `manifest.json`."""
    compact = msgspec.json.encode(manifest, order="deterministic")
    return msgspec.json.format(compact, indent=2) + b"\n"


def read_manifest(path: Path, contents: Sequence[Content]) -> Manifest:
    """The manifest of the archive at `path`, which holds what these components do.

    Raises, in this order: NotAnArchive; NewerArchive or OlderArchive, of the format;
    ArchiveEdited; the same two, of a component's rows; ForeignCollection; CollectionMissing.
    """
    try:
        text = (path / MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotAnArchive(path, f"there is no {MANIFEST}") from error
    _check_head(path, text)
    try:
        manifest = msgspec.json.decode(text, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ArchiveEdited(path, MANIFEST) from error
    if text_of(sealed(manifest)) != text:
        raise ArchiveEdited(path, MANIFEST)
    _check_versions(path, manifest.components, contents)
    _check_collections(path, manifest.parts, contents)
    return manifest


def _check_head(path: Path, text: bytes) -> None:
    try:
        head = msgspec.json.decode(text, type=_Head)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if f'"{FORMAT}"'.encode() in text[:200]:
            raise ArchiveEdited(path, MANIFEST) from error
        raise NotAnArchive(path, f"its {MANIFEST} is another one's") from error
    if head.format != FORMAT:
        raise NotAnArchive(path, f"its {MANIFEST} is another one's")
    if head.version > VERSION:
        raise NewerArchive(path, "the format", head.version, VERSION)
    if head.version < VERSION:
        raise OlderArchive(path, "the format", head.version, VERSION)


def _check_versions(path: Path, found: Mapping[str, int], contents: Sequence[Content]) -> None:
    for content in contents:
        version, what = found.get(content.component, 0), f"the rows of {content.component}"
        if version > content.schema.version:
            raise NewerArchive(path, what, version, content.schema.version)
        if version < content.schema.version:
            raise OlderArchive(path, what, version, content.schema.version)


def _check_collections(path: Path, parts: Sequence[Part], contents: Sequence[Content]) -> None:
    known = [each.name for content in contents for each in content.collections]
    found = [part.collection for part in parts]
    for part in parts:
        if part.collection not in known or found.count(part.collection) > 1:
            raise ForeignCollection(path, part.collection)
        if part.file not in (part.collection + suffix for suffix in SUFFIXES):
            raise ForeignCollection(path, part.file)
    for name in known:
        if name not in found:
            raise CollectionMissing(path, name)
