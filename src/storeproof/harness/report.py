"""Readers of a run's result: `load` a report; terminal, badges and pages are views of it.

docs/report.md describes the JSON format. A new field may appear in any version of storeproof;
a field that changes its meaning or goes makes a new `FORMAT`.
"""

from __future__ import annotations

import json
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from storeproof.harness.exceptions import ReportError
from storeproof.harness.latency.results import LatencyResult

__all__ = [
    "FORMAT",
    "Account",
    "BackendInfo",
    "CheckResult",
    "Failure",
    "Judgement",
    "KnownResult",
    "Report",
    "Status",
    "Verdict",
    "load",
    "probe",
    "save",
]

FORMAT = "storeproof-report/1"


class Status(StrEnum):
    """What became of one check or law."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_FAILURE = "known failure"
    """It failed, as an entry of a known-failures file says."""
    ERROR = "error"
    """It could not be carried out: the contract, a known failure or the harness is wrong."""
    NOT_RUN = "not run"
    """An earlier stage is broken."""
    NOT_APPLICABLE = "not applicable"
    """It needs a capability that the backend does not declare, or counts what can't be counted."""
    SKIPPED = "skipped"
    """No server, a skip mark, or the run stopped before it."""
    DESELECTED = "deselected"
    DROPPED = "dropped"
    """The suite drops it, with a reason."""


class Verdict(StrEnum):
    """What a run says of one contract on one backend."""

    CONFORMANT = "conformant"
    NON_CONFORMANT = "non-conformant"
    INCOMPLETE = "incomplete"


class Account(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The parts of a failure's message, for views that lay them out themselves."""

    headline: str
    sentence: str = ""
    """The one of the Protocol's docstrings that is broken, where one is known to be."""
    happened: tuple[str, ...] = ()
    """What happened, a paragraph each; without the picture of a history."""
    found: str = ""
    """How the program was found."""
    source: str = ""
    """The program as a Python test to paste."""


class Failure(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """How a check failed first."""

    message: str
    account: Account | None = None
    """What the message is made of, where it tells of a program."""
    replay: str = ""
    """The command that runs the program again."""
    program: dict[str, Any] | None = None
    """The shortest program that shows it, as `--storage-replay` takes it."""
    saved: str | None = None
    """Where the program was saved, relative to the run's root folder."""
    history: list[dict[str, Any]] | None = None
    """What several clients did: each call's client, text, outcome, invocation and response."""


class KnownResult(msgspec.Struct, kw_only=True, frozen=True):
    """An entry of a known-failures file that still holds, and how it failed in this run."""

    reason: str
    failure: Failure


class CheckResult(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What became of one check or law of a suite."""

    suite: str
    """The node id of the suite's class."""
    check: str
    kind: str
    """`check` or `law`."""
    stage: str
    level: str
    """`MUST` or `SHOULD`."""
    sentence: str
    status: Status
    detail: str = ""
    """Why it did not run, or is known to fail."""
    since: str = ""
    """Of a law: the version of the laws that introduced it."""
    scored: bool = True
    """Whether it counts; not where the run is pinned to an earlier version of the laws."""
    replaced: str = ""
    """The suite's reason, where it runs another test in this one's place."""
    programs: int = 0
    operations: int = 0
    contended: int = 0
    """Of the programs of several clients, those whose calls contended."""
    untried: tuple[str, ...] = ()
    """Operations of which no call was found that contends with another."""
    seconds: float = 0.0
    calls: dict[str, tuple[int, int]] = {}
    """By operation: how many calls were made, and how many of them succeeded on the model."""
    failure: Failure | None = None
    known: tuple[KnownResult, ...] = ()
    """What is known to fail, each entry as it failed again."""

    @property
    def is_binding(self) -> bool:
        """Whether the verdict depends on it."""
        return self.level == "MUST" and self.scored


class Judgement(msgspec.Struct, kw_only=True, frozen=True):
    """One contract on one backend: the verdict and what it rests on."""

    contract: str
    backend: str
    verdict: Verdict
    as_recorded: bool
    """Non-conformant exactly as the known-failures files say, so the run does not fail for it."""
    only_deselected: bool
    """Incomplete for no other reason than that checks were deselected."""
    why: tuple[str, ...]
    """Why it is not conformant, or a note on a SHOULD that failed; empty otherwise."""
    checks: tuple[CheckResult, ...]


class BackendInfo(msgspec.Struct, kw_only=True, frozen=True):
    """A backend of the run. Its address is left out: it may hold a password."""

    description: str = ""
    version: str = ""
    capabilities: tuple[str, ...] = ()
    problem: str = ""
    """Why it could not be had."""


class Report(msgspec.Struct, kw_only=True, frozen=True):
    """One run: what it was asked for, what it ran with, what it found."""

    format: str = FORMAT
    started_at: datetime
    seconds: float
    passed: bool
    """Whether nothing here makes the run fail; other tests of the same run do not count."""
    partial: bool
    """Whether the run accepts that checks were deselected (`--storage-partial`)."""
    profile: str
    programs: int
    """Programs that a check of this profile tries."""
    steps: int
    """Calls in each of them, at most."""
    seed: int
    versions: dict[str, str]
    backends: dict[str, BackendInfo]
    problems: tuple[str, ...]
    """What makes the run fail beside the verdicts, a sentence each."""
    judgements: tuple[Judgement, ...]
    laws: str = ""
    """The version of the laws that the run is pinned to; empty where all of them count."""
    command: str = ""
    """What repeats the run, without a server's URL, which may hold a password."""
    latency: tuple[LatencyResult, ...] = ()


def save(report: Report, path: Path) -> None:
    """Write a report as JSON.

    Raises ReportError where the file can't be written.
    """
    try:
        path.write_text(json.dumps(msgspec.to_builtins(report), indent=2) + "\n", "ascii")
    except OSError as error:
        raise ReportError(path, f"the report can't be written: {error.strerror}") from None


def load(path: Path) -> Report:
    """Read a report.

    Raises ReportError where the file is missing, damaged or of another format.
    """
    try:
        report = msgspec.convert(json.loads(path.read_bytes()), Report)
    except OSError as error:
        raise ReportError(path, f"the report can't be read: {error.strerror}") from None
    except (ValueError, msgspec.ValidationError) as error:
        raise ReportError(path, f"this is not a report: {error}") from None
    if report.format != FORMAT:
        raise ReportError(path, f"its format is {report.format!r}; this version reads {FORMAT}")
    return report


def probe(path: Path) -> None:
    """Make sure, before a run, that a report can be written here; nothing is left behind.

    Raises ReportError where it can't.
    """
    existed = path.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        problem = f"the report can't be written there: {error.strerror}. Give another path"
        raise ReportError(path, problem) from None
    if not existed:
        path.unlink()
