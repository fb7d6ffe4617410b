"""For authors of database storages: calls that come while one is under way go together."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from storeproof.reference.database.drivers import to_its_end
from storeproof.reference.database.exceptions import ForeignKeyViolated, UniqueViolated
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["MOST_TOGETHER", "Combined"]

T = TypeVar("T")
R = TypeVar("R")

MOST_TOGETHER = 100
"""Calls that go together at most, so that none waits long for the others' rows."""

STOPPED = "the event loop was stopped"


@dataclass(eq=False)
class _Waiting(Generic[T, R]):
    item: T
    key: Hashable
    answer: "asyncio.Future[R]"
    ended: "asyncio.Future[None] | None" = None
    """Of the round trip, once it is under way."""


class Combined(Generic[T, R]):
    """An operation whose concurrent calls share round trips, and so commits.

    `run` gets the items of one call, or of those that came while it was busy, in the order
    in which they came, none with the same `key`; it gives their answers in that order, as
    soon as they are durable. A call that comes alone runs at once, in its own task.

    Where `run` raises UniqueViolated or ForeignKeyViolated for several items, each runs
    alone, so nobody gets the error of somebody else. Any other error is everybody's.

    A call that is cancelled while it waits has not happened. One that is cancelled while it
    is under way ends when its round trip does.
    """

    def __init__(
        self,
        run: Callable[[Sequence[T]], Awaitable[Sequence[R]]],
        key: Callable[[T], Hashable],
    ) -> None:
        self.run = run
        self._key = key
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._working: asyncio.Task[None] | None = None
        self._busy = False

    async def __call__(self, item: T) -> R:
        """The answer for this item; raises what `run` does."""
        if self._busy:
            return await self._in_company(item)
        self._busy = True
        try:
            return (await self.run([item]))[0]
        finally:
            self._pass_on()

    async def _in_company(self, item: T) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(item, self._key(item), answer)
        self._waiting.append(waiting)
        try:
            return await answer
        except asyncio.CancelledError:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            if waiting.ended is not None:
                await to_its_end(asyncio.wait([waiting.ended]))
            if answer.done() and not answer.cancelled():
                answer.exception()  # looked at, or asyncio would report it as forgotten
            raise

    def _pass_on(self) -> None:
        if self._waiting:
            self._working = asyncio.get_running_loop().create_task(self._work())
        else:
            self._busy = False

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._go(self._taken())
                # Those who write one record after the other come again before the next go.
                await asyncio.sleep(0)
        finally:
            self._working, self._busy = None, False
            # Nobody waits any more unless the loop is being stopped.
            _fail(self._waiting, Unavailable(STOPPED))
            self._waiting.clear()

    def _taken(self) -> list[_Waiting[T, R]]:
        taken: dict[Hashable, _Waiting[T, R]] = {}
        left: list[_Waiting[T, R]] = []
        while self._waiting and len(taken) < MOST_TOGETHER:
            each = self._waiting.popleft()
            if taken.setdefault(each.key, each) is not each:
                left.append(each)
        self._waiting.extendleft(reversed(left))
        return list(taken.values())

    async def _go(self, calls: Sequence[_Waiting[T, R]]) -> None:
        ended = asyncio.get_running_loop().create_future()
        for each in calls:
            each.ended = ended
        try:
            await self._settle(calls)
        finally:
            _fail(calls, OutcomeUnknown(STOPPED))
            ended.set_result(None)

    async def _settle(self, calls: Sequence[_Waiting[T, R]]) -> None:
        try:
            answers = await self.run([each.item for each in calls])
        except (ForeignKeyViolated, UniqueViolated) as error:
            if len(calls) == 1:
                _fail(calls, error)
            else:
                for each in calls:
                    await self._settle([each])
        except Exception as error:
            _fail(calls, error)
        else:
            for each, answer in zip(calls, answers, strict=True):
                if not each.answer.done():  # it was cancelled
                    each.answer.set_result(answer)


def _fail(calls: Iterable[_Waiting[Any, Any]], error: Exception) -> None:
    """Gives each call without one a copy of the error, for raising changes it."""
    for each in calls:
        if not each.answer.done():
            copied = copy(error)
            copied.__cause__ = error.__cause__
            each.answer.set_exception(copied)
