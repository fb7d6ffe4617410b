"""For `Storages.together`: several operations on storages in memory happen as a whole."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from copy import deepcopy
from typing import Any, TypeVar

__all__ = ["UnitSuspended", "at_once"]

T = TypeVar("T")


class UnitSuspended(Exception):
    """A unit of work on storages in memory awaited something else, so others could have come in."""

    def __init__(self) -> None:
        super().__init__(
            "a unit of work may await nothing but its storages, since others would see it half "
            "done: do the rest before it or after it. Nothing was changed"
        )


def at_once(storages: Sequence[Any], work: Callable[[], Awaitable[T]]) -> T:
    """Run `work`, which uses these storages in memory, to its end before any other task runs.

    Their operations await nothing, so it needs no other task. What it raises undoes it, and
    cancels the tasks that it started.

    Raises UnitSuspended when it awaits anything else.
    """
    others = asyncio.all_tasks()
    kept = [deepcopy(vars(each), {id(each): each}) for each in storages]
    steps: Generator[Any, None, T] = work().__await__()
    try:
        return _result(steps)
    except BaseException:
        for storage, before in zip(storages, kept, strict=True):
            vars(storage).clear()
            vars(storage).update(before)
        for task in asyncio.all_tasks() - others:
            task.cancel()
        raise


def _result(steps: Generator[Any, None, T]) -> T:
    try:
        next(steps)
    except StopIteration as end:
        result: T = end.value
        return result
    steps.close()
    raise UnitSuspended
