"""The plugin asks here which of pytest's items are nodes of a suite, and puts them in order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import pytest

from storeproof.harness.collected import Key, serialized
from storeproof.harness.proving import blank
from storeproof.harness.report import CheckResult, Status
from storeproof.harness.saved import SavedProgram
from storeproof.harness.suite import RESULT, Planned, Suite, is_suite

__all__ = ["deselected_by_replay", "keys_of", "put_in_order", "result_of"]

_MOST_LINES = 20


@dataclass(frozen=True)
class _SuiteNode:
    suite: str
    cls: type[Suite]
    name: str
    planned: Planned
    backend: str

    @property
    def key(self) -> Key:
        return Key(self.suite, self.backend, self.planned.check.id)


def put_in_order(items: list[pytest.Item], backends: Sequence[str]) -> None:
    """Order each suite's nodes by backend, then stage, in the places that its nodes have."""
    places: dict[str, list[int]] = {}
    nodes = [_suite_node(each) for each in items]
    for index, node in enumerate(nodes):
        if node is not None:
            places.setdefault(node.suite, []).append(index)
    ranks = {name: rank for rank, name in enumerate(backends)}

    def rank(index: int) -> tuple[int, int]:
        node = nodes[index]
        assert node is not None, "only places of nodes are ranked"
        return ranks[node.backend], list(node.cls.storeproof_plan).index(node.name)

    for found in places.values():
        ordered = [items[each] for each in sorted(found, key=rank)]
        for place, item in zip(found, ordered, strict=True):
            items[place] = item


def deselected_by_replay(
    items: Iterable[pytest.Item], replay: SavedProgram | None
) -> list[pytest.Item]:
    """Give the items that a replay leaves out.

    Raises ReplayError where its program does not fit the contract of the others.
    """
    if replay is None:
        return []
    return [each for each in items if not _is_replayed(_suite_node(each), replay)]


def keys_of(items: Iterable[pytest.Item]) -> dict[str, Key]:
    """Give the keys of those items that are nodes of a suite, by node id."""
    nodes = [(item.nodeid, _suite_node(item)) for item in items]
    return {nodeid: node.key for nodeid, node in nodes if node is not None}


def result_of(item: pytest.Item, report: pytest.TestReport) -> str | None:
    """Give an item's result, serialized, where it is a suite's node and this report decides it.

    A skip is shown at the suite's module, once for all nodes that have its reason.
    """
    node = _suite_node(item)
    if node is None or (report.when != "call" and (report.when == "teardown" or report.passed)):
        return None
    result = item.stash.get(RESULT, None) if report.when == "call" else None
    if result is not None:
        _shorten(report, item)
    return serialized(node.backend, result or _cut_short(node, report))


def _shorten(report: pytest.TestReport, item: pytest.Item) -> None:
    """Give a skip its module's place, pytest's summary one line, and what was printed few.

    On CI the summary is long, and hundreds of programs log more than anybody reads.
    """
    if isinstance(report.longrepr, tuple):
        report.longrepr = (str(item.path), 1, report.longrepr[2])
    report.sections = [(name, _tail(text)) for name, text in report.sections]
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        crash.message = crash.message.partition("\n")[0]


def _tail(text: str) -> str:
    lines = text.splitlines(keepends=True)
    if len(lines) <= _MOST_LINES:
        return text
    return "".join([f"[{len(lines) - _MOST_LINES} earlier lines]\n", *lines[-_MOST_LINES:]])


def _cut_short(node: _SuiteNode, report: pytest.TestReport) -> CheckResult:
    status = Status.SKIPPED if report.skipped else Status.ERROR
    detail = report.longrepr[2] if isinstance(report.longrepr, tuple) else _told(report)
    return msgspec.structs.replace(
        blank(node.suite, node.planned.check, replaced=node.planned.replaced),
        status=status,
        detail=detail.removeprefix("Skipped: "),
    )


def _told(report: pytest.TestReport) -> str:
    if report.skipped:
        return str(getattr(report, "wasxfail", ""))
    report.sections = [(name, _tail(text)) for name, text in report.sections]
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else report.longreprtext.strip()
    first = text.partition("\n")[0]
    return f"its {report.when} failed: {first}"


def _is_replayed(node: _SuiteNode | None, replay: SavedProgram) -> bool:
    if node is None:
        return False
    contract = node.cls.storeproof_contract
    if (contract.name, node.planned.check.id) != (replay.contract, replay.check):
        return False
    replay.program(contract)
    return True


def _suite_node(item: pytest.Item) -> _SuiteNode | None:
    if not isinstance(item, pytest.Function) or not is_suite(item.cls):
        return None
    cls = item.cls
    planned = cls.storeproof_plan.get(item.originalname)
    if planned is None or planned.dropped or item.parent is None:
        return None
    backend = str(item.callspec.params["storage_backend"])
    return _SuiteNode(item.parent.nodeid, cls, item.originalname, planned, backend)
