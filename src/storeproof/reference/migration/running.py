"""For operators' tools: move data into a database, verified, and take that back again.

Whatever the source is, it is an archive first. The target is backed up into another one. Then
one transaction finds the target as it was backed up, replaces its content by the source's,
reads that back, and writes the ledger: killed at any point, the target is as before.
"""

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from storeproof.reference.archive.differences import differing
from storeproof.reference.archive.exceptions import TargetNotEmpty
from storeproof.reference.archive.exporting import (
    Progress,
    export_archive,
    no_progress,
    staged,
)
from storeproof.reference.archive.loading import empty, keep_others_out, load
from storeproof.reference.archive.manifest import Manifest
from storeproof.reference.archive.reading import StoredArchive, open_archive
from storeproof.reference.archive.snapshots import DatabaseSnapshot, require_all
from storeproof.reference.archive.verifying import verify_archive
from storeproof.reference.database import Bulk, Database
from storeproof.reference.migration import ledger
from storeproof.reference.migration.exceptions import TargetChanged
from storeproof.reference.migration.ledger import Entry
from storeproof.reference.migration.preflight import Rejected
from storeproof.reference.migration.sources import Source
from storeproof.reference.selection import CONTENTS, Storages
from storeproof.reference.storage import Clock
from storeproof.reference.values import canonical_time

__all__ = [
    "ROWS_PER_SECOND",
    "Plan",
    "Prepared",
    "carry_out",
    "migrate",
    "plan",
    "prepare",
    "roll_back",
]

ROWS_PER_SECOND = 10_000
"""Rows of users that two processors under load back up, check, load and read back."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration would do: the `rows` of each collection that would be there after it.

    The collections are in the order of loading; `present` are the rows that are there now,
    `rejected` those that were written apart.
    """

    source: str
    rows: dict[str, int]
    present: dict[str, int]
    rejected: Rejected
    seconds: float
    """About how long it takes, on a machine that loads ROWS_PER_SECOND."""


@dataclass(frozen=True)
class Prepared:
    """A migration that can be carried out: an archive that fits, and one of the target."""

    id: str
    plan: Plan
    backup: Path
    path: Path
    folder: Path


async def plan(source: Source, target: Storages, *, clock: Clock, replace: bool = False) -> Plan:
    """What `migrate` would do, with all that it refuses; the target stays as it is."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = await prepare(
            source, target, Path(folder), id="plan", clock=clock, replace=replace
        )
    return prepared.plan


async def migrate(
    source: Source,
    target: Storages,
    folder: Path,
    *,
    id: str,
    actor: str,
    clock: Clock,
    replace: bool = False,
    progress: Progress = no_progress,
) -> Entry:
    """Makes the target, a database, hold what the source does; returns the ledger's entry.

    That is `prepare`, which leaves the target as it is, and `carry_out`. Raises as they do; then
    the target is as before.
    """
    prepared = await prepare(
        source, target, folder, id=id, clock=clock, replace=replace, progress=progress
    )
    return await carry_out(prepared, target, actor=actor, clock=clock, progress=progress)


async def prepare(
    source: Source,
    target: Storages,
    folder: Path,
    *,
    id: str,
    clock: Clock,
    replace: bool = False,
    progress: Progress = no_progress,
) -> Prepared:
    """Backs the target up, and finds out what is to be moved and whether all of it fits.

    `folder` gets the backup, `ID-before`, and what else a source needs. Without `replace`, a
    source that does not keep what the target holds needs an empty one.

    Raises DoesNotFit with every row that can't be moved, TargetNotEmpty, ArchiveError, or as
    storages do; then `folder` is as before.
    """
    backup, made = folder / f"{id}-before", folder / f"{id}-source"
    with _removed_on_error(backup, made):
        telling = staged(progress, "back up")
        before = await export_archive(target, backup, clock=clock, progress=telling)
        if not (replace or source.keeps):
            _require_empty(before)
        path = await source.archive(backup, made, clock, progress)
    manifest = open_archive(path, CONTENTS).manifest
    rows = {part.collection: part.count for part in manifest.parts}
    plan = Plan(
        source=source.name,
        rows=rows,
        present={part.collection: part.count for part in before.parts},
        rejected=source.rejected,
        seconds=sum(rows.values()) / ROWS_PER_SECOND,
    )
    return Prepared(id, plan, backup, path, folder)


async def carry_out(
    prepared: Prepared,
    target: Storages,
    *,
    actor: str,
    clock: Clock,
    progress: Progress = no_progress,
) -> Entry:
    """The migration itself, in one transaction; returns the ledger's entry.

    Raises TargetChanged, or as `import_archive` does; then the target is as before.
    """
    require_all(target)
    manifest = open_archive(prepared.path, CONTENTS).manifest
    entry = Entry(
        id=prepared.id,
        at=canonical_time("clock", clock()),
        actor=actor,
        source=prepared.plan.source,
        backup=str(prepared.backup.absolute()),
        rows={part.collection: part.count for part in manifest.parts},
        digests={part.collection: part.digest for part in manifest.parts},
    )
    await _replace(
        _database(target),
        prepared.backup,
        prepared.path,
        lambda bulk: ledger.add(bulk, entry),
        progress,
    )
    _report(prepared.folder / f"{prepared.id}.json", entry)
    return entry


async def roll_back(
    target: Storages,
    id: str,
    folder: Path,
    *,
    clock: Clock,
    progress: Progress = no_progress,
) -> Entry:
    """Makes the target hold again what it held before a migration, the last one that it has.

    What it holds now, what was written since the migration included, is exported to
    `ID-undone` in `folder` first. Returns the ledger's entry.

    Raises UnknownMigration, NotTheLast, TargetChanged, or as `import_archive` does.
    """
    database = _database(target)
    made = await ledger.last_of(database, id)
    undone = folder / f"{id}-undone"
    await export_archive(target, undone, clock=clock, progress=staged(progress, "back up"))
    at, to = canonical_time("clock", clock()), str(undone.absolute())
    backup = Path(made.backup)
    await verify_archive(backup, progress=staged(progress, "check"))
    await _replace(database, undone, backup, lambda bulk: ledger.mark(bulk, id, at, to), progress)
    entry = msgspec.structs.replace(made, undone_at=at, undone_to=to)
    _report(folder / f"{id}.json", entry)
    return entry


async def _replace(
    database: Database,
    before: Path,
    after: Path,
    record: Callable[[Bulk], Awaitable[None]],
    progress: Progress,
) -> None:
    """The one transaction: the target holds what `before` does, and then what `after` does."""
    async with database.bulk(writes=True) as bulk:
        await keep_others_out(bulk)
        await _check_unchanged(open_archive(before, CONTENTS), bulk, progress)
        await empty(bulk)
        await load(open_archive(after, CONTENTS), bulk, progress)
        await record(bulk)


async def _check_unchanged(backup: StoredArchive, bulk: Bulk, progress: Progress) -> None:
    telling = staged(progress, "compare")
    wrong = await differing(backup, DatabaseSnapshot(bulk), CONTENTS, telling)
    if wrong:
        raise TargetChanged([each.name for each in wrong])


@contextmanager
def _removed_on_error(*paths: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for each in paths:
            shutil.rmtree(each, ignore_errors=True)
        raise


def _require_empty(before: Manifest) -> None:
    for part in before.parts:
        if part.count:
            raise TargetNotEmpty(part.collection)


def _database(target: Storages) -> Database:
    if target.database is None:
        raise TypeError("the target of a migration is a database")
    return target.database


def _report(path: Path, entry: Entry) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(entry), indent=2) + b"\n")
