"""For authors of database storages: `Database` runs statements of SQLAlchemy Core.

A component declares its tables (`columns`), its `Schema`, and its statements, and calls
`read`, `write` and `transact`. The same code then runs on PostgreSQL and SQLite.
"""

from storeproof.reference.database.addresses import is_in_memory
from storeproof.reference.database.bulk import Bulk
from storeproof.reference.database.compiling import (
    POSTGRES,
    SQLITE,
    PerDialect,
    Row,
    Statement,
    per_dialect,
)
from storeproof.reference.database.engine import Database, Transaction
from storeproof.reference.database.exceptions import (
    ForeignKeyViolated,
    SchemaMismatch,
    UniqueViolated,
)
from storeproof.reference.database.notifying import notify
from storeproof.reference.database.schema import VERSION_TABLE, Schema

__all__ = [
    "POSTGRES",
    "SQLITE",
    "VERSION_TABLE",
    "Bulk",
    "Database",
    "ForeignKeyViolated",
    "PerDialect",
    "Row",
    "Schema",
    "SchemaMismatch",
    "Statement",
    "Transaction",
    "UniqueViolated",
    "is_in_memory",
    "notify",
    "per_dialect",
]
