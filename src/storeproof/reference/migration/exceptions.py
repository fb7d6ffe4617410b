"""For callers of migrations: why one is refused, or can't be taken back.

    MigrationError
    ├── DoesNotFit(problems)     rows of the source that the target can't hold, all of them
    ├── TargetChanged(collections)  somebody wrote to the target after its backup was made
    ├── UnknownMigration(id)     the target's ledger has no such migration
    └── NotTheLast(id, last)     a later migration must be taken back before this one

Whenever one is raised, the target is as before.
"""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storeproof.reference.migration.problems import Problems

__all__ = ["DoesNotFit", "MigrationError", "NotTheLast", "TargetChanged", "UnknownMigration"]


MOST = 1000
"""Problems that a text says; `problems` has all of them."""


class MigrationError(Exception):
    """A migration can't be made or taken back; the target is as before."""


class DoesNotFit(MigrationError):
    """`problems` are all rows of the source that the target can't hold."""

    def __init__(self, problems: "Problems") -> None:
        super().__init__(problems)
        self.problems = problems

    @property
    def summary(self) -> str:
        """How many rows do not fit."""
        return f"{self.problems.rows} rows do not fit. Nothing was written:"

    def __str__(self) -> str:
        lines = [f"  {each}" for each in islice(self.problems, MOST)]
        rest = [f"  and {len(self.problems) - MOST} more"] if len(self.problems) > MOST else []
        return "\n".join([self.summary, *lines, *rest])


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
