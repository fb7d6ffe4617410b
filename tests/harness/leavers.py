"""Vaults that wait like a database's, a correct one and some that leave something of a call.

Every storage here is right as long as no call is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from .vaults import Box, BoxId, Data, LockedVault, VaultError, turn

POOL = 2


class Unavailable(VaultError):
    """The store can't be reached."""


class PooledVault(LockedVault):
    """Correct: takes a connection, does all in one step, gives the connection back."""

    size = POOL

    def __init__(self, data: Data | None = None) -> None:
        super().__init__(data)
        self.pool = asyncio.Semaphore(self.size)
        self.left: list[Any] = []

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        async with self.pool, super().locked():
            yield


LEAVING: list[type[PooledVault]] = []


def leaving(make: type[PooledVault]) -> type[PooledVault]:
    LEAVING.append(make)
    return make


@leaving
class KeepsTheLock(PooledVault):
    """The lock is given back only where nothing goes wrong."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        await self.data.lock.acquire()
        try:
            await turn()
            yield
        except VaultError:
            self.data.lock.release()
            raise
        await turn()
        self.data.lock.release()


@leaving
class WritesByHalves(PooledVault):
    """The coins leave one box before they are in the other."""

    async def move(self, source: BoxId, target: BoxId) -> None:
        async with self.locked():
            full, other = self.rows.found(source), self.rows.found(target)
            if source != target:
                self.rows.boxes[source] = replace(full, coins=0)
                await turn()
                self.rows.boxes[target] = replace(other, coins=other.coins + full.coins)


@leaving
class SwallowsIt(PooledVault):
    """A cancelled call does its work all the same, and says so."""

    async def rename(self, id: BoxId, label: str) -> Box:
        while True:
            with suppress(asyncio.CancelledError):
                return await super().rename(id, label)


@leaving
class TurnsItIntoAnError(PooledVault):
    """A cancelled call looks like a lost connection."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        try:
            async with super().locked():
                yield
        except asyncio.CancelledError:
            raise Unavailable from None


@leaving
class KeepsAConnection(PooledVault):
    """A connection is given back only where nothing goes wrong; there are two."""

    async def take_one(self) -> None:
        await self.pool.acquire()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        await self.take_one()
        try:
            async with LockedVault.locked(self):
                yield
        except Exception:
            self.pool.release()
            raise
        self.pool.release()


@leaving
class KeepsTheOnlyConnection(KeepsAConnection):
    """As before, of a pool of one."""

    size = 1


@leaving
class RunsOutOfConnections(KeepsAConnection):
    """Says that there is none left, with an error of the contract."""

    async def take_one(self) -> None:
        if self.pool.locked():
            raise Unavailable
        await self.pool.acquire()


@leaving
class CleansUpUnshielded(PooledVault):
    """When it is cancelled it waits before it gives the lock back: that can be cancelled too."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        await self.data.lock.acquire()
        try:
            await turn()
            yield
        except asyncio.CancelledError:
            await turn()
            self.data.lock.release()
            raise
        except VaultError:
            self.data.lock.release()
            raise
        self.data.lock.release()


@leaving
class LeavesATask(PooledVault):
    """What was cancelled is waited for by a task that never ends."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        try:
            async with super().locked():
                yield
        except asyncio.CancelledError:
            self.left.append(asyncio.create_task(asyncio.Event().wait()))
            raise


@leaving
class LeavesAnError(PooledVault):
    """What was cancelled goes on in a task, whose error nobody asks for."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        try:
            async with super().locked():
                yield
        except asyncio.CancelledError:
            self.left.append(asyncio.create_task(self._fail()))
            self.left[-1].add_done_callback(self.left.remove)
            raise

    async def _fail(self) -> None:
        raise ConnectionError


class ShieldedVault(PooledVault):
    """Correct: what has begun is finished, in a task, before CancelledError goes on."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        await self.data.lock.acquire()
        try:
            await turn()
            yield
        finally:
            try:
                await finished(asyncio.ensure_future(turn()))
            finally:
                self.data.lock.release()


async def finished(task: asyncio.Future[None]) -> None:
    """Wait until a task is done, however often the waiting is cancelled."""
    cancelled = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled


CORRECT: list[Callable[..., LockedVault]] = [LockedVault, PooledVault, ShieldedVault]
