"""For authors and openers of database storages: `Database`, which runs their statements.

    async with Database("postgresql://localhost/app", create=True) as database:
        storage = DatabaseAuthStorage(database)

One operation is one round trip wherever one statement can express it: `read` and `write`
run in the driver's autocommit. Only where several statements must happen as a whole they
form a transaction (`transact`). Errors of drivers end here.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from storeproof.reference.database.addresses import open_driver
from storeproof.reference.database.bulk import Bulk
from storeproof.reference.database.compiling import Row, Statement, compile_for
from storeproof.reference.database.drivers import Driver, Run, Settings
from storeproof.reference.database.exceptions import Retryable, TableMissing
from storeproof.reference.database.listening import RELISTEN_PAUSES, Listening, Pause
from storeproof.reference.database.schema import Schema, prepare, read_versions
from storeproof.reference.database.unit import UnitDriver
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.watching import Watch

__all__ = ["ATTEMPTS", "Database", "Transaction"]

T = TypeVar("T")

ATTEMPTS = 4
"""How often a call is tried whose earlier attempts certainly changed nothing."""


class Transaction:
    """Several statements that happen as a whole; `Database.transact` makes and ends it."""

    def __init__(self, dialect: str, run: Run) -> None:
        self._dialect = dialect
        self._run = run

    async def run(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        """Runs one statement; gives the rows that it returns.

        Raises UniqueViolated or ForeignKeyViolated; the transaction must end with them.
        """
        compiled = compile_for(self._dialect, statement)
        return compiled.rows(await self._run(compiled.text, compiled.arguments(parameters)))


class Database:
    """A PostgreSQL or SQLite database, and the connections to it.

    `url` is one of SQLAlchemy's: `postgresql://…` (also `postgres://…` and
    `postgresql+asyncpg://…`) or `sqlite:///PATH` (also `sqlite+aiosqlite:///PATH`). The
    settings are those of `Config`. Raises ConfigurationError for a URL that can't be used.

    Nothing is connected before the first use or `open`. A Database belongs to the event
    loop of its first use; tasks of that loop may share it. Close it, or use `async with`.
    """

    def __init__(
        self,
        url: str,
        *,
        create: bool = False,
        pool_size: int = 10,
        pool_timeout: float = 10.0,
        statement_timeout: float = 10.0,
        relisten_pauses: Sequence[float] = RELISTEN_PAUSES,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._create = create
        settings = Settings(
            create=create,
            pool_size=pool_size,
            pool_timeout=pool_timeout,
            statement_timeout=statement_timeout,
        )
        self._driver: Driver = open_driver(url, settings)
        self._listening = Listening(self._driver.listen, relisten_pauses, pause)
        self._unchecked: list[Schema] = []
        self._checked: set[str] = set()
        self._opening = asyncio.Lock()
        self._opened = False
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def dialect(self) -> str:
        """POSTGRES or SQLITE (`database.compiling`), for what only one of them can express."""
        return self._driver.dialect

    def require(self, schema: Schema) -> None:
        """Has the tables of a component checked, or created, before the next statement."""
        self._unchecked.append(schema)
        self._opened = False

    async def open(self) -> None:
        """Connects, and checks or creates the required tables.

        Raises SchemaMismatch when they are absent and `create` was not given, or are of
        another version; Unavailable when the database can't be reached.
        """
        async with self._opening:
            if self._closed:
                raise Unavailable("this Database has been closed")
            await self._driver.open()
            while self._unchecked:
                await prepare(self._driver, self._unchecked[0], create=self._create)
                self._checked.add(self._unchecked.pop(0).component)
            self._opened = True

    async def versions(self) -> dict[str, int]:
        """The version of each component's tables that are there. Raises Unavailable."""
        return await self._repeat(lambda: read_versions(self._driver))

    async def close(self) -> None:
        """Closes all connections, within a few seconds. Later calls raise Unavailable."""
        self._closed, self._opened = True, False
        await self._listening.close()
        await self._driver.close()

    async def read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        """Runs one statement that changes nothing; gives its rows. One round trip."""
        compiled = compile_for(self._driver.dialect, statement)
        arguments = compiled.arguments(parameters)
        return compiled.rows(
            await self._repeat(lambda: self._driver.read(compiled.text, arguments))
        )

    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        """Runs one statement as a whole; gives the rows that it returns. One round trip.

        Raises UniqueViolated or ForeignKeyViolated: nothing was changed. Raises
        OutcomeUnknown when the connection was lost before the answer came.
        """
        compiled = compile_for(self._driver.dialect, statement)
        arguments = compiled.arguments(parameters)
        return compiled.rows(
            await self._repeat(lambda: self._driver.write(compiled.text, arguments))
        )

    async def transact(
        self, work: Callable[[Transaction], Awaitable[T]], *, lock: Schema | None = None
    ) -> T:
        """Runs `work` in one transaction, and commits it unless it raises.

        `lock`: only one transaction at a time that names this schema runs, in any process;
        the others wait. `work` may be repeated: its only effects are its statements.
        Raises as `write` does.
        """

        async def once() -> T:
            async with self._driver.transaction(None if lock is None else lock.key) as run:
                return await work(Transaction(self._driver.dialect, run))

        return await self._repeat(once)

    async def together(self, work: Callable[["Database"], Awaitable[T]]) -> T:
        """Runs `work` with a Database whose calls all happen as a whole, or not at all.

        A call in it that raises is undone alone, unless the error leaves `work`. `work` may be
        repeated, so its only effects are those on this database. Raises as `transact` does.
        """

        async def once() -> T:
            async with self._driver.transaction(None) as run:
                driver = UnitDriver(self._driver.dialect, run)
                return await work(_Unit(driver, self._checked))

        try:
            return await self._repeat(once)
        except _Unchecked as missing:
            self.require(missing.schema)
        return await self.together(work)

    @asynccontextmanager
    async def bulk(self, *, writes: bool) -> AsyncIterator[Bulk]:
        """One transaction for more rows than should be held at once; it is never repeated.

        All that it reads it sees at one moment, while others write; with `writes`, its changes
        happen at the end of the block, as a whole, or not at all if the block raises. No
        statement in it is cut short by `statement_timeout`. Raises as `transact` does.
        """
        if not self._opened:
            await self.open()
        async with self._driver.bulk(writes=writes) as carrier:
            yield Bulk(self._driver.dialect, carrier)

    def watch(self, channel: str) -> AbstractAsyncContextManager[Watch]:
        """A watch on what `notify` says on this channel, in any schema of the database.

        On PostgreSQL it has a connection beside the pool's, which all watches share; it is
        opened when the first one waits and closed with the last. When it is lost, a wait opens
        it again, at most once more after each of `relisten_pauses` (seconds, waited by
        `pause`), and returns, since something may have been missed; or raises Unavailable.

        On SQLite nothing is heard after the first wait, nor behind a proxy that gives each
        transaction another connection (PgBouncer does): look from time to time as well.
        """
        return self._listening.watch(channel)

    async def _repeat(self, call: Callable[[], Awaitable[T]]) -> T:
        """The only place where anything is tried again: when certainly nothing happened."""
        if not self._opened:
            await self.open()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await call()
            except TableMissing as error:
                raise Unavailable(error.reason, error.remedy) from error
            except Retryable as error:
                if attempt == ATTEMPTS:
                    raise Unavailable(error.reason) from error
        raise AssertionError("the last attempt returns or raises")


class _Unchecked(Exception):
    """A unit of work uses a component whose tables have not been checked."""

    def __init__(self, schema: Schema) -> None:
        super().__init__(schema.component)
        self.schema = schema


class _Unit(Database):
    """The Database of one unit of work; what it can't do alone is left to the one around it."""

    def __init__(self, driver: UnitDriver, checked: Set[str]) -> None:
        self._driver = driver
        self._listening = Listening(driver.listen, (), asyncio.sleep)
        self._checked_outside = checked

    def require(self, schema: Schema) -> None:
        if schema.component not in self._checked_outside:
            raise _Unchecked(schema)

    async def _repeat(self, call: Callable[[], Awaitable[T]]) -> T:
        return await call()
