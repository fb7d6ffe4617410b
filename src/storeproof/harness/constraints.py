"""Values that are drawn keep to what `Annotated[...]` says of a type; this module reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["fits"]

_BOUNDS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "le": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
    "multiple_of": lambda value, bound: value % bound == 0,
    "pattern": lambda value, bound: re.search(bound, value) is not None,
}


def fits(metadata: Iterable[Any]) -> Callable[[Any], bool]:
    """Give a predicate for the constraints in the metadata of an Annotated type.

    Understood are those of annotated-types, msgspec.Meta and pydantic's Field; others are ignored.
    """
    tests = [
        (test, bound)
        for each in _flattened(metadata)
        for name, test in _BOUNDS.items()
        if (bound := getattr(each, name, None)) is not None
    ]
    return lambda value: all(test(value, bound) for test, bound in tests)


def _flattened(metadata: Iterable[Any]) -> Iterable[Any]:
    for each in metadata:
        yield each
        yield from getattr(each, "metadata", ()) or ()
