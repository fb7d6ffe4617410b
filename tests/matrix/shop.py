"""Somebody's own small project: a Protocol, its in-memory storage, and one that is broken."""

from __future__ import annotations

from typing import Protocol

from storeproof import MUST, Contract, law


class OrderMissing(Exception):
    """There is no such order."""


class Orders(Protocol):
    """Notes by the names of orders."""

    async def get(self, name: str) -> str:
        """Give the note. Raises OrderMissing when there is none."""
        ...

    async def put(self, name: str, note: str) -> None:
        """Keep a note, letter for letter."""
        ...


class InMemoryOrders:
    """The model."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    async def get(self, name: str) -> str:
        if name not in self.notes:
            raise OrderMissing
        return self.notes[name]

    async def put(self, name: str, note: str) -> None:
        self.notes[name] = note


class Stripping(InMemoryOrders):
    """Loses white space."""

    async def put(self, name: str, note: str) -> None:
        await super().put(name, note.strip())


@law("SHOP-001", MUST)
async def a_note_is_kept(storage: Orders) -> None:
    """A note is kept."""
    await storage.put("a", "b")
    assert await storage.get("a") == "b"


contract = Contract(Orders, model=InMemoryOrders, errors=(OrderMissing,), laws=[a_note_is_kept])
