"""Whoever acts between the steps of a call, to cancel it or to end its process, awaits it here."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Stepped"]

T = TypeVar("T")


class Stepped(Generic[T]):
    """Awaits a coroutine; `suspended` is called at each suspension, with what it waits for."""

    def __init__(self, call: Coroutine[Any, Any, T], suspended: Callable[[Any], None]) -> None:
        self._call, self._suspended = call, suspended

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._call.__await__()
        raised: BaseException | None = None
        try:
            while True:
                try:
                    awaited = next(steps) if raised is None else steps.throw(raised)
                except StopIteration as end:
                    outcome: T = end.value
                    return outcome
                self._suspended(awaited)
                raised = None
                try:
                    yield awaited
                except BaseException as error:  # to be raised where the call waits
                    raised = error
        finally:
            # Its traceback leads back here: the two would keep alive what the call has let go.
            raised = None
