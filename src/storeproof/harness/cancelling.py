"""The check of cancellation cancels a call through this module, at the suspension it wants."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from storeproof.harness.stepping import Stepped

__all__ = ["CancelledCall", "Way", "cancel"]

T = TypeVar("T")

_MOST_AGAIN = 25
"""Later suspensions at which a call is cancelled once more."""


class Way(StrEnum):
    """When a call is cancelled; the text completes 'cancelled …'."""

    WAITING = "while it waited"
    WAKING = "when what it waited for was done"
    REPEATEDLY = "while it waited, and again whenever it waited later"


@dataclass(frozen=True)
class CancelledCall(Generic[T]):
    """What became of a call that was to be cancelled."""

    reached: bool
    """Whether it had so many suspensions; if not, it was never cancelled."""
    outcome: T | None
    """None where CancelledError came out."""


async def cancel(
    call: Coroutine[Any, Any, T], nth: int, way: Way, most_again: int = _MOST_AGAIN
) -> CancelledCall[T]:
    """Make a call in a task of its own, and cancel this at the call's nth suspension, from 1.

    Raises what the call raises, CancelledError apart.
    """
    driven = _Driven(nth, way, most_again)

    async def made() -> T:
        return await Stepped(call, driven.suspended)

    driven.task = asyncio.create_task(made())
    await asyncio.wait([driven.task])
    try:  # a result that nobody takes would keep the error, and so the call's variables, alive
        return CancelledCall(driven.reached, driven.task.result())
    except asyncio.CancelledError:
        return CancelledCall(driven.reached, None)


class _Driven:
    """Counts the suspensions of a call, and cancels the task that awaits it."""

    task: asyncio.Task[Any]

    def __init__(self, nth: int, way: Way, most_again: int) -> None:
        self._nth, self._way = nth, way
        self._most_again = most_again
        self._suspensions = 0

    @property
    def reached(self) -> bool:
        return self._suspensions >= self._nth

    def suspended(self, awaited: Any) -> None:
        """Note a suspension; cancel the task where it is one of those that are wanted."""
        self._suspensions += 1
        again = self._suspensions - self._nth
        if again == 0 and self._way is Way.WAKING:
            self._cancel_when_done(awaited)
        elif again == 0 or (self._way is Way.REPEATEDLY and 0 < again <= self._most_again):
            self.task.cancel()

    def _cancel_when_done(self, awaited: Any) -> None:
        """Cancel between the end of what is awaited and the task's next step."""
        if asyncio.isfuture(awaited):
            awaited.add_done_callback(self._done)
        else:
            asyncio.get_running_loop().call_soon(self._done, awaited)

    def _done(self, _: Any) -> None:
        if self._suspensions == self._nth:
            self.task.cancel()
