"""Checks compare what two storages gave through this module; laws may use `difference` too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from storeproof.harness.structure import field_values, is_protobuf_class

__all__ = ["Difference", "Renaming", "Rules", "assert_same", "difference"]


@dataclass(frozen=True)
class Difference:
    """The first place where two values differ; `path` is empty where they differ as a whole."""

    path: str
    expected: Any
    actual: Any
    reason: str

    def __str__(self) -> str:
        return f"{self.path or 'the result'}: {self.reason}"


@dataclass
class Renaming:
    """Which value of the candidate stands for which of the model, where storages make values."""

    _forth: dict[tuple[str, Any], Any] = field(default_factory=dict)
    _back: dict[tuple[str, Any], Any] = field(default_factory=dict)

    def match(self, kind: str, expected: Any, actual: Any) -> bool:
        """Whether the pair fits the one-to-one renaming so far; if it does, it becomes part of it.

        Times are not renamed: two of them may fall together on one storage and not on the other.
        """
        if isinstance(expected, datetime) or isinstance(actual, datetime):
            return isinstance(expected, datetime) and isinstance(actual, datetime)
        if expected is None or actual is None:
            return expected is actual
        return bool(self._forth.setdefault((kind, expected), actual) == actual) and bool(
            self._back.setdefault((kind, actual), expected) == expected
        )

    def stands_for(self, expected: Any, actual: Any) -> bool:
        """Whether `actual` is, of any kind, the candidate's word for the model's `expected`."""
        kinds = {kind for kind, _ in self._forth}
        try:
            return any(self._forth.get((kind, expected), self) == actual for kind in kinds)
        except TypeError:
            return False


@dataclass(frozen=True)
class Rules:
    """What a contract says of comparison: fields that storages make, forms that it declares."""

    generated: frozenset[str] = frozenset()
    """`Class.field` or `operation.return`."""
    canonical: Mapping[type, Callable[[Any], Any]] = field(default_factory=dict)
    """Class -> its canonical form, compared in its place."""

    def is_generated(self, cls: type, name: str) -> str | None:
        if not self.generated:
            return None
        for base in cls.__mro__:
            if f"{base.__name__}.{name}" in self.generated:
                return f"{base.__name__}.{name}"
        return None


def difference(
    expected: Any,
    actual: Any,
    *,
    rules: Rules | None = None,
    renaming: Renaming | None = None,
    unordered: bool = False,
) -> Difference | None:
    """Give the first difference between two values, or None where they are the same.

    The same means: of the same type all the way down, text and bytes to the letter, numbers by
    value (NaN equals NaN), times by instant and by whether they are aware, mappings by their items,
    sequences in order. `unordered` compares the outermost sequence as a multiset.
    """
    comparison = _Comparison(rules or Rules(), renaming or Renaming())
    if unordered and isinstance(expected, list | tuple) and isinstance(actual, list | tuple):
        return comparison.multiset(expected, actual)
    return comparison.values(expected, actual, "")


def assert_same(actual: Any, expected: Any) -> None:
    """Assert that two values are the same in the sense of `difference`.

    >>> assert_same(1, True)
    Traceback (most recent call last):
    AssertionError: the result: expected bool True, got int 1
    """
    found = difference(expected, actual)
    if found is not None:
        raise AssertionError(str(found))


class _Comparison:
    """One comparison; the renaming grows as it goes."""

    def __init__(self, rules: Rules, renaming: Renaming) -> None:
        self.rules, self.renaming = rules, renaming

    def values(self, expected: Any, actual: Any, path: str) -> Difference | None:
        form = self.rules.canonical.get(type(expected))
        if form is not None and type(actual) is type(expected):
            expected, actual = form(expected), form(actual)
        if type(expected) is not type(actual):
            return self._typed(expected, actual, path)
        if isinstance(expected, str | bytes | int | Decimal | bool):
            return None if expected == actual else self._unequal(expected, actual, path)
        if isinstance(expected, float | datetime | time):
            return None if _equal(expected, actual) else self._unequal(expected, actual, path)
        return self._composed(expected, actual, path)

    def _composed(self, expected: Any, actual: Any, path: str) -> Difference | None:
        fields = field_values(expected)
        if fields is not None:
            return self._entities(expected, actual, path)
        if isinstance(expected, Mapping):
            return self._mappings(expected, actual, path)
        if isinstance(expected, Set):
            return None if expected == actual else self._sets(expected, actual, path)
        if isinstance(expected, list | tuple):
            return self._sequences(expected, actual, path)
        return None if expected == actual else self._unequal(expected, actual, path)

    def _typed(self, expected: Any, actual: Any, path: str) -> Difference | None:
        if self.renaming.stands_for(expected, actual):
            return None
        reason = f"expected {_typed_text(expected)}, got {_typed_text(actual)}"
        return Difference(path, expected, actual, reason)

    def _unequal(self, expected: Any, actual: Any, path: str) -> Difference | None:
        if self.renaming.stands_for(expected, actual):
            return None
        return Difference(path, expected, actual, _reason(expected, actual))

    def _entities(self, expected: Any, actual: Any, path: str) -> Difference | None:
        cls = type(expected)
        left, right = field_values(expected) or {}, field_values(actual) or {}
        for name in left | right:
            inner = f"{path}.{name}" if path else name
            if (name in left) != (name in right):
                reason = "is set on one side only"
                return Difference(inner, left.get(name), right.get(name), reason)
            kind = self.rules.is_generated(cls, name)
            if kind is not None and self.renaming.match(kind, left[name], right[name]):
                continue
            if kind is not None:
                return self._misnamed(left[name], right[name], inner)
            found = self.values(left[name], right[name], inner)
            if found is not None:
                return found
        if is_protobuf_class(cls) or left or expected == actual:
            return None
        return self._unequal(expected, actual, path)

    def _misnamed(self, expected: Any, actual: Any, path: str) -> Difference:
        reason = (
            f"the storage made {_text(actual)} where the model made {_text(expected)}, "
            "and they do not stand for each other elsewhere"
        )
        return Difference(path, expected, actual, reason)

    def _mappings(self, expected: Any, actual: Any, path: str) -> Difference | None:
        for key in itertools.chain(expected, actual):
            inner = f"{path}[{key!r}]"
            if key not in actual:
                return Difference(inner, expected[key], None, "is missing")
            if key not in expected:
                return Difference(inner, None, actual[key], f"is extra: {_text(actual[key])}")
            found = self.values(expected[key], actual[key], inner)
            if found is not None:
                return found
        return None

    def _sets(self, expected: Any, actual: Any, path: str) -> Difference | None:
        missing, extra = expected - actual, actual - expected
        reason = f"lacks {_text(missing)}, has extra {_text(extra)}"
        return Difference(path, expected, actual, reason)

    def _sequences(
        self, expected: Sequence[Any], actual: Sequence[Any], path: str
    ) -> Difference | None:
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            found = self.values(one, other, f"{path}[{index}]")
            if found is not None:
                return found
        if len(expected) != len(actual):
            reason = f"expected {len(expected)} items, got {len(actual)}"
            return Difference(path, expected, actual, reason)
        return None

    def multiset(self, expected: Sequence[Any], actual: Sequence[Any]) -> Difference | None:
        if type(expected) is not type(actual):
            return self._typed(expected, actual, "")
        left = list(actual)
        for index, one in enumerate(expected):
            match = next(self._matches(one, left), None)
            if match is None:
                return Difference(f"[{index}]", one, actual, f"nothing equals {_text(one)}")
            del left[match]
        if left:
            return Difference("", expected, actual, f"extra items: {_text(left)}")
        return None

    def _matches(self, one: Any, candidates: list[Any]) -> Iterator[int]:
        return (i for i, other in enumerate(candidates) if self.values(one, other, "") is None)


def _equal(expected: Any, actual: Any) -> bool:
    if isinstance(expected, float):
        return bool(expected == actual) or (math.isnan(expected) and math.isnan(actual))
    aware = expected.tzinfo is not None
    return bool(aware == (actual.tzinfo is not None) and expected == actual)


def _reason(expected: Any, actual: Any) -> str:
    if isinstance(expected, datetime) and (expected.tzinfo is None) != (actual.tzinfo is None):
        return f"one time is aware, the other is naive: {expected!r}, {actual!r}"
    return f"expected {_text(expected)}, got {_text(actual)}"


def _typed_text(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__} {_text(value)}"


def _text(value: Any, most: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
