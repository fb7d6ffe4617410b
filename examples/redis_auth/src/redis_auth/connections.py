"""For both storages: connections to a Redis server, and what becomes of one that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from storeproof.reference.exceptions import Unavailable

__all__ = ["Connections"]

MOST = 16


class Connections:
    """At most 16 connections, each used by one call at a time; `timeout` bounds every wait.

    redis-py makes them and looks after them, but lends none: giving one back to its pool
    awaits, and a call that is cancelled there would never give it back.
    """

    def __init__(self, url: str, *, timeout: float) -> None:
        self._pool: Any = ConnectionPool.from_url(
            url,
            protocol=2,
            # Its own waits for what it sends by `wait_for`, which in Python 3.11 may return
            # although it was cancelled.
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),  # only its caller knows what may be sent twice
        )
        self.timeout = timeout
        self._room = asyncio.Semaphore(MOST)
        self._made: list[Any] = []
        self._idle: list[Any] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Any]:
        """Lends a connection to the server, made or mended where that is needed.

        Raises Unavailable where there is none to be had in time.
        """
        await self._wait_for_room()
        connection = self._idle.pop() if self._idle else self._make()
        try:
            await self._connect(connection)
            yield connection
        except ResponseError:
            raise  # a whole answer: the connection is as good as before
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        finally:
            self._idle.append(connection)
            self._room.release()

    async def close(self) -> None:
        """Closes them all."""
        for connection in self._made:
            await connection.disconnect()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                await self._room.acquire()
        except TimeoutError as error:
            raise Unavailable("every connection is in use") from error

    def _make(self) -> Any:
        connection = self._pool.make_connection()
        self._made.append(connection)
        return connection

    async def _connect(self, connection: Any) -> None:
        try:
            async with asyncio.timeout(self.timeout):
                await self._pool.ensure_connection(connection)
        except (RedisError, OSError) as error:
            raise Unavailable("the server can't be reached") from error
