"""The PostgreSQL backend's own connections: opened, checked and excused here, in one place.

The driver is imported where it is used, so that `--storage=memory` needs none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable, ForeignData

if TYPE_CHECKING:
    import asyncpg

__all__ = ["Facts", "close", "connect", "examine", "run_apart", "session", "speaking_to"]

T = TypeVar("T")

CONNECT_SECONDS: Final = 10
COMMAND_SECONDS: Final = 60
OLDEST: Final = 13
"""DROP DATABASE … WITH (FORCE) is this old."""

FACTS: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num')::int / 10000 AS major,
       current_user::text AS role,
       (SELECT rolsuper OR rolcreatedb FROM pg_roles WHERE rolname = current_user) AS may_create
"""

FOREIGN: Final = """
SELECT format('%I.%I', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
   AND NOT EXISTS (SELECT FROM pg_depend d
                    WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a server said of itself."""

    version: str


async def connect(url: PostgresUrl, **settings: str) -> asyncpg.Connection:
    """Open a connection of the harness's own.

    Raises BackendUnavailable, whose one sentence says what is wrong with the server or the URL.
    """
    asyncpg = _driver()
    try:
        return await asyncpg.connect(
            **url.arguments(),
            timeout=CONNECT_SECONDS,
            command_timeout=COMMAND_SECONDS,
            server_settings={"application_name": "storeproof", **settings},
        )
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _refusal(url, error) from error
    except asyncpg.InternalClientError as error:
        raise _unavailable(f"what answers at {url.server} is not PostgreSQL ({error})") from error


@asynccontextmanager
async def session(url: PostgresUrl) -> AsyncIterator[asyncpg.Connection]:
    """Open a connection for the block; a server lost inside it becomes BackendUnavailable."""
    connection = await connect(url)
    try:
        with speaking_to(url):
            yield connection
    finally:
        await close(connection)


@contextmanager
def speaking_to(url: PostgresUrl) -> Iterator[None]:
    """Turn whatever the driver raises into BackendUnavailable's one sentence."""
    asyncpg = _driver()
    try:
        yield
    except (
        OSError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        asyncpg.InternalClientError,
    ) as error:
        raise _unavailable(
            f"the server at {url.server} failed in the middle of the run ({_words(error)})",
            "See the server's log, then run again",
        ) from error


async def examine(url: PostgresUrl) -> Facts:
    """Ask the server whether storeproof can work on it, changing nothing.

    Raises ForeignData where the URL's database holds tables or views, BackendUnavailable where the
    server is too old or the role may not create databases.
    """
    async with session(url) as connection:
        found = await connection.fetchrow(FACTS)
        foreign = [row[0] for row in await connection.fetch(FOREIGN)]
    if foreign:
        raise ForeignData("postgres", url.place, foreign)
    if found["major"] < OLDEST:
        raise _unavailable(
            f"{url.server} is PostgreSQL {found['version']}",
            f"Give a server of version {OLDEST} or later",
        )
    if not found["may_create"]:
        role = '"' + found["role"].replace('"', '""') + '"'
        raise _unavailable(
            f"the role {role} may not create databases on {url.server}",
            f"As an administrator, run: ALTER ROLE {role} CREATEDB;",
        )
    return Facts(version=found["version"].split()[0])


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on an event loop of its own, in a thread of its own.

    asyncio.run in the caller's thread would take away the event loop that its other users expect.
    """
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


async def close(connection: asyncpg.Connection) -> None:
    """Close a connection, lost or not, within a bounded time."""
    try:
        await connection.close(timeout=CONNECT_SECONDS)
    except (OSError, _driver().InterfaceError, _driver().InternalClientError):
        connection.terminate()


def _driver() -> Any:
    try:
        import asyncpg
    except ImportError:
        raise _unavailable(
            "its driver asyncpg is not installed", "Run: pip install 'storeproof[postgres]'"
        ) from None
    return asyncpg


def _refusal(url: PostgresUrl, error: Exception) -> BackendUnavailable:
    asyncpg = _driver()
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            return _unavailable(
                f"{url.server} does not let the user {url.user or '(none given)'} in "
                f"({_words(error)})",
                "Correct the URL's user and password, or the server's pg_hba.conf",
            )
        case asyncpg.InvalidCatalogNameError():
            return _unavailable(
                f"{url.server} has no database {url.database}",
                "Correct the URL's database, or create it",
            )
        case asyncpg.PostgresError() | asyncpg.InterfaceError() | ValueError():
            return _unavailable(f"{url.server} can't be connected to ({_words(error)})")
        case _:
            return _unavailable(
                f"no PostgreSQL answers at {url.server} ({_words(error)})",
                "Start the server, or correct the URL's host and port",
            )


def _words(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said.rstrip(".") or type(error).__name__


def _unavailable(
    reason: str, remedy: str = "Correct the URL, or the server's settings"
) -> BackendUnavailable:
    return BackendUnavailable("postgres", reason, remedy)
