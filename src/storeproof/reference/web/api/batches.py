"""For authors of routes that take many items at once: each has an answer of its own.

The items are written at the same time, so that storages can share statements and commits between
them. Repeating a batch is harmless, since each item has an id.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

from storeproof.reference.exceptions import StorageError
from storeproof.reference.web.problems import Problem, Refusal, problem_of
from storeproof.reference.web.settings import MAX_BATCH

__all__ = ["Answer", "Answers", "answer_each"]

Item = TypeVar("Item")


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the item with this id; `problem` is None where it is stored."""

    id: str
    problem: Problem | None = None


class Answers(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each item, in the order in which they were sent."""

    stored: int
    items: tuple[Answer, ...]


async def answer_each(
    items: Sequence[Item], id_of: Callable[[Item], str], store: Callable[[Item], Awaitable[Any]]
) -> Answers:
    """Stores all items at the same time. Raises Refusal, before any, for more than 1000."""
    if len(items) > MAX_BATCH:
        raise Refusal(413, "batch", f"At most {MAX_BATCH} items are taken at once; send fewer.")

    async def answer(item: Item) -> Answer:
        try:
            await store(item)
        except StorageError as error:
            return Answer(id=id_of(item), problem=problem_of(error))
        return Answer(id=id_of(item))

    made = await asyncio.gather(*map(answer, items))
    return Answers(stored=sum(each.problem is None for each in made), items=tuple(made))
