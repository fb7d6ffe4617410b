"""A gate is told in one line: its rule, what was seen, what it rests on, what it means."""

from __future__ import annotations

import asyncio
import random

import pytest

from storeproof.harness.latency.gates import BudgetGate, Gate, RegressionGate
from storeproof.harness.latency.measuring import Comparison, Measured, Plan, compare
from storeproof.harness.latency.telling import gate_line

from .machines import Machine


def measured(gate: Gate, *, samples: int = 30) -> Measured:
    machine = Machine()
    reference = machine.role(1000)
    comparison = Comparison(machine.role(1200), reference, reference)
    plan, chance = Plan(samples=samples, seconds=0), random.Random(0)
    return asyncio.run(compare(comparison, [gate], plan, chance=chance, clock=machine.clock))


@pytest.mark.parametrize(
    ("gate", "line"),
    [
        (
            BudgetGate(calibration="read", budget=1.5),
            "Notes.get p50 <= 1.5 x read: 1.20 [1.20, 1.20], 20 blocks of 30 samples, pass",
        ),
        (
            RegressionGate(tolerance=0.05, advisory=True),
            "Notes.get p50 <= 1.05 x baseline: 1.20 [1.20, 1.20], 20 blocks of 30 samples, "
            "advisory, fail",
        ),
        (
            RegressionGate(quantile=0.95),
            "Notes.get p95 <= 1.1 x baseline: -, 20 blocks of 30 samples, not judged "
            "(30 samples a block are too few: it takes 200)",
        ),
    ],
)
def test_a_gate_is_told_in_one_line(gate: Gate, line: str) -> None:
    assert gate_line("Notes.get", gate, measured(gate)) == line
