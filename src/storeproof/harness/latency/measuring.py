"""Runs of gates measure here: blocks of fresh instances, more of them until every gate decides."""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from time import perf_counter_ns
from typing import Protocol

from storeproof.harness.latency.gates import Decision, Gate, Judgement
from storeproof.harness.latency.intervals import enough_samples, quantile
from storeproof.harness.latency.sampling import (
    Call,
    Clock,
    Samples,
    collecting,
    sample,
    tidy,
    warm_up,
)
from storeproof.harness.latency.spending import miss_of_look

__all__ = [
    "CONTROL",
    "WINDOWS",
    "Compared",
    "Comparison",
    "Measured",
    "Plan",
    "Prepare",
    "Role",
    "block",
    "compare",
]

Prepare = Callable[[int], Awaitable[Sequence[Call]]]
"""Makes so many calls ready on an open instance; what they need is done by then."""
Role = Callable[[], AbstractAsyncContextManager[Prepare]]
"""Opens a fresh instance of what is measured."""

WINDOWS = 5
"""Of a warm-up, at most."""

CONTROL = "control"
"""The name of the role that is the reference once more: A against A."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much is measured.

    blocks: at least, before the first decision.
    samples: of each role in a block.
    window: calls of a role in a window of the warm-up; it takes at most five windows.
    seconds: a run that is undecided goes on for so long in all.
    miss: the probability of a wrong answer of a gate, however often it looks.
    """

    blocks: int = 20
    samples: int = 60
    window: int = 5
    seconds: float = 5.0
    miss: float = 0.01
    collect: bool = False

    @property
    def calls(self) -> int:
        """The calls that a role makes ready for a block."""
        return self.samples + WINDOWS * self.window


class Compared(Protocol):
    """Gives the samples of a run's roles: "measured", "reference" and CONTROL."""

    @property
    def twin_name(self) -> str:
        """The name of the role that the control is compared with."""

    async def block(self, plan: Plan, chance: random.Random, clock: Clock) -> Samples:
        """Measure one block of every role, of fresh instances."""


@dataclass(frozen=True)
class Comparison:
    """What is measured in this process, and beside what.

    twin: another instance of the role whose name is `twin_name`.
    """

    measured: Role
    reference: Role
    twin: Role
    twin_name: str = "reference"

    def roles(self) -> dict[str, Role]:
        """Give the roles by their names."""
        return {"measured": self.measured, "reference": self.reference, CONTROL: self.twin}

    async def block(self, plan: Plan, chance: random.Random, clock: Clock) -> Samples:
        """Measure one block of every role, of fresh instances."""
        return await block(self.roles(), plan, chance, clock)


async def block(
    roles: Mapping[str, Role], plan: Plan, chance: random.Random, clock: Clock = perf_counter_ns
) -> Samples:
    """Open every role in an order that is drawn, warm it up, and sample its calls in turns."""
    order, first = list(roles.items()), WINDOWS * plan.window
    chance.shuffle(order)
    async with AsyncExitStack() as instances:
        opened = {name: await instances.enter_async_context(role()) for name, role in order}
        ready = {name: await prepare(plan.calls) for name, prepare in opened.items()}
        with collecting(plan.collect):
            warming = {name: each[:first] for name, each in ready.items()}
            await warm_up(warming, window=plan.window, clock=clock)
            calls = {name: each[first : first + plan.samples] for name, each in ready.items()}
            return await sample(calls, chance, clock=clock)


@dataclass
class Measured:
    """What a run of gates saw and decided.

    samples: by role, the nanoseconds of each block's calls.
    bias: by quantile, the ratio of equal code to itself.
    """

    judgements: Mapping[Gate, Judgement]
    samples: Mapping[str, list[list[int]]]
    bias: Mapping[float, float]
    seconds: float
    looks: int

    @property
    def blocks(self) -> int:
        """How many blocks were measured."""
        return len(self.samples[CONTROL])


@dataclass
class _Run:
    comparison: Compared
    gates: Sequence[Gate]
    plan: Plan
    chance: random.Random
    clock: Clock
    samples: dict[str, list[list[int]]] = field(default_factory=dict)

    async def measure(self) -> Measured:
        started, look, judgements = self.clock(), 0, dict[Gate, Judgement]()
        while True:
            await self._blocks(self.plan.blocks if look == 0 else self._more())
            look += 1
            judgements = self._judged(miss_of_look(look, self.plan.miss), judgements)
            seconds = (self.clock() - started) / 1e9
            if seconds >= self.plan.seconds or not self._open(judgements):
                bias = {each.quantile: self._bias(each.quantile) for each in self.gates}
                return Measured(judgements, self.samples, bias, seconds, look)

    def _more(self) -> int:
        return max(1, len(self.samples[CONTROL]) // 2)

    async def _blocks(self, count: int) -> None:
        for _ in range(count):
            taken_by_role = await self.comparison.block(self.plan, self.chance, self.clock)
            for role, taken in taken_by_role.items():
                self.samples.setdefault(role, []).append(taken)

    def _judged(self, miss: float, before: Mapping[Gate, Judgement]) -> dict[Gate, Judgement]:
        """A gate that has decided keeps its decision: another look would be another chance."""
        return {
            each: self._kept(before.get(each)) or self._judge(each, miss) for each in self.gates
        }

    def _kept(self, before: Judgement | None) -> Judgement | None:
        decided = before is not None and before.decision in (Decision.PASS, Decision.FAIL)
        return before if decided else None

    def _judge(self, gate: Gate, miss: float) -> Judgement:
        needed = enough_samples(gate.quantile)
        if self.plan.samples < needed:
            why = f"{self.plan.samples} samples a block are too few: it takes {needed}"
            return Judgement(Decision.NOT_JUDGED, None, why)
        found = gate.judge(self._logs("measured", "reference", gate.quantile), miss)
        bias = self._bias(gate.quantile)
        if found.ratio is None or abs(bias - 1) <= gate.trust(found.ratio):
            return found
        why = f"equal code differs from itself by {bias - 1:+.1%}: this machine is too busy to tell"
        return Judgement(Decision.UNDECIDED, found.ratio, why)

    def _bias(self, share: float) -> float:
        logs = sorted(self._logs(CONTROL, self.comparison.twin_name, share))
        return math.exp((logs[(len(logs) - 1) // 2] + logs[len(logs) // 2]) / 2)

    def _logs(self, above: str, below: str, share: float) -> list[float]:
        pairs = zip(self.samples[above], self.samples[below], strict=True)
        return [math.log(quantile(a, share) / quantile(b, share)) for a, b in pairs]

    def _open(self, judgements: Mapping[Gate, Judgement]) -> bool:
        return any(
            each.decision is Decision.UNDECIDED and not gate.advisory
            for gate, each in judgements.items()
        )


async def compare(
    comparison: Compared,
    gates: Sequence[Gate],
    plan: Plan,
    *,
    chance: random.Random,
    clock: Clock = perf_counter_ns,
) -> Measured:
    """Measure the roles in blocks, each of fresh instances in an order of its own, and judge.

    Raises ValueError where there is no gate: what compares nothing must not look green.
    """
    if not gates:
        raise ValueError("no gate was given: declare one, or nothing is judged")
    with tidy():
        return await _Run(comparison, gates, plan, chance, clock).measure()
