"""For authors of an error storage: the laws of trends, ranks and metrics."""

from datetime import UTC, datetime
from typing import Any

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.buckets import Bucket, Series, TimeZone, Trend
from storeproof.reference.errors.entities import (
    Aggregation,
    Dimension,
    Kind,
    Level,
    MetricName,
    MetricQuery,
    PointId,
    Ranked,
)
from storeproof.reference.errors.laws.given import (
    DAY,
    DISK,
    HOUR,
    NET,
    NOW,
    QUARTER,
    TICK,
    add,
    event,
    is_invalid,
    is_refused,
    point,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate

__all__: list[str] = []

ZONE, BERLIN = TimeZone("UTC"), TimeZone("Europe/Berlin")
SPAN = (NOW, NOW + DAY)
HISTOGRAM = (Aggregation.MIN, Aggregation.MAX, Aggregation.P50, Aggregation.P95, Aggregation.P99)


def ranks(**counts: int) -> tuple[Ranked, ...]:
    return tuple(Ranked(key=key, count=count) for key, count in counts.items())


async def counts(
    storage: ErrorStorage,
    start: datetime,
    end: datetime,
    bucket: Bucket,
    zone: TimeZone = ZONE,
) -> tuple[int, ...]:
    """The trend of all events."""
    (series,) = (await storage.trend(start, end, bucket, zone)).series
    return series.counts


async def aggregated(storage: ErrorStorage, *ways: Aggregation, **wanted: Any) -> list[int | None]:
    """What a metric's points of the hour from NOW on are as each aggregation."""
    plain: dict[str, Any] = {"name": MetricName("seconds"), "kind": Kind.HISTOGRAM}
    plain |= {"start": NOW, "end": NOW + HOUR} | wanted
    return [await storage.query_metric(MetricQuery(aggregation=way, **plain)) for way in ways]


async def record(storage: ErrorStorage, *values: int, **fields: Any) -> None:
    for number, value in enumerate(values):
        await storage.record_metric(point(f"{number}", value, **fields))


@law("ERR-037", MUST)
async def trend_is_half_open(storage: ErrorStorage) -> None:
    """An event at `start` counts and one at `end` does not; a bucket ends where the next begins."""
    for number, at in enumerate((-TICK, 0 * TICK, HOUR - TICK, HOUR, 2 * HOUR - TICK, 2 * HOUR)):
        await add(storage, f"{number}", at=NOW + at)
    assert await counts(storage, NOW, NOW + 2 * HOUR, Bucket.HOUR) == (2, 2)


@law("ERR-038", MUST)
async def trend_has_every_bucket(storage: ErrorStorage) -> None:
    """A bucket without events counts 0, in every series; without any there is one series of 0."""
    span = (NOW, NOW + 3 * HOUR, Bucket.HOUR, ZONE)
    starts = (NOW, NOW + HOUR, NOW + 2 * HOUR)
    empty = Trend(starts=starts, series=(Series(key="", counts=(0, 0, 0)),))
    assert await storage.trend(*span) == empty
    assert await storage.trend(*span, Dimension.LEVEL) == Trend(starts=starts, series=())
    await add(storage, "ab", at=NOW + HOUR)
    await add(storage, "c", NET, NOW + 2 * HOUR)
    grouped = (Series(key=DISK, counts=(0, 2, 0)), Series(key=NET, counts=(0, 0, 1)))
    assert await storage.trend(*span, Dimension.GROUP) == Trend(starts=starts, series=grouped)
    assert await counts(storage, *span) == (0, 2, 1)


@law("ERR-039", MUST)
async def days_follow_the_clock(storage: ErrorStorage) -> None:
    """Days are those of the time zone: with 23 and 25 hours where its clock is changed."""
    for month, day, hours in ((3, 29, 23), (10, 25, 25)):
        start = datetime(2026, month, day, tzinfo=UTC) - (2 if month == 10 else 1) * HOUR
        middle = start + hours * HOUR
        for number, at in enumerate((start, middle - TICK, middle)):
            await storage.create(event(f"{month} {number}", at=at))
        trend = await storage.trend(start, middle + DAY, Bucket.DAY, BERLIN, Dimension.GROUP)
        assert trend.starts == (start, middle)
        assert trend.series[0].counts == (2, 1)


@law("ERR-040", MUST)
async def repeated_hour_is_two_buckets(storage: ErrorStorage) -> None:
    """The hour that the clock shows twice is two buckets; the one that it leaves out is none."""
    for start in (
        datetime(2026, 10, 24, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 0, tzinfo=UTC),
    ):
        for number in range(4):
            await storage.create(event(f"{start} {number}", at=start + number * HOUR))
        assert await counts(storage, start, start + 4 * HOUR, Bucket.HOUR, BERLIN) == (1,) * 4


@law("ERR-041", MUST)
async def zones_of_quarters_are_exact(storage: ErrorStorage) -> None:
    """Buckets begin at the zone's midnights and hours where its offset has three quarters too."""
    kathmandu = TimeZone("Asia/Kathmandu")
    midnight = datetime(2026, 3, 9, 18, 15, tzinfo=UTC)
    for number, at in enumerate((-TICK, 0 * TICK, HOUR - TICK, HOUR)):
        await add(storage, f"{number}", at=midnight + at)
    span = (midnight - HOUR, midnight + 2 * HOUR)
    assert await counts(storage, *span, Bucket.DAY, kathmandu) == (1, 3)
    assert await counts(storage, *span, Bucket.HOUR, kathmandu) == (1, 2, 1)


@law("ERR-042", MUST)
async def weeks_and_months_are_of_the_calendar(storage: ErrorStorage) -> None:
    """Weeks begin on Mondays and months on their firsts; the first bucket begins at `start`."""
    start, end = datetime(2026, 1, 30, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
    days = {"a": start, "b": start + 2 * DAY, "c": start + 3 * DAY, "d": end - TICK}
    for letter, at in days.items():
        await add(storage, letter, at=at)
    weeks = await storage.trend(start, end, Bucket.WEEK, ZONE)
    assert [each.day for each in weeks.starts] == [30, 2, 9, 16, 23]
    assert weeks.series[0].counts == (2, 1, 0, 0, 1)
    months = await storage.trend(start, end, Bucket.MONTH, ZONE)
    assert [each.day for each in months.starts] == [30, 1, 1]
    assert months.series[0].counts == (1, 2, 1)


@law("ERR-043", MUST)
async def series_are_ranked(storage: ErrorStorage) -> None:
    """Series come with the most events first, and of equals the smaller key, as in `top`."""
    await add(storage, "ab", "B", level=Level.INFO)
    await add(storage, "cd", "a", level=Level.FATAL)
    await add(storage, "efg", "c")
    await add(storage, "hijk", "z", NOW + DAY)
    trend = await storage.trend(*SPAN, Bucket.DAY, ZONE, Dimension.GROUP)
    assert [(each.key, sum(each.counts)) for each in trend.series] == [("c", 3), ("B", 2), ("a", 2)]
    assert await storage.top(9, Dimension.GROUP, *SPAN) == ranks(c=3, B=2, a=2)
    trend = await storage.trend(*SPAN, Bucket.DAY, ZONE, Dimension.LEVEL)
    assert [each.key for each in trend.series] == ["error", "fatal", "info"]
    assert await storage.top(9, Dimension.LEVEL, *SPAN) == ranks(error=3, fatal=2, info=2)


@law("ERR-044", MUST)
async def top_gives_no_more_than_asked(storage: ErrorStorage) -> None:
    """The `n` first of the ranks are given, and none without events; `n` is 1 to 1000."""
    await add(storage, "abc")
    await add(storage, "de", NET)
    await add(storage, "f", "x")
    await add(storage, "g", "late", SPAN[1])
    for n, length in ((1, 1), (2, 2), (3, 3), (1000, 3)):
        top = await storage.top(n, Dimension.GROUP, *SPAN)
        assert top == ranks(disk=3, net=2, x=1)[:length]
    for n in (0, -1, 1001, 2**63):
        await is_invalid(storage.top(n, Dimension.GROUP, *SPAN), "n")


@law("ERR-045", MUST)
async def trend_shows_a_hundred_series(storage: ErrorStorage) -> None:
    """A trend has the hundred series with the most events, and `top` can have more."""
    for number in range(101):
        await storage.create(event(f"{number}", f"g{number:03}"))
    await add(storage, "ab", "g100")
    trend = await storage.trend(*SPAN, Bucket.DAY, ZONE, Dimension.GROUP)
    assert [each.key for each in trend.series] == ["g100", *(f"g{n:03}" for n in range(99))]
    assert len(await storage.top(1000, Dimension.GROUP, *SPAN)) == 101


@law("ERR-046", MUST)
async def bounds_are_at_quarters(storage: ErrorStorage) -> None:
    """Bounds not at a quarter of an hour, and an end that is not after its start, are invalid."""
    end = NOW + HOUR
    for start, until, field in (
        (NOW + TICK, end, "start"),
        (NOW, end - TICK, "end"),
        (NOW, NOW, "end"),
        (end, NOW, "end"),
        (NOW.replace(tzinfo=None), end, "start"),
        (NOW, datetime.max.replace(tzinfo=UTC), "end"),
    ):
        await is_invalid(storage.trend(start, until, Bucket.HOUR, ZONE), field)
        await is_invalid(storage.top(1, Dimension.GROUP, start, until), field)
    assert await counts(storage, NOW + QUARTER, end, Bucket.HOUR) == (0,)


@law("ERR-047", MUST)
async def zones_and_widths_are_checked(storage: ErrorStorage) -> None:
    """An unknown zone is invalid, as are more than 1000 buckets and offsets not of quarters."""
    for zone in ("", "Nowhere", "../UTC", "\0", "Europe", "a" * 256):
        await is_invalid(storage.trend(*SPAN, Bucket.DAY, TimeZone(zone)), "timezone")
    end = NOW + 1000 * HOUR
    assert len(await counts(storage, NOW, end, Bucket.HOUR)) == 1000
    await is_invalid(storage.trend(NOW, end + QUARTER, Bucket.HOUR, ZONE), "bucket")
    amsterdam = datetime(1930, 1, 1, tzinfo=UTC)
    call = storage.trend(amsterdam, amsterdam + 3 * DAY, Bucket.DAY, TimeZone("Europe/Amsterdam"))
    await is_invalid(call, "timezone")


@law("ERR-048", MUST)
async def points_are_aggregated(storage: ErrorStorage) -> None:
    """A histogram's points give their count, sum, extremes and nearest-rank percentiles."""
    await record(storage, *range(200, 0, -1))
    ways = (Aggregation.COUNT, Aggregation.SUM, *HISTOGRAM)
    assert await aggregated(storage, *ways) == [200, 20100, 1, 200, 100, 190, 198]


@law("ERR-049", MUST)
async def percentiles_are_recorded_values(storage: ErrorStorage) -> None:
    """Of few points a percentile is the nearest rank upwards, never a value in between."""
    for number, value in enumerate((7, -3, 7, 100)):
        name = MetricName(f"m{number}")
        await storage.record_metric(point(f"{number}", value, name=name))
        assert await aggregated(storage, *HISTOGRAM, name=name) == [value] * 5
        await storage.record_metric(point(f"+{number}", value + 10, name=name))
        ranked = [value, value + 10, value + 10]
        assert await aggregated(storage, *HISTOGRAM[2:], name=name) == ranked


@law("ERR-050", MUST)
async def gauge_shows_its_last_value(storage: ErrorStorage) -> None:
    """A gauge's LAST is its latest point, by time and then by id, whenever it was recorded."""
    gauge: dict[str, Any] = {"kind": Kind.GAUGE}
    for name, value, at in (("a", 9, NOW + TICK), ("b", 5, NOW + TICK), ("c", 1, NOW)):
        await storage.record_metric(point(name, value, **gauge, at=at))
    ways = (Aggregation.LAST, Aggregation.MIN, Aggregation.MAX, Aggregation.COUNT)
    assert await aggregated(storage, *ways, **gauge) == [5, 1, 9, 3]
    assert await aggregated(storage, Aggregation.LAST, **gauge, end=NOW + TICK) == [1]


@law("ERR-051", MUST)
async def no_points_have_no_extremes(storage: ErrorStorage) -> None:
    """Of no points COUNT and SUM are 0 and every other aggregation is None."""
    ways = (Aggregation.COUNT, Aggregation.SUM, *HISTOGRAM)
    assert await aggregated(storage, *ways) == [0, 0, None, None, None, None, None]
    gauge = (Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX, Aggregation.LAST)
    assert await aggregated(storage, *gauge, kind=Kind.GAUGE) == [0, None, None, None]


@law("ERR-052", MUST)
async def query_takes_its_points_only(storage: ErrorStorage) -> None:
    """A query takes points of its name and kind, from `start` to before `end`."""
    await storage.record_metric(point("a", 1))
    await storage.record_metric(point("b", 2, at=NOW + HOUR - TICK))
    others: tuple[dict[str, Any], ...] = (
        {"name": MetricName("Seconds")},
        {"kind": Kind.COUNTER},
        {"at": NOW - TICK},
        {"at": NOW + HOUR},
    )
    for number, fields in enumerate(others):
        await storage.record_metric(point(f"{number}", 100, **fields))
    assert await aggregated(storage, Aggregation.SUM, Aggregation.MAX) == [3, 2]
    assert await aggregated(storage, Aggregation.SUM, end=NOW) == [0]


@law("ERR-053", MUST)
async def sums_are_exact(storage: ErrorStorage) -> None:
    """The sum of the largest values is exact, beyond what floats and 63 bits can hold."""
    largest = 2**53 - 1
    await record(storage, *[largest] * 1030)
    assert await aggregated(storage, Aggregation.SUM) == [1030 * largest]
    for number in range(1031):
        await storage.record_metric(point(f"-{number}", -largest))
    assert await aggregated(storage, Aggregation.SUM) == [-largest]


@law("ERR-054", MUST)
async def kinds_have_their_aggregations(storage: ErrorStorage) -> None:
    """An aggregation that a metric's kind does not have is invalid."""
    had = {
        Kind.COUNTER: {Aggregation.COUNT, Aggregation.SUM},
        Kind.GAUGE: {Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX, Aggregation.LAST},
        Kind.HISTOGRAM: set(Aggregation) - {Aggregation.LAST},
    }
    for kind, ways in had.items():
        await storage.record_metric(point(kind, kind=kind))
        for way in Aggregation:
            if way in ways:
                assert await aggregated(storage, way, kind=kind) == [1]
            else:
                await is_invalid(aggregated(storage, way, kind=kind), "aggregation")


@law("ERR-055", MUST)
async def repeated_point_counts_once(storage: ErrorStorage) -> None:
    """Recording an equal point again changes nothing; a different one is a Duplicate."""
    given = point("a", 5)
    assert await storage.record_metric(given) == given
    assert await storage.record_metric(given) == given
    for other in (
        point("a", 6),
        point("a", 5, at=NOW + TICK),
        point("a", 5, kind=Kind.COUNTER),
        point("a", 5, name=MetricName("other")),
    ):
        await is_refused(storage.record_metric(other), Duplicate("id"))
    await storage.create(event("a"))
    assert await aggregated(storage, Aggregation.COUNT, Aggregation.SUM) == [1, 5]
    assert (await storage.record_metric(point("A", 7))).id == PointId("A")
