"""For `DatabaseErrorStorage`: its statements on trends, ranks and metrics."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from storeproof.reference.database.columns import TEXT, members
from storeproof.reference.errors.database.statements import bind
from storeproof.reference.errors.database.tables import COUNTS, POINTS
from storeproof.reference.errors.entities import Aggregation, Dimension

__all__ = ["AGGREGATIONS", "MANY", "top", "trend"]

_INTEGER = sa.BigInteger()
_FIRST, _END = sa.bindparam("first", type_=_INTEGER), sa.bindparam("end", type_=_INTEGER)
_WITHIN = sa.and_(COUNTS.c.slot >= _FIRST, COUNTS.c.slot < _END)
_TOTAL = sa.cast(sa.func.sum(COUNTS.c.count), _INTEGER)
_KEYS: Final = {Dimension.LEVEL: COUNTS.c.level, Dimension.GROUP: COUNTS.c.group_id}


@cache
def top(by: Dimension) -> sa.Select[Any]:
    """The `limit` keys with the most events in slots `first` to before `end`."""
    key = _KEYS[by]
    total = _TOTAL.label("total")
    return (
        sa.select(key.label("key"), total)
        .where(_WITHIN)
        .group_by(key)
        .order_by(total.desc(), key)
        .limit(sa.bindparam("limit", type_=_INTEGER))
    )


@cache
def trend(by: Dimension | None) -> sa.Select[Any]:
    """Key, first slot of a bucket, and events; nothing for a bucket without.

    `starts` are the first slots of all buckets, as a JSON array. Keys come in the order
    of `top`, and buckets in theirs.
    """
    start = members(sa.bindparam("starts", type_=sa.Text()))
    low = sa.cast(start.c.value, _INTEGER)
    high = sa.func.lead(low, 1, _END).over(order_by=low)
    bounds = sa.select(low.label("low"), high.label("high")).cte("bounds")
    within = sa.and_(COUNTS.c.slot >= bounds.c.low, COUNTS.c.slot < bounds.c.high)
    found = sa.select().select_from(bounds.join(COUNTS, within))
    if by is None:
        key: Any = sa.literal("", TEXT)
        return found.add_columns(key, bounds.c.low, _TOTAL).group_by(bounds.c.low)
    ranks = top(by).cte("ranks")
    joined = sa.select(ranks.c.key, bounds.c.low, _TOTAL).select_from(
        bounds.join(COUNTS, within).join(ranks, ranks.c.key == _KEYS[by])
    )
    grouped = joined.group_by(ranks.c.key, ranks.c.total, bounds.c.low)
    return grouped.order_by(ranks.c.total.desc(), ranks.c.key, bounds.c.low)


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
