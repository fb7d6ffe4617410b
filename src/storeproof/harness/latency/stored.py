"""`storeproof bench compare` shows two stored runs here; it never judges them."""

from __future__ import annotations

from collections.abc import Iterator

from storeproof.harness.latency.results import LatencyResult
from storeproof.harness.report import Report

__all__ = ["lines"]

_Key = tuple[str, str, str, int]


def lines(old: Report, new: Report) -> Iterator[str]:
    """Give each operation's times in both runs, what is in one only, and why nothing is judged."""
    before, after = _keyed(old), _keyed(new)
    for key in dict.fromkeys([*before, *after]):
        contract, operation, backend, rows = key
        where = f"{contract}.{operation} on {backend}" + (f", {rows} rows" if rows else "")
        yield f"{where}: {_told(before.get(key), after.get(key))}"
    yield (
        "Times of different runs are shown, never judged: equal code differs by tens of percent "
        "from one to the next. To judge, measure both in one run: storeproof bench --baseline"
    )


def _keyed(report: Report) -> dict[_Key, LatencyResult]:
    return {
        (each.contract, each.operation, each.backend, each.rows): each for each in report.latency
    }


def _told(before: LatencyResult | None, after: LatencyResult | None) -> str:
    if before is None or after is None:
        return "only in the new report" if before is None else "only in the old report"
    return ", ".join(
        f"p{share} {_microseconds(before, share)} -> {_microseconds(after, share)}"
        for share in (50, 95)
    )


def _microseconds(result: LatencyResult, share: int) -> str:
    spread = result.spreads.get(result.operation)
    return "-" if spread is None else f"{spread.percentiles[share] / 1000:.1f} µs"
