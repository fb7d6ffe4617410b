"""The agreement and pages checks draw the calls of their programs here."""

from __future__ import annotations

import enum
import random
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import reject
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument, ResolutionFailed

from storeproof.harness import constraints
from storeproof.harness.exceptions import ContractError
from storeproof.harness.operations import Operation, Parameter, substitute
from storeproof.harness.pools import Pools
from storeproof.harness.program import Build, Call, references_in
from storeproof.harness.structure import (
    build,
    field_hints,
    is_entity_class,
    is_protobuf_class,
    optional_fields,
)
from storeproof.harness.values import Draw, choose, near, pick, scalar_drawer

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract, Values

__all__ = ["CallDrawer"]

Drawer = Callable[[Draw, Pools], Any]
_MOST_ITEMS = 4
_WAYS, _FRESH, _NEAR = 7, 6, 5
"""Of seven draws of a kind met before, five meet a value again, one a near miss, one is fresh."""


class CallDrawer:
    """Draws calls of a contract's operations, most of whose references were met before.

    Raises ContractError at once for a parameter whose type gives no values.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
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

    def draw_call(self, draw: Draw, pools: Pools, names: list[str]) -> Call:
        """Draw one call."""
        name = pick(draw, names)
        if pools.pages and self._contract.operations[name].paged and choose(draw, 2):
            return self._next_page(draw, pools, name)
        return Call(name, self.arguments(draw, pools, name))

    def arguments(
        self, draw: Draw, pools: Pools, name: str, *, leave_out: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Draw the arguments of an operation; half of those that have a default are left out."""
        return {
            parameter.name: drawer(draw, pools)
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

    def _next_page(self, draw: Draw, pools: Pools, name: str) -> Call:
        walks = [(call, cursor) for call, cursor in pools.pages if call.operation == name]
        if not walks:
            return Call(name, self.arguments(draw, pools, name))
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
        drawer = self._hint(hint, where)
        return drawer if kind is None or kind is hint else _pooled(kind, drawer)

    def _hint(self, hint: Any, where: str, metadata: tuple[Any, ...] = ()) -> Drawer:
        origin, arguments = get_origin(hint), get_args(hint)
        if hasattr(hint, "__supertype__"):
            return _pooled(hint, self._hint(hint.__supertype__, where, metadata))
        if origin is Annotated:
            return self._hint(arguments[0], where, (*metadata, *arguments[1:]))
        if origin is Union or isinstance(hint, UnionType):
            return self._union(arguments, where, metadata)
        if origin is Literal:
            return lambda draw, _: pick(draw, arguments)
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            members = list(hint)
            return lambda draw, _: pick(draw, members)
        plain = scalar_drawer(_unbound(hint), constraints.fits(metadata))
        if plain is not None:
            return lambda draw, _: plain(draw)
        return self._composed(hint, origin, arguments, where)

    def _union(self, members: tuple[Any, ...], where: str, metadata: tuple[Any, ...]) -> Drawer:
        ordered = sorted(members, key=lambda each: each is not NoneType)
        drawers = [self._hint(each, where, metadata) for each in ordered]
        weighted = [drawers[0], *drawers[1:], *drawers[1:]]
        return lambda draw, pools: pick(draw, weighted)(draw, pools)

    def _composed(self, hint: Any, origin: Any, arguments: tuple[Any, ...], where: str) -> Drawer:
        cls = origin or hint
        if is_protobuf_class(cls):
            raise self._undrawable(hint, where)
        if is_entity_class(cls):
            variables = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
            return self._entity(cls, variables, where)
        if isinstance(cls, type) and cls.__module__ in ("builtins", "collections.abc"):
            collection = self._collection(cls, arguments, where)
            if collection is not None:
                return collection
        return self._by_hypothesis(hint, where)

    def _collection(self, cls: type, arguments: tuple[Any, ...], where: str) -> Drawer | None:
        if issubclass(cls, tuple) and arguments and arguments[-1] is not Ellipsis:
            parts = [self._hint(each, where) for each in arguments]
            return lambda draw, pools: tuple(part(draw, pools) for part in parts)
        if issubclass(cls, Mapping):
            key, value = (self._hint(each, where) for each in (*arguments, Any, Any)[:2])
            return lambda draw, pools: {
                key(draw, pools): value(draw, pools) for _ in range(choose(draw, _MOST_ITEMS))
            }
        made = next((made for base, made in _COLLECTIONS if issubclass(base, cls)), None)
        if made is None:
            return None
        item = self._hint(arguments[0] if arguments else Any, where)
        return lambda draw, pools: made(item(draw, pools) for _ in range(choose(draw, _MOST_ITEMS)))

    def _entity(self, cls: type, variables: Mapping[Any, Any], where: str) -> Drawer:
        drawers: dict[str, Drawer] = {}
        optional = optional_fields(cls)

        def drawer(draw: Draw, pools: Pools) -> Any:
            if not drawers:
                drawers.update(self._fields(cls, variables, where))
            fields = {
                name: each(draw, pools)
                for name, each in drawers.items()
                if name not in optional or choose(draw, 2)
            }
            if references_in(fields):
                return Build(cls, fields)
            try:
                return build(cls, fields)
            except (ValueError, TypeError):
                reject()

        return drawer

    def _fields(self, cls: type, variables: Mapping[Any, Any], where: str) -> dict[str, Drawer]:
        drawers = {}
        for name, declared in field_hints(cls).items():
            hint = substitute(declared, variables)
            inner = f"{where}: {cls.__name__}.{name}"
            given = self._given_field(cls, name)
            kind = self._contract.kind_of_field(cls, name, hint)
            drawers[name] = _given(given) if given is not None else self._kind(kind, hint, inner)
        return drawers

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


_COLLECTIONS: list[tuple[type, Callable[[Any], Any]]] = [
    (list, list),
    (frozenset, frozenset),
    (set, set),
    (tuple, tuple),
]


def _pooled(kind: object, fresh: Drawer) -> Drawer:
    def drawer(draw: Draw, pools: Pools) -> Any:
        known = pools.of(kind)
        way = choose(draw, _WAYS) if known else _FRESH
        if way == _FRESH:
            return fresh(draw, pools)
        value = pick(draw, known)
        return near(draw, value) if way == _NEAR else value

    return drawer


def _unbound(hint: Any) -> Any:
    return (hint.__bound__ or Any) if isinstance(hint, TypeVar) else hint


def _given(values: Values) -> Drawer:
    if isinstance(values, st.SearchStrategy):
        return lambda draw, _: draw(values)
    return lambda draw, _: pick(draw, values)
