"""For applications and operators: copies of all components' data that can be verified.

manifest = await export_archive(storages, Path("backup"), clock=clock)
await import_archive(Path("backup"), empty_storages)
assert (await verify_archive(Path("backup"), against=storages)).equal
"""

from storeproof.reference.archive.differences import Difference, FieldDifference, Kind
from storeproof.reference.archive.exceptions import (
    ArchiveEdited,
    ArchiveError,
    ArchiveExists,
    ArchiveReordered,
    ArchiveTruncated,
    BadRow,
    CollectionMissing,
    ContentDiffers,
    DamagedArchive,
    ForeignCollection,
    NewerArchive,
    NotAnArchive,
    OlderArchive,
    Orphan,
    RepeatedRow,
    RepeatedValue,
    TargetNotEmpty,
)
from storeproof.reference.archive.exporting import Progress, export_archive
from storeproof.reference.archive.importing import import_archive
from storeproof.reference.archive.manifest import Manifest, Part
from storeproof.reference.archive.verifying import Verification, verify_archive

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
    "Difference",
    "FieldDifference",
    "ForeignCollection",
    "Kind",
    "Manifest",
    "NewerArchive",
    "NotAnArchive",
    "OlderArchive",
    "Orphan",
    "Part",
    "Progress",
    "RepeatedRow",
    "RepeatedValue",
    "TargetNotEmpty",
    "Verification",
    "export_archive",
    "import_archive",
    "verify_archive",
]
