"""For `DatabaseErrorStorage`: its statements on trends, ranks and metrics."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from storeproof.reference.database.columns import TEXT, members
from storeproof.reference.errors.database.statements import bind
from storeproof.reference.errors.database.tables import COUNTS, POINTS, TOTALS
from storeproof.reference.errors.entities import Aggregation, Dimension

__all__ = ["AGGREGATIONS", "MANY", "top", "trend"]

_INTEGER = sa.BigInteger()
_FIRST, _END = sa.bindparam("first", type_=_INTEGER), sa.bindparam("end", type_=_INTEGER)
_LIMIT = sa.bindparam("limit", type_=_INTEGER)
_KEYS: Final = {
    None: sa.literal("", TEXT),
    Dimension.LEVEL: TOTALS.c.level,
    Dimension.GROUP: COUNTS.c.group_id,
}


def _rollup(by: Dimension | None) -> sa.Table:
    return COUNTS if by is Dimension.GROUP else TOTALS


def _sum_of(count: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.cast(sa.func.sum(count), _INTEGER)


@cache
def top(by: Dimension) -> sa.Select[Any]:
    """The `limit` keys with the most events in slots `first` to before `end`."""
    rollup, key = _rollup(by), _KEYS[by]
    total = _sum_of(rollup.c.count).label("total")
    return (
        sa.select(key.label("key"), total)
        .where(rollup.c.slot >= _FIRST, rollup.c.slot < _END)
        .group_by(key)
        .order_by(total.desc(), key)
        .limit(_LIMIT)
    )


@cache
def trend(by: Dimension | None) -> sa.Select[Any]:
    """Key, first slot of a bucket, and events; nothing for a bucket without.

    `starts` are the first slots of all buckets, as a JSON array. Keys come in the order
    of `top`, at most `limit` of them.
    """
    cells = _cells(by).cte("cells")
    total = sa.func.sum(cells.c.count).over(partition_by=cells.c.key).label("total")
    ranked = sa.select(cells, total).subquery("ranked")
    place = sa.func.dense_rank().over(order_by=(ranked.c.total.desc(), ranked.c.key))
    placed = sa.select(ranked, place.label("place")).subquery("placed")
    return (
        sa.select(placed.c.key, placed.c.low, placed.c.count)
        .where(placed.c.place <= _LIMIT)
        .order_by(placed.c.place)
    )


def _cells(by: Dimension | None) -> sa.Select[Any]:
    """The events of each key and bucket."""
    rollup, key = _rollup(by), _KEYS[by].label("key")
    start = members(sa.bindparam("starts", type_=sa.Text()))
    low = sa.cast(start.c.value, _INTEGER)
    high = sa.func.lead(low, 1, _END).over(order_by=low)
    bounds = sa.select(low.label("low"), high.label("high")).cte("bounds")
    within = sa.and_(rollup.c.slot >= bounds.c.low, rollup.c.slot < bounds.c.high)
    return (
        sa.select(key, bounds.c.low, _sum_of(rollup.c.count).label("count"))
        .select_from(bounds.join(rollup, within))
        .group_by(key, bounds.c.low)
    )


MANY = 2**32
"""Sums are taken of the values' halves, since SQLite's overflow."""


def _points(*selected: Any) -> sa.Select[Any]:
    return sa.select(*selected).where(
        POINTS.c.name == bind(POINTS.c.name),
        POINTS.c.kind == bind(POINTS.c.kind),
        POINTS.c.at >= bind(POINTS.c.at, "start"),
        POINTS.c.at < bind(POINTS.c.at, "end"),
    )


_BITS = sa.literal(32, sa.Integer())


def _sum() -> sa.Select[Any]:
    high, low = POINTS.c.value.bitwise_rshift(_BITS), POINTS.c.value.bitwise_and(MANY - 1)
    sums = (sa.cast(sa.func.coalesce(sa.func.sum(half), 0), _INTEGER) for half in (high, low))
    return _points(*sums)


def _percentile(percent: int) -> sa.Select[Any]:
    rank = sa.func.row_number().over(order_by=POINTS.c.value)
    ranked = _points(POINTS.c.value, rank.label("rank"), sa.func.count().over().label("total"))
    found = ranked.subquery("ranked")
    wanted = found.c.rank * 100 >= found.c.total * percent
    return sa.select(found.c.value).where(wanted).order_by(found.c.rank).limit(1)


AGGREGATIONS: Final = {
    Aggregation.COUNT: _points(sa.func.count()),
    Aggregation.SUM: _sum(),
    Aggregation.MIN: _points(sa.func.min(POINTS.c.value)),
    Aggregation.MAX: _points(sa.func.max(POINTS.c.value)),
    Aggregation.LAST: _points(POINTS.c.value)
    .order_by(POINTS.c.at.desc(), POINTS.c.id.desc())
    .limit(1),
    Aggregation.P50: _percentile(50),
    Aggregation.P95: _percentile(95),
    Aggregation.P99: _percentile(99),
}
"""Each gives one row with the number (SUM: its halves), or no row at all."""
