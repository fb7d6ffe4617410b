"""Tests of latency gates copy this module into the projects that they run pytest on.

Nothing here takes time: calls move a clock, so that every ratio is known beforehand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

from storeproof.harness.backends.base import (
    Backend,
    Calibration,
    Capability,
    Counter,
    Server,
    Store,
)
from storeproof.harness.contract import Contract

NOW, SENT = [0], [0]


class Missing(Exception):
    """Nothing has this key."""


class Notes(Protocol):
    """Texts by key."""

    async def get(self, key: str) -> str:
        """The text. Raises Missing when there is none."""
        ...

    async def put(self, key: str, text: str) -> None:
        """Store a text, replacing the one before it."""
        ...

    async def break_all(self) -> None:
        """Raises Missing, always."""
        ...


class Model:
    """Takes no time at all."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, key: str) -> str:
        if key not in self.texts:
            raise Missing
        return self.texts[key]

    async def put(self, key: str, text: str) -> None:
        self.texts[key] = text

    async def break_all(self) -> None:
        raise Missing


class Timed(Model):
    """Takes so many nanoseconds a call, and sends so many statements."""

    def __init__(self, nanoseconds: int = 100_000, statements: int = 1) -> None:
        super().__init__()
        self.nanoseconds, self.statements = nanoseconds, statements

    async def get(self, key: str) -> str:
        self.spend()
        return await super().get(key)

    async def put(self, key: str, text: str) -> None:
        self.spend()
        await super().put(key, text)

    def spend(self) -> None:
        NOW[0] += self.nanoseconds
        SENT[0] += self.statements


class Statements(Counter):
    unit = "statement"

    @property
    def total(self) -> int:
        return SENT[0]


class TimedStore(Store):
    """One object, made anew when the store is emptied."""

    address = "timed"

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make
        self._storage: Any = None

    async def fresh(self) -> Any:
        self._storage = self._make(self.address)
        return self._storage

    async def second(self) -> Any:
        return self._storage

    async def reopen(self) -> Any:
        return self._storage

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[Counter]:
        yield Statements()

    def counted(self) -> Any:
        return self._counted()

    async def close(self) -> None:
        return


@asynccontextmanager
async def read(address: str) -> AsyncIterator[Callable[[int], Awaitable[object]]]:
    async def call(number: int) -> None:
        NOW[0] += 100_000

    yield call


class TimedBackend(Backend):
    """A calibration `read` takes 100 µs there."""

    capabilities = frozenset({Capability.CONCURRENT_CLIENTS})

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]

    async def create_store(self, contract: Contract, server: Server) -> Store:
        return TimedStore(self.opener(contract))

    def calibrations(self) -> Mapping[str, Calibration]:
        return {"read": read}


def contract(nanoseconds: int = 100_000, statements: int = 1, other: int = 100_000) -> Contract:
    """Notes on `timed`, whose calls take so long, and on `other`."""
    return Contract(
        Notes,
        model=Model,
        storages={
            "timed": lambda address: Timed(nanoseconds, statements),
            "other": lambda address: Timed(other),
        },
        errors=(Missing,),
    )


def slower(address: str) -> Timed:
    """Open another implementation."""
    return Timed(50_000)
