"""Tests of views take their reports here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from storeproof.harness.latency.results import GateResult, LatencyResult, LoadLevel, Spread
from storeproof.harness.report import (
    Account,
    BackendInfo,
    CheckResult,
    Failure,
    Judgement,
    KnownResult,
    Report,
    Status,
)
from storeproof.harness.verdict import judge

__all__ = ["EVERYTHING", "HISTORY", "HOSTILE", "NOTHING", "hostile", "report_of", "result"]


def made(client: int, call: str, outcome: str, invoked: int, returned: int | None) -> Any:
    """Give a call of a history."""
    return {
        "client": client,
        "call": call,
        "outcome": outcome,
        "kind": outcome.partition(" ")[0],
        "invoked": invoked,
        "returned": returned,
    }


HISTORY = [
    made(0, "take(name='a')", "returned None", 0, 3),
    made(1, "take(name='a')", "raised Taken()", 1, 2),
    made(1, "drop(name='a')", "unknown", 4, None),
    *(
        made(n % 3, f"count_everything(at={n})", f"returned {n}", 2 * n, 2 * n + 1)
        for n in range(3, 20)
    ),
]

FAILURE = Failure(
    message="names on sqlite: bursts is broken in Names.take\n\n…\n\n    the program",
    account=Account(
        headline="names on sqlite: bursts is broken in Names.take (2 clients, one handle)",
        sentence="Raises Taken when somebody has it.",
        happened=("No order of these calls gives these outcomes on the model.",),
        found="The shortest program found (2 calls), as a test to paste:",
        source="async def program(storage):\n    await storage.take(name='a')\n"
        + "    # long" * 30,
    ),
    replay="pytest test_names.py --storage-replay .storeproof/programs/names.json",
    program={"steps": []},
    history=HISTORY,
)
LAW_FAILURE = Failure(message="NAM-002 (MUST) on sqlite: It counts.\n\nE   assert 1 == 2")


def result(check: str, status: Status, **given: Any) -> CheckResult:
    """Give the result of a check, or of a law, whose id has a hyphen."""
    usual = {
        "suite": "test_names.py::TestNames",
        "kind": "law" if "-" in check else "check",
        "stage": "LAWS" if "-" in check else "BURSTS",
        "level": "MUST",
        "sentence": f"The sentence of {check}.",
    }
    return CheckResult(check=check, status=status, **{**usual, **given})


def report_of(*judgements: Judgement, **given: Any) -> Report:
    """Give a report of these judgements."""
    usual = {
        "started_at": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "seconds": 125.0,
        "passed": False,
        "partial": True,
        "profile": "quick",
        "programs": 100,
        "steps": 20,
        "seed": 7,
        "versions": {"python": "3.11.7"},
        "backends": {"sqlite": BackendInfo(description="SQLite 3", capabilities=("networked",))},
        "problems": ("a sentence on a problem",),
        "command": "pytest --storage=memory,sqlite --storage-seed=7",
    }
    return Report(judgements=judgements, **{**usual, **given})


def _every() -> Sequence[CheckResult]:
    untried = (
        Status.ERROR,
        Status.NOT_RUN,
        Status.NOT_APPLICABLE,
        Status.SKIPPED,
        Status.DESELECTED,
        Status.DROPPED,
    )
    return [
        result(
            "agreement",
            Status.PASSED,
            programs=1,
            operations=2142,
            seconds=0.4,
            calls={"take": (10, 7), "count": (5, 0)},
        ),
        result("bursts", Status.FAILED, programs=3, contended=2, failure=FAILURE),
        result("cancellation", Status.PASSED, programs=3, untried=("count",)),
        result("NAM-001", Status.PASSED),
        result("NAM-002", Status.FAILED, failure=LAW_FAILURE),
        result("NAM-003", Status.FAILED, level="SHOULD", failure=LAW_FAILURE),
        result("NAM-004", Status.PASSED, replaced="it is slower here"),
        *(result(f"{each.name}-1", each, detail=f"why {each}") for each in untried),
    ]


_KNOWN = result(
    "linearizability",
    Status.KNOWN_FAILURE,
    detail="takes twice; takes thrice",
    known=(
        KnownResult(reason="takes twice", failure=FAILURE),
        KnownResult(reason="takes thrice", failure=LAW_FAILURE),
    ),
)
NOTHING = report_of(problems=())
_MEASURED = LatencyResult(
    contract="names",
    operation="take",
    backend="sqlite",
    gates=(
        GateResult(
            rule="p50 <= 1.5 x read",
            decision="pass",
            line="names.take on sqlite p50 <= 1.5 x read: 1.25 [1.20, 1.31], pass",
            limit=1.5,
            ratio=(1.2, 1.25, 1.31),
        ),
        GateResult(rule="1 statement", decision="fail", line="counted 2, fail", counted=(2,)),
    ),
    spreads={"take": Spread(samples=600, percentiles=tuple(range(1000, 1101)))},
    load=tuple(
        LoadLevel(clients=each, calls=10, throughput=100.0, p50=10, p95=20, p99=30)
        for each in (1, 2)
    ),
)
EVERYTHING = report_of(
    judge("names", "memory", [result("agreement", Status.PASSED, programs=100, operations=5)]),
    judge("names", "sqlite", _every()),
    judge("numbers", "memory", [result("agreement", Status.PASSED), _KNOWN]),
    judge("numbers", "sqlite", [result("agreement", Status.SKIPPED, detail="no server")]),
    latency=(_MEASURED,),
)

HOSTILE = (
    "</style></title><script>alert(1)</script>\"'><img src=//x onerror=y>"
    "&amp;{{7*7}}|```\x00\u202e\ud800"
)
_FIXED = ("format", "started_at", "verdict", "kind", "level", "status")


def hostile(report: Report) -> Report:
    """Give a report with every free text followed by what must not be taken for markup."""

    def spoilt(value: Any, name: str = "") -> Any:
        if isinstance(value, str):
            return value if name in _FIXED else value + HOSTILE
        if isinstance(value, dict):
            free = name in ("versions", "backends", "calls")
            return {
                key + HOSTILE if free else key: spoilt(each, key) for key, each in value.items()
            }
        if isinstance(value, list | tuple):
            return [spoilt(each) for each in value]
        return value

    return msgspec.convert(spoilt(msgspec.to_builtins(report)), Report)
