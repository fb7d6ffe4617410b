"""For authors of database storages: what a statement's failure means to the caller's code.

None of these reaches the user of a storage, `SchemaMismatch` apart: `Database` and the
storages turn the others into the tree of `storeproof.reference.exceptions`.
"""

from storeproof.reference.config import ConfigurationError
from storeproof.reference.exceptions import Unavailable

__all__ = [
    "ForeignKeyViolated",
    "Retryable",
    "SchemaMismatch",
    "TableExists",
    "TableMissing",
    "UniqueViolated",
]


class UniqueViolated(Exception):
    """A value that must be unique is taken; `constraint` is TABLE_COLUMN of that value."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint

    def __str__(self) -> str:
        return f"The unique constraint {self.constraint} is violated."


class ForeignKeyViolated(Exception):
    """A row that is referred to is missing, or one that goes is referred to."""

    def __str__(self) -> str:
        return "A foreign key is violated."


class Retryable(Unavailable):
    """Nothing happened, and repeating the same call at once may succeed."""


class TableMissing(Unavailable):
    """A statement names a table that is not there; `table` is its name, where that is known."""

    def __init__(self, table: str | None) -> None:
        reason = "a table is missing" if table is None else f"the table {table} is missing"
        super().__init__(reason, "bring it back, or restore a backup")
        self.table = table


class TableExists(Unavailable):
    """A table that is to be created is there already."""


class SchemaMismatch(ConfigurationError):
    """The tables of `component` are not those that this release works with.

    `found` is the version in the database, None where it records none; `wanted` is ours.
    """

    def __init__(self, component: str, found: int | None, wanted: int, remedy: str) -> None:
        version = "no version" if found is None else f"version {found}"
        reason = f"the database has {version} of the {component} tables, not version {wanted}"
        super().__init__("database_url", reason, remedy)
        self.component = component
        self.found = found
        self.wanted = wanted
