"""The command line compares two reports here: what broke, what was mended, what is new or gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import NamedTuple

from storeproof.harness.findings import verdict_text
from storeproof.harness.law import Level
from storeproof.harness.report import CheckResult, Judgement, Report, Status

__all__ = ["Change", "Kind", "broke", "changes", "lines"]


class Kind(StrEnum):
    """What a change means."""

    BROKE = "broke"
    """It held, and is broken now."""
    UNTRIED = "no longer tried"
    """It was carried out, and is not any more; a skip is never a pass."""
    MENDED = "mended"
    """It was broken, and holds now."""
    NEW = "new"
    """The earlier report says nothing of it."""
    GONE = "gone"
    """The later report does not have it."""


class Change(NamedTuple):
    """One difference between two reports; of a check, a law, or all of a contract on a backend."""

    kind: Kind
    what: str
    before: str
    after: str
    must: bool
    """Whether a verdict rests on it."""


class _State(StrEnum):
    HOLDS = "holds"
    BROKEN = "broken"
    UNKNOWN = "unknown"


_Pair = tuple[str, str]
_KINDS = {
    (_State.HOLDS, _State.BROKEN): Kind.BROKE,
    (_State.HOLDS, _State.UNKNOWN): Kind.UNTRIED,
    (_State.BROKEN, _State.UNKNOWN): Kind.UNTRIED,
    (_State.BROKEN, _State.HOLDS): Kind.MENDED,
    (_State.UNKNOWN, _State.HOLDS): Kind.NEW,
    (_State.UNKNOWN, _State.BROKEN): Kind.NEW,
}


def changes(old: Report, new: Report) -> list[Change]:
    """Give what is different, in the order of `Kind`."""
    before, after = _judged(old), _judged(new)
    found = [
        each
        for pair in dict.fromkeys([*before, *after])
        for each in _changes(pair, before.get(pair), after.get(pair))
    ]
    return sorted(found, key=lambda each: list(Kind).index(each.kind))


def broke(found: list[Change]) -> bool:
    """Whether a MUST that held is broken, or one that was carried out is not any more."""
    return any(each.must and each.kind in (Kind.BROKE, Kind.UNTRIED) for each in found)


def lines(old: Report, new: Report) -> list[str]:
    """Tell the changes, a line each; first those of verdicts."""
    found = changes(old, new)
    told = [
        *_profiles(old, new),
        *_verdicts(_judged(old), _judged(new)),
        *(f"{each.kind}: {each.what} ({_arrow(each)})" for each in found),
    ]
    return told or ["nothing changed"]


def _judged(report: Report) -> dict[_Pair, Judgement]:
    return {(each.contract, each.backend): each for each in report.judgements}


def _changes(pair: _Pair, old: Judgement | None, new: Judgement | None) -> Iterator[Change]:
    where = f"{pair[0]} on {pair[1]}"
    if old is None or new is None:
        judgement = new or old
        assert judgement is not None, "a pair is of one of the reports"
        verdict = verdict_text(judgement)
        kind, before, after = (Kind.NEW, "", verdict) if new else (Kind.GONE, verdict, "")
        yield Change(kind, where, before, after, must=True)
        return
    before_, after_ = _worst(old), _worst(new)
    for name in dict.fromkeys([*before_, *after_]):
        yield from _change(f"{where}: {name}", before_.get(name), after_.get(name))


def _worst(judgement: Judgement) -> dict[str, CheckResult]:
    """Give the results by check; of several suites', the one that shows least."""
    ranks = [_State.BROKEN, _State.UNKNOWN, _State.HOLDS]
    ranked = sorted(judgement.checks, key=lambda each: -ranks.index(_state(each)))
    worst = {each.check: each for each in ranked}
    return {each.check: worst[each.check] for each in judgement.checks}


def _change(what: str, old: CheckResult | None, new: CheckResult | None) -> Iterator[Change]:
    result = new or old
    assert result is not None, "a name is of one of the reports"
    level = f"{what} ({result.level})" if result.level != Level.MUST else what
    kind = _kind(old, new)
    if kind is not None:
        yield Change(kind, level, _status(old), _status(new), result.is_binding)


def _kind(old: CheckResult | None, new: CheckResult | None) -> Kind | None:
    if old is None:
        return Kind.NEW
    return Kind.GONE if new is None else _KINDS.get((_state(old), _state(new)))


def _state(result: CheckResult) -> _State:
    if result.status in (Status.FAILED, Status.KNOWN_FAILURE):
        return _State.BROKEN
    holds = result.status is Status.PASSED and not result.replaced
    return _State.HOLDS if holds else _State.UNKNOWN


def _status(result: CheckResult | None) -> str:
    if result is None:
        return ""
    return "replaced" if result.replaced else str(result.status)


def _profiles(old: Report, new: Report) -> Iterator[str]:
    if old.profile != new.profile:
        yield f"profile: {old.profile} -> {new.profile}: not as much was tried in both"


def _verdicts(old: Mapping[_Pair, Judgement], new: Mapping[_Pair, Judgement]) -> Iterator[str]:
    for pair, judgement in new.items():
        before, after = old.get(pair), verdict_text(judgement)
        if before is not None and verdict_text(before) != after:
            yield f"verdict: {pair[0]} on {pair[1]} ({verdict_text(before)} -> {after})"


def _arrow(change: Change) -> str:
    return " -> ".join(each for each in (change.before, change.after) if each)
