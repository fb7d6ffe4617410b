"""For authors of pages: the time that a page is about, as it is chosen in the address.

`range` is one of `RANGES`; of them "custom" has `from` and `to`: days, both included. Days are
those of `timezone`.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

import msgspec

from storeproof.reference.errors.buckets import QUARTER
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.web.pages.asking import day, text

__all__ = ["RANGES", "Span", "span_of", "zones"]

RANGES: Final[Mapping[str, str]] = {
    "1d": "Last 24 hours",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "365d": "Last year",
    "custom": "From … to …",
}
"""What may be chosen, and how it is called."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From `begin` to before `end`, both at quarters of an hour, on the days `first` to `last`."""

    range: str
    timezone: str
    first: date
    last: date
    begin: datetime
    end: datetime

    @property
    def query(self) -> dict[str, str]:
        """What an address has for this span."""
        chosen = {"range": self.range, "timezone": self.timezone}
        if self.range == "custom":
            chosen |= {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return chosen


def span_of(query: Mapping[str, Any], now: datetime, usual: str = "30d") -> Span:
    """The span that is asked for; by default, the `usual` one of `RANGES`, in UTC.

    Raises InvalidValue for an unknown range, an unknown time zone, days that are none, and for
    `to` before `from`.
    """
    asked = text(query, "range") or usual
    name = text(query, "timezone") or "UTC"
    if asked not in RANGES:
        raise InvalidValue("range", f"must be one of {', '.join(RANGES)}")
    zone = _zone(name)
    if asked == "custom":
        return _custom(query, name, zone, now.astimezone(zone).date())
    end = _next_quarter(now)
    today = now.astimezone(zone).date()
    days = int(asked[:-1])
    first = today - timedelta(days=days - 1)
    begin = end - timedelta(days=1) if days == 1 else _midnight(first, zone)
    first = begin.astimezone(zone).date()
    return Span(range=asked, timezone=name, first=first, last=today, begin=begin, end=end)


@functools.cache
def zones() -> tuple[str, ...]:
    """The names of time zones to choose from: those of places, and UTC."""
    return ("UTC", *sorted(each for each in available_timezones() if "/" in each[1:-1]))


def _custom(query: Mapping[str, Any], name: str, zone: ZoneInfo, today: date) -> Span:
    last = day(query, "to") or today
    first = day(query, "from") or last
    if last < first:
        raise InvalidValue("to", "must not be before from")
    try:
        begin, end = _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    except OverflowError:
        raise InvalidValue("to", "is out of reach") from None
    return Span(range="custom", timezone=name, first=first, last=last, begin=begin, end=end)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InvalidValue("timezone", "is not a known time zone") from None


def _midnight(at: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(at, time.min, zone).astimezone(UTC)


def _next_quarter(at: datetime) -> datetime:
    passed = (at - datetime.min.replace(tzinfo=UTC)) % QUARTER
    return at - passed + QUARTER
