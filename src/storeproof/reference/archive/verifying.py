"""For applications and operators: see whether an archive is whole, and what differs from it."""

from pathlib import Path

import msgspec

from storeproof.reference.archive.differences import Difference, differences, differing
from storeproof.reference.archive.exporting import Progress, no_progress
from storeproof.reference.archive.loading import counted
from storeproof.reference.archive.manifest import Manifest
from storeproof.reference.archive.reading import open_archive
from storeproof.reference.archive.snapshots import snapshot_of
from storeproof.reference.selection import CONTENTS, Storages

__all__ = ["Verification", "verify_archive"]


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """An archive that is whole; `differences`: the first rows that storages hold otherwise.

    `collections` are those that have any.
    """

    manifest: Manifest
    collections: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()

    @property
    def equal(self) -> bool:
        """Whether the storages hold exactly what the archive does."""
        return not self.collections


async def verify_archive(
    path: Path, *, against: Storages | None = None, progress: Progress = no_progress
) -> Verification:
    """Reads the whole archive at `path`, and compares it with what storages hold.

    Counts and digests are compared first; where these differ, the rows, by key and field. What
    the storages hold is read as of one moment, while others write.

    Raises ArchiveError where the archive itself is not whole; otherwise as storages do.
    """
    archive = open_archive(path, CONTENTS)
    archive.check_files()
    for content in CONTENTS:
        for collection in content.collections:
            for _ in counted(archive, collection, progress, digested=True):
                pass
    if against is None:
        return Verification(manifest=archive.manifest)
    async with snapshot_of(against) as snapshot:
        wrong = await differing(archive, snapshot, CONTENTS)
        found = await differences(archive, snapshot, wrong)
    return Verification(
        manifest=archive.manifest,
        collections=tuple(each.name for each in wrong),
        differences=tuple(found),
    )
