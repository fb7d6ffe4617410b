"""For authors of pages: what a chart, and the table beside it, shows. A script draws the chart."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from storeproof.reference.errors.buckets import Series, Trend

__all__ = ["MOST", "Chart", "Line", "chart_of_trend", "ranked", "seconds"]

MOST = 5
"""How many series of a trend are shown by themselves."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A series: one value for each start of its chart, None where there is none."""

    name: str
    values: tuple[float | None, ...]
    dashed: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """`kind`: "bars", on top of each other, or "lines". `starts`: seconds since 1970.

    `unit` is written behind a value.
    """

    kind: str
    title: str
    starts: tuple[int, ...]
    series: tuple[Line, ...]
    timezone: str = "UTC"
    unit: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to see."""
        return not any(any(each.values) for each in self.series)


def seconds(times: Sequence[datetime]) -> tuple[int, ...]:
    """Instants as a chart has them."""
    return tuple(int(each.timestamp()) for each in times)


def ranked(trend: Trend) -> list[Series]:
    """The series of a trend, those with most events first."""
    return sorted(trend.series, key=lambda each: (-sum(each.counts), each.key))


def chart_of_trend(title: str, trend: Trend, timezone: str, names: Mapping[str, str]) -> Chart:
    """A trend as bars: the series with most events by themselves, all others as one.

    names: what to call a series, by its key.
    """
    most = ranked(trend)
    lines = [
        Line(name=names.get(each.key, each.key or "events"), values=each.counts)
        for each in most[:MOST]
    ]
    if rest := most[MOST:]:
        sums = tuple(sum(counts) for counts in zip(*(each.counts for each in rest), strict=True))
        lines.append(Line(name=f"{len(rest)} others", values=sums))
    return Chart(
        kind="bars",
        title=title,
        starts=seconds(trend.starts),
        series=tuple(lines),
        timezone=timezone,
    )
