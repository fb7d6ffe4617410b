"""Test modules assign the class of a contract's latency benchmarks: a node for each operation."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeGuard

import pytest

from storeproof.harness.backends.base import Opener
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.exceptions import ContractError, HarnessError
from storeproof.harness.latency.benchmark import Baseline, Benchmark, Found, placed
from storeproof.harness.latency.configuration import (
    LatencyConfiguration,
    RuleTable,
    rules_for,
)
from storeproof.harness.latency.replaying import show, why_unusable
from storeproof.harness.latency.results import LatencyResult, broken
from storeproof.harness.latency.rules import BASELINE, parse_rules
from storeproof.harness.latency.sampling import Clock
from storeproof.harness.latency.telling import latency_result
from storeproof.harness.latency.workloads import Calls, Workload, derived
from storeproof.harness.profiles import PROFILES
from storeproof.harness.session import Session

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["LATENCY", "Benchmarks", "LatencyRun", "Planned", "benchmarks_class", "is_benchmarks"]


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


class Benchmarks:
    """Base of every class of benchmarks."""

    storeproof_benchmarks: ClassVar[Planned]


@dataclass
class LatencyRun:
    """What the benchmarks of one process share.

    results: what was measured, by node.
    awaited: the nodes that were selected and have gates.
    backends: those that selected nodes need.
    """

    session: Callable[[], Session]
    configuration: LatencyConfiguration
    partial: bool
    clock: Clock = time.perf_counter_ns
    results: dict[str, LatencyResult] = field(default_factory=dict)
    awaited: set[str] = field(default_factory=set)
    backends: set[str] = field(default_factory=set)

    def select(self, items: Iterable[pytest.Item]) -> None:
        """Note which nodes were selected."""
        for item in items:
            if isinstance(item, pytest.Function) and is_benchmarks(item.cls):
                planned = item.cls.storeproof_benchmarks
                backend = str(item.callspec.params["storage_backend"])
                operation = item.originalname.removeprefix("test_")
                self.backends |= {backend, *planned.other_backends}
                if rules_of(planned, self, backend, operation):
                    self.awaited.add(item.nodeid)

    def complaints(self) -> list[str]:
        """Say of how many nodes the gates were not judged, where that is no pass."""
        missing = self.awaited - self.results.keys()
        if not missing or self.partial:
            return []
        first = min(missing)
        return [
            f"the gates of {len(missing)} latency benchmarks were not judged ({first}, …). "
            "--storage-partial accepts that"
        ]


LATENCY: pytest.StashKey[LatencyRun] = pytest.StashKey()
"""Where the plugin leaves what benchmarks share."""


def benchmarks_class(
    contract: Contract,
    *,
    gates: RuleTable | None = None,
    calls: Mapping[str, Calls] | None = None,
    operations: Iterable[str] | None = None,
    rows: int = 0,
    fill: str | None = None,
    baseline: str | Opener | None = None,
) -> type[Benchmarks]:
    """Make the class; `Contract.benchmarks` says what is given.

    Raises ContractError for what is no operation, BadRule for a gate that can't be read.
    """
    names = tuple(contract.operations if operations is None else operations)
    given = dict(gates or {})
    declared = [name for rules in given.values() for name in rules]
    made_by = fill or ("create" if "create" in contract.operations else "")
    unknown = {*names, *declared, *(calls or {}), *([made_by] if made_by else [])}
    for each in sorted(unknown - set(contract.operations)):
        raise ContractError(
            contract.name, f"{each!r} is none of its operations", "See benchmarks(…)"
        )
    for rules in given.values():
        for rule in rules.values():
            parse_rules(rule)
    planned = Planned(
        contract=contract,
        operations=names,
        gates=given,
        calls=dict(calls or {}),
        fill=made_by,
        rows=rows,
        baseline=baseline,
    )
    members: dict[str, Any] = {f"test_{name}": _node(name) for name in names}
    doc = f"How long the operations of {contract.name} take."
    members |= {"storeproof_benchmarks": planned, "__doc__": doc}
    return type(f"{contract.name}Benchmarks", (Benchmarks,), members)


def is_benchmarks(cls: object) -> TypeGuard[type[Benchmarks]]:
    """Whether this is a class of benchmarks."""
    return isinstance(cls, type) and issubclass(cls, Benchmarks) and cls is not Benchmarks


def _node(operation: str) -> Any:
    def measured(
        self: Benchmarks, storage_backend: str, benchmark: Any, request: pytest.FixtureRequest
    ) -> None:
        __tracebackhide__ = True
        _Node(self.storeproof_benchmarks, operation, storage_backend, request, benchmark).run()

    def refused(self: Benchmarks, storage_backend: str) -> None:
        pytest.fail(_NO_PLUGIN, pytrace=False)

    test = measured if importlib.util.find_spec("pytest_benchmark") else refused
    test.__name__ = test.__qualname__ = f"test_{operation}"
    test.__doc__ = f"How long {operation} takes."
    return test


_NO_PLUGIN = "pytest-benchmark is not installed. Run: pip install 'storeproof[benchmark]'"


@dataclass(frozen=True)
class _Node:
    planned: Planned
    operation: str
    backend: str
    request: pytest.FixtureRequest
    benchmark: Any

    def run(self) -> None:
        __tracebackhide__ = True
        unusable = why_unusable(self.request.config, self.benchmark)
        if unusable:
            self._give_way(unusable)
        try:
            result, found = self._measured()
        except HarnessError as error:
            pytest.fail(str(error), pytrace=False)
        self._run.results[self.request.node.nodeid] = result
        told = {each.rule: each.line for each in result.gates}
        show(self.request.node, self.benchmark, found.samples, {"storeproof": told})
        self._judge(result)

    @property
    def _run(self) -> LatencyRun:
        return self.request.config.stash[LATENCY]

    def _judge(self, result: LatencyResult) -> None:
        __tracebackhide__ = True
        failed = broken(result.gates, self._run.configuration.undecided)
        if failed:
            pytest.fail("\n".join(each.line for each in failed), pytrace=False)

    def _give_way(self, why: str) -> NoReturn:
        """Say that nothing was judged, which is no pass where something was to be."""
        __tracebackhide__ = True
        if self._rules() and not self._run.partial:
            sentence = f"gates of {self.operation} on {self.backend} were not judged"
            pytest.fail(f"{sentence}: {why}. --storage-partial accepts that", pytrace=False)
        pytest.skip(f"nothing was measured: {why}")

    def _rules(self) -> list[str]:
        return rules_of(self.planned, self._run, self.backend, self.operation)

    def _measured(self) -> tuple[LatencyResult, Found]:
        session = self._run.session()
        benchmark = self._benchmark(session)
        started = time.perf_counter()
        with placed(benchmark):
            found = session.runner.run(benchmark.run())
        return latency_result(benchmark, found, time.perf_counter() - started), found

    def _benchmark(self, session: Session) -> Benchmark:
        planned = self.planned
        fill = self._workload(session, planned.fill) if planned.rows and planned.fill else None
        return Benchmark(
            contract=planned.contract,
            operation=self.operation,
            backend=session.backends[self.backend],
            server=session.servers.of(self.backend),
            workload=self._workload(session, self.operation),
            fill=fill,
            rows=planned.rows,
            rules=parse_rules(self._rules()),
            plan=self._run.configuration.plan,
            baseline=self._baseline(session),
            clock=self._run.clock,
        )

    def _baseline(self, session: Session) -> Baseline | None:
        given, contract = self.planned.baseline, self.planned.contract
        if given is None:
            return None
        if isinstance(given, str):
            backend, server = session.backends[given], session.servers.of(given)
            return Baseline(backend, server, contract, given)
        other = contract.stored_by(given, self.backend)
        backend, server = session.backends[self.backend], session.servers.of(self.backend)
        return Baseline(backend, server, other, BASELINE)

    def _workload(self, session: Session, operation: str) -> Workload:
        contract = self.planned.contract
        stated = self.planned.calls.get(operation)
        if stated is not None:
            return Workload(stated, operation in contract.reads)
        return derived(_context(contract, session), operation)


def rules_of(planned: Planned, run: LatencyRun, backend: str, operation: str) -> list[str]:
    """Give the rules of an operation on a backend."""
    configured = run.configuration.gates.get(planned.contract.name, {})
    found = rules_for(planned.gates, configured, backend, operation)
    usual = planned.baseline not in (None, backend) and not any(BASELINE in each for each in found)
    return [*found, *([f"p50 <= {BASELINE}"] if usual else [])]


def _context(contract: Contract, session: Session) -> CheckContext:
    """Calls are derived on the model, always with the same seed: a gate's calls stay the same."""
    memory = MemoryBackend()
    store = session.runner.run(memory.create_store(contract, session.servers.told(memory.name)))
    return CheckContext(contract, memory, store, session.runner, PROFILES["quick"], 0)
