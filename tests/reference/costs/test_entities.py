"""The arithmetic that every cost storage shares: exact money, windows without gaps, shares."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storeproof.reference.costs import (
    Allocation,
    Dimension,
    OwnerPath,
    Window,
)
from storeproof.reference.costs.entities import (
    MAX_AMOUNT,
    allocate,
    canonical_money,
    covers,
    in_window,
    money,
    nanos,
    put,
)
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import EARLIEST, LATEST

from .examples import budget
from .test_rollups import march

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",  # its clocks change at midnight
    "America/Los_Angeles",
    "Asia/Kathmandu",
    "Pacific/Apia",  # it had no 30 December 2011
    "Pacific/Kiritimati",
)


@given(st.decimals(allow_nan=True, allow_infinity=True))
@example(Decimal("1E-999999999"))
@example(Decimal("-0E+999999999"))
@example(Decimal("-0"))
@example(Decimal("0.10"))
@example(Decimal("1000000000.0000000000"))
@example(Decimal("1" + "0" * 40 + "E-40"))
def test_money_is_kept_exactly_or_refused(value: Decimal) -> None:
    exact = value.is_finite() and -MAX_AMOUNT <= value <= MAX_AMOUNT
    if exact and not _has_nine_decimals(value):
        exact = False
    try:
        found = canonical_money("amount", value)
    except InvalidValue:
        assert not exact
        return
    assert exact
    assert found == value
    assert str(found) == str(money(nanos(value)))
    assert "E" not in str(found)


def _has_nine_decimals(value: Decimal) -> bool:
    if value and value.adjusted() < -9:
        return False
    return value == 0 or (Fraction(value) * 10**9).denominator == 1


@given(st.integers(-(10**40), 10**40))
def test_nano_units_make_the_round_trip_whatever_the_context_is(count: int) -> None:
    with decimal.localcontext(prec=3):
        assert nanos(money(count)) == count


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("zone", ZONES)
@given(
    at=st.datetimes(datetime(1970, 1, 1), datetime(2040, 1, 1))  # noqa: DTZ001 - the zone follows
)
@example(at=datetime(2011, 12, 30, 9, 59, 59, 999999))  # noqa: DTZ001 - as above
@example(at=datetime(2026, 3, 8, 5))  # noqa: DTZ001 - as above
def test_windows_have_no_gaps_and_do_not_overlap(window: Window, zone: str, at: datetime) -> None:
    at = at.replace(tzinfo=UTC)
    new = put(None, budget("a", window=window, timezone=zone), 0)
    status = in_window(new, at)
    assert status.window_start <= at
    if status.window_end is None:
        assert window is Window.TOTAL
        return
    assert at < status.window_end
    following = in_window(status, status.window_end)
    assert following.window_start == status.window_end
    assert in_window(new, status.window_end - timedelta(microseconds=1)) == status
    assert in_window(new, status.window_start) == status


@pytest.mark.parametrize("window", Window)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [EARLIEST, LATEST])
def test_windows_reach_the_ends_of_the_calendar(window: Window, zone: str, at: datetime) -> None:
    status = in_window(put(None, budget("a", window=window, timezone=zone), 0), at)
    assert status.window_start <= at
    assert status.window_end is None or at < status.window_end


@given(
    st.integers(-(10**30), 10**30),
    st.frozensets(st.sampled_from([f"t{number}" for number in range(12)]), max_size=12),
)
def test_shares_differ_by_a_nano_unit_at_most_and_add_up(count: int, tags: frozenset[str]) -> None:
    query = march(Dimension.TAG, allocation=Allocation.SPLIT)
    rows = allocate(query, [("USD", tags, count, 1)])
    shares = [nanos(row.amount) for row in rows]
    assert sum(shares) == count
    assert max(shares) - min(shares) <= 1
    assert len(rows) == max(1, len(tags))


@pytest.mark.parametrize(
    ("scope", "owner", "expected"),
    [
        ("", "", True),
        ("", "a/b", True),
        ("a", "a", True),
        ("a", "a/b/c", True),
        ("a", "ab", False),
        ("a/b", "a", False),
        ("a", "", False),
    ],
)
def test_a_scope_covers_itself_and_what_is_below(scope: str, owner: str, expected: bool) -> None:
    assert covers(OwnerPath(scope), OwnerPath(owner)) is expected
