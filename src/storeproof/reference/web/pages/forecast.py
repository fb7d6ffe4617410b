"""For pages about budgets: how fast a budget is spent, and when it ends if that goes on.

The rule is the simplest that can be checked by hand: what was spent since the window began, divided
by the time since then, goes on.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate

import msgspec

from storeproof.reference.costs.entities import BudgetStatus
from storeproof.reference.web.pages.charts import Chart, Line, seconds

__all__ = ["Forecast", "burn_down", "forecast"]

DAY = timedelta(days=1)
CENT = Decimal("0.01")


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """`a_day`: what is spent in 24 hours, to the cent.

    `at_end`: what will be spent when the window ends; None where it has no end. `runs_out`: when
    nothing will be left, None where that is not before the window ends.
    """

    a_day: Decimal
    at_end: Decimal | None
    runs_out: datetime | None


def forecast(status: BudgetStatus, began: datetime, now: datetime) -> Forecast | None:
    """What comes if spending goes on as it did from `began` to `now`.

    None where no time has passed yet. A budget that is spent already ran out by `now`.
    """
    passed = (now - began) // timedelta(seconds=1)
    if passed <= 0:
        return None
    a_second = status.spent / passed
    end = status.window_end
    at_end = None
    if end is not None:
        at_end = (status.spent + a_second * max(_seconds(end - now), 0)).quantize(CENT)
    return Forecast(
        a_day=(a_second * _seconds(DAY)).quantize(CENT),
        at_end=at_end,
        runs_out=_runs_out(status, a_second, now),
    )


def burn_down(
    status: BudgetStatus, began: datetime, now: datetime, days: Sequence[tuple[datetime, Decimal]]
) -> Chart:
    """What was left of a budget since `began`, and what will be, as lines.

    days: what was charged until each of these instants since the one before, in their order. What
    the budget itself counted is spread over them as they are; evenly where there are none.
    """
    limit, end = status.budget.limit, status.window_end
    left = limit - status.spent
    past = {began: limit, **_past(status, days), now: left}
    coming = {now: left}
    even = {}
    if end is not None and now > began:
        pace = status.spent / _seconds(now - began)
        coming[end] = max(left - pace * _seconds(end - now), Decimal(0))
        even = {began: limit, end: Decimal(0)}
    times = sorted({*past, *coming, *even})
    lines = [
        Line(name="left", values=_at(times, past)),
        Line(name="left, if it goes on so", values=_at(times, coming), dashed=True),
    ]
    if even:
        lines.append(Line(name="left, if spent evenly", values=_evenly(times, even), dashed=True))
    return Chart(
        kind="lines",
        title="Burn-down",
        starts=seconds(times),
        series=tuple(lines),
        timezone=status.budget.timezone,
        unit=f" {status.budget.currency}",
    )


def _past(
    status: BudgetStatus, days: Sequence[tuple[datetime, Decimal]]
) -> dict[datetime, Decimal]:
    total = sum((amount for _, amount in days), Decimal(0))
    if total <= 0:
        return {}
    sums = accumulate(amount for _, amount in days)
    return {
        at: status.budget.limit - status.spent * part / total
        for (at, _), part in zip(days, sums, strict=True)
    }


def _at(times: Sequence[datetime], known: dict[datetime, Decimal]) -> tuple[float | None, ...]:
    return tuple(round(float(known[at]), 2) if at in known else None for at in times)


def _evenly(times: Sequence[datetime], even: dict[datetime, Decimal]) -> tuple[float | None, ...]:
    (began, limit), (end, _) = even.items()
    whole = _seconds(end - began)
    return tuple(round(float(limit * _seconds(end - at) / whole), 2) for at in times)


def _runs_out(status: BudgetStatus, a_second: Decimal, now: datetime) -> datetime | None:
    left = status.budget.limit - status.spent
    if left <= 0:
        return now
    if a_second <= 0:
        return None
    try:
        at = now + timedelta(seconds=int(left / a_second))
    except OverflowError:
        return None  # later than there are dates for
    return None if status.window_end is not None and at >= status.window_end else at


def _seconds(much: timedelta) -> int:
    return much // timedelta(seconds=1)
