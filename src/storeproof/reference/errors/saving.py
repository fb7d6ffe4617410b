"""For `ErrorService` only: an archive's file on a disk."""

import os
from pathlib import Path

from storeproof.reference.errors.archives import Archive, checked

__all__ = ["save"]


def save(archive: Archive, file: bytes, path: Path) -> None:
    """Writes the file of an archive, synced to the disk, in the place of one that is there.

    Raises ArchiveDamaged when it does not read back; then `path` is as it was.
    """
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as target:
        target.write(file)
        target.flush()
        os.fsync(target.fileno())
    checked(archive, partial.read_bytes())
    partial.replace(path)
    _sync(path.parent)


def _sync(directory: Path) -> None:
    """Otherwise the new name could be lost with the power."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
