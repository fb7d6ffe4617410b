"""The agreement and pages checks draw the calls of their programs here."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, ResolutionFailed

from storeproof.harness.constraints import Limits, limits_of
from storeproof.harness.exceptions import ContractError
from storeproof.harness.experience import Experience, Meetings
from storeproof.harness.operations import Operation, Parameter, substitute
from storeproof.harness.pools import Pools
from storeproof.harness.program import Build, Call, references_in
from storeproof.harness.protobuf import (
    JSON_MESSAGES,
    alternatives,
    is_protobuf_class,
    message_from_json,
)
from storeproof.harness.structure import (
    bare_hint,
    build,
    constructor_names,
    field_hints,
    is_entity_class,
    optional_fields,
)
from storeproof.harness.values import (
    Draw,
    Rejected,
    choose,
    draw_example,
    near,
    pick,
    scalar_drawer,
)

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract, Values

__all__ = ["CallDrawer"]

Drawer = Callable[[Draw, Meetings], Any]
_MOST_ITEMS = 4
_TRIES = 8
"""How often a value is drawn again that its class refuses, before the program is given up."""
_USUAL, _REHEARSED = 3, 8
"""Of so many calls all but one are meant to succeed."""
_FRESH, _NEAR, _WAYS = 0, 1, 4
"""Of four other references of which enough is known one is new, one a near miss, two are known."""
_NEARLY_NEW = 3
"""Of so many new references of calls that are meant to succeed one nearly is a known one."""


class CallDrawer:
    """Draws calls of a contract's operations, most of whose references were met before.

    experience: what tells which of them succeed. rehearsing: whether it is still to learn.

    Raises ContractError at once for a parameter whose type gives no values.
    """

    def __init__(
        self, contract: Contract, experience: Experience | None = None, *, rehearsing: bool = False
    ) -> None:
        self._contract = contract
        self._experience = experience or Experience()
        self._hope = _REHEARSED if rehearsing else _USUAL
        self._entities: dict[tuple[type, str], dict[str, Drawer]] = {}
        self._drawers: dict[str, list[tuple[Parameter, Drawer]]] = {}
        for operation in contract.operations.values():
            self._drawers[operation.name] = [
                (parameter, self._parameter(operation, parameter))
                for parameter in operation.parameters
                if parameter.name not in contract.context
            ]

    def enabled(self, draw: Draw) -> list[str]:
        """Draw which operations a program may use (swarm testing, Groce et al. 2012)."""
        names = list(self._drawers)
        seed = choose(draw, 256)
        if seed % 2 == 0:
            return names
        chance = random.Random(seed)  # noqa: S311 - the seed is drawn, so it shrinks and replays
        kept = [name for name in names if chance.random() < 0.5]
        return kept or names

    def draw_call(self, draw: Draw, pools: Pools, names: Sequence[str]) -> Call:
        """Draw one call."""
        return self.draw_met(draw, pools, names)[0]

    def draw_met(self, draw: Draw, pools: Pools, names: Sequence[str]) -> tuple[Call, Meetings]:
        """Draw one call; give also what references it met."""
        return self._draw(draw, pools, self._experience.pick_operation(draw, pools, names))

    def draw_toward(self, draw: Draw, pools: Pools, name: str) -> Call:
        """Draw a call of an operation, or of one that supplies it with what it would miss."""
        name = self._experience.supplied(draw, pools, name, list(self._drawers))
        return self._draw(draw, pools, name)[0]

    def _draw(self, draw: Draw, pools: Pools, name: str) -> tuple[Call, Meetings]:
        meetings = self._meetings(draw, pools, name)
        if pools.pages and self._contract.operations[name].paged and choose(draw, 2):
            return self._next_page(draw, meetings), meetings
        return Call(name, self._arguments(draw, meetings)), meetings

    def arguments(
        self, draw: Draw, pools: Pools, name: str, *, leave_out: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Draw the arguments of an operation; half of those that have a default are left out."""
        return self._arguments(draw, self._meetings(draw, pools, name), leave_out)

    def _meetings(self, draw: Draw, pools: Pools, name: str) -> Meetings:
        return Meetings(
            name, pools, self._experience, meant_to_succeed=choose(draw, self._hope) > 0
        )

    def _arguments(
        self, draw: Draw, meetings: Meetings, leave_out: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        name = meetings.operation
        return {
            parameter.name: drawer(draw, meetings)
            for parameter, drawer in self._drawers[name]
            if parameter.name not in leave_out
            and not (self._is_cursor(name, parameter))
            and (parameter.required or choose(draw, 2))
        } | self._first_page(name, leave_out)

    def _is_cursor(self, name: str, parameter: Parameter) -> bool:
        return parameter.name == "cursor" and self._contract.operations[name].paged

    def _first_page(self, name: str, leave_out: frozenset[str]) -> dict[str, Any]:
        needed = (
            parameter.name
            for parameter, _ in self._drawers[name]
            if self._is_cursor(name, parameter) and parameter.required
        )
        return {cursor: None for cursor in needed if cursor not in leave_out}

    def _next_page(self, draw: Draw, meetings: Meetings) -> Call:
        name, pages = meetings.operation, meetings.pools.pages
        walks = [each for each in pages if each[0].operation == name]
        if not walks:
            return Call(name, self._arguments(draw, meetings))
        call, cursor = pick(draw, walks)
        return Call(name, {**call.arguments, "cursor": cursor})

    def _parameter(self, operation: Operation, parameter: Parameter) -> Drawer:
        contract = self._contract
        for key in (f"{operation.name}.{parameter.name}", parameter.name):
            if key in contract.arguments:
                return _given(contract.arguments[key])
        kind = contract.kind_of_parameter(operation.name, parameter.name, parameter.hint)
        where = f"{operation.name}.{parameter.name}"
        if operation.paged and parameter.name == "limit":
            return lambda draw, _: 1 + choose(draw, _MOST_ITEMS)
        return self._kind(kind, parameter.hint, where)

    def _kind(self, kind: object | None, hint: Any, where: str) -> Drawer:
        bare = bare_hint(hint)
        if kind is None or kind is bare:
            return self._hint(hint, where)
        cls, arguments = get_origin(bare) or bare, get_args(bare)
        if isinstance(cls, type) and issubclass(cls, Iterable) and arguments:
            item = self._of_kind(kind, arguments[0], where)
            collection = self._collection(cls, arguments, where, Limits(), item)
            if collection is not None:
                return collection
        return self._of_kind(kind, hint, where)

    def _of_kind(self, kind: object, hint: Any, where: str) -> Drawer:
        given = self._contract.arguments.get(kind)
        if given is not None:
            return _pooled(kind, where, _given(given), limits_of(hint), misses=False)
        return _pooled(kind, where, self._hint(hint, where), limits_of(hint))

    def _hint(self, hint: Any, where: str, metadata: tuple[Any, ...] = ()) -> Drawer:
        origin, arguments = get_origin(hint), get_args(hint)
        if hasattr(hint, "__supertype__"):
            return self._new_type(hint, where, metadata)
        if origin is Annotated:
            return self._hint(arguments[0], where, (*arguments[1:], *metadata))
        if origin is Union or isinstance(hint, UnionType):
            return self._union(arguments, where, metadata)
        if origin is Literal:
            return lambda draw, _: pick(draw, arguments)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            members = list(hint)
            return lambda draw, _: pick(draw, members)
        meant = _meant(hint)
        if meant is not hint:
            return self._hint(meant, where, metadata)
        limits = Limits.of(metadata)
        plain = scalar_drawer(hint, limits)
        if plain is not None:
            return lambda draw, _: plain(draw)
        return self._composed(hint, where, limits)

    def _new_type(self, kind: Any, where: str, metadata: tuple[Any, ...]) -> Drawer:
        given = self._contract.arguments.get(kind)
        limits = limits_of(kind, metadata)
        if given is not None:
            return _pooled(kind, where, _given(given), limits, misses=False)
        return _pooled(kind, where, self._hint(kind.__supertype__, where, metadata), limits)

    def _union(self, members: tuple[Any, ...], where: str, metadata: tuple[Any, ...]) -> Drawer:
        ordered = sorted(members, key=lambda each: (each is not NoneType, is_entity_class(each)))
        drawers = [self._hint(each, where, metadata) for each in ordered]
        weighted = [drawers[0], *drawers[1:], *drawers[1:]]
        return lambda draw, meetings: pick(draw, weighted)(draw, meetings)

    def _composed(self, hint: Any, where: str, limits: Limits) -> Drawer:
        cls, arguments = get_origin(hint) or hint, get_args(hint)
        if is_protobuf_class(cls) and cls.DESCRIPTOR.full_name in JSON_MESSAGES:  # type: ignore[attr-defined]  # guarded
            json = self._hint(JSON_MESSAGES[cls.DESCRIPTOR.full_name], where)  # type: ignore[attr-defined]  # guarded
            return lambda draw, meetings: message_from_json(cls, json(draw, meetings))
        if is_entity_class(cls):
            variables = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
            return self._entity(cls, variables, where)
        if isinstance(cls, type) and cls.__module__ in ("builtins", "collections.abc"):
            collection = self._collection(cls, arguments, where, limits)
            if collection is not None:
                return collection
        return self._by_hypothesis(hint, where)

    def _collection(
        self,
        cls: type,
        arguments: tuple[Any, ...],
        where: str,
        limits: Limits,
        item: Drawer | None = None,
    ) -> Drawer | None:
        if issubclass(cls, tuple) and arguments and arguments[-1] is not Ellipsis:
            parts = [self._hint(each, where) for each in arguments]
            return lambda draw, meetings: tuple(part(draw, meetings) for part in parts)
        if issubclass(cls, Mapping):
            key = item or self._hint(arguments[0] if arguments else str, where)
            value = self._hint(arguments[1] if arguments else Any, where)
            return _sized(dict, limits, lambda draw, met: (key(draw, met), value(draw, met)))
        made = next((made for made in _COLLECTIONS if issubclass(made, cls)), None)
        if made is None:
            return None
        usual = str if made in (set, frozenset) else Any
        item = item or self._hint(arguments[0] if arguments else usual, where)
        return _sized(made, limits, item)

    def _entity(self, cls: type, variables: Mapping[Any, Any], where: str) -> Drawer:
        key = (cls, repr(variables))
        if key not in self._entities:
            self._entities[key] = {}
            self._entities[key].update(self._fields(cls, variables, where))
        drawers, optional = self._entities[key], optional_fields(cls)
        groups = alternatives(cls) if is_protobuf_class(cls) else ()

        def fields(draw: Draw, meetings: Meetings) -> dict[str, Any]:
            left_out = {name for group in groups for name in _all_but_one(draw, group)}
            return {
                name: each(draw, meetings)
                for name, each in drawers.items()
                if name not in left_out and (name not in optional or choose(draw, 2))
            }

        def drawer(draw: Draw, meetings: Meetings) -> Any:
            draw.depth += 1
            try:
                return _built(cls, lambda: fields(draw, meetings))
            finally:
                draw.depth -= 1

        return drawer

    def _fields(self, cls: type, variables: Mapping[Any, Any], where: str) -> dict[str, Drawer]:
        drawers = {}
        for name, declared in self._field_hints(cls, where).items():
            if constructor_names(cls)[name] is None:
                continue
            hint = substitute(declared, variables)
            inner = f"{where}: {cls.__name__}.{name}"
            given = self._given_field(cls, name)
            kind = self._contract.kind_of_field(cls, name, hint)
            drawers[name] = _given(given) if given is not None else self._kind(kind, hint, inner)
        return drawers

    def _field_hints(self, cls: type, where: str) -> Mapping[str, Any]:
        try:
            return field_hints(cls)
        except (NameError, TypeError, AttributeError) as problem:
            parameter = where.split(":", maxsplit=1)[0]
            raise ContractError(
                self._contract.name,
                f"the types of {cls.__name__}, which {parameter} takes, can't be resolved "
                f"({problem})",
                f'Pass arguments={{"{parameter}": some values or a Hypothesis strategy}}',
            ) from None

    def _given_field(self, cls: type, name: str) -> Values | None:
        found = (self._contract.arguments.get(f"{base.__name__}.{name}") for base in cls.__mro__)
        return next((each for each in found if each is not None), None)

    def _by_hypothesis(self, hint: Any, where: str) -> Drawer:
        try:
            strategy = st.from_type(hint)
            strategy.validate()
        except (InvalidArgument, ResolutionFailed):
            raise self._undrawable(hint, where) from None
        return _given(strategy)

    def _undrawable(self, hint: Any, where: str) -> ContractError:
        name = getattr(hint, "__name__", repr(hint))
        parameter = where.split(":", maxsplit=1)[0]
        return ContractError(
            self._contract.name,
            f"nothing says which values {where} takes (its type is {name})",
            f'Pass arguments={{"{parameter}": some values or a Hypothesis strategy}}, or, if it is '
            f'no data but a part of every call, context={{"{parameter.split(".")[-1]}": maker}}',
        )


_COLLECTIONS: tuple[type, ...] = (list, frozenset, set, tuple)


def _sized(made: Callable[[Any], Any], limits: Limits, item: Drawer) -> Drawer:
    least, most = limits.least("min_length") or 0, limits.most("max_length")
    spread = _MOST_ITEMS if most is None else min(_MOST_ITEMS, most - least + 1)

    def drawer(draw: Draw, meetings: Meetings) -> Any:
        items = [item(draw, meetings) for _ in range(least + choose(draw, spread))]
        for _ in range(_TRIES * least):
            if len(made(items)) >= least:
                break
            items.append(item(draw, meetings))
        collection = made(items)
        if not limits.fit(collection):
            raise Rejected
        return collection

    return drawer


def _built(cls: type, fields: Callable[[], dict[str, Any]]) -> Any:
    """Build an entity; its class may refuse what its types allow."""
    for _ in range(_TRIES):
        drawn = fields()
        if references_in(drawn):
            return Build(cls, drawn)
        try:
            return build(cls, drawn)
        except (ValueError, TypeError):
            continue
    raise Rejected


def _all_but_one(draw: Draw, group: tuple[str, ...]) -> set[str]:
    return {*group} - {pick(draw, group)}


def _pooled(
    kind: object, where: str, fresh: Drawer, limits: Limits, *, misses: bool = True
) -> Drawer:
    def missed(draw: Draw, meetings: Meetings) -> Any:
        known = meetings.pools.of(kind)
        value = near(draw, pick(draw, known)) if known and misses else None
        return value if value is not None and limits.fit(value) else fresh(draw, meetings)

    def drawer(draw: Draw, meetings: Meetings) -> Any:
        known = meetings.pools.of(kind)
        if meetings.meant_to_succeed:
            met = meetings.known(draw, kind, where)
            new = missed if choose(draw, _NEARLY_NEW) == 0 else fresh
            return new(draw, meetings) if met is None else met
        way = choose(draw, min(_WAYS, 2 + meetings.pools.count(kind)))
        if way == _FRESH or not known:
            return fresh(draw, meetings)
        return missed(draw, meetings) if way == _NEAR else pick(draw, known)

    return drawer


def _meant(hint: Any) -> Any:
    """Give what a type variable or an alias stands for; the hint itself where it is neither."""
    if isinstance(hint, TypeVar):
        return hint.__bound__ or next(iter(hint.__constraints__), Any)
    if getattr(hint, "__module__", "") == "pydantic.types" and hint.__name__ == "AwareDatetime":
        return datetime
    return hint.__value__ if type(hint).__name__ == "TypeAliasType" else hint


def _given(values: Values) -> Drawer:
    if isinstance(values, st.SearchStrategy):
        return lambda draw, _: draw_example(draw, values)
    return lambda draw, _: pick(draw, values)
