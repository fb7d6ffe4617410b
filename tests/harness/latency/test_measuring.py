"""Runs of gates on a machine whose every delay is known."""

from __future__ import annotations

import asyncio
import itertools
import random

import pytest

from storeproof.harness.latency.gates import BudgetGate, Decision, Gate, RegressionGate
from storeproof.harness.latency.measuring import Comparison, Measured, Plan, Role, compare

from .machines import Machine

MEDIAN = RegressionGate(tolerance=0.05)
PLAN = Plan()


def judged(
    machine: Machine,
    measured: Role,
    reference: Role,
    *gates: Gate,
    twin: Role | None = None,
    plan: Plan = PLAN,
    seed: int = 0,
) -> Measured:
    of = "measured" if twin is measured else "reference"
    comparison = Comparison(measured, reference, twin or reference, of)
    chance = random.Random(seed)
    return asyncio.run(compare(comparison, gates, plan, chance=chance, clock=machine.clock))


def decision(found: Measured, gate: Gate = MEDIAN) -> Decision:
    return found.judgements[gate].decision


@pytest.mark.parametrize(
    ("slower", "expected"),
    [(0.8, Decision.PASS), (1.0, Decision.PASS), (1.1, Decision.FAIL), (2.0, Decision.FAIL)],
)
def test_a_slowdown_beyond_the_tolerance_fails(slower: float, expected: Decision) -> None:
    machine = Machine(spread=0.01, noise=0.2)
    found = judged(machine, machine.role(int(100_000 * slower)), machine.role(100_000), MEDIAN)
    assert decision(found) is expected
    ratio = found.judgements[MEDIAN].ratio
    assert ratio is not None
    assert ratio.low <= slower <= ratio.high


def test_equal_code_is_never_accused_and_a_tenth_slower_is_always_found() -> None:
    accused = found = 0
    for seed in range(20):
        machine = Machine(seed, spread=0.02, noise=0.1)
        same, slower = machine.role(100_000), machine.role(112_000)
        plan = Plan(seconds=0.5)
        accused += decision(judged(machine, same, same, MEDIAN, plan=plan)) is Decision.FAIL
        found += decision(judged(machine, slower, same, MEDIAN, plan=plan)) is Decision.FAIL
    assert (accused, found) == (0, 20)


def test_samples_of_one_instance_would_have_accused_equal_code() -> None:
    """What the blocks are for: instances differ for as long as they live."""
    machine = Machine(2, spread=0.3)
    same = machine.role(100_000)
    found = judged(machine, same, same, MEDIAN, plan=Plan(seconds=0))
    ones = [sum(each) / len(each) for each in found.samples["measured"]]
    assert max(ones) / min(ones) > 1.5
    assert decision(found) is not Decision.FAIL


def test_a_run_that_cannot_decide_goes_on_and_then_says_so() -> None:
    machine = Machine(1, spread=0.02)
    slower = machine.role(105_000)  # right at the limit
    found = judged(machine, slower, machine.role(100_000), MEDIAN, plan=Plan(seconds=1.0))
    assert found.looks > 1
    assert found.seconds >= 1.0
    assert decision(found) is Decision.UNDECIDED


def test_more_blocks_decide_what_few_could_not() -> None:
    machine = Machine(5, spread=0.06)
    slower, base = machine.role(109_000), machine.role(100_000)
    short = judged(machine, slower, base, MEDIAN, plan=Plan(seconds=0))
    long = judged(machine, slower, base, MEDIAN, plan=Plan(seconds=20))
    assert decision(short) is Decision.UNDECIDED
    assert decision(long) is Decision.FAIL
    assert long.blocks > short.blocks == 20


def test_a_run_that_equal_code_differs_in_decides_nothing() -> None:
    machine = Machine()
    turns = itertools.count()

    def grows() -> float:
        return 1.04 ** next(turns)  # every instance is slower than the one before

    base = machine.role(100_000)
    biased = machine.role(100_000, opening=lambda: 1.03)
    slower = machine.role(200_000)
    found = judged(machine, slower, base, MEDIAN, twin=biased, plan=Plan(seconds=0))
    assert decision(found) is Decision.UNDECIDED
    assert "equal code differs from itself by +3.0%" in found.judgements[MEDIAN].why
    drifting = machine.role(100_000, opening=grows)
    found = judged(machine, drifting, drifting, MEDIAN, plan=Plan(seconds=0))
    assert decision(found) is not Decision.FAIL


