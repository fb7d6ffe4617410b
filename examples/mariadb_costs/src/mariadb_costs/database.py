"""For the storage: transactions on MariaDB, and what becomes of a connection that breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.schema import CreateIndex, CreateTable

from mariadb_costs.tables import TABLES
from storeproof.reference.database.drivers import to_its_end
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable

__all__ = ["Database", "Work"]

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

ATTEMPTS: Final = 10
_AGAIN: Final = {
    1062: "somebody else was about to make the same",
    1213: "a deadlock",
}
_FOUND: Final = sa.text(
    "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
)


class Database:
    """Connections to one database of a MariaDB server; `timeout` (seconds) bounds every wait.

    Transactions are READ COMMITTED: what FOR UPDATE waited for is read as it is by then. A
    transaction that a dead client left open is rolled back by the server after 5 seconds.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self._timeout = timeout
        wait = max(1, int(timeout))
        self._engine = create_async_engine(
            url,
            isolation_level="READ COMMITTED",
            pool_size=10,
            max_overflow=0,
            pool_timeout=timeout,
            pool_reset_on_return=None,  # `_once` ends its transaction itself, in time
            connect_args={
                "charset": "utf8mb4",
                "connect_timeout": timeout,
                "init_command": f"SET SESSION innodb_lock_wait_timeout = {wait}, "
                "idle_transaction_timeout = 5, sql_notes = 0",
            },
        )

    async def create(self) -> None:
        """Create the tables, unless they are there. Raises Unavailable."""
        await self.transact(_create)

    async def close(self) -> None:
        """Close all connections, in time."""
        await to_its_end(self._closed())

    async def transact(self, work: Work[T]) -> T:
        """Run `work` in one transaction, and commit it unless it raises.

        It runs to its end also where its caller is cancelled, since the server would go on
        with it. `work` may be repeated: its only effects are its statements. Raises Unavailable
        where nothing happened, OutcomeUnknown where the answer to the commit is lost.
        """
        return await to_its_end(self._repeated(work, commits=True))

    async def read(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Give the rows of one statement that changes nothing. Raises Unavailable."""

        async def work(connection: AsyncConnection) -> Sequence[sa.Row[Any]]:
            rows: Sequence[sa.Row[Any]] = (await connection.execute(statement)).all()
            return rows

        return await to_its_end(self._repeated(work, commits=False))

    async def _repeated(self, work: Work[T], *, commits: bool) -> T:
        for _ in range(ATTEMPTS):
            try:
                return await self._once(work, commits=commits)
            except _Again as again:
                reason = again.reason
        raise Unavailable(reason)

    async def _once(self, work: Work[T], *, commits: bool) -> T:
        attempt = _Attempt(self._engine.connect())
        try:
            async with asyncio.timeout(self._timeout):
                return await attempt.made(work, commits=commits)
        except (TimeoutError, NoneFree) as error:
            await attempt.give_up()
            raise attempt.failed("the server did not answer in time") from error
        except (DBAPIError, OSError) as error:
            await attempt.give_up()
            reason = _AGAIN.get(_code(error))
            if reason is not None:
                raise _Again(reason) from error
            lost = isinstance(error, DBAPIError) and error.connection_invalidated
            if lost and not attempt.committing:  # others in the pool were lost with it
                raise _Again("the connection was lost") from error
            raise attempt.failed("the connection was lost") from error
        except StorageError:
            raise
        except BaseException:
            await attempt.give_up()
            raise

    async def _closed(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                await self._engine.dispose()


class _Again(Exception):
    """Nothing happened; the same work may succeed."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Attempt:
    """One transaction, and whether its commit was sent."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.committing = False

    async def made(self, work: Work[T], *, commits: bool) -> T:
        await self._connection.start()
        try:
            answer = await work(self._connection)
        except StorageError:
            await self._end(commits=False)
            raise
        await self._end(commits=commits)
        return answer

    async def _end(self, *, commits: bool) -> None:
        self.committing = commits
        await (self._connection.commit() if commits else self._connection.rollback())
        self.committing = False
        await self._connection.close()

    async def give_up(self) -> None:
        """Drop the connection, on which nothing is known to be in order."""
        if self._connection.sync_connection is None:
            return
        if not self._connection.closed:
            await self._connection.invalidate()
            await self._connection.close()

    def failed(self, reason: str) -> Exception:
        return OutcomeUnknown(reason) if self.committing else Unavailable(reason)


def _code(error: BaseException) -> Any:
    arguments = error.orig.args if isinstance(error, DBAPIError) and error.orig else (None,)
    return arguments[0] if arguments else None


async def _create(connection: AsyncConnection) -> None:
    found = (await connection.execute(_FOUND)).scalar_one()
    if found == len(TABLES.tables):
        return
    for table in TABLES.sorted_tables:
        await connection.execute(CreateTable(table, if_not_exists=True))
        for index in table.indexes:
            await connection.execute(CreateIndex(index, if_not_exists=True))
