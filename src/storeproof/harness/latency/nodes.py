"""Test modules assign the class of a contract's latency benchmarks: a node for each operation."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, TypeGuard

import pytest

from storeproof.harness.backends.base import Opener
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.benchmark import Found
from storeproof.harness.latency.configuration import LatencyConfiguration, RuleTable
from storeproof.harness.latency.planning import Measuring, Planned, rules_of
from storeproof.harness.latency.replaying import show, why_unusable
from storeproof.harness.latency.results import LatencyResult, broken
from storeproof.harness.latency.sampling import Clock
from storeproof.harness.latency.workloads import Calls
from storeproof.harness.session import Session

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["LATENCY", "Benchmarks", "LatencyRun", "benchmarks_class", "is_benchmarks"]


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
                if rules_of(planned, self.configuration, backend, operation):
                    self.awaited.add(item.nodeid)

    @property
    def passed(self) -> bool:
        """Whether no gate that was judged is broken."""
        policy = self.configuration.undecided
        return not any(broken(each.gates, policy) for each in self.results.values())

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
    planned = Planned(
        contract=contract,
        operations=tuple(contract.operations if operations is None else operations),
        gates=dict(gates or {}),
        calls=dict(calls or {}),
        fill=fill or ("create" if "create" in contract.operations else ""),
        rows=rows,
        baseline=baseline,
    )
    planned.check()
    members: dict[str, Any] = {f"test_{name}": _node(name) for name in planned.operations}
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
        return rules_of(self.planned, self._run.configuration, self.backend, self.operation)

    def _measured(self) -> tuple[LatencyResult, Found]:
        run = self._run
        measured = Measuring(run.session(), run.configuration, run.clock)
        return measured.run(self.planned, self.operation, self.backend)
