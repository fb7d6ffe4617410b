"""Views of a report take from here what several of them show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from storeproof.harness.report import CheckResult, Judgement, Report, Status, Verdict
from storeproof.harness.verdict import tried

__all__ = [
    "Gap",
    "contracts",
    "gaps",
    "headline",
    "overall",
    "passed",
    "verdict_text",
]

_UNCOUNTED = (Status.NOT_APPLICABLE, Status.DROPPED)
_WORST_FIRST = (Verdict.NON_CONFORMANT, Verdict.INCOMPLETE, Verdict.CONFORMANT)


class Gap(NamedTuple):
    """Checks and laws that were not carried out, for one reason."""

    status: str
    names: tuple[str, ...]
    why: str


def overall(judgements: Iterable[Judgement]) -> Verdict:
    """Give the worst verdict; nothing judged is incomplete."""
    found = {each.verdict for each in judgements}
    return next((each for each in _WORST_FIRST if each in found), Verdict.INCOMPLETE)


def headline(report: Report) -> str:
    """Say in a few words what a run found."""
    judged = report.judgements
    if not judged and report.latency:
        gates = [gate for each in report.latency for gate in each.gates]
        return f"{sum(each.decision == 'pass' for each in gates)} of {len(gates)} gates pass"
    if not judged:
        return "Nothing was judged"
    count = sum(each.verdict is Verdict.CONFORMANT for each in judged)
    return f"{count} of {len(judged)} conformant"


def contracts(report: Report) -> dict[str, list[Judgement]]:
    """Give the judgements by contract, in the report's order."""
    found: dict[str, list[Judgement]] = {}
    for each in report.judgements:
        found.setdefault(each.contract, []).append(each)
    return found


def verdict_text(judgement: Judgement) -> str:
    """Give a verdict in words."""
    return f"{judgement.verdict}{', as recorded' if judgement.as_recorded else ''}"


def passed(results: Iterable[CheckResult]) -> str:
    """Say how many of the checks or laws that count passed, such as `5/6`."""
    counted = [each for each in results if each.scored and each.status not in _UNCOUNTED]
    return f"{sum(each.status is Status.PASSED for each in counted)}/{len(counted)}"


def gaps(results: Sequence[CheckResult]) -> list[Gap]:
    """Give what was not carried out, and what was replaced, with the reasons."""
    groups: dict[tuple[str, str], list[str]] = {}
    for each in results:
        if not tried(each):
            groups.setdefault((each.status, each.detail), []).append(each.check)
        if each.replaced:
            groups.setdefault(("replaced", each.replaced), []).append(each.check)
    return [
        Gap(status, tuple(names), why.removeprefix(f"{status}: "))
        for (status, why), names in groups.items()
    ]
