"""Nodes and the command line make a benchmark of what a contract's author declared here."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from storeproof.harness.backends.base import Opener
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import ContractError
from storeproof.harness.latency.benchmark import Baseline, Benchmark, Found, placed
from storeproof.harness.latency.configuration import (
    LatencyConfiguration,
    RuleTable,
    rules_for,
)
from storeproof.harness.latency.load import sweep
from storeproof.harness.latency.results import LatencyResult, LoadLevel
from storeproof.harness.latency.rules import BASELINE, parse_rules
from storeproof.harness.latency.sampling import Clock
from storeproof.harness.latency.telling import latency_result
from storeproof.harness.latency.workloads import Calls, Workload, derived
from storeproof.harness.profiles import PROFILES
from storeproof.harness.session import Session

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Measuring", "Planned", "rules_of"]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What a class of benchmarks was declared with."""

    contract: Contract
    operations: tuple[str, ...]
    gates: RuleTable
    calls: Mapping[str, Calls]
    fill: str
    rows: int
    baseline: str | Opener | None

    @property
    def other_backends(self) -> list[str]:
        """The backends beside the one that a node is for."""
        return [self.baseline] if isinstance(self.baseline, str) else []

    def empty(self, operation: str, backend: str) -> LatencyResult:
        """Give what a report tells of an operation before anything was measured."""
        name = self.contract.name
        return LatencyResult(contract=name, operation=operation, backend=backend, rows=self.rows)

    def check(self) -> None:
        """See that all that was declared is about operations, and can be read.

        Raises ContractError, BadRule.
        """
        declared = [name for rules in self.gates.values() for name in rules]
        given = {*self.operations, *declared, *self.calls, *([self.fill] if self.fill else [])}
        for each in sorted(given - set(self.contract.operations)):
            raise ContractError(
                self.contract.name, f"{each!r} is none of its operations", "See benchmarks(…)"
            )
        for rules in self.gates.values():
            for rule in rules.values():
                parse_rules(rule)


def rules_of(
    planned: Planned, configuration: LatencyConfiguration, backend: str, operation: str
) -> list[str]:
    """Give the rules of an operation on a backend, with the usual one beside a baseline."""
    configured = configuration.gates.get(planned.contract.name, {})
    found = rules_for(planned.gates, configured, backend, operation)
    usual = planned.baseline not in (None, backend) and not any(BASELINE in each for each in found)
    return [*found, *([f"p50 <= {BASELINE}"] if usual else [])]


@dataclass(frozen=True)
class Measuring:
    """Measures what was planned, in a session."""

    session: Session
    configuration: LatencyConfiguration
    clock: Clock = time.perf_counter_ns

    def run(self, planned: Planned, operation: str, backend: str) -> tuple[LatencyResult, Found]:
        """Measure an operation on a backend.

        Raises HarnessError, of which NotMeasurable, where that can't be.
        """
        benchmark = self.benchmark(planned, operation, backend)
        started = time.perf_counter()
        with placed(benchmark):
            found = self.session.runner.run(benchmark.run())
        empty = planned.empty(operation, backend)
        beside = benchmark.baseline.name if benchmark.baseline else BASELINE
        return latency_result(empty, found, time.perf_counter() - started, beside), found

    def load(
        self,
        planned: Planned,
        operation: str,
        backend: str,
        count: int,
        *,
        clients: Sequence[int],
        rates: Sequence[float],
    ) -> LatencyResult:
        """Find how an operation does under load: by clients, then at rates."""
        benchmark = self.benchmark(planned, operation, backend)
        started = time.perf_counter()

        async def swept() -> list[LoadLevel]:
            given = (benchmark.contract, benchmark.backend, benchmark.server, benchmark.rows)
            async with benchmark.store(*given) as store:
                return await sweep(
                    store.handle, benchmark.workload, count, clients=clients, rates=rates
                )

        load = tuple(self.session.runner.run(swept()))
        seconds = round(time.perf_counter() - started, 3)
        return replace(planned.empty(operation, backend), load=load, seconds=seconds)

    def benchmark(self, planned: Planned, operation: str, backend: str) -> Benchmark:
        """Make the benchmark of an operation on a backend."""
        filled = planned.rows and planned.fill
        return Benchmark(
            contract=planned.contract,
            operation=operation,
            backend=self.session.backends[backend],
            server=self.session.servers.of(backend),
            workload=self.workload(planned, operation),
            fill=self.workload(planned, planned.fill) if filled else None,
            rows=planned.rows,
            rules=parse_rules(rules_of(planned, self.configuration, backend, operation)),
            plan=self.configuration.plan,
            baseline=self._baseline(planned, backend),
            clock=self.clock,
        )

    def _baseline(self, planned: Planned, backend: str) -> Baseline | None:
        given, contract = planned.baseline, planned.contract
        if given is None:
            return None
        name = given if isinstance(given, str) else backend
        other = contract if isinstance(given, str) else contract.stored_by(given, backend)
        server = self.session.servers.of(name)
        told = given if isinstance(given, str) else BASELINE
        return Baseline(self.session.backends[name], server, other, told)

    def workload(self, planned: Planned, operation: str) -> Workload:
        """Give the calls of an operation: those that were stated, or else derived ones."""
        stated = planned.calls.get(operation)
        if stated is not None:
            return Workload(stated, operation in planned.contract.reads)
        return derived(self._context(planned.contract), operation)

    def _context(self, contract: Contract) -> CheckContext:
        """Calls are derived on the model, with one seed: those of a gate stay the same."""
        memory, runner = MemoryBackend(), self.session.runner
        server = self.session.servers.told(memory.name)
        store = runner.run(memory.create_store(contract, server))
        return CheckContext(contract, memory, store, runner, PROFILES["quick"], 0)
