"""For `DatabaseErrorStorage`: its statements on trends, ranks and metrics."""

from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from storeproof.reference.database.columns import members
from storeproof.reference.database.entities import bind
from storeproof.reference.errors.database.rollups import (
    BLOCK,
    DAY,
    DAYS,
    QUARTERS,
    among,
    sum_between,
)
from storeproof.reference.errors.database.tables import POINTS, ROLLUPS
from storeproof.reference.errors.entities import Aggregation, Dimension

__all__ = ["MANY", "aggregation", "span_of", "top", "trend"]

_INTEGER = sa.BigInteger()


def _integer(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=_INTEGER)


def _rows(by: Dimension, span: str) -> sa.ColumnElement[bool]:
    return sa.and_(ROLLUPS.c.dimension == by.value, ROLLUPS.c.span == span)


def span_of(start: int, end: int) -> dict[str, Any]:
    """The parameters of `top` for the slots from `start` to before `end`."""
    first_day, end_day = -(-start // QUARTERS), end // QUARTERS
    return {
        "start": start,
        "end": end,
        "days": [bound // QUARTERS for bound in (start, end) if bound % QUARTERS],
        "first_day": first_day,
        "end_day": end_day,
        "first_block": first_day // DAYS,
        "end_block": -(-end_day // DAYS),
    }


@cache
def top(by: Dimension) -> sa.Select[Any]:
    """The `limit` keys with the most events, and how many."""
    parts = sa.union_all(_in_days(by), _in_blocks(by)).subquery("parts")
    total = sa.cast(sa.func.sum(parts.c.count), _INTEGER).label("total")
    return (
        sa.select(parts.c.key, total)
        .group_by(parts.c.key)
        .having(total > 0)
        .order_by(total.desc(), parts.c.key)
        .limit(_integer("limit"))
    )


def _in_days(by: Dimension) -> sa.Select[Any]:
    first = ROLLUPS.c.slot * QUARTERS
    count = sum_between(ROLLUPS.c.counts, _integer("start") - first, _integer("end") - first)
    found = sa.select(ROLLUPS.c.key, count.label("count"))
    return found.where(_rows(by, DAY), among(ROLLUPS.c.slot, "days"))


def _in_blocks(by: Dimension) -> sa.Select[Any]:
    first = ROLLUPS.c.slot * DAYS
    low, high = _integer("first_day") - first, _integer("end_day") - first
    found = sa.select(ROLLUPS.c.key, sum_between(ROLLUPS.c.counts, low, high).label("count"))
    return found.where(
        _rows(by, BLOCK),
        ROLLUPS.c.slot >= _integer("first_block"),
        ROLLUPS.c.slot < _integer("end_block"),
    )


@cache
def trend(by: Dimension) -> sa.CompoundSelect[Any]:
    """Key, span, slot and counts of the rows of a `Cover`, for the keys that `top` gives."""
    ranked = top(by).cte("ranked")
    rows = [
        sa.select(ROLLUPS.c.key, ROLLUPS.c.span, ROLLUPS.c.slot, ROLLUPS.c.counts)
        .where(_rows(by, span), among(ROLLUPS.c.slot, name))
        .where(ROLLUPS.c.key.in_(sa.select(ranked.c.key)))
        for span, name in ((DAY, "cover_days"), (BLOCK, "cover_blocks"))
    ]
    return sa.union_all(*rows)


MANY = 2**32
"""Sums are taken of the values' halves, since SQLite's overflow."""

PERCENTS: Final = {Aggregation.P50: 50, Aggregation.P95: 95, Aggregation.P99: 99}

_BITS = sa.literal(32, sa.Integer())


@cache
def aggregation(way: Aggregation, tagged: bool) -> sa.Select[Any]:
    """Gives one row with the number (SUM: its halves), or none; `tagged`: of points with `tags`."""
    points = _points(tagged)
    match way:
        case Aggregation.COUNT:
            return points.with_only_columns(sa.func.count())
        case Aggregation.SUM:
            return points.with_only_columns(*_sums())
        case Aggregation.MIN:
            return points.with_only_columns(sa.func.min(POINTS.c.value))
        case Aggregation.MAX:
            return points.with_only_columns(sa.func.max(POINTS.c.value))
        case Aggregation.LAST:
            return points.order_by(POINTS.c.at.desc(), POINTS.c.id.desc()).limit(1)
        case _:
            return _percentile(points, PERCENTS[way])


def _points(tagged: bool) -> sa.Select[Any]:
    wanted = [
        POINTS.c.name == bind(POINTS.c.name),
        POINTS.c.kind == bind(POINTS.c.kind),
        POINTS.c.at >= bind(POINTS.c.at, "start"),
        POINTS.c.at < bind(POINTS.c.at, "end"),
    ]
    if tagged:
        wanted.append(_has_tags())
    return sa.select(POINTS.c.value).where(*wanted)


def _has_tags() -> sa.ColumnElement[bool]:
    had = sa.select(members(POINTS.c.tags).c.value)
    asked = members(bind(POINTS.c.tags)).alias("asked")
    return ~sa.exists().select_from(asked).where(asked.c.value.not_in(had))


def _sums() -> list[Any]:
    halves = POINTS.c.value.bitwise_rshift(_BITS), POINTS.c.value.bitwise_and(MANY - 1)
    return [sa.cast(sa.func.coalesce(sa.func.sum(half), 0), _INTEGER) for half in halves]


def _percentile(points: sa.Select[Any], percent: int) -> sa.Select[Any]:
    rank = sa.func.row_number().over(order_by=POINTS.c.value)
    ranked = points.add_columns(rank.label("rank"), sa.func.count().over().label("total"))
    found = ranked.subquery("ranked")
    wanted = found.c.rank * 100 >= found.c.total * percent
    return sa.select(found.c.value).where(wanted).order_by(found.c.rank).limit(1)
