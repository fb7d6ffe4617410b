"""The checks of moving tell here of what they found."""

from __future__ import annotations

from collections.abc import Sequence

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import calls_text, check_failed, tried_text
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.history import written
from storeproof.harness.moving.travelling import Stop, Trouble
from storeproof.harness.printing import broken_sentence
from storeproof.harness.printing_moves import python_test_of_moving
from storeproof.harness.program import Call, Program
from storeproof.harness.report import Account

__all__ = ["failed_move", "failed_moved"]


def failed_moved(
    context: CheckContext, check: str, program: Program, found: Trouble, then: Sequence[Stop]
) -> CheckFailed:
    """Give the error for a program whose content is not the same once it was moved."""
    contract, backend = context.contract, context.backend.name
    names = [backend, *(name for name, _ in then)]
    operation = f" in {contract.protocol.__name__}.{found.call.operation}" if found.call else ""
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken{operation}",
        sentence=_sentence(context, found),
        happened=(f"The content went: {found.where}.", *_told(found)),
        found=f"The shortest program found ({calls_text(len(program.calls))}; "
        f"tried: {tried_text(context)}), as a test to paste:",
        source=python_test_of_moving(contract, program, names),
    )
    return check_failed(account, program)


def failed_move(
    context: CheckContext, check: str, program: Program, happened: Sequence[str]
) -> CheckFailed:
    """Give the error for a program after whose calls a move, or its verifier, does wrong."""
    calls = [each for each in program.calls if isinstance(each, Call)]
    account = Account(
        headline=f"{context.contract.name} on {context.backend.name}: {check} is broken",
        happened=tuple(happened),
        found=f"The shortest program found ({calls_text(len(calls))}; "
        f"tried: {tried_text(context)}), whose content it is about:",
        source="\n".join(f"r{number} = {written(each)}" for number, each in enumerate(calls, 1)),
    )
    return check_failed(account, program)


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
