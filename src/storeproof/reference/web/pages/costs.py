"""For people: what was spent by whom, and the alerts that it raised."""

from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Final

import msgspec
from litestar import Response
from litestar.di import NamedDependency

from storeproof.reference.costs.entities import (
    Alert,
    AlertFilter,
    Allocation,
    Budget,
    BudgetFilter,
    BudgetStatus,
    Currency,
    Dimension,
    ReportQuery,
    ReportRow,
)
from storeproof.reference.costs.service import CostService
from storeproof.reference.web.needs import COSTS_READ, COSTS_WRITE
from storeproof.reference.web.pages.asking import member
from storeproof.reference.web.pages.frame import Frame
from storeproof.reference.web.pages.routes import shows
from storeproof.reference.web.pages.spans import RANGES, Span, span_of, zones
from storeproof.reference.web.services import Services

__all__ = ["last_alerts", "overview", "query_of", "share"]

MOST_ROWS: Final = 100
"""How many rows of a report are shown for a currency; the CSV file has all."""
MOST_BUDGETS: Final = 50
MOST_ALERTS: Final = 20


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says of one currency: the rows that cost most first."""

    currency: Currency
    total: Decimal
    charges: int
    rows: tuple[tuple[ReportRow, float], ...]
    left_out: int


@shows("/costs", COSTS_READ)
async def overview(
    frame: NamedDependency[Frame],
    costs: NamedDependency[CostService],
    services: NamedDependency[Services],
) -> Response[str]:
    """The report, the budgets, and their alerts."""
    now = services.now()
    span = span_of(frame.query, now)
    query = query_of(frame.query, span)
    budgets = await costs.budgets_of(BudgetFilter())
    alerts = await last_alerts(costs, AlertFilter(since=now - timedelta(days=90)))
    return frame.page(
        "costs/overview.html",
        span=span,
        query=query,
        parts_of_report=_parts(await costs.report(query)),
        overlapping=_overlaps(query),
        csv=None if _overlaps(query) else _csv(frame, query),
        budgets=[await _with_share(costs, each) for each in budgets[:MOST_BUDGETS]],
        budgets_left_out=max(len(budgets) - MOST_BUDGETS, 0),
        alerts=alerts,
        may_write=frame.may(COSTS_WRITE),
        ranges={name: shown for name, shown in RANGES.items() if name != "1d"},
        zones=zones(),
        dimensions=list(Dimension),
        allocations=list(Allocation),
    )


def query_of(query: dict[str, str], span: Span) -> ReportQuery:
    """The report that an address asks for, of the days of a span."""
    return ReportQuery(
        group_by=member(query, "group_by", Dimension) or Dimension.TEAM,
        start=span.first,
        end=span.last + timedelta(days=1),
        timezone=span.timezone,
        allocation=member(query, "allocation", Allocation) or Allocation.SPLIT,
    )


def _overlaps(query: ReportQuery) -> bool:
    return query.group_by is Dimension.TAG and query.allocation is Allocation.FULL


def _csv(frame: Frame, query: ReportQuery) -> str:
    return frame.link("/api/v1/costs/report.csv", **msgspec.to_builtins(query))


def _parts(rows: tuple[ReportRow, ...]) -> list[Part]:
    """A report comes sorted by currency."""
    return [
        _part(currency, list(each)) for currency, each in groupby(rows, lambda row: row.currency)
    ]


def _part(currency: Currency, rows: list[ReportRow]) -> Part:
    ranked = sorted(rows, key=lambda row: (-row.amount, row.key or ""))
    most = max(ranked[0].amount, Decimal(0)) or Decimal(1)
    return Part(
        currency=currency,
        total=sum((row.amount for row in rows), Decimal(0)),
        charges=sum(row.charges for row in rows),
        rows=tuple((row, max(float(100 * row.amount / most), 0)) for row in ranked[:MOST_ROWS]),
        left_out=max(len(ranked) - MOST_ROWS, 0),
    )


async def _with_share(costs: CostService, budget: Budget) -> tuple[BudgetStatus, float]:
    """A budget as it is now, and what of it is spent, in percent."""
    status = await costs.budget_status(budget.id)
    return status, share(status)


def share(status: BudgetStatus) -> float:
    """What of a budget is spent, in percent; all of one without a limit."""
    return float(100 * status.spent / status.budget.limit) if status.budget.limit else 100.0


async def last_alerts(costs: CostService, wanted: AlertFilter) -> list[Alert]:
    """The last ones, the newest first."""
    found: list[Alert] = []
    cursor = None
    while True:
        page = await costs.alerts(wanted, cursor, 1000)
        found = [*found, *page.items][-MOST_ALERTS:]
        cursor = page.next_cursor
        if cursor is None:
            return found[::-1]
