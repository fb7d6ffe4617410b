"""Clients of storages that are not async make their calls here, each in a thread of its own."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from storeproof.harness import running
from storeproof.harness.running import Outcome

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Threads", "in_threads"]

_OFTEN = 1e-5
"""Seconds after which Python lets another thread run."""


class Threads:
    """A thread for each task that makes calls; a task is one client."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._of_tasks: dict[object, _Thread] = {}

    async def make(self, call: Coroutine[Any, Any, Outcome]) -> Outcome:
        """Make a call of what is not async in the thread of the task that asks for it."""
        task = asyncio.current_task()
        if task not in self._of_tasks:
            self._of_tasks[task] = _Thread(f"storeproof-client-{len(self._of_tasks)}")
        try:
            async with asyncio.timeout(running.PATIENCE):
                return await self._of_tasks[task].run(call)
        except TimeoutError as error:
            return Outcome(error=error, declared=isinstance(error, self._contract.errors))

    def end(self) -> None:
        """Have the threads end once they have made their calls."""
        for each in self._of_tasks.values():
            each.end()


class _Thread:
    """Makes calls one after the other; one that blocks for ever keeps no process alive."""

    def __init__(self, name: str) -> None:
        self._given = queue.SimpleQueue[Callable[[], None] | None]()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, call: Coroutine[Any, Any, Outcome]) -> Outcome:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()

        def tell(outcome: Outcome) -> None:
            if not done.done():
                done.set_result(outcome)

        def make() -> None:
            loop.call_soon_threadsafe(tell, _finished(call))

        self._given.put(make)
        return await done

    def end(self) -> None:
        self._given.put(None)

    def _work(self) -> None:
        while (make := self._given.get()) is not None:
            make()


def _finished(call: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run what never waits for anything."""
    try:
        call.send(None)
    except StopIteration as end:
        outcome: Outcome = end.value
        return outcome
    raise AssertionError("a call of what is not async has waited")


@contextmanager
def in_threads(contract: Contract) -> Iterator[Threads]:
    """Give threads for clients, which take turns as often as Python can have them do so."""
    before, threads = sys.getswitchinterval(), Threads(contract)
    sys.setswitchinterval(_OFTEN)
    try:
        yield threads
    finally:
        sys.setswitchinterval(before)
        threads.end()
