"""For `Database.watch`: one connection that hears notifications, while somebody watches.

There is no task behind it: whoever waits opens the connection, and opens it again after a
loss. Notifications may have been missed until then, so that wakes everybody.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from storeproof.reference.database.drivers import Ear, Listen, to_its_end
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.watching import Watch

__all__ = ["RELISTEN_PAUSES", "Listening", "Pause"]

Pause: TypeAlias = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""

RELISTEN_PAUSES = (0.1, 0.5, 2.0)
"""Seconds to wait before each further attempt to listen; then a wait is Unavailable."""


class Listening:
    """The watches of a `Database`, and the connection that they share."""

    def __init__(self, listen: Listen, pauses: Sequence[float], pause: Pause) -> None:
        self._listen = listen
        self._pauses = tuple(pauses)
        self._pause = pause
        self._watches: set[_Channel] = set()
        self._opening = asyncio.Lock()
        self._ear: Ear | None = None
        self._heard: frozenset[str] = frozenset()
        self._closed = False

    @asynccontextmanager
    async def watch(self, channel: str) -> AsyncIterator[Watch]:
        """A watch on a channel. The connection closes with the last one."""
        watch = _Channel(self, channel)
        self._watches.add(watch)
        try:
            yield watch
        finally:
            self._watches.discard(watch)
            if not self._watches:
                await self._hang_up()

    async def close(self) -> None:
        """Ends the connection; whoever waits gets Unavailable."""
        self._closed = True
        self._stir()
        await self._hang_up()

    async def ready(self, channel: str) -> None:
        """Returns when the channel is listened to. Raises Unavailable."""
        async with self._opening:
            left = list(self._pauses)
            while not self._is_heard(channel):
                if self._closed or not self._watches:
                    raise Unavailable("this Database, or its watch, has been closed")
                try:
                    if not await self._open():
                        return
                except Unavailable as error:
                    if not left or self._closed:
                        raise Unavailable(error.reason) from error
                    await self._pause(left.pop(0))

    def _is_heard(self, channel: str) -> bool:
        open_ = self._ear is not None and not self._ear.is_closed()
        return open_ and channel in self._heard

    async def _open(self) -> bool:
        """Listens to all channels; whether this database has notifications at all."""
        await self._hang_up()
        ear = await self._listen(self._notified, self._stir)
        if ear is None:
            return False
        channels = frozenset(watch.channel for watch in self._watches)
        try:
            for channel in sorted(channels):
                await ear.hear(channel)
        except BaseException:
            await to_its_end(ear.close())
            raise
        self._ear, self._heard = ear, channels
        if self._closed:
            await self._hang_up()
        for channel in channels:
            self._notified(channel)
        return True

    async def _hang_up(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            await to_its_end(ear.close())

    def _notified(self, channel: str) -> None:
        for watch in self._watches:
            if watch.channel == channel:
                watch.news = True
                watch.stirred.set()

    def _stir(self) -> None:
        for watch in self._watches:
            watch.stirred.set()


class _Channel:
    """Implements `Watch`. `stirred` has it look again at the connection, `news` has it return."""

    def __init__(self, listening: Listening, channel: str) -> None:
        self._listening = listening
        self.channel = channel
        self.stirred = asyncio.Event()
        self.news = True

    async def wait(self) -> None:
        while True:
            self.stirred.clear()
            await self._listening.ready(self.channel)
            if self.news:
                self.news = False
                return
            await self.stirred.wait()
