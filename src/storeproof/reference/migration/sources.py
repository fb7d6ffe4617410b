"""For migrations: where data comes from. Whatever it is, it becomes an archive."""

from pathlib import Path
from typing import Protocol

from storeproof.reference.archive.exporting import export_archive
from storeproof.reference.selection import Storages
from storeproof.reference.storage import Clock

__all__ = ["ArchiveSource", "Source", "StoragesSource"]


class Source(Protocol):
    """What a migration moves. `name` is what the ledger calls it, without any password.

    `keeps`: what it moves holds all that the target held.
    """

    name: str
    keeps: bool

    async def archive(self, target: Path, path: Path, clock: Clock) -> Path:
        """The archive to be loaded; `target` is one of what the target holds.

        It is made at `path` where there is none. Raises DoesNotFit.
        """
        ...


class ArchiveSource:
    """An archive that is there."""

    keeps = False

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._path = path

    async def archive(self, target: Path, path: Path, clock: Clock) -> Path:
        return self._path


class StoragesSource:
    """Other storages, in memory or in a database, which may be in use; `name` says which."""

    keeps = False

    def __init__(self, storages: Storages, name: str) -> None:
        self.name = name
        self._storages = storages

    async def archive(self, target: Path, path: Path, clock: Clock) -> Path:
        await export_archive(self._storages, path, clock=clock)
        return path