def test_instances_are_fresh_for_each_block_and_opened_in_changing_order() -> None:
    machine = Machine()
    judged(machine, machine.role(300), machine.role(200), MEDIAN, plan=Plan(seconds=0))
    blocks = [tuple(machine.opened[at : at + 3]) for at in range(0, len(machine.opened), 3)]
    assert len(blocks) == 20
    assert set(blocks) == {(300, 200, 200), (200, 300, 200), (200, 200, 300)}


def test_turns_are_drawn_anew() -> None:
    machine = Machine()
    plan = Plan(blocks=20, samples=20, window=1, seconds=0)
    judged(machine, machine.role(300), machine.role(200), MEDIAN, plan=plan)
    last = machine.made[-60:]
    turns = {tuple(last[at : at + 3]) for at in range(0, 60, 3)}
    assert turns == {(300, 200, 200), (200, 300, 200), (200, 200, 300)}


@pytest.mark.parametrize(("samples", "blocks"), [(199, 20), (200, 19)])
def test_too_few_samples_or_blocks_are_not_judged(samples: int, blocks: int) -> None:
    machine, gate = Machine(), RegressionGate(quantile=0.95)
    plan = Plan(samples=samples, blocks=blocks, seconds=0)
    found = judged(machine, machine.role(300), machine.role(100), gate, plan=plan)
    assert decision(found, gate) is Decision.NOT_JUDGED
    assert "too few" in found.judgements[gate].why


def test_a_slow_tail_fails_its_own_gate_alone() -> None:
    machine, tail = Machine(spread=0.01), RegressionGate(quantile=0.95)
    plan = Plan(samples=200)
    slow = machine.role(100_000, tail=3.0)
    found = judged(machine, slow, machine.role(100_000), MEDIAN, tail, plan=plan)
    assert [decision(found, each) for each in (MEDIAN, tail)] == [Decision.PASS, Decision.FAIL]


@pytest.mark.parametrize(
    ("taken", "expected"), [(140, Decision.PASS), (149, Decision.PASS), (170, Decision.FAIL)]
)
def test_a_budget_is_a_multiple_of_a_calibration(taken: int, expected: Decision) -> None:
    machine, gate = Machine(spread=0.01), BudgetGate(calibration="read", budget=1.5)
    operation, read = machine.role(taken * 1000), machine.role(100_000)
    plan = Plan(blocks=10)
    found = judged(machine, operation, read, gate, twin=operation, plan=plan)
    assert decision(found, gate) is expected


def test_a_budget_is_broken_only_where_the_whole_interval_is_above() -> None:
    machine, gate = Machine(3, spread=0.1), BudgetGate(calibration="read", budget=1.5)
    operation = machine.role(152_000)
    found = judged(machine, operation, machine.role(100_000), gate, twin=operation)
    ratio = found.judgements[gate].ratio
    assert ratio is not None
    assert ratio.low < 1.5
    assert decision(found, gate) is not Decision.FAIL


@pytest.mark.parametrize(
    ("bias", "taken", "expected"),
    [
        (1.1, 60, Decision.PASS),  # the bias can't make 0.6 exceed 1.5
        (1.1, 140, Decision.UNDECIDED),
        (1.1, 160, Decision.UNDECIDED),
        (1.1, 300, Decision.FAIL),
        (1.02, 149, Decision.PASS),
    ],
)
def test_a_bias_matters_to_a_budget_where_it_could_change_the_decision(
    bias: float, taken: int, expected: Decision
) -> None:
    machine, gate = Machine(spread=0.005), BudgetGate(calibration="read", budget=1.5)
    operation, read = machine.role(taken * 1000), machine.role(100_000)
    twin = machine.role(int(taken * 1000 * bias))
    comparison = Comparison(operation, read, twin, "measured")
    chance = random.Random(0)
    plan = Plan(blocks=10, seconds=0)
    found = asyncio.run(compare(comparison, [gate], plan, chance=chance, clock=machine.clock))
    assert decision(found, gate) is expected


def test_no_gate_is_refused() -> None:
    machine = Machine()
    with pytest.raises(ValueError, match="no gate was given"):
        judged(machine, machine.role(1000), machine.role(1000))
