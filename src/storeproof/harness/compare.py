"""Checks compare what two storages gave through this module; laws may use `assert_same` too."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from storeproof.harness.structure import bare_hint, field_hints, field_values, is_protobuf_class

__all__ = ["Difference", "Renaming", "Rules", "assert_same", "difference", "is_time", "shown"]

_START = datetime(1, 1, 1)  # noqa: DTZ001 - what is taken from it is naive too
_TIMES = (date, time, timedelta, float)
_PROTOBUF_TIMES = ("google.protobuf.Timestamp", "google.protobuf.Duration")


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

    _forth: dict[tuple[object, Any], Any] = field(default_factory=dict)
    _back: dict[tuple[object, Any], Any] = field(default_factory=dict)

    def match(self, kind: object, expected: Any, actual: Any) -> bool:
        """Whether the pair fits the one-to-one renaming so far; if it does, it becomes part of it.

        Both are of one type. Times are not renamed: two of them may fall together on one storage
        and not on the other; but both are aware, or neither is.
        """
        if type(expected) is not type(actual):
            return False
        if expected is None:
            return True
        if is_time(expected):
            return _is_aware(expected) == _is_aware(actual)
        one, other = _key(expected), _key(actual)
        known = self._forth.get((kind, one), other), self._back.get((kind, other), one)
        if known != (other, one):
            return False
        self._forth[kind, one] = other
        self._back[kind, other] = one
        return True

    def stands_for(self, expected: Any, actual: Any) -> bool:
        """Whether `actual` is, of any kind, the candidate's word for the model's `expected`."""
        one, other = _key(expected), _key(actual)
        return any(
            self._forth.get((kind, one)) == other for kind in {kind for kind, _ in self._forth}
        )

    def mark(self) -> tuple[int, int]:
        """Remember how far the renaming has come, for `undo`."""
        return len(self._forth), len(self._back)

    def undo(self, mark: tuple[int, int]) -> None:
        """Forget what was matched after the mark."""
        for names, size in zip((self._forth, self._back), mark, strict=True):
            while len(names) > size:
                names.popitem()


def _key(value: Any) -> tuple[type, Any]:
    try:
        hash(value)
    except TypeError:
        return type(value), repr(value)
    return type(value), value


def is_time(value: Any) -> bool:
    """Whether it is a time or a length of time, whose values are not renamed."""
    if is_protobuf_class(type(value)):
        return value.DESCRIPTOR.full_name in _PROTOBUF_TIMES
    return isinstance(value, _TIMES)


def _is_aware(value: Any) -> bool:
    return isinstance(value, datetime | time) and value.tzinfo is not None


@dataclass(frozen=True)
class Rules:
    """What a contract says of comparison: fields that storages make, forms that it declares."""

    generated: frozenset[str] = frozenset()
    """`Class.field` or `operation.return`."""
    canonical: Mapping[type, Callable[[Any], Any]] = field(default_factory=dict)
    """Class -> its canonical form, compared in its place."""
    cursors: frozenset[str] = frozenset()
    """Those of `generated` that are only used by reference: both are None, or neither is."""
    _kinds: dict[tuple[type, str], object] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def is_generated(self, cls: type, name: str) -> str | None:
        """Give the word of the contract by which storages make a field, if they do."""
        for base in cls.__mro__ if self.generated else ():
            if f"{base.__name__}.{name}" in self.generated:
                return f"{base.__name__}.{name}"
        return None

    def kind(self, cls: type, name: str) -> object | None:
        """Give what a field's values that storages make are known by; None for any other field.

        Fields and results of one NewType are of one kind.
        """
        key = (cls, name)
        if key not in self._kinds:
            word = self.is_generated(cls, name)
            hint = bare_hint(_hints(cls).get(name)) if word else None
            shared = hasattr(hint, "__supertype__") and word not in self.cursors
            self._kinds[key] = hint if shared else word
        return self._kinds[key]

    def form(self, cls: type) -> Callable[[Any], Any] | None:
        """Give what makes the canonical form of a class's values."""
        if not self.canonical:
            return None
        return next((self.canonical[base] for base in cls.__mro__ if base in self.canonical), None)


def _hints(cls: type) -> Mapping[str, Any]:
    try:
        return field_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}


