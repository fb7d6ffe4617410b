"""The plugin prints a report at the end of a run through `lines`; others may too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from storeproof.harness.findings import passed, verdict_text
from storeproof.harness.report import Judgement, Report, Status, Verdict
from storeproof.harness.requirements import told

__all__ = ["latency", "lines", "title", "unreached", "untried"]

_COLUMNS = ("contract", "backend", "verdict", "checks", "laws", "programs", "operations", "seconds")
_LEFT = 3
_PARTIAL = "Pass --storage-partial to accept a run that leaves out checks by selection"
_WHY_UNTRIED = {
    "cancellation": "no call was found that succeeds and waits for anything",
    "faults": "no call was found that succeeds and sends anything",
    "kill": "no call was found that succeeds",
    "planted_faults": "no program's content had a place for it",
    "statements": "no program was found whose data grows and after which a call succeeds",
}
_EVERY = "every operation"
_UNCOUNTED = (Status.NOT_APPLICABLE, Status.DROPPED)


def title(report: Report) -> str:
    """Give what makes the run repeatable."""
    return f"storeproof: profile {report.profile}, seed {report.seed}"


def lines(report: Report) -> list[str]:
    """Give a table of the verdicts, then why some are not conformant, and what was not reached."""
    return [
        *_table([_row(each) for each in report.judgements]),
        *_whys(report.judgements),
        *unreached(report.judgements),
        *untried(report.judgements),
        *told(report),
        *latency(report),
        *_hint(report),
        *report.problems,
    ]


def _row(judgement: Judgement) -> tuple[str, ...]:
    checks = judgement.checks
    return (
        judgement.contract,
        judgement.backend,
        verdict_text(judgement),
        passed(each for each in checks if each.kind == "check"),
        passed(each for each in checks if each.kind == "law"),
        str(sum(each.programs for each in checks)),
        str(sum(each.operations for each in checks)),
        f"{sum(each.seconds for each in checks):.2f}",
    )


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)]
    return [_line(row, widths) for row in (_COLUMNS, *rows)]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    pairs = list(zip(row, widths, strict=True))
    left = [text.ljust(width) for text, width in pairs[:_LEFT]]
    right = [text.rjust(width) for text, width in pairs[_LEFT:]]
    return "  ".join([*left, *right]).rstrip()


def _whys(judgements: Iterable[Judgement]) -> Iterable[str]:
    """Give a line for each reason on each backend; contracts that share it share the line."""
    groups: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for each in judgements:
        if each.why:
            key = (each.backend, verdict_text(each), each.why)
            groups.setdefault(key, []).append(each.contract)
    for (backend, verdict, why), contracts in groups.items():
        yield f"{', '.join(contracts)} on {backend}: {verdict}: {'; '.join(why)}"


def unreached(judgements: Iterable[Judgement]) -> Iterable[str]:
    """Name the operations of which no call succeeded: little is proved of them."""
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for judgement in judgements:
        for check in judgement.checks:
            never = tuple(name for name, (_, well) in check.calls.items() if not well)
            if never and check.status is Status.PASSED:
                groups.setdefault((judgement.contract, never), []).append(judgement.backend)
    for (contract, never), backends in groups.items():
        where = f"{contract} on {', '.join(backends)}"
        yield f"{where}: only errors were compared of {', '.join(never)}: no call succeeded"


def untried(judgements: Iterable[Judgement]) -> Iterable[str]:
    """Name the operations of which no call was found that a check is about."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for judgement in judgements:
        operations = {name for check in judgement.checks for name in check.calls}
        for check in judgement.checks:
            if check.untried and check.status is Status.PASSED:
                every = operations and operations <= set(check.untried)
                names = _EVERY if every else ", ".join(check.untried)
                key = (judgement.contract, check.check, names)
                groups.setdefault(key, []).append(judgement.backend)
    for (contract, name, untried), backends in groups.items():
        where = f"{contract} on {', '.join(backends)}"
        if (name, untried) == ("cancellation", _EVERY):  # as on every model that never waits
            yield f"{where}: cancellation had nothing to cancel: no call waits for anything"
            continue
        why = _WHY_UNTRIED.get(name, "no call was found that contends")
        yield f"{where}: {name} left out {untried}: {why}"


def latency(report: Report) -> Iterable[str]:
    """Give a line for each gate, and say how many operations had none."""
    for result in report.latency:
        yield from (gate.line for gate in result.gates)
    ungated = sum(not result.gates for result in report.latency)
    if ungated:
        yield f"{ungated} operations were measured without a gate: nothing of them was judged"


def _hint(report: Report) -> list[str]:
    incomplete = [each for each in report.judgements if each.verdict is Verdict.INCOMPLETE]
    excused = any(each.only_deselected for each in incomplete)
    return [_PARTIAL] if excused and not report.partial else []
