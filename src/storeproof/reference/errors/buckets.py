"""For error storages and their callers: the buckets of a trend, in a time zone.

Storages count events by quarters of an hour, the steps that the offsets of all time
zones in use are made of. So every bucket of theirs is a number of whole quarters.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NewType
from zoneinfo import ZoneInfo

import msgspec

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import LATEST, canonical_text, canonical_time

__all__ = [
    "MAX_BUCKETS",
    "Bucket",
    "Series",
    "TimeZone",
    "Trend",
    "bucket_starts",
    "quarters",
    "slot_of",
]

TimeZone = NewType("TimeZone", str)
"""A name of the IANA time zone database, such as "Europe/Berlin"."""

MAX_BUCKETS = 1000
QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Bucket(StrEnum):
    """The width of a trend's buckets. Weeks begin on Mondays."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The events of one level or group (`key`; "" for all) in each bucket of a trend."""

    key: str
    counts: tuple[int, ...]


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of events over time. `starts` says when each bucket begins."""

    starts: tuple[datetime, ...]
    series: tuple[Series, ...]


def slot_of(at: datetime) -> int:
    """The quarter of an hour of an instant, counted from 1970 in UTC."""
    return (at - _EPOCH) // QUARTER


def bucket_starts(
    start: datetime, end: datetime, bucket: Bucket, timezone: TimeZone
) -> tuple[datetime, ...]:
    """When the buckets from `start` to before `end` begin, in UTC; the first at `start`.

    The others begin where a clock on the wall does: at its full hours, or its midnights.
    So a day has 23 or 25 hours when the clock is changed, and the hour that comes twice
    is two buckets. The last bucket ends at `end`.

    Raises InvalidValue as `quarters` does; then for an unknown `timezone`; then for more than
    1000 buckets ("bucket"), and for a clock that was not set to quarters of an hour then
    ("timezone").
    """
    start, end = quarters(start, end)
    if not isinstance(bucket, Bucket):
        raise InvalidValue("bucket", "must be a Bucket")
    zone = _zone(timezone)
    return _all_starts(start, end, bucket, zone, MAX_BUCKETS)


@lru_cache(maxsize=256)
def _all_starts(
    start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo, most: int
) -> tuple[datetime, ...]:
    starts: list[datetime] = []
    for at in _starts(start, end, bucket, zone):
        if len(starts) == most:
            raise InvalidValue("bucket", f"must make at most {most} buckets")
        starts.append(at)
    if any((at - _EPOCH) % QUARTER for at in starts):
        raise InvalidValue("timezone", "was not set to quarters of an hour then")
    return tuple(starts)


def quarters(start: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The canonical bounds of a time that consists of whole quarters of an hour.

    Raises InvalidValue for `start`, then `end`, that is no time or not at a quarter; then
    for an `end` that is not after `start`.
    """
    start, end = _quarter("start", start), _quarter("end", end)
    if end <= start:
        raise InvalidValue("end", "must be after start")
    return start, end


def _quarter(field: str, at: datetime) -> datetime:
    instant = canonical_time(field, at)
    if (instant - _EPOCH) % QUARTER:
        raise InvalidValue(field, "must be at a quarter of an hour")
    return instant


def _zone(name: TimeZone) -> ZoneInfo:
    canonical_text("timezone", name, 255)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise InvalidValue("timezone", "is not a known time zone") from error


def _starts(start: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo) -> Iterator[datetime]:
    following = _next_hour if bucket is Bucket.HOUR else _next_day
    while start < end:
        yield start
        start = following(start, bucket, zone)


def _next_hour(at: datetime, _bucket: Bucket, zone: ZoneInfo) -> datetime:
    local = at.astimezone(zone)
    passed = timedelta(minutes=local.minute, seconds=local.second)
    following = at + HOUR - passed
    quarters = (at + n * QUARTER for n in range(1, 4))
    changed = (each for each in quarters if each.astimezone(zone).utcoffset() != local.utcoffset())
    return min(following, next(changed, following))


def _next_day(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    today = at.astimezone(zone).date()
    following = today
    while following == today or not _begins(bucket, following):
        if following == date.max:
            return LATEST
        following += timedelta(days=1)
    # Where the clock is set back over midnight there are two of them.
    midnights = (datetime.combine(following, time(fold=fold), zone) for fold in (0, 1))
    return next(each for each in (one.astimezone(UTC) for one in midnights) if each > at)


def _begins(bucket: Bucket, day: date) -> bool:
    match bucket:
        case Bucket.WEEK:
            return day.weekday() == 0
        case Bucket.MONTH:
            return day.day == 1
        case _:
            return True
