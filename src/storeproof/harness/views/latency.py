"""Whoever shows latency benchmarks to people has them drawn here as SVG, or as Markdown's table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from storeproof.harness.lanes import plain
from storeproof.harness.latency.results import GateResult, LatencyResult, LoadLevel, Spread
from storeproof.harness.report import Report

__all__ = ["load_line", "render", "table"]

_WIDTH, _LEFT, _ROW = 960, 420, 22
_SPAN = _WIDTH - _LEFT - 30
_COLOURS = {"pass": "#1a7f37", "fail": "#cf222e"}
_UNDECIDED = "#9a6700"
_LINES = ("#0969da", "#8250df", "#bf8700", "#57606a")
_HIGH = 150


def table(results: Sequence[LatencyResult]) -> list[list[str]]:
    """Give rows of texts, the first of which names the columns: a row for each gate.

    An operation that has none has a row too. Times are shown, and never judged.
    """
    rows = [["contract", "operation", "backend", "p50", "p95", "gate", "ratio", "decision"]]
    for each in results:
        first = [each.contract, each.operation, each.backend, *_times(each)]
        rows += [[*first, gate.rule, _ratio(gate), _decision(gate)] for gate in each.gates]
        rows += [] if each.gates else [[*first, "-", "-", each.problem or "not judged"]]
    return rows


def render(report: Report) -> str:
    """Draw every gate's interval, then how long calls took, as one SVG that loads nothing."""
    parts = [*_intervals(report.latency)]
    height = _ROW * (len(parts) + 2)
    drawn = [_moved(part, _ROW * (2 + index)) for index, part in enumerate(parts)]
    for result in report.latency:
        if result.spreads:
            drawn.append(_moved(_distribution(result), height))
            height += _HIGH + 3 * _ROW
        if len(result.load) > 1:
            drawn.append(_moved(_load(result), height))
            height += _HIGH + 3 * _ROW
    title = _text(10, 20, "ratios, their intervals, and limits (|)")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height + _ROW}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Ratios and times">'
        f'<rect width="{_WIDTH}" height="{height + _ROW}" fill="white"/>'
    )
    return "\n".join([head, title, *drawn, "</svg>"]) + "\n"


def _intervals(results: Iterable[LatencyResult]) -> Iterator[str]:
    judged = [(each, gate) for each in results for gate in each.gates if gate.ratio]
    most = max((max(*gate.ratio, gate.limit) for _, gate in judged if gate.ratio), default=1.0)
    for result, gate in judged:
        assert gate.ratio is not None, "only these were taken"
        low, middle, high, limit = (
            _LEFT + _SPAN * each / (most * 1.05) for each in (*gate.ratio, gate.limit)
        )
        colour = _COLOURS.get(gate.decision, _UNDECIDED)
        where = f"{result.contract}.{result.operation} on {result.backend}: {gate.rule}"
        yield (
            _text(10, 4, where)
            + f'<line x1="{low:.1f}" x2="{high:.1f}" y1="0" y2="0" stroke="{colour}" '
            f'stroke-width="3"/><circle cx="{middle:.1f}" cy="0" r="4" fill="{colour}">'
            f"<title>{_escaped(gate.line)}</title></circle>"
            f'<line x1="{limit:.1f}" x2="{limit:.1f}" y1="-8" y2="8" stroke="black"/>'
        )


def _distribution(result: LatencyResult) -> str:
    """Draw the share of calls that took no longer, beside time on a scale of its logarithm."""
    spreads = result.spreads.items()
    ends = [ns for _, each in spreads for ns in (each.percentiles[1], each.percentiles[99])]
    least, most = math.log(max(1, min(ends))), math.log(max(2, *ends))
    where = f"{result.contract}.{result.operation} on {result.backend}: 1st to 99th percentile"
    scale = f"{_time(min(ends))} … {_time(max(ends))}"
    drawn = [_text(10, 0, where), _text(_LEFT, _HIGH + 30, scale)]
    for index, (name, spread) in enumerate(spreads):
        colour = _LINES[index % len(_LINES)]
        drawn.append(_text(10, 24 + 18 * index, f"{name}, {spread.samples} calls", colour))
        drawn.append(_curve(spread, least, max(most - least, 0.01), colour))
    return "".join(drawn)


def _load(result: LatencyResult) -> str:
    """Draw percentiles over throughput, a point for each level, both from zero."""
    levels = result.load
    widest = max(each.throughput for each in levels)
    slowest = max(each.p99 for each in levels)
    where = f"{result.contract}.{result.operation} on {result.backend}: load"
    scale = f"0 … {widest:,.0f} calls/s; 0 … {_time(slowest)}"
    drawn = [_text(10, 0, where), _text(_LEFT, _HIGH + 30, scale)]
    for index, share in enumerate(("p50", "p95", "p99")):
        colour = _LINES[index]
        drawn.append(_text(10, 24 + 18 * index, share, colour))
        for each in levels:
            across = _LEFT + _SPAN * each.throughput / max(widest, 1)
            down = 10 + _HIGH * (1 - getattr(each, share) / max(slowest, 1))
            drawn.append(
                f'<circle cx="{across:.1f}" cy="{down:.1f}" r="4" fill="{colour}">'
                f"<title>{share} {_escaped(load_line(each))}</title></circle>"
            )
    return "".join(drawn)


def load_line(level: LoadLevel) -> str:
    """Say in one line how calls did under a load."""
    given = f"{level.clients} clients" if level.clients else f"{level.rate:g} calls/s meant"
    times = ", ".join(
        f"{name} {_time(ns)}"
        for name, ns in (("p50", level.p50), ("p95", level.p95), ("p99", level.p99))
    )
    return f"{given}: {level.throughput:,.0f} calls/s, {times}"


def _curve(spread: Spread, least: float, span: float, colour: str) -> str:
    shares = range(1, 100)
    times = [math.log(max(1, spread.percentiles[share])) for share in shares]
    points = [
        f"{_LEFT + _SPAN * (time - least) / span:.1f},{10 + _HIGH * (1 - share / 100):.1f}"
        for share, time in zip(shares, times, strict=True)
    ]
    return f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _moved(part: str, down: int) -> str:
    return f'<g transform="translate(0 {down})">{part}</g>'


def _text(x: int, y: int, text: str, colour: str = "black") -> str:
    return f'<text x="{x}" y="{y}" fill="{colour}">{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    return escape(plain(text))


def _times(result: LatencyResult) -> list[str]:
    spread = result.spreads.get(result.operation)
    return [_time(spread.percentiles[each]) for each in (50, 95)] if spread else ["-", "-"]


def _time(nanoseconds: int) -> str:
    return (
        f"{nanoseconds / 1000:,.3g} µs" if nanoseconds < 10**6 else f"{nanoseconds / 1e6:,.3g} ms"
    )


def _ratio(gate: GateResult) -> str:
    if gate.ratio is None:
        return ", ".join(map(str, dict.fromkeys(gate.counted))) or "-"
    low, middle, high = gate.ratio
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def _decision(gate: GateResult) -> str:
    said = f"{'advisory: ' if gate.advisory else ''}{gate.decision}"
    return f"{said} ({gate.why})" if gate.why else said
