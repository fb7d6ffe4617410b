"""Maintainers of a suite record what is known to fail in a TOML file; the plugin reads it here.

    [[known]]
    contract = "KeyValue"
    backend = "duckdb"
    check = "agreement"            # a check's id or a law's; or several: ["agreement", "reopen"]
    reason = "refuses an empty key; reported to its authors"
    program = "programs/empty-key.json"    # relative to this file; not for laws

Every entry is strict: what it records must still fail, or the run fails.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from storeproof.harness.exceptions import ReplayError, ReportError
from storeproof.harness.report import CheckResult, Judgement, Status
from storeproof.harness.saved import SavedProgram, read_json

__all__ = ["KnownFailure", "read_known_failures", "unmatched"]

_Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    contract: _Text
    backend: _Text
    check: _Text | Annotated[list[_Text], msgspec.Meta(min_length=1)]
    reason: _Text
    program: _Text | None = None

    @property
    def checks(self) -> list[str]:
        return [self.check] if isinstance(self.check, str) else self.check


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    known: list[_Entry] = []


@dataclass(frozen=True)
class KnownFailure:
    """One entry: this check of this contract fails on this backend, and why."""

    file: Path
    contract: str
    backend: str
    check: str
    reason: str
    program: SavedProgram | None

    def __str__(self) -> str:
        return f"{self.file.name}: {self.contract}, {self.backend}, {self.check} ({self.reason})"


def read_known_failures(path: Path) -> tuple[KnownFailure, ...]:
    """Read a file of known failures.

    Raises ReportError where the file or a program that it names is missing or damaged.
    """
    try:
        entries = msgspec.convert(tomllib.loads(path.read_text("utf-8")), _File).known
    except OSError as error:
        raise ReportError(path, f"it can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReportError(path, f"it is not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise ReportError(path, f"{error}. {_WANTED}") from None
    return tuple(_known(path, entry, check) for entry in entries for check in entry.checks)


_WANTED = "Every [[known]] entry needs contract, backend, check and reason, and may have program"


def _known(path: Path, entry: _Entry, check: str) -> KnownFailure:
    saved = None
    if entry.program is not None:
        program = path.parent / entry.program
        _check_program(path, program)
        saved = SavedProgram(program, entry.contract, entry.backend, check)
    return KnownFailure(path, entry.contract, entry.backend, check, entry.reason, saved)


def _check_program(path: Path, program: Path) -> None:
    try:
        read_json(program)
    except ReplayError as error:
        raise ReportError(path, f"{error}. Paths of programs start at this file") from None


def unmatched(
    known: Iterable[KnownFailure],
    judgements: Sequence[Judgement],
    backends: Iterable[str],
    *,
    partial: bool,
) -> list[str]:
    """Give a sentence on every entry that names something unknown or that nothing could match.

    backends: the registered ones; an entry for one that this run leaves out is let be, and so
        is an entry for a contract that a partial run did not collect.
    """
    names = frozenset(backends)
    sentences = (_unmatched(each, judgements, names, partial=partial) for each in known)
    return [each for each in sentences if each]


def _unmatched(
    entry: KnownFailure, judgements: Sequence[Judgement], backends: frozenset[str], *, partial: bool
) -> str:
    contracts = sorted({each.contract for each in judgements})
    if entry.backend not in backends:
        return f"{entry}: no backend is called {entry.backend!r}; known: {_list(backends)}"
    if entry.contract not in contracts:
        collected = f"no contract called {entry.contract!r} was collected"
        remedy = "Correct or remove the entry, or pass --storage-partial to a run of some suites"
        return "" if partial else f"{entry}: {collected} (but: {_list(contracts)}). {remedy}"
    judgement = next((each for each in judgements if _same_pair(entry, each)), None)
    return _unmatched_check(entry, judgement.checks) if judgement else ""


def _unmatched_check(entry: KnownFailure, results: Sequence[CheckResult]) -> str:
    found = [each for each in results if each.check == entry.check]
    if not found:
        checks = _list(each.check for each in results)
        return f"{entry}: {entry.contract} has no check or law {entry.check!r}; it has: {checks}"
    if all(each.status in (Status.NOT_APPLICABLE, Status.DROPPED) for each in found):
        return f"{entry}: {entry.check} is {found[0].status} there. Remove the entry"
    return ""


def _same_pair(entry: KnownFailure, judgement: Judgement) -> bool:
    return (entry.contract, entry.backend) == (judgement.contract, judgement.backend)


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
