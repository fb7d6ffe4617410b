"""For operators' tools: move data into a database, with a way back.

entry = await migrate(ArchiveSource(path), target, folder, id=id, actor="ann", clock=clock)
await roll_back(target, entry.id, folder, clock=clock)
"""

from storeproof.reference.migration.exceptions import (
    DoesNotFit,
    MigrationError,
    NotTheLast,
    TargetChanged,
    UnknownMigration,
)
from storeproof.reference.migration.ledger import Entry, entries
from storeproof.reference.migration.preflight import Rejected
from storeproof.reference.migration.problems import Problem, Problems
from storeproof.reference.migration.running import (
    Plan,
    Prepared,
    carry_out,
    migrate,
    plan,
    prepare,
    roll_back,
)
from storeproof.reference.migration.sources import ArchiveSource, Source, StoragesSource
from storeproof.reference.migration.users import UsersSource

__all__ = [
    "ArchiveSource",
    "DoesNotFit",
    "Entry",
    "MigrationError",
    "NotTheLast",
    "Plan",
    "Prepared",
    "Problem",
    "Problems",
    "Rejected",
    "Source",
    "StoragesSource",
    "TargetChanged",
    "UnknownMigration",
    "UsersSource",
    "carry_out",
    "entries",
    "migrate",
    "plan",
    "prepare",
    "roll_back",
]
