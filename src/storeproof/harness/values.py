"""Programs get their argument values here: hostile but legal ones for every type."""

from __future__ import annotations

import math
import random
import struct
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from storeproof.harness.constraints import Limits
from storeproof.harness.strategies import examples_of

__all__ = [
    "Draw",
    "Rejected",
    "choose",
    "draw_example",
    "near",
    "pick",
    "scalar_drawer",
    "simple_values",
]

_COMBINING = "a\u0301"
_SIMPLE_TEXT = ("a", "b", "A", "c", "ab", "a b", "á", "0")
_LIKELY_TEXT = ("", " ", " a", "a ", "%", "a%", "_", "a" * 256)
_HOSTILE_TEXT = (
    "a\n",
    _COMBINING,
    "ß",
    "İ",
    "ﬁ",
    "Ω",
    "日本語",
    "😀",
    "\u200b",
    "\u2028",
    "\ufeff",
    "\\",
    "'",
    '"',
    "a'; --",
    "null",
    "true",
    "1",
    "1e3",
    "{}",
    "[]",
    "/",
    "../a",
    ".",
    ":",
    "*",
    "\x7f",
    "\x01",
    "\x00",
    "a\x00b",
    "a:",
    ":a",
    "a/b",
    "a" * 255 + "b",
)
_INTEGERS = (0, 1, 2, -1, 3, 10, 127, 255, 256, 65536, 2**31 - 1, 2**31, -(2**31), 2**53 + 1)
_LARGE_INTEGERS = (2**63 - 1, -(2**63), 2**63, -(2**63) - 1, 2**64, 10**30)
_FLOATS = (0.0, 1.0, -1.0, 0.5, 0.1, 0.1 + 0.2, 1e-9, 1e16, 1.7976931348623157e308, 5e-324)
_ODD_FLOATS = (math.inf, -math.inf, math.nan)
_DECIMALS = tuple(
    map(
        Decimal,
        [
            "0",
            "1",
            "0.1",
            "-1",
            "0.000000001",
            "1234567890.123456789",
            "9223372036.854775807",
            "1E+3",
        ],
    )
)
_MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)
_DATETIMES = (
    _MOMENT,
    _MOMENT + timedelta(seconds=1),
    _MOMENT + timedelta(microseconds=1),
    _MOMENT + timedelta(days=1),
    _MOMENT - timedelta(microseconds=1),
    _MOMENT.replace(microsecond=999_999),
    _MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))),
    datetime(2026, 3, 1, 4, tzinfo=timezone(timedelta(hours=-8))),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(1000, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
)
_DATES = (date(2026, 3, 1), date(2024, 2, 29), date(1970, 1, 1), date(9999, 12, 31), date(1, 1, 1))
_TIMES = (time(12), time(0), time(23, 59, 59, 999_999), time(0, 0, 0, 1))
_DELTAS = (
    timedelta(0),
    timedelta(seconds=1),
    timedelta(microseconds=1),
    timedelta(days=1),
    timedelta(days=-1),
)
_BYTES = (b"a", b"b", b"", b"\x00", b"\xff\xfe", b"ab" * 200)
_UUIDS = tuple(UUID(int=number) for number in (1, 2, 3, 0, 2**128 - 1))
_JSON: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    "a",
    "",
    1.5,
    [],
    {},
    [1, "a"],
    {"a": 1},
    {"b": None, "a": [1, {"": "é"}]},
)


_DEEPEST = 4


class Rejected(Exception):
    """No legal value was drawn, so the program is given up."""


