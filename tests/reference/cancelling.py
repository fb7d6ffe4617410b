"""For the tests of storages: cancels a call at each of its suspensions, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any


class _Cancelled:
    """Awaits a coroutine, and cancels the task at its nth suspension, or from the nth on."""

    def __init__(self, call: Coroutine[Any, Any, object], nth: int, again: bool) -> None:
        self._call = call
        self._left = nth
        self._again = again

    @property
    def reached(self) -> bool:
        return self._left <= 0

    def __await__(self) -> Generator[Any, Any, object]:
        steps = self._call.__await__()
        raised: BaseException | None = None
        while True:
            try:
                awaited = next(steps) if raised is None else steps.throw(raised)
            except StopIteration as end:
                return end.value
            self._left -= 1
            if self._left == 0 or (self._left < 0 and self._again):
                _this_task().cancel()
            raised = None
            try:
                yield awaited
            except BaseException as error:
                raised = error


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def cancel_everywhere(
    call: Callable[[int], Coroutine[Any, Any, object]],
    check: Callable[[int], Awaitable[None]],
    *,
    again: bool = False,
) -> int:
    """Runs `call(n)` cancelled at its nth suspension, then `check(n)`, until n is too large.

    With `again`, it is also cancelled at every later suspension, while it cleans up. Gives
    the number of suspensions at which it was cancelled.
    """
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    nth = 0
    while True:
        nth += 1
        cancelled = _Cancelled(call(nth), nth, again)

        async def run(cancelled: _Cancelled = cancelled) -> None:
            await cancelled

        await asyncio.wait([asyncio.ensure_future(run())])
        await check(nth)
        # asyncpg tells the loop about a transaction that was left open.
        open_ones = [each for each in troubles if "transaction" in each["message"]]
        assert open_ones == []
        if not cancelled.reached:
            return nth - 1