def difference(
    expected: Any,
    actual: Any,
    *,
    rules: Rules | None = None,
    renaming: Renaming | None = None,
    unordered: bool = False,
    made: object | None = None,
) -> Difference | None:
    """Give the first difference between two values, or None where they are the same.

    The same means: of the same type all the way down, text and bytes to the letter, numbers by
    value (NaN equals NaN), times by instant and by whether they are aware, mappings and sets by
    their items, sequences in order. `unordered` compares the outermost sequence as a multiset.

    made: the kind of the values, where they are made by the storages as a whole.
    """
    comparison = _Comparison(rules or Rules(), renaming or Renaming())
    if unordered and isinstance(expected, list | tuple) and type(expected) is type(actual):
        return comparison.multiset(expected, actual, made)
    return comparison.parts(expected, actual, "", made)


def assert_same(
    actual: Any, expected: Any, *, unordered: bool = False, rules: Rules | None = None
) -> None:
    """Assert that two values are the same in the sense of `difference`.

    >>> assert_same(1, True)
    Traceback (most recent call last):
    AssertionError: the result: expected bool True, got int 1
    """
    found = difference(expected, actual, unordered=unordered, rules=rules)
    if found is not None:
        raise AssertionError(str(found))


class _Comparison:
    """One comparison; the renaming grows as it goes."""

    def __init__(self, rules: Rules, renaming: Renaming) -> None:
        self.rules, self.renaming = rules, renaming

    def parts(
        self, expected: Any, actual: Any, path: str, made: object | None
    ) -> Difference | None:
        if made is None:
            return self.values(expected, actual, path)
        if made in self.rules.cursors:
            return _presence(expected, actual, path)
        if isinstance(expected, list | tuple) and type(expected) is type(actual):
            return self._sequences(expected, actual, path, made)
        fits = self.renaming.match(made, expected, actual)
        return None if fits else _misnamed(expected, actual, path)

    def values(self, expected: Any, actual: Any, path: str) -> Difference | None:
        if type(expected) is not type(actual):
            return _typed(expected, actual, path)
        form = self.rules.form(type(expected))
        if form is not None:
            expected, actual = form(expected), form(actual)
            if type(expected) is not type(actual):
                return _typed(expected, actual, path)
        if isinstance(expected, str | bytes | int):
            return None if expected == actual else self._unequal(expected, actual, path)
        return self._composed(expected, actual, path)

    def _composed(self, expected: Any, actual: Any, path: str) -> Difference | None:
        if field_values(expected) is not None:
            return self._entities(expected, actual, path)
        if isinstance(expected, Mapping):
            return self._mappings(expected, actual, path)
        if isinstance(expected, Set):
            return self._sets(expected, actual, path)
        if isinstance(expected, list | tuple):
            return self._sequences(expected, actual, path)
        return None if _equal(expected, actual) else self._unequal(expected, actual, path)

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
            found = self.parts(left[name], right[name], inner, self.rules.kind(cls, name))
            if found is not None:
                return found
        return None

    def _mappings(self, expected: Any, actual: Any, path: str) -> Difference | None:
        keys = {_key(key): key for key in actual}
        for key, value in expected.items():
            inner = f"{path}[{key!r}]"
            found = self._found_key(key, keys)
            if found is None:
                return Difference(inner, value, None, "is missing")
            unlike = self.values(value, actual[keys.pop(found)], inner)
            if unlike is not None:
                return unlike
        if not keys:
            return None
        key = next(iter(keys.values()))
        return Difference(f"{path}[{key!r}]", None, actual[key], f"is extra: {shown(actual[key])}")

    def _found_key(self, key: Any, keys: Mapping[tuple[type, Any], Any]) -> Any:
        wanted = _key(key)
        if wanted in keys:
            return wanted
        others = (each for each in keys if self.values(key, keys[each], "") is None)
        return next(others, None)

    def _sets(self, expected: Any, actual: Any, path: str) -> Difference | None:
        missing, extra = self._unmatched(list(expected), list(actual), None)
        if not missing and not extra:
            return None
        reason = f"lacks {shown(missing)}, has extra {shown(extra)}"
        return Difference(path, expected, actual, reason)

    def _sequences(
        self, expected: Sequence[Any], actual: Sequence[Any], path: str, made: object | None = None
    ) -> Difference | None:
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            found = self.parts(one, other, f"{path}[{index}]", made)
            if found is not None:
                return found
        if len(expected) != len(actual):
            reason = f"expected {len(expected)} items, got {len(actual)}"
            return Difference(path, expected, actual, reason)
        return None

    def multiset(
        self, expected: Sequence[Any], actual: Sequence[Any], made: object | None
    ) -> Difference | None:
        missing, extra = self._unmatched(expected, actual, made)
        if missing:
            return Difference("", expected, actual, f"nothing equals {shown(missing[0])}")
        if extra:
            return Difference("", expected, actual, f"extra items: {shown(extra)}")
        return None

    def _unmatched(
        self, expected: Iterable[Any], actual: Iterable[Any], made: object | None
    ) -> tuple[list[Any], list[Any]]:
        """Give the items of either side that have no counterpart on the other."""
        missing, left = [], list(actual)
        for one in expected:
            match = next((i for i, other in enumerate(left) if self._same(one, other, made)), None)
            if match is None:
                missing.append(one)
            else:
                del left[match]
        return missing, left

    def _same(self, one: Any, other: Any, made: object | None) -> bool:
        mark = self.renaming.mark()
        if self.parts(one, other, "", made) is None:
            return True
        self.renaming.undo(mark)
        return False


