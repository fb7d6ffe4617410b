"""`--storage=sqlite` uses `SqliteBackend`: a file of its own for each store."""

from __future__ import annotations

import asyncio
import secrets
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from storeproof.harness.backends.base import (
    Backend,
    Calibration,
    Capability,
    Counter,
    HandleStore,
    Opener,
    RunOptions,
    Server,
)
from storeproof.harness.backends.sqlite_calibrations import CALIBRATIONS
from storeproof.harness.backends.sqlite_statements import counting_statements
from storeproof.harness.backends.survivors import SURVIVING_TABLES
from storeproof.harness.exceptions import BackendUnavailable, CheckFailed

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["SqliteBackend", "SqliteStore"]

LOCK_SECONDS: Final = 5


class SqliteStore(HandleStore):
    """A file; its address is a SQLAlchemy URL for the aiosqlite dialect.

    The journal mode is the storage's own affair.
    """

    clients_stay_open = True

    def __init__(self, opener: Opener, path: Path) -> None:
        super().__init__(opener, f"sqlite+aiosqlite:///{path}")
        self._path = path

    async def empty(self) -> None:
        """Delete every row of every table but SURVIVING_TABLES.

        Raises CheckFailed where a storage left a transaction open, BackendUnavailable where the
        file can't be written.
        """
        try:
            delete_rows(self._path, lock_seconds=0)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise _unavailable(self._path, error) from error
            await self._wait_and_delete()
        except sqlite3.DatabaseError as error:
            raise _unavailable(self._path, error) from error

    async def _wait_and_delete(self) -> None:
        """Wait in a thread: the holder of the lock may need the event loop to end."""
        try:
            await asyncio.to_thread(delete_rows, self._path, LOCK_SECONDS)
        except sqlite3.OperationalError as error:
            raise CheckFailed(
                f"a storage left a transaction open that locks its file for {LOCK_SECONDS} seconds "
                f"after its call had ended ({error})"
            ) from error

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[Counter]:
        with counting_statements() as counter:
            await self._close_others()
            try:
                yield counter
            finally:
                await self._close_handles()

    async def remove(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


class SqliteBackend(Backend):
    """Files in the run's directory."""

    name = "sqlite"
    capabilities = frozenset({Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART})

    def start(self, options: RunOptions) -> Server:
        directory = options.directory / "sqlite"
        directory.mkdir(parents=True, exist_ok=True)
        version = sqlite3.sqlite_version
        return Server(address=str(directory), description=f"SQLite {version}", version=version)

    def calibrations(self) -> Mapping[str, Calibration]:
        return CALIBRATIONS

    async def create_store(self, contract: Contract, server: Server) -> SqliteStore:
        opener = self.opener(contract)
        return SqliteStore(opener, Path(server.address) / f"{secrets.token_hex(8)}.db")


def delete_rows(path: Path, lock_seconds: float) -> None:
    """Delete every row of a SQLite file's tables in one transaction; a missing file stays missing.

    Raises sqlite3.OperationalError where another connection holds a lock for so long.
    """
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=lock_seconds, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            # Of this connection only; a journal file would cost more than the deletion.
            connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
        with _triggers_set_aside(connection, schema):
            for name in _emptied(schema):
                connection.execute(f"DELETE FROM {_quoted(name)}")  # noqa: S608 - quoted
        connection.execute("COMMIT")


@contextmanager
def _triggers_set_aside(
    connection: sqlite3.Connection, schema: list[tuple[str, str, str]]
) -> Iterator[None]:
    """A storage's trigger may refuse deletions (an append-only table) or write rows of its own."""
    triggers = [(name, sql) for kind, name, sql in schema if kind == "trigger"]
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {_quoted(name)}")
    yield
    for _, sql in triggers:
        connection.execute(sql)


def _emptied(schema: list[tuple[str, str, str]]) -> list[str]:
    tables = [(name, sql or "") for kind, name, sql in schema if kind == "table"]
    virtual = [name for name, sql in tables if sql.upper().startswith("CREATE VIRTUAL")]
    shadows = tuple(f"{name}_" for name in virtual)
    return [
        name
        for name, _ in tables
        if name == "sqlite_sequence"
        or not (name.startswith(("sqlite_", *shadows)) or name in SURVIVING_TABLES)
    ]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unavailable(path: Path, error: Exception) -> BackendUnavailable:
    return BackendUnavailable(
        "sqlite", f"{path} can't be emptied ({error})", "See whether the disk is full or read-only"
    )
