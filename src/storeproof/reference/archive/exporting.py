"""For applications and operators: write an archive of what storages hold, while they are used.

    manifest = await export_archive(storages, Path("backup"), clock=clock)

An archive is a folder: `manifest.json`, and for each collection a file of one JSON row a line,
in the order of the key. Two archives of equal content have equal files, whatever it was kept
in. Passwords and tokens are in it hashed, providers' secrets encrypted, as they are stored;
everything else is readable, so only the owner of the files may read them.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing, closing, contextmanager
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from storeproof.reference.archive.exceptions import ArchiveExists
from storeproof.reference.archive.files import PartFile, sync_folder
from storeproof.reference.archive.manifest import MANIFEST, Manifest, Part, sealed, text_of
from storeproof.reference.archive.snapshots import Snapshot, snapshot_of
from storeproof.reference.collections import Collection
from storeproof.reference.selection import CONTENTS, Storages
from storeproof.reference.storage import Clock
from storeproof.reference.values import canonical_time

__all__ = ["Progress", "export_archive", "new_folder", "no_progress", "staged", "write_manifest"]

Progress: TypeAlias = Callable[[str, int, int | None], None]
"""Told of a collection, its rows that are done, and how many there are, where that is known."""


def no_progress(collection: str, done: int, total: int | None) -> None:
    """Tells nobody."""


def staged(progress: Progress, stage: str) -> Progress:
    """Tells of this stage of the work."""
    return lambda collection, done, total: progress(f"{stage} {collection}", done, total)


async def export_archive(
    storages: Storages,
    path: Path,
    *,
    clock: Clock,
    compress: bool = False,
    progress: Progress = no_progress,
) -> Manifest:
    """Writes an archive to `path` and returns its manifest.

    It shows one moment, while others go on writing: storages in memory are copied at once, a
    database is read in one transaction. `compress`: with zstd (extra `zstd`).

    It is written beside `path` and moved there at the end: whatever ends this before, there is
    nothing at `path`. Raises ArchiveExists where there is something already, OSError where it
    can't be written, and as storages do.
    """
    with new_folder(path) as folder:
        async with snapshot_of(storages) as snapshot:
            exported_at = canonical_time("clock", clock())
            parts = [
                await _write(snapshot, each, folder, compress, progress)
                for content in CONTENTS
                for each in content.collections
            ]
        manifest = sealed(_manifest(parts, exported_at))
        write_manifest(folder, manifest)
    return manifest


async def _write(
    snapshot: Snapshot,
    collection: Collection[Any],
    folder: Path,
    compress: bool,
    progress: Progress,
) -> Part:
    with closing(PartFile(folder, collection.name, compress=compress)) as file:
        async with aclosing(snapshot.texts(collection)) as texts:
            async for text in texts:
                file.write(text)
                progress(collection.name, file.count, None)
        progress(collection.name, file.count, file.count)
        return file.finish()


def _manifest(parts: Sequence[Part], exported_at: datetime) -> Manifest:
    return Manifest(
        release=version("storeproof"),
        exported_at=exported_at,
        components={content.component: content.schema.version for content in CONTENTS},
        parts=tuple(parts),
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes `manifest.json`, which makes a folder an archive."""
    with (folder / MANIFEST).open("xb") as file:
        file.write(text_of(manifest))
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder beside `path`, which becomes `path` when the block has ended well."""
    if path.exists():
        raise ArchiveExists(path)
    # The name says that it is not finished, should a kill leave it behind.
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}-", suffix=".unfinished", dir=path.parent))
    try:
        yield folder
        sync_folder(folder)
        if path.exists():
            raise ArchiveExists(path)
        folder.rename(path)
    except BaseException:
        shutil.rmtree(folder)
        raise
    sync_folder(path.parent)
