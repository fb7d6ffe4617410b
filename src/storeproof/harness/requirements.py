"""A run is pinned here to a version of the laws: later ones run, and change no verdict."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from storeproof.harness.exceptions import HarnessError
from storeproof.harness.report import CheckResult, Report, Status

__all__ = ["UnknownLaws", "is_later", "scored", "told", "version"]


class UnknownLaws(HarnessError):
    """A run is pinned to a version of the laws that none was introduced in."""

    def __init__(self, given: str, known: Iterable[str]) -> None:
        self.given, self.known = given, tuple(sorted(known, key=version))
        super().__init__(
            f"--storage-laws: no law was introduced in version {given!r}. Give one of those that "
            f"were collected ({', '.join(self.known) or 'none'}), or leave the option out"
        )


def version(text: str) -> tuple[int, ...]:
    """Read a version such as `1.10`; raises HarnessError for anything but numbers and dots."""
    if not re.fullmatch(r"\d+(\.\d+)*", text, re.ASCII):
        raise HarnessError(f"--storage-laws: {text!r} is no version. Give one such as 1.0")
    return tuple(map(int, text.split(".")))


def is_later(since: str, pinned: str) -> bool:
    """Whether what was introduced in one version is later than those that a run is pinned to."""
    return bool(since and pinned) and version(since) > version(pinned)


def scored(result: CheckResult, pinned: str) -> CheckResult:
    """Give a result as it counts in a run that is pinned to a version of the laws."""
    if not is_later(result.since, pinned):
        return result
    return msgspec.structs.replace(result, scored=False)


def told(report: Report) -> Iterable[str]:
    """Say which laws ran without scoring, and which of them failed."""
    for judgement in report.judgements:
        later = [each for each in judgement.checks if not each.scored]
        failed = [each.check for each in later if each.status is Status.FAILED]
        if later:
            outcome = f"{', '.join(failed)} failed" if failed else "none failed"
            laws = "1 law" if len(later) == 1 else f"{len(later)} laws"
            yield (
                f"{judgement.contract} on {judgement.backend}: {laws} later than {report.laws} "
                f"ran without scoring; {outcome}"
            )