class Draw:
    """Draws the choices of one program; the same seed gives the same ones in every process."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - to repeat a run
        self._choices: Iterator[int] = iter(())
        self.depth = 0
        """Of entities within entities; where it is great, every choice is the first one."""

    def below(self, count: int) -> int:
        """Give a number from 0 to count - 1, of at most 256."""
        drawn = next(self._choices, None)
        if drawn is None:
            self._choices = iter(self._chance.randbytes(256))
            drawn = next(self._choices)
        return drawn % count


def draw_example(draw: Draw, strategy: SearchStrategy[Any]) -> Any:
    """Draw one of the values of a strategy.

    Raises Rejected where it has none.
    """
    examples = examples_of(strategy)
    if not examples:
        raise Rejected
    return pick(draw, examples)


def choose(draw: Draw, count: int) -> int:
    """Draw a number from 0 to count - 1."""
    if draw.depth > _DEEPEST:
        return 0
    if count > 256:
        return (256 * draw.below(256) + draw.below(256)) % count
    return draw.below(count) if count > 1 else 0


def pick(draw: Draw, values: Sequence[Any]) -> Any:
    """Draw one of the values."""
    return values[choose(draw, len(values))]


def near(draw: Draw, value: Any) -> Any:
    """Draw a value that a careless storage takes for the given one; itself where there is none."""
    if type(value) is str:
        return pick(draw, _NEAR_TEXT)(value)
    if type(value) is int:
        return value + pick(draw, (1, -1, 2**32))
    return value


_NEAR_TEXT: tuple[Callable[[str], str], ...] = (
    str.swapcase,
    str.swapcase,
    lambda text: f"{text} ",
    lambda text: f" {text}",
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFC", text),
    str.casefold,
    lambda text: text[:-1],
    lambda text: f"{text}\u200b",
)


def _weighted(usual: Sequence[Any], hostile: Sequence[Any], times: int = 4) -> tuple[Any, ...]:
    return (*(tuple(usual) * times), *hostile)


_TABLES: dict[type, tuple[Any, ...]] = {
    bool: (False, True),
    str: (*_SIMPLE_TEXT * 5, *_LIKELY_TEXT * 3, *_HOSTILE_TEXT),
    int: _weighted(_INTEGERS, _LARGE_INTEGERS, 2),
    float: _weighted(_FLOATS, _ODD_FLOATS, 3),
    Decimal: _DECIMALS,
    datetime: _weighted(_DATETIMES[:5], _DATETIMES[5:], 2),
    date: _DATES,
    time: _TIMES,
    timedelta: _DELTAS,
    bytes: _BYTES,
    UUID: _UUIDS,
    type(None): (None,),
}
_ALPHABETS = (range(0x20, 0x7F), range(0xA0, 0x250), range(0x300, 0x370), range(0x1F600, 0x1F650))


def _bytes(draw: Draw, count: int) -> bytes:
    return bytes(choose(draw, 256) for _ in range(count))


def _random_text(draw: Draw) -> str:
    alphabet = pick(draw, _ALPHABETS)
    return "".join(chr(pick(draw, alphabet)) for _ in range(choose(draw, 13)))


def _random_float(draw: Draw) -> float:
    number: float = struct.unpack(">d", _bytes(draw, 8))[0]
    return 0.0 if math.isnan(number) else number


_RANDOM: dict[type, Callable[[Draw], Any]] = {
    str: _random_text,
    int: lambda draw: int.from_bytes(_bytes(draw, 8), signed=True),
    float: _random_float,
    bytes: lambda draw: _bytes(draw, choose(draw, 13)),
}
_ONE_IN = 12


def simple_values(cls: Any) -> tuple[Any, ...]:
    """Give the values of a plain type that say least, the simplest first."""
    return _TABLES.get(cls, ())[:3]


def scalar_drawer(cls: Any, limits: Limits) -> Callable[[Draw], Any] | None:
    """Give a function that draws values of a plain type within limits; None for any other type.

    Most come from a table, in which simple values are frequent enough to meet again; one in twelve
    is random where the type is a large one.
    """
    if cls is Any or cls is object:
        return lambda draw: pick(draw, _JSON)
    if cls not in _TABLES:
        return None
    table = tuple(filter(limits.fit, (*_TABLES[cls], *_edges(cls, limits))))
    if not table:
        strategy = _strategy(cls, limits)
        return lambda draw: draw_example(draw, strategy)
    random = _RANDOM.get(cls)
    if random is None:
        return lambda draw: pick(draw, table)

    def drawer(draw: Draw) -> Any:
        if choose(draw, _ONE_IN) == _ONE_IN - 1:
            value = _between(random(draw), limits) if cls is int else random(draw)
            if limits.fit(value):
                return value
        return pick(draw, table)

    return drawer


_LONGEST = 4096


def _edges(cls: type, limits: Limits) -> list[Any]:
    """Give the values at the limits, where mistakes are made."""
    if cls is int:
        step = limits.given("multiple_of") or 1
        return [each for each in (*_bounds(limits), step, 2 * step) if type(each) is int]
    if cls in (str, bytes):
        letter = "a" if cls is str else b"a"
        sizes = (limits.least("min_length"), limits.most("max_length"))
        return [letter * min(size, _LONGEST) for size in sizes if size is not None]
    if cls is datetime and not limits.fit(_MOMENT):
        return [each.replace(tzinfo=None) for each in _DATETIMES]
    bounds = (limits.least("ge"), limits.most("le"))
    if cls in (float, Decimal):
        return [cls(str(each)) for each in bounds if each is not None]
    return [each for each in bounds if type(each) is cls]


def _bounds(limits: Limits) -> tuple[int | None, int | None]:
    """Give the least and the most integer."""
    least, above = limits.least("ge"), limits.least("gt")
    most, below = limits.most("le"), limits.most("lt")
    lows = [*([math.ceil(least)] if least is not None else [])]
    lows += [math.floor(above) + 1] if above is not None else []
    highs = [*([math.floor(most)] if most is not None else [])]
    highs += [math.ceil(below) - 1] if below is not None else []
    return max(lows, default=None), min(highs, default=None)


def _between(number: int, limits: Limits) -> int:
    low, high = _bounds(limits)
    if low is not None and high is not None and low <= high:
        number = low + number % (high - low + 1)
    step = limits.given("multiple_of")
    return number - number % step if type(step) is int else number


def _strategy(cls: type, limits: Limits) -> SearchStrategy[Any]:
    """Give a strategy for values that are not in the table."""
    pattern = limits.given("pattern")
    if cls is str and pattern is not None:
        return st.from_regex(pattern, fullmatch=True).filter(limits.fit)
    if cls in (str, bytes):
        sized = st.text if cls is str else st.binary
        return sized(min_size=limits.least("min_length") or 0).filter(limits.fit)
    return st.from_type(cls).filter(limits.fit)
