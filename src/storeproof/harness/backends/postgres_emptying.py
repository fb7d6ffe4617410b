"""The PostgreSQL backend empties its databases between programs with `Emptier`.

One statement deletes from every table: foreign keys are checked at a statement's end, so neither
their order nor their cycles matter. The same statement counts the tables that it does not know
yet, so a table that a storage creates on its first use is noticed without asking again. It is
prepared, so that emptying is one round trip. TRUNCATE and cloned databases cost ten times as much
and more.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from storeproof.harness.backends.postgres_connection import close, connect, speaking_to
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.backends.survivors import SURVIVING_TABLES
from storeproof.harness.exceptions import BackendUnavailable, CheckFailed

if TYPE_CHECKING:
    import asyncpg
    from asyncpg.prepared_stmt import PreparedStatement

__all__ = ["Emptier"]

VACUUM_EVERY: Final = 500
"""Deleted rows slow the scans of later deletions down: measured, by half after 5,000 emptyings."""
LOCK_SECONDS: Final = 5
ATTEMPTS: Final = 5

TABLES: Final = """
SELECT c.oid::bigint AS oid, format('%I.%I', n.nspname, c.relname) AS name,
       c.relname = ANY($1) OR EXISTS (
           SELECT FROM pg_depend d
            WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
       ) AS kept
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384
 ORDER BY c.oid
"""

UNKNOWN: Final = """
SELECT count(*) FROM pg_class
 WHERE relkind = 'r' AND relpersistence <> 't' AND oid >= 16384 AND oid <> ALL('{%s}'::oid[])
"""

OPEN_TRANSACTIONS: Final = """
SELECT query FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
   AND state LIKE 'idle in transaction%'
 ORDER BY xact_start
"""


END_OTHERS: Final = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


class Emptier:
    """Deletes all rows of a database that storeproof created, SURVIVING_TABLES apart.

    Sequences go on counting; a storage's ids are only compared up to renaming. The triggers and
    foreign keys of the tables are out of force for the deletion where the role may do that.
    """

    def __init__(self, url: PostgresUrl) -> None:
        self._url = url
        self._connection: asyncpg.Connection | None = None
        self._deletion: PreparedStatement | None = None
        self._names: list[str] = []
        self._times = 0

    async def empty(self) -> None:
        """Remove all rows.

        Raises BackendUnavailable where the server no longer answers, CheckFailed where a storage
        left a transaction open that locks its rows.
        """
        with speaking_to(self._url):
            for _ in range(ATTEMPTS):
                if await self._delete():
                    break
            else:
                raise CheckFailed("a storage goes on changing its tables while it isn't called")
            self._times += 1
            if self._times % VACUUM_EVERY == 0 and self._names:
                await self._vacuum()

    async def end_others(self) -> None:
        """End every other session on the database, and wait until it is gone.

        Raises BackendUnavailable where the server no longer answers, TimeoutError where a session
        does not end.
        """
        with speaking_to(self._url):
            if self._connection is None:
                self._connection = await self._connect()
            async with asyncio.timeout(LOCK_SECONDS):
                while await self._connection.fetchval(END_OTHERS):
                    pass

    async def close(self) -> None:
        """Close the connection; idempotent."""
        connection, self._connection, self._deletion = self._connection, None, None
        if connection is not None:
            await close(connection)

    async def _delete(self) -> bool:
        """Whether every table that there is was emptied; if not, try again."""
        import asyncpg

        changed = (
            asyncpg.UndefinedTableError,
            asyncpg.WrongObjectTypeError,
            asyncpg.ObjectNotInPrerequisiteStateError,
        )
        lost = (
            asyncpg.AdminShutdownError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.PostgresConnectionError,
        )
        deletion, self._deletion = self._deletion, None
        try:
            deletion = deletion or await self._prepare()
            if await deletion.fetchval() > 0:
                return False
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError) as error:
            raise await self._locked() from error
        except changed:
            return False
        except asyncpg.PLPGSQLError as error:
            raise self._refused(error) from error
        except lost:
            await self.close()
            return False
        self._deletion = deletion
        return True

    async def _prepare(self) -> PreparedStatement:
        if self._connection is None:
            self._connection = await self._connect()
        tables = await self._connection.fetch(TABLES, list(SURVIVING_TABLES))
        self._names = [table["name"] for table in tables if not table["kept"]]
        deletions = (
            f"d{i} AS (DELETE FROM ONLY {name})"  # noqa: S608 - the server quoted the names
            for i, name in enumerate(self._names)
        )
        known = ",".join(str(table["oid"]) for table in tables)
        with_all = f"WITH {', '.join(deletions)}" if self._names else ""
        return await self._connection.prepare(f"{with_all} {UNKNOWN % known}")

    async def _connect(self) -> asyncpg.Connection:
        import asyncpg

        connection = await connect(
            self._url, lock_timeout=f"{LOCK_SECONDS}s", row_security="off", jit="off"
        )
        with suppress(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SET session_replication_role = replica")
        return connection

    async def _vacuum(self) -> None:
        if self._connection is not None:
            await self._connection.execute(f"VACUUM (SKIP_LOCKED) {', '.join(self._names)}")

    def _refused(self, error: Exception) -> BackendUnavailable:
        role = f'"{self._url.user}"' if self._url.user else "CURRENT_USER"
        return BackendUnavailable(
            "postgres",
            f"a trigger of the storage's tables refuses their deletion ({error}), and the role may "
            "not put triggers out of force",
            f"As an administrator, run: GRANT SET ON PARAMETER session_replication_role TO {role};",
        )

    async def _locked(self) -> CheckFailed:
        found = [] if self._connection is None else await self._connection.fetch(OPEN_TRANSACTIONS)
        shown = "; ".join(" ".join(row["query"].split())[:120] for row in found) or "unknown"
        return CheckFailed(
            f"a storage left a transaction open that locks its rows for {LOCK_SECONDS} seconds "
            f"after its call had ended; the transaction's last statement: {shown}"
        )
