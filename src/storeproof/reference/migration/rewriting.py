"""For migrations: a new archive of an old one, in which some collections hold other rows."""

import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from storeproof.reference.archive.exporting import new_folder, write_manifest
from storeproof.reference.archive.files import PartFile
from storeproof.reference.archive.manifest import Part, sealed
from storeproof.reference.archive.reading import StoredArchive

__all__ = ["private_file", "rewrite"]


def rewrite(archive: StoredArchive, path: Path, texts: Mapping[str, Iterable[bytes]]) -> None:
    """Writes an archive to `path` as `archive` is, but for collections that have `texts`.

    These are canonical lines with their ends, in the order of the key.
    """
    with new_folder(path) as folder:
        parts = tuple(
            _written(part.collection, texts[part.collection], folder)
            if part.collection in texts
            else _copied(archive, part, folder)
            for part in archive.manifest.parts
        )
        write_manifest(folder, sealed(replace(archive.manifest, parts=parts)))


def _written(collection: str, texts: Iterable[bytes], folder: Path) -> Part:
    with closing(PartFile(folder, collection, compress=False)) as file:
        for text in texts:
            file.write(text)
        return file.finish()


def _copied(archive: StoredArchive, part: Part, folder: Path) -> Part:
    shutil.copyfile(archive.path / part.file, folder / part.file)
    return part


def private_file(path: Path) -> BinaryIO:
    """A new file that only its owner may read. Raises FileExistsError where there is one."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
