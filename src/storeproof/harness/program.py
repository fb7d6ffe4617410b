"""Checks build programs of these parts; a program prints as Python, is stored as JSON, replays."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.copying import is_immutable
from storeproof.harness.encoding import decode, encode
from storeproof.harness.exceptions import ReplayError
from storeproof.harness.templates import (
    Build,
    Change,
    Reference,
    Results,
    has_holes,
    references_in,
    renumbered,
    resolve,
    rewritten,
)

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.operations import Operation

__all__ = [
    "Branch",
    "Build",
    "Call",
    "Program",
    "Reference",
    "Results",
    "Step",
    "Walk",
    "load_program",
    "references_in",
    "resolve",
]

FORMAT = "storeproof-program/1"
FORMAT_OF_BRANCHES = "storeproof-program/2"
"""What knows only the first format must not take a program with branches for one without."""


@dataclass(frozen=True)
class Call:
    """One call of an operation; arguments by parameter name, with references among them."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether the arguments hold no reference, and nothing that can be changed in place."""
        values = self.arguments.values()
        return not any(map(has_holes, values)) and all(map(is_immutable, values))

    def templates(self) -> list[Mapping[str, Any]]:
        """Give the arguments of every call that this step makes."""
        return [self.arguments]

    def rewritten(self, change: Change) -> Call:
        """Give the call with its references and builds changed."""
        return replace(self, arguments=rewritten(self.arguments, change))


@dataclass(frozen=True)
class Walk:
    """A walk through the pages of an operation, with other calls made between its pages."""

    operation: str
    arguments: Mapping[str, Any]
    limit: int
    between: tuple[Call, ...] = ()

    def templates(self) -> list[Mapping[str, Any]]:
        """Give the arguments of every call that this step makes."""
        return [self.arguments, *(call.arguments for call in self.between)]

    def rewritten(self, change: Change) -> Walk:
        """Give the walk with its references and builds changed."""
        between = tuple(call.rewritten(change) for call in self.between)
        return replace(self, arguments=rewritten(self.arguments, change), between=between)


Step = Call | Walk


@dataclass(frozen=True)
class Branch:
    """What one client does: its calls at once with other clients, its reads once all are done."""

    calls: tuple[Call, ...]
    reads: tuple[Call, ...] = ()


@dataclass(frozen=True)
class Program:
    """A sequence of calls on one storage, and what clients do at once after it, if anything.

    Calls are numbered through: the steps, then each branch's calls, then each branch's reads.
    """

    steps: tuple[Step, ...]
    scribbling: bool = False
    """Whether the caller overwrites every mutable argument and result after each call."""
    branches: tuple[Branch, ...] = ()
    """What the clients do; the first one's handle is also that of the steps."""
    shared: bool = False
    """Whether the clients share one handle."""

    @property
    def calls(self) -> tuple[Step, ...]:
        """The steps and every branch's calls and reads, by their numbers."""
        made = (call for branch in self.branches for call in branch.calls)
        read = (call for branch in self.branches for call in branch.reads)
        return (*self.steps, *made, *read)

    def with_calls(self, calls: Sequence[Step | None]) -> Program:
        """Give the program with others in the place of its calls; None takes a call out."""
        left = iter(calls)

        def taken(count: int) -> tuple[Any, ...]:
            return tuple(each for each in itertools.islice(left, count) if each is not None)

        steps = taken(len(self.steps))
        made = [taken(len(branch.calls)) for branch in self.branches]
        read = [taken(len(branch.reads)) for branch in self.branches]
        branches = (Branch(*pair) for pair in zip(made, read, strict=True))
        return replace(self, steps=steps, branches=tuple(branches))

    @property
    def referred(self) -> frozenset[int]:
        """The positions of the calls whose results are referred to."""
        templates = [template for step in self.calls for template in step.templates()]
        return frozenset(reference.call for reference in references_in(templates))

    def without(self, index: int) -> Program | None:
        """Give the program less one call; None where a later one refers to its result."""
        if index in self.referred:
            return None
        change = renumbered(index)
        calls: list[Step | None] = [each.rewritten(change) for each in self.calls]
        calls[index] = None
        return self.with_calls(calls)

    def to_json(self) -> dict[str, Any]:
        """Give the program as JSON data; raises TypeError where an argument has no JSON form."""
        data: dict[str, Any] = {
            "format": FORMAT_OF_BRANCHES if self.branches else FORMAT,
            "scribbling": self.scribbling,
            "steps": _calls_to_json(self.steps),
        }
        if self.branches:
            data["shared"] = self.shared
            data["branches"] = [
                {"calls": _calls_to_json(each.calls), "reads": _calls_to_json(each.reads)}
                for each in self.branches
            ]
        return data

    @classmethod
    def from_json(cls, contract: Contract, data: Any) -> Program:
        """Read a program; raises ValueError, naming the part, where it does not fit."""
        if not isinstance(data, Mapping) or data.get("format") not in (FORMAT, FORMAT_OF_BRANCHES):
            raise ValueError(f"its format is neither {FORMAT} nor {FORMAT_OF_BRANCHES}")
        try:
            steps = tuple(_step_from_json(each) for each in data["steps"])
            branches = tuple(map(_branch_from_json, data.get("branches", ())))
            shared = data.get("shared") is True
            program = cls(steps, data["scribbling"] is True, branches, shared)
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"it is damaged ({problem!r})") from None
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
        if not program.calls:
            raise ValueError("it has no steps")
        for index, step in enumerate(program.calls):
            _fit(contract, step, index)
        return program


