"""For `upgrade`, `downgrade` and the steps of revisions: how long others may be made to wait."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.util import await_only

__all__ = ["Patience", "ending", "sqlstate", "transaction"]

_REPEATED = {"55P03", "40P01"}
"""A lock was not granted in time; a deadlock. Nothing has happened."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """The bound that holds for clients of a PostgreSQL which is upgraded while they work.

    Seconds. A transaction that takes locks which are in somebody's way waits for one at most
    `lock` (others queue behind it so long), and ends after `bound`, whatever it has done. One
    that did not get its locks is tried `attempts` times, and `pause` waits in between, for
    `interval` seconds. So nobody waits longer than `bound` for a revision; a revision that
    would need longer fails, with nothing done.
    """

    lock: float = 1.0
    bound: float = 5.0
    attempts: int = 30
    interval: float = 2.0
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    clock: Callable[[], float] = time.monotonic

    def wait(self) -> None:
        """Waits for an interval; to be called where SQLAlchemy runs."""
        await_only(self.pause(self.interval))

    def repeat(self, connection: sa.Connection, work: Callable[[], None]) -> None:
        """Runs `work` in a transaction with these bounds; again while locks are not granted."""
        for attempt in range(1, self.attempts + 1):
            try:
                with transaction(connection), self._bounded(connection):
                    work()
                return
            except sa.exc.DBAPIError as error:
                if attempt == self.attempts or sqlstate(error) not in _REPEATED:
                    raise
            self.wait()

    @contextmanager
    def _bounded(self, connection: sa.Connection) -> Iterator[None]:
        """Has the server end each statement, at the latest when the bound is reached."""
        deadline = self.clock() + self.bound
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_milliseconds(self.lock)}")

        def limit(
            _connection: object, cursor: sa.engine.interfaces.DBAPICursor, *_: object
        ) -> None:
            left = _milliseconds(deadline - self.clock())
            cursor.execute(f"SET LOCAL statement_timeout = {left}")

        event.listen(connection, "before_cursor_execute", limit)
        try:
            yield
        finally:
            event.remove(connection, "before_cursor_execute", limit)


@contextmanager
def transaction(connection: sa.Connection) -> Iterator[None]:
    """A transaction, on a connection on which nothing begins one by itself."""
    connection.exec_driver_sql("BEGIN")
    with ending(connection):
        yield


@contextmanager
def ending(connection: sa.Connection) -> Iterator[None]:
    """Commits the transaction that has begun, or rolls it back where the block raises."""
    try:
        yield
        connection.exec_driver_sql("COMMIT")
    except BaseException:
        with suppress(sa.exc.SQLAlchemyError):  # a lost connection has rolled back
            connection.exec_driver_sql("ROLLBACK")
        raise


def sqlstate(error: sa.exc.DBAPIError) -> str | None:
    """PostgreSQL's code of an error; None on SQLite, and where a connection was lost."""
    return getattr(error.orig, "sqlstate", None)


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
