"""For `DatabaseErrorStorage`: how its rollups count, and which of their rows tell a trend.

A row counts the events of one level or group: one of the span DAY in each quarter of an
hour of a day of UTC, one of the span BLOCK on each of 32 days. So a time has few rows,
however many events occurred in it, and its buckets are read from

- the blocks, for every day that lies within one bucket as a whole,
- the days, for those that a bucket begins or ends in.

Days and blocks are counted from 1970.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storeproof.reference.database.columns import TextOf

__all__ = [
    "BLOCK",
    "COUNTS",
    "DAY",
    "DAYS",
    "QUARTERS",
    "Cover",
    "added",
    "among",
    "counted_at",
    "counts_at",
    "counts_in",
    "incremented",
    "places",
    "sum_between",
]

DAY, BLOCK = "day", "block"
QUARTERS: Final = 96
DAYS: Final = 32
_UNITS: Final = {DAY: (1, QUARTERS), BLOCK: (QUARTERS, DAYS)}
"""The slots of one count, and the counts of a row."""


def _text(counts: list[int]) -> str:
    return msgspec.json.encode(counts).decode()


class _Array(sa.types.UserDefinedType[list[int]]):
    """SQLAlchemy's own would make a copy of every value."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_options: Any) -> str:
        return "BIGINT[]"


COUNTS = _Array().with_variant(TextOf(_text, msgspec.json.Decoder(list[int]).decode), "sqlite")
"""Integers, in order: an array on PostgreSQL, one of JSON on SQLite."""


class _Added(FunctionElement[Any]):
    type = COUNTS
    inherit_cache = True
    name = "added"


class _Incremented(FunctionElement[Any]):
    type = COUNTS
    inherit_cache = True
    name = "incremented"


class _CountsIn(FunctionElement[Any]):
    type = COUNTS
    inherit_cache = True
    name = "counts_in"


class _CountsAt(FunctionElement[Any]):
    type = COUNTS
    inherit_cache = True
    name = "counts_at"


class _SumBetween(FunctionElement[int]):
    type = sa.BigInteger()
    inherit_cache = True
    name = "sum_between"


class _Among(FunctionElement[bool]):
    type = sa.Boolean()
    inherit_cache = True
    name = "among"

    def self_group(self, against: object = None) -> "_Among":
        """Itself: SQLAlchemy's `= 1` behind it would keep SQLite from using an index."""
        return self


@compiles(_Added, "postgresql")
def _added_on_postgres(element: _Added, compiler: Any, **options: Any) -> str:
    one, other = (compiler.process(each, **options) for each in element.clauses)
    counted = f"array_remove({other}, 0)"
    place = f"array_position({other}, ({counted})[1])"
    more = _with_more(one, place, f"({counted})[1]")
    pairs = f"unnest({one}, {other}) AS pair(one, other)"
    each = f"ARRAY(SELECT one + other FROM {pairs})"  # noqa: S608 - of SQLAlchemy's parts
    return f"CASE WHEN cardinality({counted}) = 1 THEN {more} ELSE {each} END"


def _with_more(counts: str, place: str, more: str) -> str:
    one = f"({counts})[{place}] + {more}"
    return f"(({counts})[:{place} - 1] || ({one}) || ({counts})[{place} + 1:])"


@compiles(_Added, "sqlite")
def _added_on_sqlite(element: _Added, compiler: Any, **options: Any) -> str:
    one, other = (compiler.process(each, **options) for each in element.clauses)
    sums = f"json_group_array(one.value + json_extract({other}, one.fullkey))"
    return f"(SELECT {sums} FROM json_each({one}) AS one)"  # noqa: S608 - of SQLAlchemy's parts


@compiles(_Incremented, "postgresql")
def _incremented_on_postgres(element: _Incremented, compiler: Any, **options: Any) -> str:
    counts, place = (compiler.process(each, **options) for each in element.clauses)
    one = f"({counts})[{place} + 1] + 1"
    return f"(({counts})[:{place}] || ({one}) || ({counts})[{place} + 2:])"


@compiles(_CountsAt, "postgresql")
def _counts_at_on_postgres(element: _CountsAt, compiler: Any, **options: Any) -> str:
    size, places, counts = (compiler.process(each, **options) for each in element.clauses)
    place, zero = f"({places})[1]", "CAST(0 AS BIGINT)"
    widths = (place, f"{size} - 1 - {place}")
    before, after = (f"array_fill({zero}, ARRAY[CAST({n} AS INTEGER)])" for n in widths)
    slots = f"generate_series(0, {size} - 1) AS slot"
    pairs = f"unnest({places}, {counts}) AS pair(slot, count) USING (slot)"
    each = f"SELECT coalesce(count, 0) FROM {slots} LEFT JOIN {pairs} ORDER BY slot"  # noqa: S608 - of SQLAlchemy's parts
    one = f"({before} || {counts} || {after})"
    return f"CASE WHEN cardinality({places}) = 1 THEN {one} ELSE ARRAY({each}) END"


