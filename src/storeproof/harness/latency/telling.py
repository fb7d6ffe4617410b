"""Terminals and reports say here what a gate decided: one line a gate."""

from __future__ import annotations

from msgspec.structs import replace

from storeproof.harness.latency.benchmark import Found
from storeproof.harness.latency.counting import Counted
from storeproof.harness.latency.gates import BudgetGate, Decision, Gate, Judgement
from storeproof.harness.latency.intervals import quantile
from storeproof.harness.latency.measuring import Measured
from storeproof.harness.latency.results import GateResult, LatencyResult, Spread
from storeproof.harness.latency.rules import BASELINE, CountGate

__all__ = ["count_line", "gate_line", "latency_result", "rule", "spread"]


def rule(gate: Gate, reference: str) -> str:
    """Give a gate's rule: `p50 <= 1.5 x read`.

    reference: what the measured role is compared with, where it is no calibration.
    """
    beside = gate.calibration if isinstance(gate, BudgetGate) else reference
    return f"p{gate.quantile * 100:g} <= {gate.limit:g} x {beside}"


def gate_line(operation: str, gate: Gate, found: Measured, reference: str = BASELINE) -> str:
    """Give a gate's rule, the ratio with its interval, what it rests on, and the decision."""
    judgement = found.judgements[gate]
    samples = len(found.samples["measured"][0])
    said = [
        f"{operation} {rule(gate, reference)}: {_ratio(judgement)}",
        f"{found.blocks} blocks of {samples} samples",
        f"{'advisory, ' if gate.advisory else ''}{judgement.decision}",
    ]
    return ", ".join(said) + (f" ({judgement.why})" if judgement.why else "")


def count_line(operation: str, gate: CountGate, counted: Counted) -> str:
    """Give a gate's rule, what was counted, and the decision."""
    seen = ", ".join(map(str, dict.fromkeys(counted.each)))
    return f"{operation} {gate}: counted {seen}, {_of_count(gate, counted)}"


def latency_result(
    empty: LatencyResult, found: Found, seconds: float, beside: str = BASELINE
) -> LatencyResult:
    """Fill in what came of a benchmark; `beside` is what its baseline is called."""
    where = f"{empty.contract}.{empty.operation} on {empty.backend}"
    counts = [_count_result(where, gate, each) for gate, each in found.counts.items()]
    gates = [
        _gate_result(where, gate, each, beside)
        for each in found.measured.values()
        for gate in each.judgements
    ]
    spreads = {empty.operation: spread(found.samples)}
    for name, each in found.measured.items():
        spreads[name] = spread([ns for taken in each.samples["reference"] for ns in taken])
    return replace(empty, seconds=round(seconds, 3), gates=(*counts, *gates), spreads=spreads)


def spread(samples: list[int]) -> Spread:
    """Give the percentiles of samples."""
    ordered = sorted(samples)
    taken = tuple(quantile(ordered, max(each, 1) / 100) for each in range(1, 101))
    return Spread(samples=len(samples), percentiles=(ordered[0], *taken))


def _gate_result(where: str, gate: Gate, found: Measured, beside: str) -> GateResult:
    judgement, ratio = found.judgements[gate], found.judgements[gate].ratio
    return GateResult(
        rule=rule(gate, beside),
        decision=str(judgement.decision),
        line=gate_line(where, gate, found, beside),
        limit=gate.limit,
        ratio=None if ratio is None else (ratio.low, ratio.middle, ratio.high),
        why=judgement.why,
        advisory=gate.advisory,
        blocks=found.blocks,
        samples=len(found.samples["measured"][0]),
        bias=found.bias[gate.quantile] - 1,
    )


def _count_result(where: str, gate: CountGate, counted: Counted) -> GateResult:
    return GateResult(
        rule=str(gate),
        decision=str(_of_count(gate, counted)),
        line=count_line(where, gate, counted),
        counted=counted.each,
    )


def _of_count(gate: CountGate, counted: Counted) -> Decision:
    return Decision.PASS if counted.holds(gate) else Decision.FAIL


def _ratio(judgement: Judgement) -> str:
    ratio = judgement.ratio
    return "-" if ratio is None else f"{ratio.middle:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
