"""For authors of storages: every component's contract, with how archives move its content.

Into a database it is moved by `migrate`, which replaces what is there, and into memory by
`import_archive`. A suite of another storage says by its own `Moves` how that one is moved.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from storeproof.harness.contract import Contract
from storeproof.harness.moving.moves import Moves
from storeproof.reference.archive.digest import RowsDigest
from storeproof.reference.archive.exceptions import ArchiveError, ContentDiffers
from storeproof.reference.archive.exporting import export_archive
from storeproof.reference.archive.importing import import_archive
from storeproof.reference.archive.manifest import MANIFEST, Manifest, Part, sealed, text_of
from storeproof.reference.archive.verifying import verify_archive
from storeproof.reference.auth.laws import contract as auth_contract
from storeproof.reference.config import Config
from storeproof.reference.costs.laws import contract as cost_contract
from storeproof.reference.errors.laws import contract as error_contract
from storeproof.reference.exceptions import StorageError
from storeproof.reference.migration.exceptions import MigrationError
from storeproof.reference.migration.running import migrate
from storeproof.reference.migration.sources import ArchiveSource
from storeproof.reference.providers.laws import contract as provider_contract
from storeproof.reference.selection import Storages

__all__ = ["CONTRACTS", "moves"]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class _OneOf(Storages):
    """One component's storage, and those of the others in the same place."""

    def __init__(self, component: str, storage: Any) -> None:
        super().__init__(Config())
        self.database = getattr(storage, "_database", None)
        setattr(self, component, storage)


def _now() -> datetime:
    return NOW


async def _export(component: str, storage: Any, path: Path) -> None:
    await export_archive(_OneOf(component, storage), path, clock=_now)


async def _load(component: str, path: Path, storage: Any) -> None:
    storages = _OneOf(component, storage)
    if storages.database is None:
        await import_archive(path, storages)
        return
    with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
        source, made = ArchiveSource(path), secrets.token_hex(8)
        await migrate(
            source, storages, Path(folder), id=made, actor="suite", clock=_now, replace=True
        )


async def _verify(component: str, path: Path, storage: Any) -> None:
    found = await verify_archive(path, against=_OneOf(component, storage))
    if not found.equal:
        raise ContentDiffers(found.differences)


def _seal(path: Path) -> None:
    manifest = msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest)
    parts = tuple(_counted(path / part.file, part) for part in manifest.parts)
    made = msgspec.structs.replace(manifest, parts=parts)
    (path / MANIFEST).write_bytes(text_of(sealed(made)))


def _counted(file: Path, part: Part) -> Part:
    text, digest = file.read_bytes(), RowsDigest()
    digest.add(text.splitlines())
    return msgspec.structs.replace(
        part,
        count=digest.count,
        digest=digest.hexdigest(),
        size=len(text),
        sha256=sha256(text).hexdigest(),
    )


def moves(component: str) -> Moves:
    """How the content of one component is moved."""
    return Moves(
        export=partial(_export, component),
        load=partial(_load, component),
        verify=partial(_verify, component),
        refusals=(ArchiveError, MigrationError, StorageError),
        replaces=True,
        seal=_seal,
    )


CONTRACTS: Final[Mapping[str, Contract]] = {
    "auth": auth_contract.with_moves(moves("auth")),
    "costs": cost_contract.with_moves(moves("costs")),
    "errors": error_contract.with_moves(moves("errors")),
    "providers": provider_contract.with_moves(moves("providers")),
}
