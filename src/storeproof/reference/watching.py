"""For applications that keep something from a storage in memory: learn when it changes.

A storage whose changes can be watched is `Watchable`, beside its component's Protocol: what
waits has no result that two storages could be compared by.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, Self, runtime_checkable

__all__ = ["Bell", "Watch", "Watchable"]


class Watch(Protocol):
    """Waits for changes, also those of other processes, as far as the storage hears of them."""

    async def wait(self) -> None:
        """Returns when something may have changed since it returned last; the first time at once.

        It may return for nothing, and never comes without a change that it could have missed:
        look, then wait again. Cancelling it loses no change. Raises Unavailable when nothing can
        be heard at present.
        """
        ...


@runtime_checkable
class Watchable(Protocol):
    """A storage whose changes can be waited for."""

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """A watch for the block. Two of them wake independently."""
        ...


class Bell:
    """For storages in memory: wakes the watches that it gave, when `ring` is called.

    It stays the same when a unit of work copies and restores its storage, so a watch also looks
    at the number of changes: one that was undone wakes nobody.
    """

    def __init__(self) -> None:
        self._events: set[asyncio.Event] = set()

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def ring(self) -> None:
        """Wakes every watch whose number of changes is another than it was."""
        for event in self._events:
            event.set()

    @asynccontextmanager
    async def watch(self, count: Callable[[], int]) -> AsyncIterator[Watch]:
        """A watch on what `count` counts the changes of."""
        event = asyncio.Event()
        self._events.add(event)
        try:
            yield _Counted(event, count)
        finally:
            self._events.discard(event)


class _Counted:
    """Implements `Watch`."""

    def __init__(self, event: asyncio.Event, count: Callable[[], int]) -> None:
        self._event = event
        self._count = count
        self._seen = -1

    async def wait(self) -> None:
        while self._count() == self._seen:
            await self._event.wait()
            self._event.clear()
        self._seen = self._count()
