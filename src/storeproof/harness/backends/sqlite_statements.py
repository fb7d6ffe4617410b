"""`SqliteStore` counts here the statements that SQLite is given, whichever library gives them.

Python tells of every connection that is made, in the thread that makes it (the audit event
`sqlite3.connect/handle`), and SQLite of every statement that runs on one. So nothing is patched.
"""

from __future__ import annotations

import itertools
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storeproof.harness.backends.base import Counter

__all__ = ["SqliteCounter", "counting_statements"]


class SqliteCounter(Counter):
    """The statements of all connections that were made since counting began.

    The same statement with the same values, twice in a row on one connection, counts once: SQLite
    tells of it again for every trigger, and for every row that a foreign key's action changes.
    """

    unit = "statement"

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._last: dict[int, str] = {}
        self._numbers = itertools.count()
        self.problem = ""

    def begin(self) -> None:
        self._last.clear()

    @property
    def texts(self) -> list[str]:
        return list(self._texts)

    @property
    def total(self) -> int:
        return len(self._texts)

    def watch(self, connection: sqlite3.Connection) -> None:
        """Count the statements of a connection, in whose thread this is called."""
        which = next(self._numbers)

        def note(text: str) -> None:
            if text != self._last.get(which):
                self._last[which] = text
                self._texts.append(text)

        connection.set_trace_callback(note)


_counters: list[SqliteCounter] = []
_hooks: list[Any] = []


@contextmanager
def counting_statements() -> Iterator[SqliteCounter]:
    """Count what connections are given that are made meanwhile.

    The first use in a process adds a hook, which Python has no way to remove.
    """
    if not _hooks:
        sys.addaudithook(_told)
        _hooks.append(_told)
    _counters.append(SqliteCounter())
    try:
        yield _counters[-1]
    finally:
        _counters.pop()


def _told(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "sqlite3.connect/handle" and _counters:
        _watch_soon(_counters[-1], arguments[0])


def _watch_soon(counter: SqliteCounter, connection: sqlite3.Connection) -> None:
    """Watch a connection as soon as its thread returns from making it: now it is of no use yet."""
    if sys.getprofile() is not None:
        counter.problem = "a profiler runs, which keeps connections from being watched"
        return

    def returned(*_: Any) -> None:
        sys.setprofile(None)
        counter.watch(connection)

    sys.setprofile(returned)
