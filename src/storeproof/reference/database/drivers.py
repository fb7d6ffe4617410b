"""For `Database`: what it needs from a driver, and which settings a driver gets."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from storeproof.reference.database.compiling import Row, Rows, Statement

__all__ = [
    "Carrier",
    "Connectable",
    "Driver",
    "Ear",
    "Listen",
    "Lost",
    "Notified",
    "Run",
    "Settings",
    "to_its_end",
]

T = TypeVar("T")

_CLEANING_SECONDS = 2.0

Run: TypeAlias = Callable[[str, Sequence[Any]], Awaitable[Rows]]
"""Runs one statement with its arguments, and gives the rows that it returns."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a driver may use its database; see `Config` for the meanings and units."""

    create: bool
    pool_size: int
    pool_timeout: float
    statement_timeout: float

    @property
    def cleaning_timeout(self) -> float:
        """Seconds that closing or rolling back may take on a connection that may be dead."""
        return min(_CLEANING_SECONDS, self.statement_timeout)


class Ear(Protocol):
    """A connection that does nothing but hear notifications."""

    async def hear(self, channel: str) -> None:
        """Has it hear this channel as well. Raises Unavailable."""
        ...

    def is_closed(self) -> bool:
        """Whether it hears nothing any more, because it was closed or lost."""
        ...

    async def close(self) -> None:
        """Closes it, within a bounded time."""
        ...


Notified: TypeAlias = Callable[[str], None]
Lost: TypeAlias = Callable[[], None]
Listen: TypeAlias = Callable[[Notified, Lost], Awaitable[Ear | None]]


class Carrier(Protocol):
    """One transaction that reads or writes more rows than should be held at once."""

    async def run(self, text: str, arguments: Sequence[Any]) -> Rows:
        """Runs one statement, and gives the rows that it returns."""
        ...

    def stream(self, query: Statement, size: int) -> AsyncGenerator[Rows, None]:
        """The rows of a query without parameters: the driver's values, some rows at a time.

        `size` rows, or what came in one piece. Nothing else runs until it is closed.
        """
        ...

    async def insert(
        self, table: str, columns: Sequence[str], rows: Iterable[Row], size: int
    ) -> None:
        """Stores rows, which have the driver's values of these columns; holds `size` at once."""
        ...


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

    def bulk(self, *, writes: bool) -> AbstractAsyncContextManager[Carrier]:
        """One transaction, on a connection whose statements may take as long as they need.

        It sees one moment, and stops no writer; with `writes`, it is as `transaction`.
        """
        ...

    async def listen(self, notified: Notified, lost: Lost) -> Ear | None:
        """A connection of its own, which calls `notified` with the channel and `lost` at its end.

        None where the database notifies nobody. Raises Unavailable.
        """
        ...

    async def close(self) -> None:
        """Closes all connections, but those of `listen`, within a bounded time."""
        ...


class Connectable(Driver, Protocol):
    """A driver that also gives connections to others."""

    async def connect(self) -> Any:
        """A connection of asyncpg or aiosqlite that whoever asks for it closes.

        On SQLite it does not enforce foreign keys. Raises Unavailable or ConfigurationError.
        """
        ...


async def to_its_end(work: Awaitable[T]) -> T:
    """Awaits what can't be stopped; cancellations are passed on when it has ended."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return task.result()
    if not task.cancelled():
        task.exception()  # looked at, or asyncio would report it as forgotten
    raise cancelled
