"""Checks tell of a failing program here: what broke, both outcomes, a test to paste."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import msgspec

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.contract import Contract
from storeproof.harness.contradiction import broken_parts, picture
from storeproof.harness.disturbing import Broken
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.history import History, written
from storeproof.harness.judging import Race
from storeproof.harness.printing import broken_sentence, python_test
from storeproof.harness.printing_branches import (
    python_test_of_branches,
    python_test_of_disturbing,
    python_test_of_proving,
    python_test_of_stores,
)
from storeproof.harness.program import Program
from storeproof.harness.report import Account
from storeproof.harness.search import Failure
from storeproof.harness.surviving import Survival
from storeproof.harness.two_stores import Disagreement

if TYPE_CHECKING:
    from storeproof.harness.checks.loop_blocking import Blocked
    from storeproof.harness.checks.statements import Growth

__all__ = [
    "calls_text",
    "check_failed",
    "failed",
    "failed_apart",
    "failed_blocking",
    "failed_disturbed",
    "failed_growing",
    "failed_outliving",
    "failed_together",
    "found_text",
]


def failed(
    context: CheckContext, check: str, failure: Failure, *, again: bool = True
) -> CheckFailed:
    """Give the error for a failing program, with its whole text."""
    contract, backend, program = context.contract, context.backend.name, failure.program
    operation = contract.operations[program.steps[-1].operation]
    source = python_test(contract, backend, program, list(failure.expected), failure.actual)
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{operation.name}",
        sentence=_law(operation.doc, failure),
        happened=(
            *_outcomes(backend, failure),
            *([] if again else [_NOT_AGAIN]),
            *([_SHARED] if program.scribbling and "scribble(" in source else []),
        ),
        found=found_text(context, calls_text(len(program.steps))),
        source=source,
    )
    return check_failed(account, program)


def failed_together(context: CheckContext, check: str, found: Race, often: str) -> CheckFailed:
    """Give the error for a failing program of several clients, with its whole text.

    often: the sentence on how many runs of it failed.
    """
    contract, backend, program = context.contract, context.backend.name, found.program
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken in "
        f"{_operations(contract, found)} ({_clients(program)})",
        sentence=_sentence(contract, found),
        happened=tuple(broken_parts(found.history, found.finding)),
        found=found_text(context, f"{calls_text(len(program.calls))}; {often}"),
        source=python_test_of_branches(contract, backend, program),
    )
    return check_failed(account, program, found.history)


def failed_apart(
    context: CheckContext, check: str, program: Program, found: Disagreement
) -> CheckFailed:
    """Give the error for a program of two stores, one of which shows what was done on the other."""
    contract, backend = context.contract, context.backend.name
    name = contract.protocol.__name__
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken in "
        f"{name}.{found.call.operation}",
        happened=(
            f"On store {found.branch + 1}, alone or on the model, {written(found.call)}\n"
            f"{found.expected}; while the other store was used too, it\n{found.actual}",
            f"difference: {found.reason}",
            "The stores share something: a variable of the module or the class, the name of a file "
            "or a database.",
        ),
        found=found_text(context, calls_text(len(program.calls))),
        source=python_test_of_stores(contract, backend, program, check),
    )
    return check_failed(account, program)


def failed_growing(context: CheckContext, check: str, growth: Growth, unit: str) -> CheckFailed:
    """Give the error for a call that sends the more, the more data there is."""
    contract, backend = context.contract, context.backend.name
    few, many = (_count(len(each), unit) for each in growth.sent)
    more = [f"{count} more: {text}" for text, count in growth.more_often if text != unit]
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{growth.call.operation}",
        happened=(
            f"{written(growth.call)}\nsends {few} after {growth.made[0]} calls that made data, and "
            f"{many} after {growth.made[1]}.",
            *(["\n".join(more)] if more else []),
            "One statement can read, or change, many rows, or a fixed number of them at a time.",
            "The data is made by the program's calls, the last one apart, and by copies of them "
            "with other values.",
        ),
        found=found_text(context, calls_text(len(growth.program.steps))),
        source=python_test_of_proving(contract, backend, growth.program, check),
    )
    return check_failed(account, growth.program)


def failed_blocking(
    context: CheckContext, check: str, program: Program, blocked: Blocked
) -> CheckFailed:
    """Give the error for a call that keeps the event loop for too long."""
    contract, step = context.contract, blocked.step
    did = "computed" if blocked.computing else "waited, without giving the loop its turn,"
    seconds = step.computing if blocked.computing else step.waiting
    account = Account(
        headline=f"{contract.name} on {context.backend.name}: {check} is broken in "
        f"{contract.protocol.__name__}.{program.steps[-1].operation}",
        happened=(
            f"In one step it {did} for {seconds:.2f} s, and did so in each of {blocked.runs} runs; "
            f"{contract.longest_step} s are allowed "
            f"(Contract(longest_step={contract.longest_step})).",
            "\n".join(["It stood here:", *(f"    {each}" for each in step.stack)]),
            "What computes, or can only block, belongs into a thread (asyncio.to_thread).",
        ),
        found=found_text(context, calls_text(len(program.steps))),
        source=python_test_of_proving(contract, context.backend.name, program, check),
    )
    return check_failed(account, program)


def failed_disturbed(
    context: CheckContext,
    check: str,
    program: Program,
    broken: Broken,
    method: str,
    *,
    shared: bool,
) -> CheckFailed:
    """Give the error for a program whose last call leaves something wrong when it is disturbed.

    method: the contract's, which the printed test calls. shared: whether there is no second handle.
    """
    contract, backend = context.contract, context.backend.name
    operation = program.steps[-1].operation
    account = Account(
        headline=f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{operation}",
        happened=(broken.sentence, *broken.parts),
        found=found_text(context, calls_text(len(program.steps))),
        source=python_test_of_disturbing(contract, backend, program, method, shared=shared),
    )
    return check_failed(account, program, broken.history)


def found_text(context: CheckContext, size: str) -> str:
    """Say what the program is that is shown below, and how much was tried."""
    return f"The shortest program found ({size}; tried: {_tried(context)}), as a test to paste:"


def check_failed(account: Account, program: Program, history: History | None = None) -> CheckFailed:
    """Put the message together, and keep its parts; views draw a history themselves."""
    parts = [
        account.headline,
        *([_quoted(account.sentence)] if account.sentence else []),
        *account.happened,
        account.found,
        textwrap.indent(account.source, "    "),
    ]
    drawn = "" if history is None else picture(history)
    happened = tuple(each for each in account.happened if each != drawn)
    account = msgspec.structs.replace(account, happened=happened)
    return CheckFailed("\n\n".join(parts), program, history, account)


def failed_outliving(context: CheckContext, check: str, found: Survival) -> CheckFailed:
    """Give the error for a program whose data does not outlive its process or server as it was."""
    contract, race = context.contract, found.race
    operations = _operations(contract, race)
    told = [found.problem, picture(race.history)] if found.problem else []
    account = Account(
        headline=f"{contract.name} on {context.backend.name}: {check} is broken"
        f"{f' in {operations}' if operations else ''}",
        sentence="" if found.problem else _sentence(contract, race),
        happened=(found.story, *(told or broken_parts(race.history, race.finding))),
        found=found_text(context, calls_text(len(race.program.calls))),
        source=python_test_of_proving(contract, context.backend.name, race.program, check),
    )
    return check_failed(account, race.program, race.history)


def _clients(program: Program) -> str:
    count = max(1, len(program.branches))
    if count == 1:
        return "1 client"
    return f"{count} clients, {'one handle' if program.shared else 'a handle each'}"


def _operations(contract: Contract, found: Race) -> str:
    names = dict.fromkeys(each.call.operation for each in found.guilty)
    return " and ".join(f"{contract.protocol.__name__}.{name}" for name in names)


def _sentence(contract: Contract, found: Race) -> str:
    """Give the law that the first call breaks which no order explains."""
    for block in found.finding.blocks[:1]:
        doc = contract.operations[block.call.call.operation].doc
        return broken_sentence(doc, block.expected, block.call.outcome)
    return ""


_NOT_AGAIN = (
    "The same program did not fail when it was run again: the storage, or the model, does not "
    "always do the same."
)

_SHARED = (
    "After each call the caller overwrites what it gave and what it got (scribble): here that "
    "changed the storage, which keeps or gives away the same objects instead of copies."
)


def _law(doc: str, failure: Failure) -> str:
    outcomes = [*failure.expected[-1:], *([failure.actual] if failure.actual else [])]
    return broken_sentence(doc, *outcomes)


def _quoted(sentence: str) -> str:
    return textwrap.fill(f"The Protocol says: “{sentence}”", 96)


def _outcomes(backend: str, failure: Failure) -> list[str]:
    if failure.actual is None:
        return [failure.reason]
    model, actual = failure.expected[-1], failure.actual
    return [f"the model {model}\n{backend} {actual}\ndifference: {failure.reason}"]


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def calls_text(count: int) -> str:
    """Say how many calls there are."""
    return "1 call" if count == 1 else f"{count} calls"


def _tried(context: CheckContext) -> str:
    tally = context.tally
    return f"{tally.programs} programs, {tally.operations} operations"
