"""Somebody's own component: a Protocol, its in-memory storage, and a new one with a defect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NewType, Protocol

import aiosqlite

NoteId = NewType("NoteId", str)


class NoteMissing(Exception):
    """There is no such note."""


class NoteExists(Exception):
    """There is such a note already."""


@dataclass(frozen=True)
class Note:
    """A note."""

    id: NoteId
    text: str = ""


class Notes(Protocol):
    """Keeps notes."""

    async def add(self, note: Note) -> None:
        """Keep a new note. Raises NoteExists when its id is taken, letter for letter."""

    async def get(self, id: NoteId) -> Note:
        """Give the note with this id. Raises NoteMissing when there is none."""

    async def remove(self, id: NoteId) -> None:
        """Forget a note. Raises NoteMissing when there is none."""


class InMemoryNotes(Notes):
    """What the team has had all along."""

    def __init__(self) -> None:
        self._notes: dict[NoteId, Note] = {}

    async def add(self, note: Note) -> None:
        if note.id in self._notes:
            raise NoteExists
        self._notes[note.id] = note

    async def get(self, id: NoteId) -> Note:
        if id not in self._notes:
            raise NoteMissing
        return self._notes[id]

    async def remove(self, id: NoteId) -> None:
        if id not in self._notes:
            raise NoteMissing
        del self._notes[id]


class DatabaseNotes(Notes):
    """What shall replace it. Somebody thought that ids should not mind their case."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[DatabaseNotes]:
        path = url.partition(":///")[2]
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS notes (id TEXT PRIMARY KEY COLLATE NOCASE, text TEXT)"
            )
            yield cls(connection)

    async def add(self, note: Note) -> None:
        try:
            await self._connection.execute("INSERT INTO notes VALUES (?, ?)", (note.id, note.text))
        except aiosqlite.IntegrityError:
            raise NoteExists from None

    async def get(self, id: NoteId) -> Note:
        rows = await self._connection.execute_fetchall(
            "SELECT id, text FROM notes WHERE id = ?", (id,)
        )
        for row in rows:
            return Note(*row)
        raise NoteMissing

    async def remove(self, id: NoteId) -> None:
        removed = await self._connection.execute("DELETE FROM notes WHERE id = ?", (id,))
        if removed.rowcount == 0:
            raise NoteMissing
