"""Readers of a report find here what became of latency benchmarks and their gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

__all__ = ["GateResult", "LatencyResult", "LoadLevel", "Spread", "Undecided", "broken"]

Undecided = Literal["fail", "pass"]
"""What a gate that is undecided means for the run."""


class Spread(msgspec.Struct, kw_only=True, frozen=True):
    """How long the calls of one role took: shown, and never judged."""

    samples: int
    percentiles: tuple[int, ...]
    """Nanoseconds, from the 0th, the shortest, to the 100th, the longest."""


class GateResult(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What became of one gate."""

    rule: str
    decision: str
    """`pass`, `fail`, `undecided` or `not judged`."""
    line: str
    """All of it in one line."""
    limit: float = 0.0
    ratio: tuple[float, float, float] | None = None
    """The interval's lower end, the median, the upper end."""
    why: str = ""
    advisory: bool = False
    blocks: int = 0
    samples: int = 0
    """Of each role in a block."""
    bias: float = 0.0
    """The ratio of equal code to itself, less one."""
    counted: tuple[int, ...] = ()
    """What each call sent, where that is what is judged."""


class LoadLevel(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How calls did that so many clients made, or that came at a rate."""

    clients: int = 0
    """Each makes its next call when one has returned; 0 where calls came at a rate."""
    rate: float = 0.0
    """Calls a second that were meant to be made; their times count from when they were."""
    calls: int
    throughput: float
    """Calls a second that were made."""
    p50: int
    """Nanoseconds, like the two others."""
    p95: int
    p99: int


class LatencyResult(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One operation on one backend."""

    contract: str
    operation: str
    backend: str
    rows: int = 0
    """Calls that had made data before."""
    seconds: float = 0.0
    gates: tuple[GateResult, ...] = ()
    spreads: dict[str, Spread] = {}
    """By role: the operation's name, a calibration's, `baseline`."""
    load: tuple[LoadLevel, ...] = ()
    problem: str = ""
    """Why nothing was measured, in a sentence."""


def broken(gates: Iterable[GateResult], undecided: Undecided) -> list[GateResult]:
    """Give the gates for which a run fails: what was not judged never passes."""
    fails = {"fail", "not judged", *(["undecided"] if undecided == "fail" else [])}
    return [each for each in gates if each.decision in fails and not each.advisory]
