"""What counts the components' statements counts the second call, and accuses one that fails."""

from __future__ import annotations

from typing import Any, Protocol

import pytest

from storeproof.reference.database import Database
from storeproof.reference.exceptions import NotFound

from .counting import operations_in, operations_of, statements_of
from .database.examples import CREATE, GET, SCHEMA, note


class Notes:
    """Two statements to make a note, one to read it, none to remember it."""

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self.database = database

    async def create(self, id: str) -> None:
        await self.database.write(CREATE, note(id))
        await self.get(id)

    async def get(self, id: str) -> None:
        await self.database.read(GET, {"id": id})

    async def remember(self, _id: str) -> None:
        """Nothing is sent."""


async def prepare(storage: Notes, *runs: str) -> None:
    for run in runs:
        await storage.create(f"prepared {run}")


@pytest.mark.parametrize(
    ("call", "expected"), [(Notes.create, 2), (Notes.get, 1), (Notes.remember, 0)]
)
def test_statements_are_those_of_the_second_call(url: str, call: Any, expected: int) -> None:
    assert statements_of(url, Notes, prepare, call) == expected


def test_a_call_that_fails_is_accused(sqlite_url: str) -> None:
    async def miss(_storage: Notes, run: str) -> None:
        raise NotFound("note", run)

    with pytest.raises(AssertionError, match="succeeds"):
        statements_of(sqlite_url, Notes, prepare, miss)


def test_cases_are_compared_with_the_operations_of_the_protocol() -> None:
    class Toy(Protocol):
        async def get(self) -> None: ...
        async def put(self) -> None: ...
        async def _private(self) -> None: ...

    assert operations_of(Toy) == {"get", "put"}
    assert operations_in(["get", "get, again", "put, refused"]) == {"get", "put"}
