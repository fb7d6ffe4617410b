"""A client process counts here the moments at which it may be killed, and ends itself at one.

Such moments are: each suspension of a call; each call of a function in C that may touch a file or
a database; each acknowledgement. Between two of them nothing happens that another process sees.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from storeproof.harness.stepping import Stepped

__all__ = ["Moments"]

T = TypeVar("T")

_TOUCHING = frozenset({"_dbm", "_gdbm", "_io", "_sqlite3", "mmap", "posix", "sqlite3"})
"""Modules of the standard library whose functions do; so may all that are not of it, but these."""
_HARMLESS = frozenset({"google", "msgspec", "orjson", "pydantic_core", "sqlalchemy"})


class Moments:
    """Counts moments; kills this process at the one that is wanted, if any."""

    def __init__(self, wanted: int | None) -> None:
        self._wanted = wanted
        self._known: dict[tuple[type, str, str | None], bool] = {}
        self._counting = False
        self.count = 0

    def watch_threads(self) -> None:
        """Look at the calls of every thread that begins from now on."""
        threading.setprofile(self._called)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count while the block lasts, also the calls of the thread that runs it."""
        self._counting = True
        sys.setprofile(self._called)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._counting = False

    @contextmanager
    def uncounted(self) -> Iterator[None]:
        """Do not count what is done in the block."""
        counting, self._counting = self._counting, False
        try:
            yield
        finally:
            self._counting = counting

    def moment(self, _: object = None) -> None:
        """Note a moment; it may be the last one."""
        if self._counting:
            self.count += 1
            if self.count == self._wanted:
                self.kill()

    def kill(self) -> None:
        """End this process as a crash does: nothing is flushed, closed or told."""
        os.kill(os.getpid(), signal.SIGKILL)

    async def stepped(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a call, whose suspensions are moments."""
        return await Stepped(call, self.moment)

    def _called(self, _: Any, event: str, function: Any) -> None:
        if event == "c_call" and self._counting and self._touches(function):
            self.moment()

    def _touches(self, function: Any) -> bool:
        owner = function.__self__
        cls = owner if isinstance(owner, type) else type(owner)
        key = cls, function.__name__, function.__module__
        if key not in self._known:
            self._known[key] = _may_touch(*key)
        return self._known[key]


def _may_touch(cls: type, name: str, module: str | None) -> bool:
    """Say it of a function of a module, or of a method by the class that defines it."""
    defining = next((each for each in cls.__mro__ if name in vars(each)), cls)
    top = (module or defining.__module__).partition(".")[0]
    return top in _TOUCHING or top not in sys.stdlib_module_names | _HARMLESS
