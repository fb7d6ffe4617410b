"""The time that a page is about is what its address says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.web.pages.spans import span_of, zones

NOW = datetime(2026, 3, 29, 12, 7, 31, tzinfo=UTC)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


def test_the_last_day_ends_with_the_quarter_of_now() -> None:
    span = span_of({"range": "1d"}, NOW)
    assert (span.begin, span.end) == (at(2026, 3, 28, 12, 15), at(2026, 3, 29, 12, 15))
    assert (span.first, span.last) == (date(2026, 3, 28), date(2026, 3, 29))


def test_days_begin_at_the_midnights_of_the_time_zone() -> None:
    # Berlin sets its clocks forward on the 29th.
    span = span_of({"range": "7d", "timezone": "Europe/Berlin"}, NOW)
    assert (span.begin, span.end) == (at(2026, 3, 22, 23), at(2026, 3, 29, 12, 15))


def test_days_of_one_s_own_are_both_included() -> None:
    asked = {"range": "custom", "from": "2026-03-28", "to": "2026-03-29"}
    span = span_of({**asked, "timezone": "Europe/Berlin"}, NOW)
    assert (span.begin, span.end) == (at(2026, 3, 27, 23), at(2026, 3, 29, 22))


def test_without_a_wish_it_is_the_usual_one() -> None:
    assert span_of({}, NOW, "90d") == span_of({"range": "90d", "timezone": "UTC"}, NOW)
    today = span_of({"range": "custom"}, NOW)
    assert (today.first, today.last) == (NOW.date(), NOW.date())


@pytest.mark.parametrize("range", ["1d", "30d", "365d", "custom"])
def test_its_address_asks_for_it_again(range: str) -> None:
    span = span_of({"range": range, "from": "2026-01-02", "timezone": "Asia/Kolkata"}, NOW)
    assert span_of(span.query, NOW) == span


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"range": "8d"}, "range"),
        ({"timezone": "Nowhere/Land"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "a\0b"}, "timezone"),
        ({"range": "custom", "from": "yesterday"}, "from"),
        ({"range": "custom", "from": "2026-03-02", "to": "2026-03-01"}, "to"),
        ({"range": "custom", "to": "9999-12-31"}, "to"),
        ({"range": "custom", "from": "0001-01-01", "timezone": "Asia/Tokyo"}, "to"),
    ],
)
def test_what_is_no_time_is_refused(query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        span_of(query, NOW)
    assert caught.value.field == field


def test_there_are_zones_to_choose_from() -> None:
    assert {"UTC", "Europe/Berlin", "America/New_York"} <= set(zones())
    assert zones()[0] == "UTC"
