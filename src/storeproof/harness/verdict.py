"""The plugin turns the results of a contract on a backend into a verdict here.

conformant: every MUST passed, or does not apply to the backend.
non-conformant: a MUST failed, or is known to fail.
incomplete: a MUST was skipped, deselected, dropped or replaced, or could not be carried out.
A failed MUST outweighs an incomplete one, which outweighs a known failure. A SHOULD never
changes the verdict, nor does a law that is later than those that the run is pinned to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from storeproof.harness.report import CheckResult, Judgement, Status, Verdict

__all__ = ["accepted", "judge", "tried"]

_TRIED = frozenset({Status.PASSED, Status.FAILED, Status.KNOWN_FAILURE})
_UNTRIED = {
    Status.ERROR: "could not be carried out",
    Status.SKIPPED: "skipped",
    Status.DESELECTED: "deselected",
    Status.DROPPED: "dropped",
    Status.NOT_RUN: "not run",
}


def judge(contract: str, backend: str, results: Sequence[CheckResult]) -> Judgement:
    """Give the verdict on a contract's results on one backend."""
    musts = [each for each in results if each.is_binding]
    failed = [each for each in musts if each.status is Status.FAILED]
    known = [each for each in musts if each.status is Status.KNOWN_FAILURE]
    gaps = [each for each in musts if each.status in _UNTRIED or each.replaced]
    empty = not any(map(tried, results))
    return Judgement(
        contract=contract,
        backend=backend,
        verdict=_verdict(failed=bool(failed), incomplete=bool(gaps) or empty, known=bool(known)),
        as_recorded=bool(known) and not failed and not gaps,
        only_deselected=bool(gaps) and all(map(_only_deselected, gaps)) and not failed,
        why=tuple(_why(results, gaps, empty=empty)),
        checks=tuple(results),
    )


def accepted(judgement: Judgement, *, partial: bool) -> bool:
    """Whether a run with this verdict may pass."""
    if judgement.verdict is Verdict.CONFORMANT or judgement.as_recorded:
        return True
    return partial and judgement.only_deselected


def tried(result: CheckResult) -> bool:
    """Whether the check was carried out."""
    return result.status in _TRIED


def _verdict(*, failed: bool, incomplete: bool, known: bool) -> Verdict:
    if failed:
        return Verdict.NON_CONFORMANT
    if incomplete:
        return Verdict.INCOMPLETE
    return Verdict.NON_CONFORMANT if known else Verdict.CONFORMANT


def _only_deselected(result: CheckResult) -> bool:
    return result.status is Status.DESELECTED and not result.replaced


def _why(results: Sequence[CheckResult], gaps: Sequence[CheckResult], *, empty: bool) -> list[str]:
    if empty and len({(each.status, each.detail) for each in gaps}) == 1 and gaps[0].detail:
        return [gaps[0].detail]
    failed = [each for each in results if each.status is Status.FAILED]
    known = [each for each in results if each.status is Status.KNOWN_FAILURE]
    musts = [each for each in failed if each.is_binding]
    others = [each for each in failed if not each.is_binding]
    return [
        *(f"{each.check} failed: {each.sentence}" for each in musts),
        *(line for status in _UNTRIED for line in _untried(status, gaps)),
        *(f"{each.check} was replaced: {each.replaced}" for each in gaps if each.replaced),
        *(f"{each.check} is known to fail: {each.detail}" for each in known),
        *(f"{each.check} ({_weight(each)}) failed: {each.sentence}" for each in others),
        *(["nothing was checked"] if empty and not gaps else []),
    ]


def _weight(result: CheckResult) -> str:
    return result.level if result.scored else f"since {result.since}, not scored"


def _untried(status: Status, gaps: Sequence[CheckResult]) -> Iterable[str]:
    for detail, group in _grouped(gaps, status, lambda each: each.detail):
        word = "" if status is Status.NOT_RUN and detail else f"{_UNTRIED[status]}: "
        names = f"{group[0].check} " if len(group) == 1 else f"{len(group)} checks and laws "
        yield f"{names}{word}{detail}".removesuffix(": ")


def _grouped(
    gaps: Sequence[CheckResult], status: Status, key: Callable[[CheckResult], str]
) -> Iterable[tuple[str, list[CheckResult]]]:
    groups: dict[str, list[CheckResult]] = {}
    for each in gaps:
        if each.status is status:
            groups.setdefault(key(each), []).append(each)
    return groups.items()
