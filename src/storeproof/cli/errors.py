"""For the commands: errors as one sentence on stderr and an exit code, in this one place."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import typer

from storeproof.cli.output import err

__all__ = ["ExitCode", "Interrupted", "UserError", "told"]


class ExitCode(IntEnum):
    """What a command's exit says; the package's docstring has the sentences."""

    DONE = 0
    FOUND = 1
    USAGE = 2
    UNUSABLE = 3
    UNAVAILABLE = 4
    UNKNOWN = 5
    REFUSED = 6


class UserError(Exception):
    """What the user asked for can't be done; the text is one sentence and a remedy."""

    def __init__(self, text: str, code: ExitCode = ExitCode.UNUSABLE) -> None:
        super().__init__(text)
        self.code = code


class Interrupted(BaseException):
    """A signal asked the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def told() -> Iterator[None]:
    """Turns the errors of users and of their surroundings into a sentence and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        _tell("Interrupted.")
        raise typer.Exit(128 + signal.SIGINT) from None
    except Interrupted as error:
        _tell(f"Ended by {error}.")
        raise typer.Exit(128 + error.number) from None
    except Exception as error:
        code = _code(error)
        if code is None:
            raise
        _tell(str(error))
        raise typer.Exit(code) from None


def _tell(sentence: str) -> None:
    err.print(f"storeproof: {sentence}", markup=False, highlight=False)


def _code(error: Exception) -> ExitCode | None:
    """None for an error that is nobody's but storeproof's. Loads nothing: who raised, has."""
    if isinstance(error, UserError):
        return error.code
    for module, name, code in _MEANINGS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return code
    return ExitCode.UNUSABLE if isinstance(error, OSError) else None


_MIGRATIONS = "storeproof.reference.migration.exceptions"
_ARCHIVES = "storeproof.reference.archive.exceptions"
_REVISIONS = "storeproof.reference.database.revisions.exceptions"
_MEANINGS = (
    (_MIGRATIONS, "DoesNotFit", ExitCode.FOUND),
    (_MIGRATIONS, "MigrationError", ExitCode.REFUSED),
    (_ARCHIVES, "DamagedArchive", ExitCode.FOUND),
    (_ARCHIVES, "ContentDiffers", ExitCode.FOUND),
    (_ARCHIVES, "TargetNotEmpty", ExitCode.REFUSED),
    (_ARCHIVES, "ArchiveError", ExitCode.UNUSABLE),
    ("storeproof.reference.exceptions", "Unavailable", ExitCode.UNAVAILABLE),
    ("storeproof.reference.exceptions", "OutcomeUnknown", ExitCode.UNKNOWN),
    ("storeproof.reference.exceptions", "StorageError", ExitCode.REFUSED),
    ("storeproof.reference.auth.service.exceptions", "AuthError", ExitCode.REFUSED),
    (_REVISIONS, "LossNotAccepted", ExitCode.REFUSED),
    (_REVISIONS, "SchemaError", ExitCode.UNUSABLE),
    ("storeproof.reference.config", "ConfigurationError", ExitCode.UNUSABLE),
    ("storeproof.harness.exceptions", "HarnessError", ExitCode.UNUSABLE),
    ("storeproof.harness.exceptions", "CheckFailed", ExitCode.FOUND),
)
"""The first that fits counts."""
