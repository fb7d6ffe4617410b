"""Checks tell of a failing program here: what broke, both outcomes, a test to paste."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from storeproof.harness.apart import Disagreement
from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.contract import Contract
from storeproof.harness.contradiction import broken_parts
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.history import written
from storeproof.harness.judging import Race
from storeproof.harness.printing import broken_sentence, python_test
from storeproof.harness.printing_branches import python_test_of_branches, python_test_of_cancelling
from storeproof.harness.program import Call, Program
from storeproof.harness.search import Failure
from storeproof.harness.sweeping import Broken

if TYPE_CHECKING:
    from storeproof.harness.checks.loop_blocking import Blocked
    from storeproof.harness.checks.statements import Growth

__all__ = [
    "failed",
    "failed_apart",
    "failed_blocking",
    "failed_cancelled",
    "failed_growing",
    "failed_together",
]


def failed(
    context: CheckContext, check: str, failure: Failure, *, again: bool = True
) -> CheckFailed:
    """Give the error for a failing program, with its whole text."""
    contract, backend, program = context.contract, context.backend.name, failure.program
    operation = contract.operations[program.steps[-1].operation]
    source = python_test(contract, backend, program, list(failure.expected), failure.actual)
    parts = [
        f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{operation.name}",
        *_law(operation.doc, failure),
        *_outcomes(backend, failure),
        *([] if again else [_NOT_AGAIN]),
        *([_SHARED] if program.scribbling and "scribble(" in source else []),
        f"The shortest program found ({_calls(len(program.steps))}; tried: {_tried(context)}), as "
        "a test to paste:",
        textwrap.indent(source, "    "),
    ]
    return CheckFailed("\n\n".join(parts), program)


def failed_together(context: CheckContext, check: str, found: Race, often: str) -> CheckFailed:
    """Give the error for a failing program of several clients, with its whole text.

    often: the sentence on how many runs of it failed.
    """
    contract, backend, program = context.contract, context.backend.name, found.program
    source = python_test_of_branches(contract, backend, program)
    calls = _calls(len(program.calls))
    parts = [
        f"{contract.name} on {backend}: {check} is broken in {_operations(contract, found)} "
        f"({_clients(program)})",
        *_sentences(contract, found),
        *broken_parts(found.history, found.finding),
        f"The shortest program found ({calls}; {often}; tried: {_tried(context)}), as a test to "
        "paste:",
        textwrap.indent(source, "    "),
    ]
    return CheckFailed("\n\n".join(parts), program, found.history)


def failed_apart(
    context: CheckContext, check: str, program: Program, found: Disagreement
) -> CheckFailed:
    """Give the error for a program of two stores, one of which shows what was done on the other."""
    contract, backend = context.contract, context.backend.name
    name = contract.protocol.__name__
    lines = [
        f"store {number}: {written(call)}"
        for number, branch in enumerate(program.branches, 1)
        for call in (*branch.calls, *branch.reads)
    ]
    parts = [
        f"{contract.name} on {backend}: {check} is broken in {name}.{found.call.operation}",
        f"On store {found.branch + 1}, alone or on the model, {written(found.call)}\n"
        f"{found.expected}; while the other store was used too, it\n{found.actual}",
        f"difference: {found.reason}",
        "The stores share something: a variable of the module or the class, the name of a file or "
        "a database.",
        f"The shortest program found ({_calls(len(program.calls))}; tried: {_tried(context)}), its "
        "calls made in turns:",
        textwrap.indent("\n".join(lines), "    "),
    ]
    return CheckFailed("\n\n".join(parts), program)


def failed_growing(context: CheckContext, check: str, growth: Growth, unit: str) -> CheckFailed:
    """Give the error for a call that sends the more, the more data there is."""
    contract, backend = context.contract, context.backend.name
    few, many = (_count(len(each), unit) for each in growth.sent)
    lines = [written(each) for each in growth.program.steps if isinstance(each, Call)]
    more = [f"{count} more: {text}" for text, count in growth.more_often if text != unit]
    parts = [
        f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{growth.call.operation}",
        f"{written(growth.call)}\nsends {few} after {growth.made[0]} calls that made data, and "
        f"{many} after {growth.made[1]}.",
        *(["\n".join(more)] if more else []),
        "One statement can read, or change, many rows, or a fixed number of them at a time.",
        "The data is made by these calls, the last one apart, and by copies of them with other "
        "values:",
        textwrap.indent("\n".join(lines), "    "),
    ]
    return CheckFailed("\n\n".join(parts), growth.program)


def failed_blocking(
    context: CheckContext, check: str, program: Program, blocked: Blocked
) -> CheckFailed:
    """Give the error for a call that keeps the event loop for too long."""
    contract, step = context.contract, blocked.step
    operation = program.steps[-1].operation
    did = "computed" if blocked.computing else "waited, without giving the loop its turn,"
    seconds = step.computing if blocked.computing else step.waiting
    lines = [written(each) for each in program.steps if isinstance(each, Call)]
    parts = [
        f"{contract.name} on {context.backend.name}: {check} is broken in "
        f"{contract.protocol.__name__}.{operation}",
        f"In one step it {did} for {seconds:.2f} s, and did so in each of {blocked.runs} runs; "
        f"{contract.longest_step} s are allowed (Contract(longest_step={contract.longest_step})).",
        "\n".join(["It stood here:", *(f"    {each}" for each in step.stack)]),
        "What computes, or can only block, belongs into a thread (asyncio.to_thread).",
        f"The program, whose last call it is ({_calls(len(program.steps))}):",
        textwrap.indent("\n".join(lines), "    "),
    ]
    return CheckFailed("\n\n".join(parts), program)


def failed_cancelled(
    context: CheckContext, check: str, program: Program, broken: Broken
) -> CheckFailed:
    """Give the error for a program whose last call leaves something behind when it is cancelled."""
    contract, backend = context.contract, context.backend.name
    shared = Capability.CONCURRENT_CLIENTS not in context.backend.capabilities
    source = python_test_of_cancelling(contract, backend, program, shared=shared)
    operation = program.steps[-1].operation
    parts = [
        f"{contract.name} on {backend}: {check} is broken in "
        f"{contract.protocol.__name__}.{operation}",
        broken.sentence,
        *broken.parts,
        f"The shortest program found ({_calls(len(program.steps))}; tried: {_tried(context)}), as "
        "a test to paste:",
        textwrap.indent(source, "    "),
    ]
    return CheckFailed("\n\n".join(parts), program, broken.history)


def _clients(program: Program) -> str:
    count = max(1, len(program.branches))
    if count == 1:
        return "1 client"
    return f"{count} clients, {'one handle' if program.shared else 'a handle each'}"


def _operations(contract: Contract, found: Race) -> str:
    names = dict.fromkeys(each.call.operation for each in found.guilty)
    return " and ".join(f"{contract.protocol.__name__}.{name}" for name in names)


def _sentences(contract: Contract, found: Race) -> list[str]:
    """Quote the law that the first call breaks which no order explains."""
    for block in found.finding.blocks[:1]:
        doc = contract.operations[block.call.call.operation].doc
        sentence = broken_sentence(doc, block.expected, block.call.outcome)
        return [_quoted(sentence)] if sentence else []
    return []


_NOT_AGAIN = (
    "The same program did not fail when it was run again: the storage, or the model, does not "
    "always do the same."
)

_SHARED = (
    "After each call the caller overwrites what it gave and what it got (scribble): here that "
    "changed the storage, which keeps or gives away the same objects instead of copies."
)


def _law(doc: str, failure: Failure) -> list[str]:
    outcomes = [*failure.expected[-1:], *([failure.actual] if failure.actual else [])]
    sentence = broken_sentence(doc, *outcomes)
    return [_quoted(sentence)] if sentence else []


def _quoted(sentence: str) -> str:
    return textwrap.fill(f"The Protocol says: “{sentence}”", 96)


def _outcomes(backend: str, failure: Failure) -> list[str]:
    if failure.actual is None:
        return [failure.reason]
    model, actual = failure.expected[-1], failure.actual
    return [f"the model {model}\n{backend} {actual}\ndifference: {failure.reason}"]


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _tried(context: CheckContext) -> str:
    tally = context.tally
    return f"{tally.programs} programs, {tally.operations} operations"
