"""The arguments of a program's calls are templates: values with references to earlier results."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from storeproof.harness.structure import SCALARS, build

__all__ = [
    "Build",
    "Change",
    "Reference",
    "Results",
    "has_holes",
    "is_path",
    "references_in",
    "renumbered",
    "resolve",
    "rewritten",
]

_PATH = re.compile(r"\.([A-Za-z_]\w*)|\[(\d+|'(?:[^'\\]|\\.)*')\]")


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


def is_path(text: str) -> bool:
    """Whether the text is the path of a reference."""
    return not _PATH.sub("", text)


def references_in(template: Any) -> list[Reference]:
    """Give every reference in a template."""
    if isinstance(template, Reference):
        return [template]
    if type(template) in SCALARS:
        return []
    return [reference for part in _parts(template) for reference in references_in(part)]


def _parts(template: Any) -> list[Any]:
    if isinstance(template, Build):
        return list(template.fields.values())
    if isinstance(template, Mapping):
        return [*template.keys(), *template.values()]
    return list(template) if isinstance(template, list | tuple | Set) else []


Results: TypeAlias = Sequence[Any] | Mapping[int, Any]
"""What calls gave, by their positions."""
Change = Callable[[Reference | Build], Any]
"""What is put in the place of a reference or a build."""


def rewritten(template: Any, change: Change) -> Any:
    """Give the template with its references and builds changed, the inner ones first."""
    if isinstance(template, Reference):
        return change(template)
    if isinstance(template, Build):
        fields = {name: rewritten(each, change) for name, each in template.fields.items()}
        return change(Build(template.cls, fields))
    if not has_holes(template):
        return template
    if isinstance(template, Mapping):
        items = template.items()
        return {rewritten(key, change): rewritten(each, change) for key, each in items}
    return type(template)(rewritten(each, change) for each in template)


def has_holes(template: Any) -> bool:
    """Whether there are references or builds in a template."""
    if type(template) in SCALARS:
        return False
    return isinstance(template, Reference | Build) or any(map(has_holes, _parts(template)))


def renumbered(gone: int) -> Change:
    """Give the change of references that is needed after step `gone` was taken out."""

    def change(hole: Reference | Build) -> Any:
        if isinstance(hole, Build) or hole.call < gone:
            return hole
        return replace(hole, call=hole.call - 1)

    return change


def resolve(template: Any, results: Results) -> Any:
    """Give the value of a template, its references looked up in the results so far.

    Raises LookupError or AttributeError where a result has no such part; whatever the constructor
    of an entity raises.
    """

    def change(hole: Reference | Build) -> Any:
        if isinstance(hole, Build):
            return build(hole.cls, hole.fields)
        return _followed(results[hole.call], hole.path)

    return rewritten(template, change)


def _followed(value: Any, path: str) -> Any:
    for name, key in _PATH.findall(path):
        value = getattr(value, name) if name else value[ast.literal_eval(key)]
    return value
