"""For `Database`: what it needs from a driver, and which settings a driver gets."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from storeproof.reference.database.compiling import Rows

__all__ = ["Driver", "Run", "Settings"]

Run: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Rows]]
"""Runs one statement with its arguments, and gives the rows that it returns."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a driver may use its database; see `Config` for the meanings and units."""

    create: bool
    pool_size: int
    pool_timeout: float
    statement_timeout: float


class Driver(Protocol):
    """One kind of database. Raises only StorageErrors, and those of `database.exceptions`.

    A call that is cancelled has ended when CancelledError comes out of it: no statement
    of it is still running, no transaction is open, no lock is held.
    """

    @property
    def dialect(self) -> str:
        """POSTGRES or SQLITE."""
        ...

    async def open(self) -> None:
        """Makes the driver ready. Repeating it does nothing more."""
        ...

    async def read(self, text: str, arguments: Sequence[Any]) -> Rows:
        """Runs one statement that changes nothing. Raises Retryable when its answer is lost."""
        ...

    async def write(self, text: str, arguments: Sequence[Any]) -> Rows:
        """Runs one statement as a transaction of its own.

        Raises OutcomeUnknown when its answer is lost.
        """
        ...

    def transaction(self, lock: int | None) -> AbstractAsyncContextManager[Run]:
        """One transaction; what is run in it happens at its end, as a whole, or not at all.

        With a `lock`, no two transactions with the same one overlap, whoever runs them.
        Raises OutcomeUnknown when the answer to its commit is lost.
        """
        ...

    async def close(self) -> None:
        """Closes all connections, within a bounded time."""
        ...
