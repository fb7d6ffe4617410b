"""`storeproof bench` measures here what a contract's benchmarks are, without pytest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from time import perf_counter_ns

import msgspec

from storeproof.harness.backends.registry import choose, registered_backends
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.configuration import LatencyConfiguration
from storeproof.harness.latency.planning import Measuring, Planned
from storeproof.harness.latency.results import LatencyResult, broken
from storeproof.harness.latency.sampling import Clock
from storeproof.harness.report import BackendInfo, Report
from storeproof.harness.run import versions
from storeproof.harness.session import Session, session_of_its_own

__all__ = ["Bench", "Measure", "load_measure"]

Measure = Callable[[Session, Planned, str, str], LatencyResult]
"""Measures an operation on a backend."""


@dataclass(frozen=True)
class Bench:
    """What is measured, where, and how much.

    operations: those that are wanted; all that were planned, unless given.
    """

    planned: Planned
    storage: str
    operations: Sequence[str]
    configuration: LatencyConfiguration
    command: str
    clock: Clock = field(default_factory=lambda: perf_counter_ns)

    def run(self, tell: Callable[[LatencyResult], None], measure: Measure | None = None) -> Report:
        """Measure everything, one after the other, and tell each as it is done.

        Raises HarnessError where a backend or an operation is unknown.
        """
        backends = {each.name: each for each in choose(self.storage, registered_backends(()))}
        planned = replace(self.planned, operations=self._operations())
        planned.check()
        started_at, started, results = datetime.now(UTC), time.perf_counter(), []
        others = choose(",".join([*backends, *planned.other_backends]), registered_backends(()))
        with session_of_its_own({each.name: each for each in others}) as session:
            for result in self._results(session, planned, list(backends), measure or self._here):
                tell(result)
                results.append(result)
            told = {name: session.servers.told(name) for name in backends}
        problems = self._problems(results)
        return Report(
            started_at=started_at,
            seconds=round(time.perf_counter() - started, 3),
            passed=not problems,
            partial=False,
            profile="latency",
            programs=0,
            steps=0,
            seed=0,
            versions=versions(),
            backends={
                name: BackendInfo(description=each.description, version=each.version)
                for name, each in told.items()
            },
            problems=tuple(problems),
            judgements=(),
            command=self.command,
            latency=tuple(results),
        )

    def _operations(self) -> tuple[str, ...]:
        return tuple(self.operations) or self.planned.operations

    def _results(
        self, session: Session, planned: Planned, backends: Sequence[str], measure: Measure
    ) -> Iterator[LatencyResult]:
        for backend in backends:
            for operation in planned.operations:
                try:
                    yield measure(session, planned, operation, backend)
                except HarnessError as error:
                    empty = planned.empty(operation, backend)
                    yield msgspec.structs.replace(empty, problem=str(error))

    def _here(
        self, session: Session, planned: Planned, operation: str, backend: str
    ) -> LatencyResult:
        return Measuring(session, self.configuration, self.clock).run(planned, operation, backend)[
            0
        ]

    def _problems(self, results: Sequence[LatencyResult]) -> list[str]:
        failed = [
            f"{each.contract}.{each.operation} on {each.backend}: {each.problem}"
            for each in results
            if each.problem
        ]
        gates = [gate for each in results for gate in each.gates]
        failed += [each.line for each in broken(gates, self.configuration.undecided)]
        shown = gates or failed or any(each.load for each in results)
        return failed if shown else ["no gate was declared, so nothing was judged"]


def load_measure(count: int, clients: Sequence[int], rates: Sequence[float]) -> Measure:
    """Measure how operations do under load, with so many calls at each level."""

    def measure(session: Session, planned: Planned, operation: str, backend: str) -> LatencyResult:
        measuring = Measuring(session, LatencyConfiguration())
        return measuring.load(planned, operation, backend, count, clients=clients, rates=rates)

    return measure
