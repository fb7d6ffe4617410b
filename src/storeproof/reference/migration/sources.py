"""For migrations: where data comes from. Whatever it is, it becomes an archive."""

from pathlib import Path
from typing import Protocol

from storeproof.reference.archive.exporting import Progress, export_archive, staged
from storeproof.reference.archive.reading import open_archive
from storeproof.reference.migration.preflight import Rejected, fitting
from storeproof.reference.selection import CONTENTS, Storages
from storeproof.reference.storage import Clock

__all__ = ["ArchiveSource", "Source", "StoragesSource"]


class Source(Protocol):
    """What a migration moves. `name` is what the ledger calls it, without any password.

    `keeps`: what it moves holds all that the target held. `rejected`: what was written apart.
    """

    name: str
    keeps: bool
    rejected: Rejected

    async def archive(self, target: Path, path: Path, clock: Clock, progress: Progress) -> Path:
        """The archive to be loaded, all of whose rows fit; `target` is what the target holds.

        It is made at `path` where there is none. Raises DoesNotFit, ArchiveError.
        """
        ...


class ArchiveSource:
    """An archive that is there. `rejects`: rows that do not fit are written there, not moved."""

    keeps = False

    def __init__(self, path: Path, *, rejects: Path | None = None) -> None:
        self.name = str(path)
        self.rejected = Rejected()
        self._path = path
        self._rejects = rejects

    async def archive(self, target: Path, path: Path, clock: Clock, progress: Progress) -> Path:
        archive = open_archive(self._path, CONTENTS)
        found, self.rejected = fitting(archive, CONTENTS, path, self._rejects, progress)
        return found


class StoragesSource:
    """Other storages, in memory or in a database, which may be in use; `name` says which.

    `rejects`: as for `ArchiveSource`.
    """

    keeps = False

    def __init__(self, storages: Storages, name: str, *, rejects: Path | None = None) -> None:
        self.name = name
        self.rejected = Rejected()
        self._storages = storages
        self._rejects = rejects

    async def archive(self, target: Path, path: Path, clock: Clock, progress: Progress) -> Path:
        whole = path.with_name(f"{path.name}-whole") if self._rejects else path
        telling = staged(progress, "read")
        await export_archive(self._storages, whole, clock=clock, progress=telling)
        archive = open_archive(whole, CONTENTS)
        found, self.rejected = fitting(archive, CONTENTS, path, self._rejects, progress)
        return found