@compiles(_CountsIn, "sqlite")
def _counts_on_sqlite(element: _CountsIn, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(_SumBetween, "postgresql")
def _sum_on_postgres(element: _SumBetween, compiler: Any, **options: Any) -> str:
    counts, low, high = (compiler.process(each, **options) for each in element.clauses)
    within = f"({counts})[{low} + 1:{high}]"
    return f"(SELECT sum(each) FROM unnest({within}) AS each)"  # noqa: S608 - of SQLAlchemy's parts


@compiles(_SumBetween, "sqlite")
def _sum_on_sqlite(element: _SumBetween, compiler: Any, **options: Any) -> str:
    counts, low, high = (compiler.process(each, **options) for each in element.clauses)
    within = f"one.key >= {low} AND one.key < {high}"
    each = f"json_each({counts}) AS one"
    return f"(SELECT sum(one.value) FROM {each} WHERE {within})"  # noqa: S608 - of SQLAlchemy's parts


@compiles(_Among, "postgresql")
def _among_on_postgres(element: _Among, compiler: Any, **options: Any) -> str:
    column, given = (compiler.process(each, **options) for each in element.clauses)
    return f"({column} = ANY ({given}))"


@compiles(_Among, "sqlite")
def _among_on_sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    column, given = (compiler.process(each, **options) for each in element.clauses)
    values = f"SELECT value FROM json_each({given})"  # noqa: S608 - of SQLAlchemy's parts
    return f"({column} IN ({values}))"


def among(column: sa.ColumnElement[int], name: str) -> sa.ColumnElement[bool]:
    """Whether a column's value is one of the parameter `name`, a list of integers."""
    return _Among(column, sa.bindparam(name, type_=COUNTS))


def added(one: sa.ColumnElement[Any], other: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """The counts of two rows of one span, each added to the other's."""
    return _Added(one, other)


def counts_in(text: sa.ColumnElement[str]) -> sa.ColumnElement[Any]:
    """Counts that are given as an array of JSON; on SQLite only."""
    return _CountsIn(text)


def counts_at(
    size: sa.ColumnElement[int], places: sa.ColumnElement[Any], counts: sa.ColumnElement[Any]
) -> sa.ColumnElement[Any]:
    """So many counts: these at these places, from 0, and else zero; on PostgreSQL only."""
    return _CountsAt(size, places, counts)


def incremented(
    counts: sa.ColumnElement[Any], place: sa.ColumnElement[int]
) -> sa.ColumnElement[Any]:
    """The counts of a row with one more at a place, from 0; on PostgreSQL only."""
    return _Incremented(counts, place)


def sum_between(counts: sa.ColumnElement[Any], low: Any, high: Any) -> sa.ColumnElement[int]:
    """The sum of a row's counts from place `low` to before `high`, either of which may lie outside.

    None where no count lies between.
    """
    return _SumBetween(counts, low, high)


def places(slot: int) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Where a quarter of an hour counts, in a day and in a block: slot, place in it, its size."""
    day, quarter = divmod(slot, QUARTERS)
    return (day, quarter, QUARTERS), (*divmod(day, DAYS), DAYS)


def counted_at(slot: int) -> dict[str, Any]:
    """The parameters of the rows that count one event in a quarter of an hour."""
    (day, quarter, quarters), (block, place, days) = places(slot)
    return {
        DAY: day,
        "place_in_day": quarter,
        "in_day": _one_at(quarter, quarters),
        BLOCK: block,
        "place_in_block": place,
        "in_block": _one_at(place, days),
    }


@cache
def _one_at(place: int, size: int) -> list[int]:
    return [int(each == place) for each in range(size)]


class Cover:
    """Which rows tell the counts of the buckets between bounds, given as slots."""

    def __init__(self, bounds: Sequence[int]) -> None:
        self._bounds = bounds
        self.days = sorted({bound // QUARTERS for bound in bounds if bound % QUARTERS})
        """The days in which a bucket begins or ends."""
        whole = [(-(-start // QUARTERS), end // QUARTERS) for start, end in pairwise(bounds)]
        blocks = (range(first // DAYS, -(-end // DAYS)) for first, end in whole if first < end)
        self.blocks = sorted({block for each in blocks for block in each})
        self._pieces = cache(lambda span, slot: tuple(self._cut(span, slot)))

    def add(self, sums: list[int], span: str, slot: int, counts: Sequence[int]) -> None:
        """Adds what a row says of each bucket to the bucket's sum."""
        for bucket, low, high in self._pieces(span, slot):
            sums[bucket] += sum(counts[low:high])

    def _cut(self, span: str, slot: int) -> Iterator[tuple[int, int, int]]:
        unit, size = _UNITS[span]
        base, bounds = slot * size, self._bounds
        bucket = max(bisect_right(bounds, base * unit) - 1, 0)
        while bucket < len(bounds) - 1 and bounds[bucket] < (base + size) * unit:
            low = max(-(-bounds[bucket] // unit) - base, 0)
            high = min(bounds[bucket + 1] // unit - base, size)
            if low < high:
                yield bucket, low, high
            bucket += 1
