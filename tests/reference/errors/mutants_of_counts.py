"""For the tests of the error laws: what those of trends, ranks and metrics must not let pass."""

import unicodedata
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from storeproof.reference.errors import (
    Aggregation,
    Bucket,
    Dimension,
    InMemoryErrorStorage,
    Series,
    Tag,
    TimeZone,
)
from storeproof.reference.errors.laws.given import NOW, QUARTER, TICK
from storeproof.reference.exceptions import Duplicate, InvalidValue

from ..breaking import Mutant, changed
from .mutants import altering, altering_fields, answering, checking, ignoring, replacing

PERCENTS = {Aggregation.P50: 50, Aggregation.P95: 95, Aggregation.P99: 99}


class Shifted(InMemoryErrorStorage):
    """A trend from after its start to its end."""

    def _between(self, start: Any, end: Any) -> Any:
        return super()._between(start + TICK, end + TICK)


def without_zeros(trend: Any) -> Any:
    kept = [n for n in range(len(trend.starts)) if any(each.counts[n] for each in trend.series)]
    return replace(
        trend,
        starts=tuple(trend.starts[n] for n in kept),
        series=tuple(
            replace(each, counts=tuple(each.counts[n] for n in kept)) for each in trend.series
        ),
    )


def without_empty_series(trend: Any) -> Any:
    return replace(trend, series=tuple(each for each in trend.series if any(each.counts)))


async def merged_hours(_storage: Any, right: Any, timezone: str, **_: Any) -> Any:
    trend = await right()
    zone = ZoneInfo(timezone)
    walls = [start.astimezone(zone).replace(tzinfo=None) for start in trend.starts]
    starts = dict(zip(walls[::-1], trend.starts[::-1], strict=True))
    series = []
    for each in trend.series:
        sums: Counter[Any] = Counter()
        for wall, count in zip(walls, each.counts, strict=True):
            sums[wall] += count
        series.append(Series(key=each.key, counts=tuple(sums[wall] for wall in sorted(sums))))
    return replace(trend, starts=tuple(sorted(starts.values())), series=tuple(series))


async def clock_hours(_storage: Any, right: Any, timezone: str, **_: Any) -> Any:
    """Adds the hours that the clock leaves out."""
    trend = await right()
    zone = ZoneInfo(timezone)
    hours = [start.astimezone(zone).hour for start in trend.starts]
    if any((later - hour) % 24 > 1 for hour, later in pairwise(hours)):
        series = tuple(replace(each, counts=(*each.counts, 0)) for each in trend.series)
        return replace(trend, series=series)
    return trend


def since_monday(at: Any) -> Any:
    return at - timedelta(days=at.weekday())


def by_key(trend: Any) -> Any:
    return replace(trend, series=tuple(sorted(trend.series, key=lambda each: each.key)))


def many_series(most: int) -> Mutant:
    async def made(_storage: Any, right: Any, **_: Any) -> Any:
        with patch("storeproof.reference.errors.memory.MOST_SERIES", most):
            return await right()

    return replacing("trend", made)


def many_buckets(most: int) -> Mutant:
    async def made(_storage: Any, right: Any, **_: Any) -> Any:
        with patch("storeproof.reference.errors.buckets.MAX_BUCKETS", most):
            return await right()

    return replacing("trend", made)


def at_a_quarter(at: Any) -> Any:
    return at if at.tzinfo is None else at - (at - NOW) % QUARTER


def known_zone(zone: Any) -> Any:
    return TimeZone("UTC") if zone in ("", "Nowhere", "\0") else zone


async def values_of(storage: Any, query: Any) -> list[int]:
    return sorted(
        point.value
        for point in storage._points.values()
        if (point.name, point.kind) == (query.name, query.kind)
    )


