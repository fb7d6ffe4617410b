"""The plugin notes here which suites a run collected, and what came of their nodes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from storeproof.harness.proving import blank
from storeproof.harness.report import CheckResult, Judgement, Status
from storeproof.harness.requirements import UnknownLaws, scored
from storeproof.harness.suite import Suite
from storeproof.harness.verdict import judge

__all__ = ["Collected", "Key", "serialized"]

_STOPPED = "the run ended before it"


def serialized(backend: str, result: CheckResult) -> str:
    """Give a result as ASCII, whatever it tells of: pytest-xdist carries nothing but plain text."""
    return json.dumps(msgspec.to_builtins((backend, result)))


class Key(msgspec.Struct, frozen=True):
    """Tells a node from every other."""

    suite: str
    backend: str
    check: str


class _CollectedSuite(msgspec.Struct):
    contract: str
    protocol: str
    blanks: list[CheckResult]
    """Each check and law, as it stands while its node has not run."""


class Collected(msgspec.Struct):
    """Suites by the node id of their class; nodes that were selected; results.

    A pytest-xdist worker writes it to the run's directory, its controller reads it.
    """

    suites: dict[str, _CollectedSuite] = {}
    selected: dict[str, Key] = {}
    """By the node's id."""
    results: dict[str, list[tuple[str, CheckResult]]] = {}
    """By suite: backend and result."""
    laws: str = ""
    """The version of the laws that the run is pinned to; empty where all of them count."""
    benchmarks: int = 0
    """Nodes of latency benchmarks that were selected."""

    def add_suite(self, nodeid: str, suite: type[Suite]) -> None:
        """Note that a suite's class was collected."""
        contract = suite.storeproof_contract
        protocol = f"{contract.protocol.__module__}.{contract.protocol.__qualname__}"
        plan = suite.storeproof_plan.values()
        blanks = [blank(nodeid, each.check, each.dropped, each.replaced) for each in plan]
        self.suites[nodeid] = _CollectedSuite(contract.name, protocol, blanks)

    def add_serialized(self, text: str) -> None:
        """Note a result; one that failed stays when its node is run again."""
        backend, result = msgspec.convert(json.loads(text), tuple[str, CheckResult])
        kept = self.results.setdefault(result.suite, [])
        old = [each for each in kept if (each[0], each[1].check) == (backend, result.check)]
        if any(each[1].status is Status.FAILED for each in old):
            return
        self.results[result.suite] = [each for each in kept if each not in old]
        self.results[result.suite].append((backend, result))

    def judgements(self, backends: Iterable[str]) -> list[Judgement]:
        """Give the verdict on every contract that was collected, on each backend."""
        contracts = dict.fromkeys(each.contract for each in self.suites.values())
        names = list(backends)
        return [
            judge(contract, backend, self._results(contract, backend))
            for contract in contracts
            for backend in names
        ]

    def unknown_laws(self) -> UnknownLaws | None:
        """Give what is wrong where no law that was collected has the version of the run."""
        known = {each.since for suite in self.suites.values() for each in suite.blanks} - {""}
        if not self.laws or not known or self.laws in known:
            return None
        return UnknownLaws(self.laws, known)

    def clashes(self) -> list[str]:
        """Give a sentence on every name that two contracts share."""
        protocols: dict[str, set[str]] = {}
        for each in self.suites.values():
            protocols.setdefault(each.contract, set()).add(each.protocol)
        return [
            f"{len(found)} contracts are called {name!r} (of {', '.join(sorted(found))}). "
            "Give each a name of its own: Contract(…, name=…)"
            for name, found in protocols.items()
            if len(found) > 1
        ]

    def group_of(self, nodeid: str) -> str:
        """Give what pytest-xdist keeps on one worker together with this node."""
        key = self.selected.get(nodeid)
        return nodeid if key is None else f"{self.suites[key.suite].contract} on {key.backend}"

    def save(self, path: Path) -> None:
        """Write what was collected, for the controller."""
        temporary = path.with_suffix(".new")
        temporary.write_bytes(msgspec.json.encode(self))
        temporary.replace(path)

    def read(self, paths: Sequence[Path]) -> None:
        """Learn, in a controller, what the workers collected; they all collect the same."""
        for path in paths[:1]:
            found = msgspec.json.decode(path.read_bytes(), type=Collected)
            self.suites, self.selected = found.suites, found.selected
            self.benchmarks = found.benchmarks

    def _results(self, contract: str, backend: str) -> list[CheckResult]:
        selected = frozenset(self.selected.values())
        return [
            scored(self._result(Key(nodeid, backend, result.check), result, selected), self.laws)
            for nodeid, suite in self.suites.items()
            if suite.contract == contract
            for result in suite.blanks
        ]

    def _result(self, key: Key, empty: CheckResult, selected: frozenset[Key]) -> CheckResult:
        for backend, result in self.results.get(key.suite, ()):
            if (backend, result.check) == (key.backend, key.check):
                return result
        if key in selected and empty.status is Status.DESELECTED:
            return msgspec.structs.replace(empty, status=Status.SKIPPED, detail=_STOPPED)
        return empty
