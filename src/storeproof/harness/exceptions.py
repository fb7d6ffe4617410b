"""For whoever catches what storeproof itself raises; a storage's own errors are not here.

HarnessError
    ContractError           a contract that can't be derived: says which part, and how to declare it
    BackendUnavailable      a backend's server can't be had: says what would mend it
    UnknownBackend          a name that no backend has
    Unkillable              a server that no check may kill and start again: says why
    ForeignData             a database that holds what storeproof did not create
    Inconclusive            a check could not show anything: says what to declare
    NotApplicable           a check is about nothing that the backend has
    ReplayError             a saved program that can't be read or no longer fits its contract
    ReportError             a report or a known-failures file that can't be read or written
CheckFailed               a storage broke a law or a check; an AssertionError
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from storeproof.harness.history import History
    from storeproof.harness.program import Program
    from storeproof.harness.report import Account

__all__ = [
    "BackendUnavailable",
    "CheckFailed",
    "ContractError",
    "ForeignData",
    "HarnessError",
    "Inconclusive",
    "NotApplicable",
    "ReplayError",
    "ReportError",
    "Unkillable",
    "UnknownBackend",
]


class HarnessError(Exception):
    """Something that storeproof was given can't be used; the text is one sentence and a remedy."""


class ContractError(HarnessError):
    """A contract can't be derived from what was given."""

    def __init__(self, contract: str, problem: str, remedy: str) -> None:
        self.contract, self.problem, self.remedy = contract, problem, remedy
        super().__init__(f"Contract({contract}): {problem}. {remedy}")


class BackendUnavailable(HarnessError):
    """A backend's server can't be had, so its verdict is incomplete."""

    def __init__(self, backend: str, reason: str, remedy: str) -> None:
        self.backend, self.reason, self.remedy = backend, reason, remedy
        super().__init__(f"{backend} is not available: {reason}. {remedy}")


class Unkillable(HarnessError):
    """A check needs a server that it may kill, and there is none, so the verdict is incomplete."""

    def __init__(self, backend: str, reason: str, remedy: str) -> None:
        self.backend, self.reason, self.remedy = backend, reason, remedy
        super().__init__(f"no server of {backend} was killed: {reason}. {remedy}")


class UnknownBackend(HarnessError):
    """`--storage` names a backend that nobody registered."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        self.name, self.known = name, tuple(sorted(known))
        super().__init__(
            f"no backend is called {name!r}; known: {', '.join(self.known)}. Register another by "
            "the entry point group 'storeproof.backends' or the hook pytest_storeproof_backends"
        )


class ForeignData(HarnessError):
    """A database holds tables that storeproof did not create, so it is left alone."""

    def __init__(self, backend: str, place: str, tables: Iterable[str]) -> None:
        self.backend, self.place, self.tables = backend, place, tuple(tables)
        shown = ", ".join(self.tables[:3]) + (", …" if len(self.tables) > 3 else "")
        super().__init__(
            f"{backend}: {place} holds tables that storeproof did not create ({shown}), so nothing "
            "was touched. Give the URL of an empty database"
        )


class Inconclusive(HarnessError):
    """A check ran and could show nothing, so the verdict is incomplete."""

    def __init__(self, check: str, reason: str, remedy: str) -> None:
        self.check, self.reason, self.remedy = check, reason, remedy
        super().__init__(f"{check} shows nothing: {reason}. {remedy}")


class NotApplicable(HarnessError):
    """A check is about something that the backend does not have, so it says nothing of it."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ReplayError(HarnessError):
    """A saved program can't be replayed."""

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path} can't be replayed: {problem}")


class ReportError(HarnessError):
    """A report or a known-failures file can't be read or written."""

    def __init__(self, path: Path | str, problem: str) -> None:
        self.path, self.problem = path, problem
        super().__init__(f"{path}: {problem}")


class CheckFailed(AssertionError):
    """A storage broke a law or a check; `program`, where there is one, shows it.

    history: what several clients did, where that is what broke it.
    account: what the message is made of, where it tells of a program.
    """

    def __init__(
        self,
        message: str,
        program: Program | None = None,
        history: History | None = None,
        account: Account | None = None,
    ) -> None:
        self.message, self.program = message, program
        self.history, self.account = history, account
        super().__init__(message)
