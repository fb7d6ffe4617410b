"""`storeproof bench --baseline git:main` measures here: this version beside another one."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storeproof.harness.backends.base import Backend, Capability
from storeproof.harness.latency.benchmark import Found
from storeproof.harness.latency.configuration import LatencyConfiguration
from storeproof.harness.latency.gates import Gate, RegressionGate
from storeproof.harness.latency.intervals import enough_samples
from storeproof.harness.latency.measuring import CONTROL, Measured, Plan, compare
from storeproof.harness.latency.planning import Planned, rules_of
from storeproof.harness.latency.processes import opened
from storeproof.harness.latency.results import LatencyResult
from storeproof.harness.latency.rules import BASELINE, parse_rules
from storeproof.harness.latency.telling import latency_result
from storeproof.harness.latency.worker import Job
from storeproof.harness.session import Session

__all__ = ["Versions"]


@dataclass(frozen=True)
class Versions:
    """Measures an operation of this version and of another one, each in a process of its own.

    target: what the processes import; place: where the other version is imported from.
    """

    target: str
    baseline: str
    place: Path
    configuration: LatencyConfiguration

    def measure(
        self, session: Session, planned: Planned, operation: str, backend: str
    ) -> LatencyResult:
        """Judge by the gates beside a baseline; the others are not judged here.

        Raises WorkerFailed.
        """
        chosen = session.backends[backend]
        job = Job(
            target=self.target,
            operation=operation,
            backend=backend,
            server=session.servers.of(backend),
            rows=planned.rows,
            processor=_processor(chosen),
        )
        gates = _gates(replace(planned, baseline=self.baseline), self.configuration, operation, job)
        started = time.perf_counter()
        measured = session.runner.run(self._compared(job, gates))
        found = Found({BASELINE: measured}, {}, [])
        seconds = time.perf_counter() - started
        return latency_result(planned.empty(operation, backend), found, seconds, self.baseline)

    async def _compared(self, job: Job, gates: Sequence[Gate]) -> Measured:
        paths = {"measured": [], "reference": [self.place], CONTROL: [self.place]}
        chance = random.Random(0)  # noqa: S311 - to repeat a run
        async with opened(job, paths) as processes:
            return await compare(processes, gates, self._plan(gates), chance=chance)

    def _plan(self, gates: Sequence[Gate]) -> Plan:
        plan = self.configuration.plan
        needed = max(enough_samples(each.quantile) for each in gates)
        return replace(plan, samples=max(plan.samples, needed))


def _gates(
    planned: Planned, configuration: LatencyConfiguration, operation: str, job: Job
) -> list[Gate]:
    rules = parse_rules(rules_of(planned, configuration, job.backend, operation))
    return [each for each in rules if isinstance(each, RegressionGate)]


def _processor(backend: Backend) -> int | None:
    """Give the processor that all processes share, whose turns never overlap."""
    if Capability.NETWORKED in backend.capabilities or not hasattr(os, "sched_getaffinity"):
        return None
    return max(os.sched_getaffinity(0))
