"""Buckets follow the clocks of time zones, whatever these do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storeproof.reference.errors import Bucket, TimeZone
from storeproof.reference.errors.buckets import bucket_starts, slot_of

HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)


def hours(start: datetime, end: datetime, bucket: Bucket, zone: str) -> list[float]:
    """How long the buckets are."""
    starts = bucket_starts(start, end, bucket, TimeZone(zone))
    return [(later - at) / HOUR for at, later in pairwise((*starts, end))]


@pytest.mark.parametrize(
    ("zone", "start", "lengths"),
    [
        # The clock is set back from 1:00 to 0:00: midnight comes twice, and the day begins once.
        ("America/Havana", datetime(2025, 11, 1, 4, tzinfo=UTC), [24, 25]),
        # It was set forward from 0:00 to 1:00: there was no midnight.
        ("America/Sao_Paulo", datetime(2018, 11, 3, 3, tzinfo=UTC), [24, 23]),
        # It was set back from 0:00 to 23:00: the day went on for an hour.
        ("America/Sao_Paulo", datetime(2018, 2, 17, 2, tzinfo=UTC), [25, 24]),
        # 30 December 2011 was left out.
        ("Pacific/Apia", datetime(2011, 12, 29, 10, tzinfo=UTC), [24, 24]),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), [24.5, 24]),
    ],
)
def test_days(zone: str, start: datetime, lengths: list[float]) -> None:
    assert hours(start, start + sum(lengths) * HOUR, Bucket.DAY, zone) == lengths


@pytest.mark.parametrize(
    ("zone", "start", "lengths"),
    [
        # The clock is set back from 2:00 to 1:30.
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC), [1, 1, 0.5, 1]),
        # It was set forward from 2:30 to 3:00.
        ("America/Caracas", datetime(2016, 5, 1, 6, 30, tzinfo=UTC), [0.5, 1, 1]),
    ],
)
def test_hours_that_the_clock_cuts(zone: str, start: datetime, lengths: list[float]) -> None:
    assert hours(start, start + sum(lengths) * HOUR, Bucket.HOUR, zone) == lengths


def test_the_first_and_the_last_bucket_are_cut() -> None:
    start = datetime(2026, 3, 1, 12, 15, tzinfo=UTC)
    assert hours(start, start + 2 * HOUR, Bucket.HOUR, "UTC") == [0.75, 1, 0.25]
    assert hours(start, start + HOUR, Bucket.MONTH, "UTC") == [1]


@pytest.mark.parametrize("bucket", Bucket)
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"])
def test_the_last_days_of_the_calendar(bucket: Bucket, zone: str) -> None:
    end = datetime(9999, 12, 30, 23, 45, tzinfo=UTC)
    starts = bucket_starts(end - 30 * HOUR, end, bucket, TimeZone(zone))
    assert starts[0] == end - 30 * HOUR


@settings(deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(Bucket),
    st.integers(0, 60 * 365 * 96),
    st.integers(1, 40 * 96),
)
def test_buckets_begin_where_the_clock_says(
    zone: str, bucket: Bucket, quarters: int, length: int
) -> None:
    start = datetime(1972, 1, 1, tzinfo=UTC) + quarters * QUARTER
    end = start + length * QUARTER
    starts = bucket_starts(start, end, bucket, TimeZone(zone))
    assert starts[0] == start
    assert all(at < later for at, later in pairwise((*starts, end)))
    for at in starts[1:]:
        before, local = ((at - back).astimezone(ZoneInfo(zone)) for back in (QUARTER, 0 * QUARTER))
        if bucket is Bucket.HOUR:
            assert (before.hour, before.utcoffset()) != (local.hour, local.utcoffset())
        else:
            assert before.date() < local.date()


def test_slots_are_quarters_before_1970_too() -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    moments = (epoch - QUARTER, epoch - tick, epoch, epoch + QUARTER - tick, epoch + QUARTER)
    assert [slot_of(at) for at in moments] == [-1, -1, 0, 0, 1]