async def rounded_down(storage: Any, right: Any, query: Any) -> Any:
    percent = PERCENTS.get(query.aggregation)
    values = await values_of(storage, query)
    if percent is None or not values:
        return await right()
    return values[min(percent * len(values) // 100, len(values) - 1)]


async def interpolated(storage: Any, right: Any, query: Any) -> Any:
    percent = PERCENTS.get(query.aggregation)
    values = await values_of(storage, query)
    if percent is None or not values:
        return await right()
    place = percent * (len(values) - 1) / 100
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


def last_by(key: Any) -> Mutant:
    async def made(storage: Any, right: Any, query: Any) -> Any:
        if query.aggregation is not Aggregation.LAST or not storage._points:
            return await right()
        points = [each for each in storage._points.values() if each.at < query.end]
        return max(points, key=key).value

    return replacing("query_metric", made)


async def copied(storage: Any, right: Any, point: Any) -> Any:
    if point.id in storage._points:
        other = replace(point, id=f"{point.id} again")
        storage._points[other.id] = other
        return point
    return await right()


async def overwritten(storage: Any, right: Any, point: Any) -> Any:
    storage._points.pop(point.id, None)
    return await right()


async def point_is_new(storage: Any, point: Any) -> None:
    if point.id in storage._points:
        raise Duplicate("id")


async def of_any_tag(storage: Any, right: Any, query: Any) -> Any:
    return max(
        [await right(query=replace(query, tags=(tag,))) for tag in query.tags],
        default=await right(),
    )


async def of_equal_tags(storage: Any, right: Any, query: Any) -> Any:
    if not query.tags:
        return await right()
    kept, wanted = storage._points, tuple(sorted(query.tags))
    storage._points = {key: point for key, point in kept.items() if point.tags == wanted}
    try:
        return await right()
    finally:
        storage._points = kept


def last_of_each_key(tags: Any) -> Any:
    return tuple({tag.key: tag for tag in tags}.values())


def tagged_by(change: Any) -> list[Mutant]:
    """Tags are changed alike on their way in and in a question."""

    def every(tags: Any) -> Any:
        return tuple(each for each in map(change, tags) if each)

    recording = altering_fields("record_metric", "point", tags=every)
    asking = altering_fields("query_metric", "query", tags=every)
    return [type("Tagged", (recording, asking), {})]


def over_months(operation: str, change: Any) -> Mutant:
    """What is asked of a long time is asked of another one."""

    async def made(_storage: Any, right: Any, start: Any, end: Any, **_: Any) -> Any:
        if end - start < timedelta(days=32):
            return await right()
        start, end = change(start, end)
        return await right(start=start, end=end)

    return replacing(operation, made)


def midnight(at: Any) -> Any:
    return at.replace(hour=0, minute=0)


async def whole_days(storage: Any, right: Any, **given: Any) -> Any:
    """Counts the days in which a bucket begins in the bucket before."""
    trend, bounds = await right(), []
    for start in trend.starts:
        bounds.append(midnight(start) + timedelta(days=1) if bounds else start)
    counts = [
        sum(low <= each.occurred_at < high for each in storage._events.values())
        for low, high in pairwise((*bounds, given["end"]))
    ]
    return replace(trend, series=(replace(trend.series[0], counts=tuple(counts)),))


MUTANTS: dict[str, list[Mutant]] = {
    "ERR-112": [
        *(
            over_months(operation, change)
            for operation in ("trend", "top")
            for change in (
                lambda start, end: (midnight(start), end),
                lambda start, end: (start, midnight(end)),
                lambda start, end: (start, midnight(end) + timedelta(days=1)),
            )
        ),
        replacing("trend", whole_days),
    ],
    "ERR-037": [Shifted],
    "ERR-038": [
        answering("trend", without_zeros),
        answering("trend", without_empty_series),
        altering("trend", group_by=lambda _: None),
    ],
    "ERR-039": [
        altering("trend", timezone=lambda _: "UTC"),
        altering("trend", timezone=lambda _: "Etc/GMT-1"),
        altering("trend", timezone=lambda _: "Etc/GMT-2"),
    ],
    "ERR-040": [replacing("trend", merged_hours), replacing("trend", clock_hours)],
    "ERR-041": [
        altering("trend", timezone=lambda _: "Asia/Kolkata"),
        altering("trend", timezone=lambda _: "UTC"),
    ],
    "ERR-042": [
        altering("trend", start=since_monday),
        altering("trend", bucket=lambda each: Bucket.DAY if each is Bucket.WEEK else each),
        altering("trend", bucket=lambda each: Bucket.WEEK if each is Bucket.MONTH else each),
    ],
    "ERR-043": [
        answering("trend", by_key),
        answering("top", lambda ranks: tuple(sorted(ranks, key=lambda each: each.key))),
        answering("top", lambda ranks: tuple(sorted(ranks, key=lambda each: -ord(each.key[0])))),
        altering("top", by=lambda _: Dimension.GROUP),
    ],
    "ERR-044": [
        altering("top", n=lambda n: min(max(n, 1), 1000)),
        altering("top", n=lambda n: n + 1 if 0 < n < 1000 else n),
        altering("top", end=lambda end: end + QUARTER),
    ],
    "ERR-045": [many_series(99), many_series(101)],
    "ERR-046": [
        altering("trend", start=at_a_quarter),
        altering("top", end=at_a_quarter),
        ignoring("top", InvalidValue),
        ignoring("trend", InvalidValue),
    ],
    "ERR-047": [
        altering("trend", timezone=known_zone),
        many_buckets(999),
        many_buckets(1001),
        altering("trend", timezone=lambda zone: zone.replace("Amsterdam", "Berlin")),
    ],
    "ERR-048": [
        replacing("query_metric", rounded_down),
        replacing("query_metric", interpolated),
        altering_fields("record_metric", "point", value=lambda value: min(value, 199)),
    ],
    "ERR-049": [
        replacing("query_metric", rounded_down),
        replacing("query_metric", interpolated),
    ],
    "ERR-050": [
        last_by(lambda point: 0),
        last_by(lambda point: (point.at, -ord(point.id))),
        last_by(lambda point: point.id),
    ],
    "ERR-051": [
        answering("query_metric", lambda value: value or None),
        answering("query_metric", lambda value: value or 0),
    ],
    "ERR-052": [
        altering_fields("query_metric", "query", end=lambda end: end + TICK),
        altering_fields("query_metric", "query", start=lambda start: start - TICK),
        altering_fields("record_metric", "point", name=lambda name: name.lower()),
        altering(
            "record_metric",
            point=lambda point: (
                changed(point, kind=lambda _: "histogram") if point.value == 100 else point
            ),
        ),
    ],
    "ERR-053": [
        answering("query_metric", lambda value: int(float(value))),
        answering("query_metric", lambda value: min(value, 2**63 - 1)),
    ],
    "ERR-054": [ignoring("query_metric", InvalidValue)],
    "ERR-055": [
        replacing("record_metric", copied),
        replacing("record_metric", overwritten),
        checking("record_metric", point_is_new),
        ignoring("record_metric", Duplicate),
        altering_fields("record_metric", "point", id=str.lower),
    ],
    "ERR-108": [
        altering_fields("record_metric", "point", tags=lambda _: ()),
        altering_fields("record_metric", "point", tags=lambda tags: tags[:2]),
        answering("record_metric", lambda point: replace(point, tags=point.tags[::-1])),
    ],
    "ERR-109": [
        altering_fields("query_metric", "query", tags=lambda _: ()),
        altering_fields("query_metric", "query", tags=lambda tags: tags[:1]),
        replacing("query_metric", of_any_tag),
        replacing("query_metric", of_equal_tags),
        *tagged_by(lambda tag: replace(tag, key=tag.key.lower())),
        *tagged_by(lambda tag: Tag(key=min(tag.key, tag.value), value=max(tag.key, tag.value))),
    ],
    "ERR-110": [
        *tagged_by(lambda tag: replace(tag, key=tag.key.strip())),
        *tagged_by(lambda tag: replace(tag, value=tag.value.casefold())),
        *tagged_by(lambda tag: replace(tag, value=unicodedata.normalize("NFC", tag.value))),
        *tagged_by(lambda tag: replace(tag, value=tag.value.removesuffix(".0"))),
    ],
    "ERR-111": [
        altering_fields("record_metric", "point", tags=lambda tags: tags[:100]),
        altering_fields("query_metric", "query", tags=lambda tags: tags[:100]),
        altering_fields("query_metric", "query", tags=last_of_each_key),
        *tagged_by(lambda tag: tag if tag.key else None),
        *tagged_by(lambda tag: replace(tag, value=tag.value[:1000])),
        *tagged_by(lambda tag: replace(tag, value=tag.value.replace("\0", ""))),
    ],
}