def load_program(contract: Contract, path: Path) -> Program:
    """Read a saved program.

    Raises ReplayError where the file is missing, damaged or does not fit the contract.
    """
    try:
        return Program.from_json(contract, json.loads(path.read_text("utf-8")))
    except OSError as problem:
        raise ReplayError(path, problem.strerror or str(problem)) from None
    except RecursionError:
        raise ReplayError(path, "it is nested too deeply") from None
    except ValueError as problem:
        raise ReplayError(path, str(problem)) from None


def _fit(contract: Contract, step: Step, index: int) -> None:
    problem = next(_problems(contract, step, index), None)
    if problem is not None:
        raise ValueError(problem)


def _problems(contract: Contract, step: Step, index: int) -> Iterator[str]:
    given = set(step.arguments)
    if isinstance(step, Walk):
        given |= {"cursor", "limit"}
        for call in step.between:
            yield from _problems(contract, call, index)
    operation = contract.operations.get(step.operation)
    if operation is None:
        yield f"{contract.name} has no operation {step.operation!r}"
        return
    if isinstance(step, Walk) and not operation.paged:
        yield f"{step.operation} gives no pages to walk through"
    yield from _problems_of_arguments(operation, given, set(contract.context))
    if any(reference.call >= index for reference in references_in(step.templates())):
        yield f"step {index + 1} refers to a call that is not before it"


def _problems_of_arguments(
    operation: Operation, given: set[str], context: set[str]
) -> Iterator[str]:
    known = {parameter.name for parameter in operation.parameters} - context
    needed = {parameter.name for parameter in operation.parameters if parameter.required} - context
    for name in sorted(given - known):
        yield f"{operation.name} has no parameter {name!r}"
    for name in sorted(needed - given):
        yield f"{operation.name} needs {name!r}"


def _step_to_json(step: Step) -> dict[str, Any]:
    data = {
        "operation": step.operation,
        "arguments": {name: encode(each) for name, each in step.arguments.items()},
    }
    if isinstance(step, Walk):
        between = [_step_to_json(each) for each in step.between]
        return {"walk": {**data, "limit": step.limit, "between": between}}
    return {"call": data}


def _calls_to_json(calls: Sequence[Step]) -> list[dict[str, Any]]:
    return [_step_to_json(each) for each in calls]


def _branch_from_json(data: Mapping[str, Any]) -> Branch:
    calls, reads = (
        tuple(_call_from_json(each["call"]) for each in data[name]) for name in ("calls", "reads")
    )
    return Branch(calls, reads)


def _step_from_json(data: Mapping[str, Any]) -> Step:
    if "walk" not in data:
        return _call_from_json(data["call"])
    inner = data["walk"]
    limit = inner["limit"]
    if type(limit) is not int or limit < 1:
        raise ValueError(f"{limit!r} is no limit of a walk")
    between = tuple(_call_from_json(each["call"]) for each in inner["between"])
    call = _call_from_json(inner)
    return Walk(call.operation, call.arguments, limit, between)


def _call_from_json(data: Mapping[str, Any]) -> Call:
    if not isinstance(data["operation"], str):
        raise ValueError(f"{data['operation']!r} is no operation")
    arguments = {name: decode(each) for name, each in data["arguments"].items()}
    return Call(data["operation"], arguments)
