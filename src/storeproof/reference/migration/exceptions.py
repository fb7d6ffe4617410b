"""For callers of migrations: why one is refused, or can't be taken back.

    MigrationError
    ├── DoesNotFit(problems)     rows of the source that the target can't hold, all of them
    ├── TargetChanged(collections)  somebody wrote to the target after its backup was made
    ├── UnknownMigration(id)     the target's ledger has no such migration
    └── NotTheLast(id, last)     a later migration must be taken back before this one

Whenever one is raised, the target is as before.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storeproof.reference.migration.users import Problem

__all__ = ["DoesNotFit", "MigrationError", "NotTheLast", "TargetChanged", "UnknownMigration"]


class MigrationError(Exception):
    """A migration can't be made or taken back; the target is as before."""


class DoesNotFit(MigrationError):
    """`problems` are all rows of the source that the target can't hold."""

    def __init__(self, problems: "Sequence[Problem]") -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [f"  {each}" for each in self.problems]
        return "\n".join([f"{len(lines)} rows do not fit. Nothing was written:", *lines])


class TargetChanged(MigrationError):
    """The target's `collections` are not as they were when its backup was made."""

    def __init__(self, collections: Sequence[str]) -> None:
        super().__init__(collections)
        self.collections = tuple(collections)

    def __str__(self) -> str:
        return (
            f"Somebody wrote to {', '.join(self.collections)} of the target meanwhile. "
            "Stop its users for the time of the migration, and repeat it."
        )


class UnknownMigration(MigrationError):
    """No migration in the target's ledger has this `id`."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.id = id

    def __str__(self) -> str:
        return f"The target has no migration {self.id}. See: storeproof migrate --status --to URL."


class NotTheLast(MigrationError):
    """`last` was made after the migration `id`, and has not been taken back."""

    def __init__(self, id: str, last: str) -> None:
        super().__init__(id, last)
        self.id = id
        self.last = last

    def __str__(self) -> str:
        return f"The migration {self.last} came after {self.id}. Take that one back first."
