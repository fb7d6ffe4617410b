"""For operators' tools: `upgrade` and `downgrade` move a database along a history.

On PostgreSQL each revision is a transaction of its own, a gradual one several; whoever
moves the schema holds an advisory lock meanwhile, and others wait. On SQLite the whole move
is one transaction, which keeps other writers out; readers go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.schema import CreateTable

from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.database.exceptions import SchemaMismatch
from storeproof.reference.database.revisions.connecting import run
from storeproof.reference.database.revisions.exceptions import LossNotAccepted, RevisionFailed
from storeproof.reference.database.revisions.patience import Patience, ending
from storeproof.reference.database.schema import ALL_VERSIONS, CHANGING, VERSIONS, newer

if TYPE_CHECKING:
    from storeproof.reference.database.revisions.history import History, Revision

__all__ = ["Tell", "downgrade", "upgrade"]

Tell = Callable[[str], None]
"""Is told, in a line, what is being done."""


async def upgrade(
    url: str,
    history: History,
    *,
    to: int | None = None,
    components: Iterable[str] = (),
    patience: Patience | None = None,
    tell: Tell = lambda _: None,
) -> list[Revision]:
    """Makes the revisions that a database lacks, up to `to`, or all; gives those it made.

    They are those of `components` and of the components that have tables there; of all
    components where neither says any. Raises SchemaError, Unavailable, ConfigurationError.
    """

    def work(connection: sa.Connection) -> list[Revision]:
        with _Move(connection, history, patience or Patience(), tell).alone() as move:
            return move.up(components, to)

    return await run(url, work, create=True)


async def downgrade(
    url: str,
    history: History,
    *,
    to: int,
    accept_loss: bool = False,
    patience: Patience | None = None,
    tell: Tell = lambda _: None,
) -> list[Revision]:
    """Undoes the revisions after `to` of the tables that are there; gives those it undid.

    Raises LossNotAccepted, before it does anything, where one of them loses data and
    `accept_loss` does not allow it; otherwise as `upgrade` does.
    """

    def work(connection: sa.Connection) -> list[Revision]:
        with _Move(connection, history, patience or Patience(), tell).alone() as move:
            return move.down(to, accept_loss)

    return await run(url, work)


class _Move:
    """One upgrade or downgrade, on a connection of its own."""

    def __init__(
        self, connection: sa.Connection, history: History, patience: Patience, tell: Tell
    ) -> None:
        self._connection = connection
        self._history = history
        self._patience = patience
        self._tell = tell
        self._is_postgres = connection.dialect.name == POSTGRES

    @contextmanager
    def alone(self) -> Iterator[_Move]:
        """Nobody else changes the schema meanwhile; whoever wants to waits here."""
        if self._is_postgres:
            # Not pg_advisory_lock: CREATE INDEX CONCURRENTLY waits for statements that run,
            # such as this one, while this one would wait for the lock.
            self._await(lambda: bool(self._connection.scalar(_TRY_LOCK)))
            yield self  # the lock ends with the connection
            return
        self._await(self._begin_writing)
        with ending(self._connection):
            yield self

    def up(self, components: Iterable[str], to: int | None) -> list[Revision]:
        """Makes revisions, in order."""
        self._connection.execute(CreateTable(VERSIONS, if_not_exists=True))
        found = self._versions()
        wanted = {*components, *found} or self._history.components
        ahead = self._history.ahead({name: found.get(name, 0) for name in wanted}, to)
        for revision in ahead:
            self._tell(f"{revision.id} {revision.component}: {revision.summary}")
            self._make(revision, revision.module.upgrade, revision.number)
        return list(ahead)

    def down(self, to: int, accept_loss: bool) -> list[Revision]:
        """Undoes revisions, the last one first."""
        behind = self._history.behind(self._versions(), to)
        losses = [f"{each.id}: {each.loses}" for each in behind if each.loses is not None]
        if losses and not accept_loss:
            raise LossNotAccepted(losses)
        for revision in behind:
            self._tell(f"{revision.id} {revision.component}: undone")
            before = self._history.versions([revision.component], at=revision.number - 1)
            self._make(revision, revision.module.downgrade, before.get(revision.component))
        return list(behind)

    def _versions(self) -> dict[str, int]:
        """The versions of the components that this history is about."""
        found = {row.component: row.version for row in self._connection.execute(ALL_VERSIONS)}
        known = self._history.versions(found)
        for component, last in known.items():
            if found[component] > last:
                raise SchemaMismatch(component, found[component], last, newer(last))
        return {component: found[component] for component in known}

    def _make(self, revision: Revision, change: Callable[[], None], version: int | None) -> None:
        def whole() -> None:
            change()
            self._record(revision.component, version)

        apart = revision.gradual and self._is_postgres
        try:
            with self._operations():
                if apart:
                    change()
                    self._in_transaction(lambda: self._record(revision.component, version))
                else:
                    self._in_transaction(whole)
            self._require_references(revision)
        except sa.exc.DBAPIError as error:
            reason = str(error.orig).partition("\n")[0]
            raise RevisionFailed(revision.id, reason, stays=apart) from error

    @contextmanager
    def _operations(self) -> Iterator[None]:
        """Gives `alembic.op` this connection, and `steps` the patience."""
        opts: dict[str, Any] = {"patience": self._patience}
        with Operations.context(MigrationContext.configure(self._connection, opts=opts)):
            yield

    def _in_transaction(self, work: Callable[[], None]) -> None:
        if self._is_postgres:
            self._patience.repeat(self._connection, work)
        else:
            work()

    def _record(self, component: str, version: int | None) -> None:
        self._connection.execute(sa.delete(VERSIONS).where(VERSIONS.c.component == component))
        if version is not None:
            row = {"component": component, "version": version}
            self._connection.execute(sa.insert(VERSIONS), row)

    def _require_references(self, revision: Revision) -> None:
        """SQLite does not check them while tables are made anew."""
        if not self._is_postgres:
            broken = self._connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                reason = f"rows of {broken[0]} refer to rows of {broken[2]} that are gone"
                raise RevisionFailed(revision.id, reason, stays=False)

    def _await(self, attempt: Callable[[], bool]) -> None:
        if not attempt():
            self._tell("waiting for another process, which is changing the database")
            self._patience.wait()
            while not attempt():
                self._patience.wait()

    def _begin_writing(self) -> bool:
        try:
            self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        except sa.exc.OperationalError as error:
            if getattr(error.orig, "sqlite_errorname", None) != "SQLITE_BUSY":
                raise
            return False
        return True


_TRY_LOCK = sa.select(sa.func.pg_try_advisory_lock(CHANGING))
