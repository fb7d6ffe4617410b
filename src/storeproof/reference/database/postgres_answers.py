"""For drivers of PostgreSQL: its answers, and what asyncpg raises, as storages speak of it."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

import asyncpg

from storeproof.reference.database.compiling import Rows
from storeproof.reference.database.exceptions import (
    ForeignKeyViolated,
    Retryable,
    TableExists,
    TableMissing,
    UniqueViolated,
)
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

__all__ = ["ERRORS", "REASONS", "Meaning", "answer", "fetch"]

ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""All that asyncpg raises."""

REASONS: dict[str | None, str] = {
    "28000": "the server refuses the user",
    "28P01": "the server refuses the password",
    "3D000": "the server has no such database",
    "40001": "the transaction collided with another",
    "40P01": "the transaction was in a deadlock",
    "42501": "the database role may not do that",
    "53100": "the server's disk is full",
    "53300": "the server has no connection left",
    "55P03": "a lock was not granted in time",
    "57014": "the statement took too long",
}

Meaning: TypeAlias = type[Retryable] | type[OutcomeUnknown]
"""What a call means to its caller when its answer never came."""


async def answer(lost: Meaning, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """What a call answers. Raises what its error means; `lost`, where no answer came."""
    try:
        return await call(*arguments)
    except ERRORS as error:
        raise _meaning(error, lost) from error


async def fetch(lost: Meaning, connection: Any, text: str, arguments: Sequence[Any]) -> Rows:
    """The rows of one statement. Raises as `answer` does."""
    rows: Rows = await answer(lost, connection.fetch, text, *arguments)
    return rows


def _meaning(error: Exception, lost: Meaning) -> Exception:
    code = getattr(error, "sqlstate", None)
    meaning: Exception
    match code:
        case "23503":
            meaning = ForeignKeyViolated()
        case "23505":
            meaning = UniqueViolated(getattr(error, "constraint_name", ""))
        case "42P01":
            meaning = TableMissing(_quoted(str(error)))
        case "42P07":
            meaning = TableExists("a table is there already")
        case "40001" | "40P01":
            meaning = Retryable(REASONS[code])
        case None | "57P01" | "57P02" | "57P03":
            meaning = _lost(error, lost)
        case _ if code.startswith("08"):
            meaning = _lost(error, lost)
        case _:
            meaning = Unavailable(REASONS.get(code, "the server refused the statement"))
    return meaning


def _quoted(text: str) -> str | None:
    """The name in a message of the server, which says it in no other way than in its language."""
    found = re.search(r'"(\w+)"', text)
    return None if found is None else found[1]


def _lost(error: Exception, lost: Meaning) -> Exception:
    if isinstance(error, asyncpg.InterfaceError):
        return Retryable("the connection was closed before it was used")
    if isinstance(error, TimeoutError) and lost is Retryable:
        return Unavailable("no answer came in time")
    return lost("the connection was lost before the answer came")
