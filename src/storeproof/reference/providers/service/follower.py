"""For processes that keep the configuration in memory: `Follower`, a copy that follows changes.

follower = Follower(storage)
await follower.refresh()
service = ProviderService(storage, cipher=..., follower=follower)
async with asyncio.TaskGroup() as group:
    group.create_task(follower.follow())
    ...
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext, suppress
from datetime import timedelta
from typing import NoReturn

from storeproof.reference.exceptions import Unavailable
from storeproof.reference.providers.entities import Change, Provider, ProviderId, Revision
from storeproof.reference.providers.orders import PROVIDER_ORDER
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.storage import MAX_LIMIT
from storeproof.reference.watching import Watch, Watchable

__all__ = ["EVERY", "Follower"]

EVERY = timedelta(seconds=30)


class Follower:
    """A process' own copy of all providers; errors of the storage come through unchanged.

    It looks for changes when the storage's watch wakes it (`Watchable`), and at least `every`
    so often: where nothing is notified (SQLite, a proxy that pools transactions), and because
    a connection may die without a word. `pause` waits for so many seconds.
    """

    def __init__(
        self,
        storage: ProviderStorage,
        *,
        every: timedelta = EVERY,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._storage = storage
        self._every = every.total_seconds()
        self._pause = pause
        self._revision = Revision(0)
        self._providers: dict[ProviderId, Provider] = {}

    @property
    def revision(self) -> Revision:
        """The last change that it knows; 0 before it has looked for the first time."""
        return self._revision

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers as they were at that change, by priority and id."""
        return tuple(sorted(self._providers.values(), key=PROVIDER_ORDER.sort_key))

    async def refresh(self) -> None:
        """Looks for changes now, and takes all of them over."""
        while changes := await self._storage.changes_since(self._revision, MAX_LIMIT):
            for change in changes:
                self._take(change)

    async def follow(self) -> NoReturn:
        """Looks for changes again and again, until it is cancelled.

        While the storage is Unavailable the copy stays as it is.
        """
        storage = self._storage
        async with storage.watch() if isinstance(storage, Watchable) else nullcontext() as watch:
            while True:
                await _first_of(_heard(watch), self._pause(self._every))
                with suppress(Unavailable):
                    await self.refresh()

    def _take(self, change: Change) -> None:
        if change.revision <= self._revision:
            return  # another call of `refresh` was quicker
        self._revision = change.revision
        if change.provider is None:
            self._providers.pop(change.id, None)
        else:
            self._providers[change.id] = change.provider


async def _heard(watch: Watch | None) -> None:
    """Returns when there may be something new; never, where that can't be heard."""
    try:
        await (watch.wait() if watch is not None else asyncio.Event().wait())
    except Unavailable:
        await asyncio.Event().wait()


async def _first_of(*calls: Awaitable[None]) -> None:
    """Returns, or raises, when one of the calls does; the others are cancelled by then."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
