"""A toy whose operations are not async, with storages for threads: correct ones, and racy ones."""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any, Protocol

from storeproof import Contract
from storeproof.harness.backends.base import Store

from .toys import ToyStore


class CounterError(Exception):
    """Root of the errors of counters."""


class Known(CounterError):
    """There is such a counter."""


class Unknown(CounterError):
    """There is no such counter."""


class Counters(Protocol):
    """Numbers by name."""

    def create(self, name: str) -> None:
        """Begin at 0. Raises Known where there is such a counter."""
        ...

    def add(self, name: str) -> int:
        """Count one more; give the number. Raises Unknown."""
        ...

    def get(self, name: str) -> int:
        """Give the number. Raises Unknown."""
        ...


class InMemoryCounters:
    """The model; not for several threads."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def create(self, name: str) -> None:
        if name in self.numbers:
            raise Known
        self.numbers[name] = 0

    def add(self, name: str) -> int:
        number = self.get(name) + 1
        self.numbers[name] = number
        return number

    def get(self, name: str) -> int:
        if name not in self.numbers:
            raise Unknown
        return self.numbers[name]


def counters(**declared: Any) -> Contract:
    return Contract(
        Counters,
        model=InMemoryCounters,
        errors=[CounterError],
        arguments={"name": ["a", "b"]},
        **declared,
    )


class Meeting:
    """Every other thread that comes waits for the next one, if there is any for now."""

    def __init__(self) -> None:
        self._coming = itertools.count(1)
        self._came = 0

    def meet(self) -> None:
        mine = self._came = next(self._coming)
        for _ in range(2000 if mine % 2 else 0):
            if self._came > mine:
                break
            os.sched_yield()


class Shared:
    """What the handles of a storage have in common."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rows = InMemoryCounters()
        self.meeting = Meeting()


class LockedCounters:
    """Right: each operation holds the lock."""

    def __init__(self, shared: Shared | None = None) -> None:
        self.shared = shared or Shared()

    def create(self, name: str) -> None:
        with self.shared.lock:
            self.shared.rows.create(name)

    def add(self, name: str) -> int:
        with self.shared.lock:
            return self.shared.rows.add(name)

    def get(self, name: str) -> int:
        with self.shared.lock:
            return self.shared.rows.get(name)


class MeetingCounters(LockedCounters):
    """Right: threads that meet do so before they take the lock."""

    def create(self, name: str) -> None:
        self.shared.meeting.meet()
        super().create(name)


class ChecksThenCreates(LockedCounters):
    """Whether there is such a counter is asked before it is stored."""

    def create(self, name: str) -> None:
        if name in self.shared.rows.numbers:
            raise Known
        self.shared.meeting.meet()
        self.shared.rows.numbers[name] = 0


class ReadsThenAdds(LockedCounters):
    """The number is read before the lock is taken."""

    def add(self, name: str) -> int:
        number = self.get(name) + 1
        self.shared.meeting.meet()
        with self.shared.lock:
            self.shared.rows.numbers[name] = number
        return number


class KeepsTheLock(LockedCounters):
    """A second thread that asks in vain waits for ever."""

    def create(self, name: str) -> None:
        self.shared.lock.acquire()
        self.shared.rows.create(name)
        self.shared.lock.release()


RACY = (ChecksThenCreates, ReadsThenAdds)
SOUND = (LockedCounters, MeetingCounters)


def counter_store(make: Callable[..., LockedCounters]) -> Store:
    """Give a store whose handles share their data."""
    return ToyStore(make, lambda first: make(first.shared))


class BoundToItsThread(InMemoryCounters):
    """Has a connection that only the thread may use that opened it."""

    def __init__(self) -> None:
        super().__init__()
        self.connection = sqlite3.connect(":memory:")

    def get(self, name: str) -> int:
        with closing(self.connection.execute("SELECT 1")):
            return super().get(name)

    def create(self, name: str) -> None:
        with closing(self.connection.execute("SELECT 1")):
            super().create(name)
