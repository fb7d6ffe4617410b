"""Values that are drawn keep to what `Annotated[...]` says of a type; this module reads it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any, get_args, get_origin

from storeproof.harness.structure import optional_hint

__all__ = ["Limits", "limits_of"]


def _decimal_places(value: Any, most: int) -> bool:
    exponent = value.as_tuple().exponent
    return isinstance(exponent, int) and -exponent <= most


def _digits(value: Any, most: int) -> bool:
    _, digits, exponent = value.as_tuple()
    return isinstance(exponent, int) and max(len(digits) + max(exponent, 0), -exponent) <= most


def _is_finite(value: Any, infinite: bool) -> bool:
    return infinite or (value - value == 0)


def _zone(value: Any, zone: Any) -> bool:
    """msgspec says True or False for aware and naive, annotated-types a zone, `...` or None."""
    if not isinstance(value, datetime | time):
        return True
    return (value.tzinfo is not None) == (zone is not None and zone is not False)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "ge": lambda value, bound: value >= bound,
    "gt": lambda value, bound: value > bound,
    "le": lambda value, bound: value <= bound,
    "lt": lambda value, bound: value < bound,
    "min_length": lambda value, bound: len(value) >= bound,
    "max_length": lambda value, bound: len(value) <= bound,
    "multiple_of": lambda value, bound: value % bound == 0,
    "pattern": lambda value, bound: re.search(bound, value) is not None,
    "decimal_places": _decimal_places,
    "max_digits": _digits,
    "allow_inf_nan": _is_finite,
    "func": lambda value, test: bool(test(value)),
    "tz": _zone,
}


@dataclass(frozen=True)
class Limits:
    """What the metadata of an Annotated type say of its values.

    Understood are the constraints of annotated-types, msgspec.Meta and pydantic's Field; others are
    ignored.
    """

    found: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def of(cls, metadata: Iterable[Any]) -> Limits:
        """Read metadata."""
        return cls(tuple(pair for each in _flattened(metadata) for pair in _pairs(each)))

    def fit(self, value: Any) -> bool:
        """Whether a value keeps to them; those that say nothing of its type are kept."""
        return all(_holds(name, bound, value) for name, bound in self.found)

    def least(self, *names: str) -> Any:
        """Give the strictest of some lower bounds; None where there is none."""
        return max((bound for name, bound in self.found if name in names), default=None)

    def most(self, *names: str) -> Any:
        """Give the strictest of some upper bounds; None where there is none."""
        return min((bound for name, bound in self.found if name in names), default=None)

    def given(self, wanted: str) -> Any:
        """Give the first constraint of a name; None where there is none."""
        return next((bound for name, bound in self.found if name == wanted), None)


def _holds(name: str, bound: Any, value: Any) -> bool:
    try:
        return _TESTS[name](value, bound)
    except (TypeError, AttributeError):
        return True
    except ArithmeticError:
        return False


def _flattened(metadata: Iterable[Any]) -> Iterator[Any]:
    for each in metadata:
        yield each
        yield from _flattened(getattr(each, "metadata", ()) or ())


def _pairs(thing: Any) -> Iterator[tuple[str, Any]]:
    if type(thing).__name__ == "Not":
        yield "func", lambda value: not thing.func(value)
        return
    for name in _TESTS:
        bound = getattr(thing, name, None)
        if bound is not None or (name == "tz" and type(thing).__name__ == "Timezone"):
            yield name, bound


def limits_of(hint: Any, metadata: Iterable[Any] = ()) -> Limits:
    """Give the limits of the values of a hint, with those that stand outside it."""
    return Limits.of((*_metadata(hint), *metadata))


def _metadata(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        return (*_metadata(inner), *metadata)
    if hasattr(hint, "__supertype__"):
        return _metadata(hint.__supertype__)
    inner = optional_hint(hint)
    return () if inner is None else _metadata(inner)
