"""For `PostgresDriver`: its connections, kept open between calls.

asyncpg has a pool of its own, which is not used: it resets a connection after each use,
which is a second round trip, and even without that costs as much time as a statement.
Nothing here changes a session, so there is nothing to reset: a connection is given back
as it is, or, when it is in doubt, closed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg

from storeproof.reference.database.drivers import Settings, to_its_end
from storeproof.reference.database.postgres_answers import ERRORS
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["PostgresPool", "close_connection"]

IDLE_SECONDS = 300.0
"""After so long without use, what stands between may have forgotten a connection."""


class PostgresPool:
    """At most `pool_size` connections, made by `connect`, which raises Unavailable if it can't.

    Whoever waits longer than `pool_timeout` seconds for one gets Unavailable.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]], settings: Settings) -> None:
        self._connect = connect
        self._timeout = settings.pool_timeout
        self._cleaning_timeout = settings.cleaning_timeout
        self._free = asyncio.Semaphore(settings.pool_size)
        self._idle: list[tuple[Any, float]] = []
        self._used: set[Any] = set()
        self._closed = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """A connection for the block, which leaves no transaction open on it."""
        await self._turn()
        try:
            connection = await self._take()
            sound = False
            try:
                yield connection
                sound = True
            except Exception as error:
                sound = _was_answered(error)
                raise
            finally:
                self._used.discard(connection)
                await self._give_back(connection, sound)
        finally:
            self._free.release()

    async def close(self) -> None:
        """Closes the idle connections and cuts those that are in use."""
        self._closed = True
        for connection in tuple(self._used):
            connection.terminate()
        idle, self._idle = self._idle, []
        await to_its_end(asyncio.gather(*(self._close(connection) for connection, _ in idle)))

    async def _turn(self) -> None:
        try:
            async with asyncio.timeout(self._timeout if self._free.locked() else None):
                await self._free.acquire()
        except TimeoutError as error:
            raise Unavailable("no connection to the server was free in time") from error

    async def _take(self) -> Any:
        connection = self._reusable()
        if connection is None:
            connection = await self._connect()
        if self._closed:
            connection.terminate()
            raise Unavailable("this Database has been closed")
        self._used.add(connection)
        return connection

    def _reusable(self) -> Any:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection, since = self._idle.pop()
            if now - since > IDLE_SECONDS:
                connection.terminate()
            if not connection.is_closed():
                return connection
        return None

    async def _give_back(self, connection: Any, sound: bool) -> None:
        if connection.is_closed():
            self._cut_idle()  # what ended one, such as a restart, has likely ended all
        elif sound and not self._closed:
            self._idle.append((connection, asyncio.get_running_loop().time()))
        else:
            await to_its_end(self._close(connection))

    async def _close(self, connection: Any) -> None:
        await close_connection(connection, self._cleaning_timeout)

    def _cut_idle(self) -> None:
        for connection, _ in self._idle:
            connection.terminate()
        self._idle.clear()


def _was_answered(error: Exception) -> bool:
    """Whether the server is known to have ended what the connection was used for."""
    if isinstance(error, Unavailable | OutcomeUnknown):
        return isinstance(error.__cause__, asyncpg.PostgresError)
    return True


async def close_connection(connection: Any, timeout: float) -> None:
    """Closes a connection; asyncpg first has the server end a statement that still runs."""
    try:
        # Its own timeouts don't cover the waiting for that.
        async with asyncio.timeout(timeout):
            await connection.close()
    except ERRORS:
        with suppress(*ERRORS):
            connection.terminate()
