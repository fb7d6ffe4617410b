"""Nodes and the command line measure one operation on one backend here."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from time import perf_counter_ns
from typing import TYPE_CHECKING

from storeproof.harness.backends.base import Backend, Capability, Server, Store
from storeproof.harness.latency.counting import Counted, count
from storeproof.harness.latency.gates import BudgetGate, Gate, RegressionGate
from storeproof.harness.latency.intervals import enough_samples
from storeproof.harness.latency.measuring import Comparison, Measured, Plan, Role, block, compare
from storeproof.harness.latency.placement import pinned
from storeproof.harness.latency.refusals import NotMeasurable, refuse_slowed
from storeproof.harness.latency.roles import role_of_calibration, role_of_store
from storeproof.harness.latency.rules import BASELINE, CountGate, Rule
from storeproof.harness.latency.sampling import Clock, tidy
from storeproof.harness.latency.workloads import Workload

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Baseline", "Benchmark", "Found", "placed"]

_TOLERANCE_IN_PROCESS = 0.03
_LEAST = 20
"""Samples of a block, where no gate needs more."""


@dataclass(frozen=True)
class Baseline:
    """What a regression gate compares with: another implementation, on its backend's server."""

    backend: Backend
    server: Server
    contract: Contract
    name: str


@dataclass
class Found:
    """What came of a benchmark.

    measured: by what the operation is compared with; without any gate, by nothing.
    counts: by gate, what one call sent.
    alone: where nothing was compared, the nanoseconds of each block's calls.
    """

    measured: dict[str, Measured]
    counts: dict[CountGate, Counted]
    alone: list[list[int]]

    @property
    def samples(self) -> list[int]:
        """All samples of the operation, in nanoseconds."""
        taken = [each.samples["measured"] for each in self.measured.values()] or [self.alone]
        return [each for blocks in taken for samples in blocks for each in samples]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """One operation of a contract on one backend, and its gates.

    rows: calls of `fill` that are made before anything is measured.
    """

    contract: Contract
    operation: str
    backend: Backend
    server: Server
    workload: Workload
    fill: Workload | None = None
    rows: int = 0
    rules: Sequence[Rule] = ()
    plan: Plan = field(default_factory=Plan)
    baseline: Baseline | None = None
    seed: int = 0
    clock: Clock = perf_counter_ns

    @property
    def is_networked(self) -> bool:
        """Whether anything that is measured is on a server."""
        others = [self.baseline.backend] if self.baseline else []
        return any(Capability.NETWORKED in each.capabilities for each in [self.backend, *others])

    async def run(self) -> Found:
        """Count what is to be counted, then measure beside each calibration, and the baseline.

        Raises NotMeasurable where something slows every call, or a calibration is missing.
        """
        refuse_slowed()
        self._calibrations()
        found = Found({}, {}, [])
        for each in self.rules:
            if isinstance(each, CountGate):
                found.counts[each] = await self._counted(each)
        chance = random.Random(self.seed)  # noqa: S311 - to repeat a run
        for name, gates in self._compared().items():
            found.measured[name] = await self._measure(name, gates, chance)
        if not found.measured:
            found.alone = await self._alone(chance)
        return found

    async def _counted(self, gate: CountGate) -> Counted:
        async with self.store(self.contract, self.backend, self.server, 0) as store:
            return await count(store, self.workload, gate, self.backend.name)

    async def _measure(self, name: str, gates: Sequence[Gate], chance: random.Random) -> Measured:
        async with AsyncExitStack() as stores:
            measured = await stores.enter_async_context(self._own())
            if name == BASELINE:
                reference = await stores.enter_async_context(self._of_baseline())
                twin = await stores.enter_async_context(self._of_baseline())
            else:
                reference = await stores.enter_async_context(self._of_calibration(name))
                twin = await stores.enter_async_context(self._own())
            of_twin = "reference" if name == BASELINE else "measured"
            comparison = Comparison(measured, reference, twin, of_twin)
            return await compare(
                comparison, gates, self._plan(gates), chance=chance, clock=self.clock
            )

    async def _alone(self, chance: random.Random) -> list[list[int]]:
        plan = self._plan(())
        async with self._own() as role:
            with tidy():
                taken = [
                    await block({"measured": role}, plan, chance, self.clock)
                    for _ in range(plan.blocks)
                ]
        return [each["measured"] for each in taken]

    def _plan(self, gates: Sequence[Gate]) -> Plan:
        needed = max((enough_samples(each.quantile) for each in gates), default=_LEAST)
        return replace(self.plan, samples=max(self.plan.samples, needed))

    def _compared(self) -> Mapping[str, list[Gate]]:
        found: dict[str, list[Gate]] = {}
        for each in self.rules:
            if isinstance(each, BudgetGate):
                found.setdefault(each.calibration, []).append(each)
            elif isinstance(each, RegressionGate):
                found.setdefault(BASELINE, []).append(self._tolerant(each))
        return found

    def _tolerant(self, gate: RegressionGate) -> RegressionGate:
        """Give a median's gate the tolerance of one process, where none was given."""
        usual = gate.tolerance is None and gate.quantile < 0.95 and not self.is_networked
        return replace(gate, tolerance=_TOLERANCE_IN_PROCESS) if usual else gate

    def _calibrations(self) -> None:
        """See that there is all that the rules compare with."""
        known = self.backend.calibrations()
        for each in self._compared():
            if each == BASELINE and self.baseline is None:
                raise NotMeasurable(
                    f"{self.contract.name}.{self.operation} has a gate beside a baseline, and "
                    "there is none",
                    "Pass contract.benchmarks(baseline=…), or `storeproof bench --baseline`",
                )
            if each != BASELINE and each not in known:
                names = ", ".join(sorted(known)) or "none at all"
                raise NotMeasurable(
                    f"the backend {self.backend.name} has no calibration {each!r}, only: {names}",
                    "Give it in Backend.calibrations(), or declare another gate",
                )

    @asynccontextmanager
    async def _own(self) -> AsyncIterator[Role]:
        async with self.store(self.contract, self.backend, self.server, self.rows) as store:
            yield role_of_store(store, self.workload)

    @asynccontextmanager
    async def _of_baseline(self) -> AsyncIterator[Role]:
        other = self.baseline
        assert other is not None, "_calibrations has seen to that"
        async with self.store(other.contract, other.backend, other.server, self.rows) as store:
            yield role_of_store(store, self.workload)

    @asynccontextmanager
    async def _of_calibration(self, name: str) -> AsyncIterator[Role]:
        async with self.store(self.contract, self.backend, self.server, 0) as store:
            yield role_of_calibration(self.backend.calibrations()[name], store.address)

    @asynccontextmanager
    async def store(
        self, contract: Contract, backend: Backend, server: Server, rows: int
    ) -> AsyncIterator[Store]:
        """Create a store whose commits are durable, with so much in it."""
        store = await backend.create_store(contract, replace(server, durable=True))
        try:
            storage, fill = await store.fresh(), self.fill or self.workload
            for number in range(_FIRST_OF_FILL, _FIRST_OF_FILL + rows):
                await (await fill.calls(storage, number))()
            yield store
        finally:
            await store.close()


_FIRST_OF_FILL = 0x20000
"""The numbers of the calls that make the volume of data: those that are measured have others."""


def placed(benchmark: Benchmark) -> AbstractContextManager[int | None]:
    """Keep the process on one processor, unless a server works for it; call it outside the loop."""
    return nullcontext() if benchmark.is_networked else pinned()