def _presence(expected: Any, actual: Any, path: str) -> Difference | None:
    if (expected is None) == (actual is None):
        return None
    return Difference(path, expected, actual, _reason(expected, actual))


def _typed(expected: Any, actual: Any, path: str) -> Difference:
    reason = f"expected {_typed_text(expected)}, got {_typed_text(actual)}"
    return Difference(path, expected, actual, reason)


def _misnamed(expected: Any, actual: Any, path: str) -> Difference:
    if type(expected) is not type(actual):
        return _typed(expected, actual, path)
    if is_time(expected):
        return Difference(path, expected, actual, _reason(expected, actual))
    reason = (
        f"the storage made {shown(actual)} where the model made {shown(expected)}, "
        "and they do not stand for each other elsewhere"
    )
    return Difference(path, expected, actual, reason)


def _equal(expected: Any, actual: Any) -> bool:
    if isinstance(expected, float):
        return expected == actual or (math.isnan(expected) and math.isnan(actual))
    if isinstance(expected, Decimal):
        if expected.is_nan() or actual.is_nan():
            return expected.is_nan() and actual.is_nan()
        return bool(expected == actual)
    if isinstance(expected, datetime | time) and _is_aware(expected) != _is_aware(actual):
        return False
    if isinstance(expected, datetime):
        return _instant(expected) == _instant(actual)
    try:
        return bool(expected == actual)
    except Exception:  # arrays and their like have no one answer
        return False


def _instant(value: datetime) -> timedelta:
    """Give what tells two times apart: `==` takes the two of an hour that comes twice for one."""
    return value.replace(tzinfo=None) - _START - (value.utcoffset() or timedelta(0))


def _reason(expected: Any, actual: Any) -> str:
    if _is_aware(expected) != _is_aware(actual):
        return f"one time is aware, the other is naive: {expected!r}, {actual!r}"
    cls: Any = type(expected)
    if cls.__eq__ is object.__eq__:
        return (
            f"{cls.__name__} does not compare by value; declare its form with "
            f"Contract(canonical={{{cls.__name__}: …}})"
        )
    if _look_alike(expected, actual):
        return f"expected {expected!a}, got {actual!a}"
    return f"expected {shown(expected)}, got {shown(actual)}"


def _look_alike(expected: Any, actual: Any) -> bool:
    if not (isinstance(expected, str) and isinstance(actual, str)):
        return False
    return unicodedata.normalize("NFKC", expected) == unicodedata.normalize("NFKC", actual)


def _typed_text(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__} {shown(value)}"


def shown(value: Any, most: int = 200) -> str:
    """Give the repr of a value, cut to a length; a class may have one that fails."""
    try:
        text = repr(value)
    except Exception as problem:
        return f"<{type(value).__name__} whose repr raised {problem!r}>"
    return text if len(text) <= most else f"{text[: most - 1]}…"
