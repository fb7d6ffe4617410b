"""For the tests of storages: cancels a call at each of its suspensions, one after the other.

A component says in a `Cancelling` what its operations are done to, and how it is seen afterwards.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from storeproof.harness.cancelling import Way, cancel

Storage = TypeVar("Storage")


async def cancel_everywhere(
    call: Callable[[int], Coroutine[Any, Any, object]],
    check: Callable[[int], Awaitable[None]],
    *,
    prepare: Callable[[int], Awaitable[object]] | None = None,
    again: bool = False,
) -> int:
    """Runs `call(n)` cancelled at its nth suspension, then `check(n)`, until n is too large.

    Before each, `prepare(n)` runs as a whole. With `again`, the call is also cancelled at every
    later suspension, while it cleans up. Gives the number of suspensions at which it was cancelled.
    """
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    way = Way.REPEATEDLY if again else Way.WAITING
    nth = 0
    while True:
        nth += 1
        if prepare is not None:
            await prepare(nth)
        cancelled = await cancel(call(nth), nth, way, most_again=sys.maxsize)
        await check(nth)
        # asyncpg tells the loop about a transaction that was left open.
        open_ones = [each for each in troubles if "transaction" in each["message"]]
        assert open_ones == []
        if not cancelled.reached:
            return nth - 1


@dataclass(frozen=True, kw_only=True)
class Cancelling(Generic[Storage]):
    """Cancels operations at each of their suspensions, each time on something new.

    Afterwards they happened as a whole or not at all, and left no lock behind.
    """

    opened: Callable[[str], AbstractAsyncContextManager[Storage]]
    """A storage on the database of this address, with connections of its own."""
    prepare: Callable[[Storage, int], Awaitable[object]]
    """Makes the nth thing that an operation is done to."""
    state: Callable[[Storage, int], Awaitable[object]]
    """All that the operations change of the nth thing."""
    before: object
    """The state once it is prepared."""
    work: Callable[[Storage, int], Awaitable[object]]
    """What would wait for a lock that was left behind; done once through each storage."""
    work_keeps_state: bool = True

    def everywhere(
        self, url: str, act: Callable[[Storage, int], Coroutine[Any, Any, object]], after: object
    ) -> int:
        """Cancels `act(storage, n)`, which leads to the state `after`; gives at how many places."""

        async def use() -> int:
            async with self.opened(url) as storage, self.opened(url) as other:

                async def check(nth: int) -> None:
                    found = await self.state(other, nth)
                    assert found in (self.before, after)
                    async with asyncio.timeout(5):
                        for each in (other, storage):
                            await self.work(each, nth)
                    if self.work_keeps_state:
                        assert await self.state(other, nth) == found

                return await cancel_everywhere(
                    lambda nth: act(storage, nth),
                    check,
                    prepare=lambda nth: self.prepare(other, nth),
                )

        return asyncio.run(use())
