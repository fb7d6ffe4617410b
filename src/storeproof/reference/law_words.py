"""For authors of a component's laws: the words that all components' laws share."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

from storeproof.reference.exceptions import InvalidValue, StorageError

__all__ = ["field", "is_invalid", "is_refused", "maybe", "some", "together"]


def some(usual: Sequence[Any], rare: Sequence[Any] = (), one_in: int = 16) -> Sequence[Any]:
    """Values, the simplest first, of which about one in `one_in` is a rare one."""
    times = max(1, (one_in - 1) * len(rare) // len(usual))
    return (*(tuple(usual) * times), *rare)


def field(usual: Sequence[Any], rare: Sequence[Any] = ()) -> Sequence[Any]:
    """As `some`, for one of the many fields of an entity, all of which must be right at once."""
    return some(usual, rare, 64)


def maybe(usual: Sequence[Any], rare: Sequence[Any] = ()) -> Sequence[Any]:
    """As `field`, or, half of the time, None."""
    return field((*[None] * len(usual), *usual), rare)


async def is_refused(call: Awaitable[object], expected: StorageError) -> None:
    """Asserts that the call raises exactly this error: its class and its attributes."""
    outcome = await _outcome(call)
    assert type(outcome) is type(expected), f"{outcome!r} came, not {expected!r}"
    assert vars(outcome) == vars(expected), f"{outcome!r} came, not {expected!r}"


async def is_invalid(call: Awaitable[object], field: str) -> None:
    """Asserts that the call raises InvalidValue for this field, for whatever reason."""
    outcome = await _outcome(call)
    assert isinstance(outcome, InvalidValue), f"{outcome!r} came; {field!r} should be refused"
    assert outcome.field == field, f"{outcome!r} came; {field!r} should be refused"


async def together(*calls: Awaitable[Any]) -> tuple[list[Any], list[str]]:
    """The results of calls that run at the same time, and the names of the errors of the others.

    Errors outside the tree are not caught.
    """
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    results = [each for each in outcomes if not isinstance(each, BaseException)]
    errors = [each for each in outcomes if isinstance(each, BaseException)]
    for error in errors:
        if not isinstance(error, StorageError):
            raise error
    return results, [type(error).__name__ for error in errors]


async def _outcome(call: Awaitable[object]) -> object:
    try:
        return await call
    except StorageError as error:
        return error
