"""Checks tell of a failing program here: what broke, both outcomes, a test to paste."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.contract import Contract
from storeproof.harness.contradiction import broken_parts
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.history import written
from storeproof.harness.judging import Race
from storeproof.harness.lanes import draw
from storeproof.harness.printing import broken_sentence, python_test
from storeproof.harness.printing_branches import python_test_of_branches, python_test_of_cancelling
from storeproof.harness.program import Program
from storeproof.harness.racing import Parts
from storeproof.harness.search import Failure
from storeproof.harness.surviving import Survival
from storeproof.harness.sweeping import Broken

__all__ = ["failed", "failed_cancelled", "failed_outliving", "failed_together"]


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


def failed_outliving(context: CheckContext, check: str, found: Survival) -> CheckFailed:
    """Give the error for a program whose data does not outlive its process or server as it was."""
    contract, race = context.contract, found.race
    operations = _operations(contract, race)
    shown = draw(race.history.to_json()) if found.problem else []
    parts = [
        f"{contract.name} on {context.backend.name}: {check} is broken"
        f"{f' in {operations}' if operations else ''}",
        found.story,
        *([found.problem, "\n".join(shown)] if found.problem else []),
        *([] if found.problem else [*_sentences(contract, race)]),
        *([] if found.problem else broken_parts(race.history, race.finding)),
        f"The shortest program found ({_calls(len(race.program.calls))}; tried: "
        f"{_tried(context)}) is:",
        textwrap.indent("\n".join(_listed(race.program)), "    "),
    ]
    return CheckFailed("\n\n".join(parts), race.program, race.history)


def _listed(program: Program) -> Iterator[str]:
    """Write a program's calls, a line each, with who makes them."""
    parts = Parts(program)
    for who, several in (
        ("first", [parts.steps]),
        ("at once", parts.branches),
        ("afterwards", parts.reads),
    ):
        for client, calls in enumerate(several, 1):
            for number, call in calls:
                where = f", client {client}" if len(several) > 1 else ""
                yield f"r{number + 1} = {written(call)}  # {who}{where}"


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


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _tried(context: CheckContext) -> str:
    tally = context.tally
    return f"{tally.programs} programs, {tally.operations} operations"
