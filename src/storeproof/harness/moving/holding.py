"""The check of interference holds a call at one of its suspensions, while others go on, by this."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Held"]

T = TypeVar("T")


class Held(Generic[T]):
    """Awaits a coroutine; at its nth suspension, from 1, it first awaits what `meanwhile` makes."""

    def __init__(
        self,
        call: Coroutine[Any, Any, T],
        nth: int,
        meanwhile: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        self._call, self._nth, self._meanwhile = call, nth, meanwhile
        self.suspensions = 0

    def __await__(self) -> Generator[Any, Any, T]:
        steps = self._call.__await__()
        raised: BaseException | None = None
        while True:
            try:
                awaited = next(steps) if raised is None else steps.throw(raised)
            except StopIteration as end:
                outcome: T = end.value
                return outcome
            self.suspensions += 1
            raised = None
            try:
                if self.suspensions == self._nth:
                    yield from self._meanwhile().__await__()
                yield awaited
            except BaseException as error:  # to be raised where the call waits
                raised = error
