"""A budget's forecast is what anybody would find with pencil and paper."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from storeproof.reference.costs.entities import Budget, BudgetId, BudgetStatus, Currency
from storeproof.reference.web.pages.forecast import Forecast, burn_down, forecast

START = datetime(2026, 4, 1, tzinfo=UTC)
END = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def status(spent: str, limit: str = "300", end: datetime | None = END) -> BudgetStatus:
    budget = Budget(id=BudgetId("b"), limit=Decimal(limit), currency=Currency("EUR"))
    return BudgetStatus(
        budget=budget, version=1, window_start=START, window_end=end, spent=Decimal(spent)
    )


def test_what_goes_on_evenly_suffices() -> None:
    found = forecast(status("90"), START, START + 10 * DAY)
    assert found == Forecast(a_day=Decimal(9), at_end=Decimal(270), runs_out=None)


def test_what_is_spent_too_fast_runs_out() -> None:
    found = forecast(status("150"), START, START + 10 * DAY)
    assert found == Forecast(a_day=Decimal(15), at_end=Decimal(450), runs_out=START + 20 * DAY)


def test_what_ends_with_the_window_does_not_run_out() -> None:
    found = forecast(status("100"), START, START + 10 * DAY)
    assert found is not None
    assert (found.at_end, found.runs_out) == (Decimal(300), None)


def test_what_is_spent_has_run_out() -> None:
    for spent in ("300", "301"):
        now = START + 10 * DAY
        found = forecast(status(spent), START, now)
        assert found is not None
        assert found.runs_out == now


def test_nothing_is_known_before_any_time_has_passed() -> None:
    assert forecast(status("10"), START, START) is None
    assert forecast(status("10"), START, START - DAY) is None


def test_nothing_spent_lasts_for_ever() -> None:
    found = forecast(status("0"), START, START + DAY)
    assert found == Forecast(a_day=Decimal(0), at_end=Decimal(0), runs_out=None)


def test_a_budget_without_an_end_runs_out_some_day_or_beyond_all_dates() -> None:
    found = forecast(status("100", end=None), START, START + 10 * DAY)
    assert found == Forecast(a_day=Decimal(10), at_end=None, runs_out=START + 30 * DAY)
    slow = forecast(status("0.000000001", "1000000000", end=None), START, START + DAY)
    assert slow is not None
    assert slow.runs_out is None


def test_a_burn_down_goes_from_the_limit_to_what_is_left_and_on() -> None:
    now = START + 10 * DAY
    chart = burn_down(status("90"), START, now, [])
    assert chart.starts == tuple(int(each.timestamp()) for each in (START, now, END))
    left, coming, even = chart.series
    assert left.values == (300.0, 210.0, None)
    assert coming.values == (None, 210.0, 30.0)
    assert even.values == (300.0, 200.0, 0.0)


def test_a_burn_down_never_leaves_less_than_nothing() -> None:
    chart = burn_down(status("290"), START, START + 10 * DAY, [])
    assert chart.series[1].values == (None, 10.0, 0.0)


def test_what_was_spent_is_spread_over_the_days_as_their_charges_were() -> None:
    days = [(START + DAY, Decimal(30)), (START + 2 * DAY, Decimal(10))]
    chart = burn_down(status("80"), START, START + 2 * DAY, days)
    assert chart.series[0].values == (300.0, 240.0, 220.0, None)


def test_a_burn_down_without_an_end_has_no_pace_to_keep() -> None:
    chart = burn_down(status("90", end=None), START, START + DAY, [])
    assert len(chart.series) == 2
    assert chart.series[0].values == (300.0, 210.0)


def test_a_budget_that_has_only_begun_is_whole() -> None:
    chart = burn_down(status("0"), START, START, [])
    assert chart.series[0].values == (300.0,)
