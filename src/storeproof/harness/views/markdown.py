"""The plugin and the command line write a report as Markdown here, such as for a job's summary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from storeproof.harness.findings import gaps, headline, passed, verdict_text
from storeproof.harness.lanes import plain
from storeproof.harness.report import Failure, Judgement, Report, Verdict
from storeproof.harness.summary import unreached, untried
from storeproof.harness.views.latency import table

__all__ = ["render"]

_COLUMNS = ("contract", "backend", "verdict", "checks", "laws", "programs", "operations")
_LEFT = 3
_SIGNS = {Verdict.CONFORMANT: "✅", Verdict.NON_CONFORMANT: "❌", Verdict.INCOMPLETE: "⚠️"}
_SPECIAL = re.compile(r"([\\`*_\[\]#|~])")


def render(report: Report) -> str:
    """Give the text: verdicts, failures, what was not tried, how to repeat the run."""
    parts = [
        f"## storeproof: {headline(report)}",
        f"The run {'passes' if report.passed else 'fails'}.",
        *(f"- {_escaped(each)}" for each in report.problems),
        *_table(report.judgements),
        *_latency(report),
        *(part for each in report.judgements for part in _judged(each)),
        *_list("What no call reached", _notes(report.judgements)),
        f"To repeat the run:\n\n{_fenced(_command(report))}",
        _escaped(", ".join(f"{name} {version}" for name, version in _versions(report))),
    ]
    return "\n\n".join(parts) + "\n"


def _table(judgements: Sequence[Judgement]) -> list[str]:
    if not judgements:
        return []
    rules = ["---"] * _LEFT + ["---:"] * (len(_COLUMNS) - _LEFT)
    rows = [_COLUMNS, rules, *map(_row, judgements)]
    return ["\n".join(f"| {' | '.join(row)} |" for row in rows)]


def _row(judgement: Judgement) -> list[str]:
    checks = judgement.checks
    return [
        _escaped(judgement.contract),
        _escaped(judgement.backend),
        f"{_SIGNS[judgement.verdict]} {_escaped(verdict_text(judgement))}",
        passed(each for each in checks if each.kind == "check"),
        passed(each for each in checks if each.kind == "law"),
        f"{sum(each.programs for each in checks):,}",
        f"{sum(each.operations for each in checks):,}",
    ]


def _latency(report: Report) -> list[str]:
    if not report.latency:
        return []
    head, *rows = table(report.latency)
    lines = [head, ["---"] * len(head), *([_escaped(cell) for cell in row] for row in rows)]
    return ["\n".join(f"| {' | '.join(line)} |" for line in lines)]


def _judged(judgement: Judgement) -> Iterator[str]:
    where = f"{judgement.contract} on {judgement.backend}"
    for check in judgement.checks:
        if check.failure:
            yield _folded(f"{where}: {check.check} failed", check.failure)
        for known in check.known:
            yield _folded(f"{where}: {check.check} is known to fail: {known.reason}", known.failure)
    yield from _list(
        f"Not tried of {where}",
        (f"{', '.join(each.names)}: {each.status}: {each.why}" for each in gaps(judgement.checks)),
    )


def _notes(judgements: Sequence[Judgement]) -> Iterator[str]:
    yield from unreached(judgements)
    yield from untried(judgements)


def _folded(title: str, failure: Failure) -> str:
    shown = f"<summary>{escape(plain(title))}</summary>"  # Markdown leaves HTML as it is
    return f"<details>{shown}\n\n{_fenced(failure.message)}\n\n</details>"


def _list(title: str, items: Iterable[str]) -> list[str]:
    lines = [f"- {_escaped(each.removesuffix(': '))}" for each in items]
    return [f"**{_escaped(title)}**\n\n" + "\n".join(lines)] if lines else []


def _command(report: Report) -> str:
    return report.command or f"pytest --storage-seed={report.seed}"


def _versions(report: Report) -> Iterator[tuple[str, str]]:
    yield from report.versions.items()
    yield from ((name, each.version) for name, each in report.backends.items() if each.version)


def _fenced(text: str) -> str:
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{plain(text, kept=chr(10))}\n{fence}"


def _escaped(text: str) -> str:
    """Write a text in one line, so that Markdown and HTML show it as it is."""
    line = _SPECIAL.sub(r"\\\1", plain(" ".join(text.split())))
    return escape(line, quote=False)
