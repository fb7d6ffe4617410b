"""Terminals and reports say here what a gate decided: one line a gate."""

from __future__ import annotations

from storeproof.harness.latency.gates import BudgetGate, Gate, Judgement
from storeproof.harness.latency.measuring import Measured

__all__ = ["gate_line", "rule"]


def rule(gate: Gate, reference: str) -> str:
    """Give a gate's rule: `p50 <= 1.5 x read`.

    reference: what the measured role is compared with, where it is no calibration.
    """
    beside = gate.calibration if isinstance(gate, BudgetGate) else reference
    return f"p{gate.quantile * 100:g} <= {gate.limit:g} x {beside}"


def gate_line(operation: str, gate: Gate, found: Measured, reference: str = "baseline") -> str:
    """Give a gate's rule, the ratio with its interval, what it rests on, and the decision."""
    judgement = found.judgements[gate]
    samples = len(found.samples["measured"][0])
    said = [
        f"{operation} {rule(gate, reference)}: {_ratio(judgement)}",
        f"{found.blocks} blocks of {samples} samples",
        f"{'advisory, ' if gate.advisory else ''}{judgement.decision}",
    ]
    return ", ".join(said) + (f" ({judgement.why})" if judgement.why else "")


def _ratio(judgement: Judgement) -> str:
    ratio = judgement.ratio
    return "-" if ratio is None else f"{ratio.middle:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
