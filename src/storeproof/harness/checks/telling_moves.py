"""The checks of moving tell here of what they found."""

from __future__ import annotations

from collections.abc import Sequence

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import calls_text, check_failed, found_text
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.history import written
from storeproof.harness.moving.travelling import Stop, Trouble
from storeproof.harness.printing import broken_sentence
from storeproof.harness.printing_branches import python_test_of_proving
from storeproof.harness.program import Program
from storeproof.harness.report import Account

__all__ = ["failed_move", "failed_moved"]


def failed_moved(
    context: CheckContext, check: str, program: Program, found: Trouble, then: Sequence[Stop]
) -> CheckFailed:
    """Give the error for a program whose content is not the same once it was moved."""
    protocol = context.contract.protocol.__name__
    where = f" in {protocol}.{found.call.operation}" if found.call else ""
    account = Account(
        headline=f"{_broken(context, check)}{where}",
        sentence=_sentence(context, found),
        happened=(f"The content went: {found.where}.", *_told(found)),
        found=found_text(context, calls_text(len(program.calls))),
        source=_source(context, check, program, [name for name, _ in then]),
    )
    return check_failed(account, program)


def failed_move(
    context: CheckContext, check: str, program: Program, happened: Sequence[str]
) -> CheckFailed:
    """Give the error for a program after whose calls a move, or its verifier, does wrong."""
    account = Account(
        headline=_broken(context, check),
        happened=tuple(happened),
        found=found_text(context, calls_text(len(program.calls))),
        source=_source(context, check, program),
    )
    return check_failed(account, program)


def _broken(context: CheckContext, check: str) -> str:
    return f"{context.contract.name} on {context.backend.name}: {check} is broken"


def _source(context: CheckContext, check: str, program: Program, others: Sequence[str] = ()) -> str:
    backend = context.backend.name
    return python_test_of_proving(context.contract, backend, program, check, others=others)


def _sentence(context: CheckContext, found: Trouble) -> str:
    if found.call is None or found.expected is None or found.actual is None:
        return ""
    doc = context.contract.operations[found.call.operation].doc
    return broken_sentence(doc, found.expected, found.actual)


def _told(found: Trouble) -> list[str]:
    if found.call is None:
        return [f"{found.told}."]
    return [
        f"There, {written(found.call)}\n{found.actual}; on the model that it came from, it\n"
        f"{found.expected}",
        f"difference: {found.told}",
    ]
