"""Shortening finds here the parts of a program's arguments, and what may stand in their place."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, is_typeddict

from hypothesis import strategies as st

from storeproof.harness.constraints import Limits, limits_of
from storeproof.harness.program import Call, Program, Walk
from storeproof.harness.strategies import examples_of
from storeproof.harness.structure import (
    SCALARS,
    bare_hint,
    build,
    field_hints,
    field_values,
    optional_fields,
    optional_hint,
)
from storeproof.harness.templates import Build, Reference, references_in

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract, Values

__all__ = ["Place", "dropped", "places", "put", "same_value"]


_NO_LIMITS = Limits()


@dataclass(frozen=True)
class Place:
    """A part of the arguments of one call of a program."""

    step: int
    between: int | None
    """Position among the calls between the pages of a walk."""
    path: tuple[Any, ...]
    """Argument, field, index or key, from the outside in."""
    value: Any
    droppable: bool
    nullable: bool
    limits: Limits
    within: Limits
    """What holds for the collection that it is an item of."""
    given: Values | None = None
    """Where its values come from, if the contract says so."""
    options: tuple[Any, ...] = ()
    """What may stand in its place, the simplest first."""

    @property
    def is_scalar(self) -> bool:
        return type(self.value) in SCALARS

    def allows(self, value: Any) -> bool:
        """Whether a value may stand here."""
        if self.given is not None or self.options:
            return any(same_value(value, each) for each in self.options)
        return self.limits.fit(value)


def same_value(one: Any, other: Any) -> bool:
    """Whether two values are written alike: `==` takes True for 1, -0.0 for 0.0."""
    return type(one) is type(other) and repr(one) == repr(other)


def places(contract: Contract, program: Program) -> Iterator[Place]:
    """Give every part of a program's arguments, the outer ones first."""
    for index, step in enumerate(program.calls):
        yield from _Finder(contract, index, None).places(step)
        for inner, call in enumerate(step.between if isinstance(step, Walk) else ()):
            yield from _Finder(contract, index, inner).places(call)


@dataclass(frozen=True)
class _Finder:
    contract: Contract
    step: int
    between: int | None

    def places(self, call: Call | Walk) -> Iterator[Place]:
        arguments = self.contract.arguments
        for parameter in self.contract.operations[call.operation].parameters:
            if parameter.name in call.arguments:
                full = f"{call.operation}.{parameter.name}"
                given = arguments.get(full, arguments.get(parameter.name))
                value, path = call.arguments[parameter.name], (parameter.name,)
                optional = not parameter.required
                yield from self._at(path, value, parameter.hint, droppable=optional, given=given)

    def _at(
        self,
        path: tuple[Any, ...],
        value: Any,
        hint: Any,
        *,
        droppable: bool,
        given: Values | None = None,
        within: Limits = _NO_LIMITS,
    ) -> Iterator[Place]:
        bare = bare_hint(hint)
        if given is None and hasattr(bare, "__supertype__"):
            given = self.contract.arguments.get(bare)
        nullable = value is not None and optional_hint(hint) is not None
        at = (self.step, self.between, path)
        place = Place(*at, value, droppable, nullable, limits_of(hint), within, given)
        if given is not None:
            yield replace(place, options=_options_given(given))
            return
        yield replace(place, options=_options_of(bare))
        kids = _children(value)
        cls = bare if is_typeddict(bare) else getattr(value, "cls", type(value))
        if is_typeddict(bare) or isinstance(value, Build) or field_values(value) is not None:
            yield from self._fields(path, cls, kids)
            return
        arguments = [each for each in get_args(bare) if each is not Ellipsis]
        for key, kid in kids.items():
            part = _hint_of_part(arguments, value)
            loose = not _is_fixed(bare)
            yield from self._at((*path, key), kid, part, droppable=loose, within=place.limits)

    def _fields(self, path: tuple[Any, ...], cls: type, kids: Mapping[Any, Any]) -> Iterator[Place]:
        hints, optional = _hints(cls), optional_fields(cls)
        for name, kid in kids.items():
            keys = [f"{base.__name__}.{name}" for base in cls.__mro__]
            given = [self.contract.arguments[x] for x in keys if x in self.contract.arguments]
            hint, loose, source = hints.get(name, Any), name in optional, next(iter(given), None)
            yield from self._at((*path, name), kid, hint, droppable=loose, given=source)


def _options_given(given: Values) -> tuple[Any, ...]:
    if isinstance(given, st.SearchStrategy):
        return examples_of(given)[:1]
    return tuple(given)


def _options_of(bare: Any) -> tuple[Any, ...]:
    if get_origin(bare) is Literal:
        return get_args(bare)
    return tuple(bare) if isinstance(bare, type) and issubclass(bare, enum.Enum) else ()


def _hints(cls: type) -> Mapping[str, Any]:
    try:
        return field_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}


def _hint_of_part(arguments: Sequence[Any], value: Any) -> Any:
    if not arguments or (isinstance(value, tuple) and len(arguments) > 1):
        return Any
    return arguments[-1]


def _is_fixed(bare: Any) -> bool:
    return get_origin(bare) is tuple and Ellipsis not in get_args(bare)


def _children(template: Any) -> dict[Any, Any]:
    if isinstance(template, Reference):
        return {}
    if isinstance(template, Build):
        return dict(template.fields)
    if isinstance(template, Mapping):
        return dict(template)
    fields = field_values(template)
    if fields is not None:
        return fields
    items = sorted(template, key=repr) if isinstance(template, Set) else template
    return dict(enumerate(items)) if isinstance(items, list | tuple) else {}


def _rebuilt(template: Any, kids: dict[Any, Any]) -> Any:
    if isinstance(template, Mapping):
        return kids
    if isinstance(template, Build) or field_values(template) is not None:
        cls = template.cls if isinstance(template, Build) else type(template)
        return Build(cls, kids) if references_in(kids) else build(cls, kids)
    return type(template)(kids.values())


def _without(kids: Mapping[Any, Any], key: Any) -> dict[Any, Any]:
    return {each: kid for each, kid in kids.items() if each != key}


def put(program: Program, place: Place, value: Any) -> Program | None:
    """Give the program with another value in a place; None where that can't be."""
    return _changed(program, place, lambda kids, key: {**kids, key: value})


def dropped(program: Program, place: Place) -> Program | None:
    """Give the program without a part; None where that can't be."""

    def change(kids: Mapping[Any, Any], key: Any) -> dict[Any, Any]:
        left = _without(kids, key)
        if not place.within.fit(left):
            raise ValueError("the collection would be too small")
        return left

    return _changed(program, place, change) if place.droppable else None


def _changed(program: Program, place: Place, change: Any) -> Program | None:
    steps = list(program.calls)
    try:
        step = steps[place.step]
        if isinstance(step, Walk) and place.between is not None:
            calls = list(step.between)
            calls[place.between] = _with(calls[place.between], place.path, change)
            steps[place.step] = replace(step, between=tuple(calls))
        else:
            steps[place.step] = _with(step, place.path, change)
    except Exception:  # constructors of entities raise what they like
        return None
    return program.with_calls(steps)


def _with(call: Any, path: tuple[Any, ...], change: Any) -> Any:
    return replace(call, arguments=_along(call.arguments, path, change))


def _along(template: Any, path: tuple[Any, ...], change: Any) -> Any:
    kids = _children(template)
    first, *rest = path
    if first not in kids:
        raise LookupError(first)
    if not rest:
        return _rebuilt(template, change(kids, first))
    return _rebuilt(template, {**kids, first: _along(kids[first], tuple(rest), change)})
