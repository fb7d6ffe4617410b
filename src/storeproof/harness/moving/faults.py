"""The check of planted faults makes its faults here: each in one place of an archive's rows."""

from __future__ import annotations

import copy
import itertools
import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Final

__all__ = ["FAULTS", "Content", "Fault", "plant", "same_rows"]

Content = Mapping[str, list[Any]]
"""Collection -> its rows, as JSON data."""

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?")
_OFFSET = re.compile(r"(Z|[+-]\d\d:?\d\d)$")
_DECIMAL = re.compile(r"-?\d+\.\d+")
_TAGS: Final = frozenset({"$entity", "$enum"})
"""What names a class, where storeproof itself writes rows, and is no content."""


@dataclass(frozen=True)
class Fault:
    """A small defect of moved data; `sites` gives every way to plant it, each as changed rows."""

    name: str
    sites: Callable[[Content], Iterator[Callable[[], Content]]]


def plant(fault: Fault, rows: Content, chance: Random) -> Content | None:
    """Give the rows with the fault in one place, drawn by chance; None where there is no place."""
    sites = list(fault.sites(rows))
    chance.shuffle(sites)
    made = (site() for site in sites)
    return next((each for each in made if not same_rows(each, rows)), None)


def same_rows(one: Content, other: Content) -> bool:
    """Whether these are the same rows, as often, in whatever order."""
    return _sorted(one) == _sorted(other)


def _sorted(rows: Content) -> dict[str, list[str]]:
    return {name: sorted(map(json.dumps, each)) for name, each in rows.items() if each}


def _places(part: Any) -> Iterator[tuple[Any, Any]]:
    """Give every scalar within a row: what holds it, and under which key or index."""
    if isinstance(part, dict):
        inner = [(key, each) for key, each in part.items() if key not in _TAGS]
        items = [] if "$enum" in part else inner
    else:
        items = list(enumerate(part)) if isinstance(part, list) else []
    for key, each in items:
        if isinstance(each, dict | list):
            yield from _places(each)
        else:
            yield part, key


def _scalars(rows: Content) -> Iterator[tuple[str, int, int, Any]]:
    """Give every scalar, with its collection, row, and place within the row."""
    for name, each in rows.items():
        for number, row in enumerate(each):
            for place, (holder, key) in enumerate(_places(row)):
                yield name, number, place, holder[key]


def _put(rows: Content, *puts: tuple[str, int, int, Any]) -> Content:
    made = copy.deepcopy(dict(rows))
    for name, number, place, value in puts:
        holder, key = list(_places(made[name][number]))[place]
        holder[key] = value
    return made


def _in_scalars(change: Callable[[Any], Any]) -> Callable[[Content], Iterator[Any]]:
    """Make a fault of what gives another value for a scalar, or itself where it fits not."""

    def sites(rows: Content) -> Iterator[Callable[[], Content]]:
        for name, number, place, value in _scalars(rows):
            other = change(value)
            if type(other) is not type(value) or other != value:
                yield lambda at=(name, number, place, other): _put(rows, at)  # type: ignore[misc]

    return sites


def _in_rows(change: Callable[[list[Any], int], list[Any]]) -> Callable[[Content], Iterator[Any]]:
    """Make a fault of what gives other rows in the place of a collection's."""

    def sites(rows: Content) -> Iterator[Callable[[], Content]]:
        for name, each in rows.items():
            for number in range(len(each)):
                yield lambda at=(name, number): {**rows, at[0]: change(rows[at[0]], at[1])}  # type: ignore[misc]

    return sites


def _microsecond(value: Any) -> Any:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return value
    fraction, end = found[1] or ".000000", found.start(2) if found[2] else len(value)
    digits = fraction[1:7].ljust(6, "0")
    changed = f".{digits[:-1]}{(int(digits[-1]) + 1) % 10}"
    return f"{value[: found.start(1) if found[1] else end]}{changed}{value[end:]}"


def _without_offset(value: Any) -> Any:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return value
    return _OFFSET.sub("", value)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{max(1, len(repr(value).strip('0.-')) - 1)}g}")
    if not isinstance(value, str) or _DECIMAL.fullmatch(value) is None:
        return value
    number = Decimal(value.rstrip("0").rstrip("."))
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent >= 0:
        return value
    return format(round(number, -exponent - 1), "f")


def _truncated(value: Any) -> Any:
    is_text = isinstance(value, str) and not _TIME.fullmatch(value) and not _is_number(value)
    return value[:-1] if is_text and len(value) > 1 else value


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?", text) is not None


def _composed(value: Any) -> Any:
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def _emptied(value: Any) -> Any:
    return "" if value is None else value


def _reordered(value: Any) -> Any:
    """Give a text that is a JSON object with its keys the other way round."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        return value
    if not isinstance(found, dict) or len(found) < 2:
        return value
    return json.dumps(dict(reversed(found.items())), separators=(",", ":"), ensure_ascii=False)


def _swapped(rows: Content) -> Iterator[Callable[[], Content]]:
    by_place: dict[tuple[str, int], list[tuple[int, Any]]] = {}
    for name, number, place, value in _scalars(rows):
        by_place.setdefault((name, place), []).append((number, value))
    for (name, place), values in by_place.items():
        for (one, left), (other, right) in itertools.pairwise(values):
            if left != right and type(left) is type(right):
                puts = (name, one, place, right), (name, other, place, left)
                yield lambda puts=puts: _put(rows, *puts)  # type: ignore[misc]


FAULTS: Final = (
    Fault("a changed microsecond", _in_scalars(_microsecond)),
    Fault("a dropped offset", _in_scalars(_without_offset)),
    Fault("a rounded Decimal", _in_scalars(_rounded)),
    Fault("one lost row", _in_rows(lambda rows, at: [*rows[:at], *rows[at + 1 :]])),
    Fault("one duplicated row", _in_rows(lambda rows, at: [*rows[: at + 1], *rows[at:]])),
    Fault("two swapped values", _swapped),
    Fault("a truncated text", _in_scalars(_truncated)),
    Fault("NFC for NFD", _in_scalars(_composed)),
    Fault("an empty text for null", _in_scalars(_emptied)),
    Fault("another order of keys", _in_scalars(_reordered)),
)
