"""Checks build programs of these parts; a program prints as Python, is stored as JSON, replays."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from storeproof.harness.encoding import decode, encode
from storeproof.harness.exceptions import ReplayError
from storeproof.harness.structure import build

__all__ = [
    "Build",
    "Call",
    "Program",
    "Reference",
    "Walk",
    "load_program",
    "references_in",
    "resolve",
]

FORMAT = "storeproof-program/1"


@dataclass(frozen=True)
class Reference:
    """Stands in an argument for a part of an earlier call's result, such as an id made there."""

    call: int
    """Position of the call in its program, from 0."""
    path: str
    """What follows the result in Python: `.items[0].id`; empty for the result itself."""

    def __str__(self) -> str:
        return f"r{self.call + 1}{self.path}"


@dataclass(frozen=True)
class Build:
    """Stands in an argument for an entity with references among its fields."""

    cls: type
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of an operation; arguments by parameter name, with references among them."""

    operation: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Walk:
    """A walk through the pages of an operation, with other calls made between its pages."""

    operation: str
    arguments: Mapping[str, Any]
    limit: int
    between: tuple[Call, ...] = ()


Step = Call | Walk


@dataclass(frozen=True)
class Program:
    """A sequence of calls on one storage."""

    steps: tuple[Step, ...]
    scribbling: bool = False
    """Whether the caller overwrites every mutable argument and result after each call."""

    def without(self, index: int) -> Program | None:
        """Give the program less one step; None where a later step refers to that one's result."""
        later = self.steps[index + 1 :]
        if any(ref.call == index for step in later for ref in references_in(step)):
            return None
        moved = (_moved(step, index) for step in later)
        return replace(self, steps=(*self.steps[:index], *moved))

    def to_json(self) -> dict[str, Any]:
        """Give the program as JSON data; raises TypeError where an argument has no JSON form."""
        return {
            "format": FORMAT,
            "scribbling": self.scribbling,
            "steps": [_step_to_json(step) for step in self.steps],
        }

    @classmethod
    def from_json(cls, contract: Any, data: Any) -> Program:
        """Read a program; raises ValueError, naming the part, where it does not fit."""
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        try:
            steps = tuple(_step_from_json(each) for each in data["steps"])
            program = cls(steps, bool(data["scribbling"]))
        except (KeyError, TypeError, AttributeError) as problem:
            raise ValueError(f"it is damaged ({problem!r})") from None
        for index, step in enumerate(steps):
            _fit(contract, step, index)
        return program


def load_program(contract: Any, path: Path) -> Program:
    """Read a saved program.

    Raises ReplayError where the file is missing, damaged or does not fit the contract.
    """
    try:
        return Program.from_json(contract, json.loads(path.read_text("utf-8")))
    except OSError as problem:
        raise ReplayError(path, problem.strerror or str(problem)) from None
    except ValueError as problem:
        raise ReplayError(path, str(problem)) from None


def _fit(contract: Any, step: Step, index: int) -> None:
    operation = contract.operations.get(step.operation)
    if operation is None:
        raise ValueError(f"{contract.name} has no operation {step.operation!r}")
    known = {parameter.name for parameter in operation.parameters}
    for name in step.arguments:
        if name not in known:
            raise ValueError(f"{step.operation} has no parameter {name!r}")
    for reference in references_in(step):
        if reference.call >= index:
            raise ValueError(f"step {index + 1} refers to a call that is not before it")


def references_in(thing: Any) -> list[Reference]:
    """Give every reference in a step, an argument or a part of one."""
    if isinstance(thing, Reference):
        return [thing]
    if isinstance(thing, Walk):
        return [*references_in(thing.arguments), *references_in(thing.between)]
    if isinstance(thing, Call):
        return references_in(thing.arguments)
    if isinstance(thing, Build):
        return references_in(thing.fields)
    parts = thing.values() if isinstance(thing, Mapping) else thing
    if isinstance(thing, Mapping | list | tuple):
        return [ref for part in parts for ref in references_in(part)]
    return []


def _moved(thing: Any, gone: int) -> Any:
    """Renumber references after step `gone` was taken out."""
    if isinstance(thing, Reference):
        return replace(thing, call=thing.call - 1) if thing.call > gone else thing
    if not references_in(thing):
        return thing
    if isinstance(thing, Walk):
        return replace(
            thing, arguments=_moved(thing.arguments, gone), between=_moved(thing.between, gone)
        )
    if isinstance(thing, Call):
        return replace(thing, arguments=_moved(thing.arguments, gone))
    if isinstance(thing, Build):
        return replace(thing, fields=_moved(thing.fields, gone))
    if isinstance(thing, Mapping):
        return {key: _moved(each, gone) for key, each in thing.items()}
    return type(thing)(_moved(each, gone) for each in thing)


def resolve(template: Any, results: Sequence[Any]) -> Any:
    """Give the value of an argument, its references looked up in the results so far.

    Raises LookupError or AttributeError where a result has no such part.
    """
    if isinstance(template, Reference):
        return _follow(results[template.call], template.path)
    if isinstance(template, Build):
        fields = {name: resolve(each, results) for name, each in template.fields.items()}
        return build(template.cls, fields)
    if not references_in(template):
        return template
    if isinstance(template, Mapping):
        return {key: resolve(each, results) for key, each in template.items()}
    return type(template)(resolve(each, results) for each in template)


_PATH = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+)\]")


def _follow(value: Any, path: str) -> Any:
    for name, index in _PATH.findall(path):
        value = getattr(value, name) if name else value[int(index)]
    return value


def _step_to_json(step: Step) -> dict[str, Any]:
    data = {
        "operation": step.operation,
        "arguments": {name: _to_json(each) for name, each in step.arguments.items()},
    }
    if isinstance(step, Walk):
        between = [_step_to_json(each) for each in step.between]
        return {"walk": {**data, "limit": step.limit, "between": between}}
    return {"call": data}


def _to_json(template: Any) -> Any:
    if isinstance(template, Reference):
        return {"$ref": [template.call, template.path]}
    if isinstance(template, Build):
        cls = template.cls
        fields = {name: _to_json(each) for name, each in template.fields.items()}
        return {"$build": f"{cls.__module__}:{cls.__qualname__}", "fields": fields}
    if isinstance(template, list | tuple) and references_in(template):
        tag = "$list" if isinstance(template, list) else "$items"
        return {tag: [_to_json(each) for each in template]}
    return encode(template)


def _step_from_json(data: Mapping[str, Any]) -> Step:
    if "walk" in data:
        inner = data["walk"]
        between = tuple(_call_from_json(each["call"]) for each in inner["between"])
        call = _call_from_json(inner)
        return Walk(call.operation, call.arguments, int(inner["limit"]), between)
    return _call_from_json(data["call"])


def _call_from_json(data: Mapping[str, Any]) -> Call:
    arguments = {name: _from_json(each) for name, each in data["arguments"].items()}
    return Call(data["operation"], arguments)


def _from_json(data: Any) -> Any:
    if not isinstance(data, dict):
        return decode(data)
    if "$ref" in data:
        call, path = data["$ref"]
        return Reference(int(call), str(path))
    if "$build" in data:
        fields = {name: _from_json(each) for name, each in data["fields"].items()}
        return Build(decode({"$class": data["$build"]}), fields)
    if "$list" in data:
        return [_from_json(each) for each in data["$list"]]
    if "$items" in data:
        return tuple(_from_json(each) for each in data["$items"])
    return decode(data)
