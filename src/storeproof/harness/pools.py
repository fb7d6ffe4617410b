"""Programs meet the same ids, names and cursors again through these pools of earlier values."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any, TypeVar, get_args, is_typeddict

from storeproof.harness.operations import Parameter
from storeproof.harness.program import Build, Call, Reference
from storeproof.harness.running import Outcome
from storeproof.harness.structure import SCALARS, bare_hint, field_hints, field_names, field_values

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Company", "Pools", "Sources"]

Key = TypeVar("Key")
Item = TypeVar("Item")

_MOST = 24
"""Values remembered of one kind: more would only make meeting one again less likely."""


_WEIGHT = 4
"""How much likelier a value from a call that succeeded is met again than one from a failed call."""

Company = dict[object, list[Any]]
"""What occurred together in one call, by kind."""
Sources = dict[object, dict[str, list[Company]]]
"""By kind and operation: the company of every value of the kind in calls that succeeded."""

_Values = dict[object, list[Any]]
_Path = str | None
_Position = tuple[object, _Path, Any, bool]
_Plan = Mapping[str, tuple[Any, object | None, bool]]


class Pools:
    """The values of each kind that occurred so far in one program."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._values: dict[object, list[Any]] = {}
        self._tried: dict[object, list[Any]] = {}
        self._seen: set[tuple[bool, object, Any]] = set()
        self._made: set[tuple[object, Any]] = set()
        self.held: Sources = {}
        """What is likely there: from results, entities, and arguments of what changes something."""
        self.named: Sources = {}
        """What was only asked for."""
        self.pages: list[tuple[Call, Reference]] = []
        """Calls of page operations that have a next page, with the reference to its cursor."""

    def fork(self) -> Pools:
        """Give pools that know the same and go on by themselves."""
        fork = Pools(self._contract)
        fork._values, fork._tried = _copied(self._values), _copied(self._tried)
        fork._seen, fork._made = set(self._seen), set(self._made)
        fork.held = {kind: _copied(each) for kind, each in self.held.items()}
        fork.named = {kind: _copied(each) for kind, each in self.named.items()}
        fork.pages = list(self.pages)
        return fork

    def of(self, kind: object) -> Sequence[Any]:
        """Give the values of a kind, those of calls that succeeded more often than others.

        Values that storages made are given as references.
        """
        return [*(self._values.get(kind, []) * _WEIGHT), *self._tried.get(kind, [])]

    def count(self, kind: object) -> int:
        """Give how many values of a kind calls that succeeded had."""
        return len(self._values.get(kind, []))

    def add_call(self, call: Call, index: int, outcome: Outcome) -> None:
        """Remember what occurred in a call's arguments and in its result."""
        values = self._values if outcome.error is None else self._tried
        held: Company = {}
        named: Company = {}
        operation, result = self._contract.operations[call.operation], outcome.value
        origin = f"{operation.name}.return" in self._contract.declared
        kind_of_all = self._contract.kind_of_returned(operation.name)
        found = self._of_kind(result, kind_of_all, operation.returns, "", origin)
        for kind, path, value, made in found:
            if made:
                self._made.add((kind, _key(value)))
            if not made:
                self._add(values, kind, value, held)
            elif path is not None and not (path and operation.name in self._contract.unordered):
                self._add(values, kind, Reference(index, path), held)
        for parameter in operation.parameters:
            if parameter.name in call.arguments:
                self._add_argument(values, call, parameter, held, named)
        if outcome.error is None:
            _add_source(self.held, operation.name, held)
            _add_source(self.named, operation.name, named)
        if operation.paged and getattr(result, "next_cursor", None) is not None:
            self.pages.append((call, Reference(index, ".next_cursor")))

    def _add_argument(
        self, values: _Values, call: Call, parameter: Parameter, held: Company, named: Company
    ) -> None:
        hint, given = parameter.hint, call.arguments[parameter.name]
        kind = self._contract.kind_of_parameter(call.operation, parameter.name, hint)
        for inner, path, value, _ in self._of_kind(given, kind, hint, "", False):
            likely = path or call.operation not in self._contract.reads
            self._add(values, inner, value, held if likely else named)

    def _add(self, values: _Values, kind: object, value: Any, company: Company) -> None:
        """Remember a value, unless it is the model's word for one that storages make."""
        key = (values is self._values, kind, _key(value))
        if value is None or (kind, key[2]) in self._made:
            return
        company.setdefault(kind, []).append(value)
        if key not in self._seen and len(values.setdefault(kind, [])) < _MOST:
            self._seen.add(key)
            values[kind].append(value)

    def _positions(self, value: Any, hint: Any, path: _Path, made: bool) -> Iterator[_Position]:
        """Give kind, path, value and whether storages make it, for every part that has a kind.

        The path is None where no reference can lead there: into sets, and to keys.
        """
        bare = bare_hint(hint)
        kind = bare if hasattr(bare, "__supertype__") else None
        yield from self._of_kind(value, kind, bare, path, made)

    def _of_kind(
        self, value: Any, kind: object | None, hint: Any, path: _Path, made: bool
    ) -> Iterator[_Position]:
        if value is None or isinstance(value, Build):
            return
        items = _items(value, hint)
        if kind is not None and items is None:
            yield kind, path, value, made
        elif items is not None:
            for part, (item, inner) in enumerate(items[:_MOST]):
                at = None if path is None or isinstance(value, Set) else f"{path}[{part}]"
                if kind is None:
                    yield from self._positions(item, inner, at, made)
                else:
                    yield from self._of_kind(item, kind, inner, at, made)
        elif isinstance(value, Mapping):
            yield from self._entries(value, hint, path, made)
        elif not isinstance(value, Reference | str | bytes | int | float):
            yield from self._fields(value, path)

    def _entries(
        self, value: Mapping[Any, Any], hint: Any, path: _Path, made: bool
    ) -> Iterator[_Position]:
        if is_typeddict(hint):
            for name, each in value.items():
                inner = _hints(hint).get(name, Any)
                at = None if path is None else f"{path}[{name!r}]"
                kind = self._contract.kind_of_field(hint, name, inner)
                yield from self._of_kind(each, kind, inner, at, made)
            return
        keys, values = (*get_args(bare_hint(hint)), Any, Any)[:2]
        for key, each in list(value.items())[:_MOST]:
            yield from self._positions(key, keys, None, made)
            yield from self._positions(each, values, None, made)

    def _fields(self, value: Any, path: _Path) -> Iterator[_Position]:
        plan = self._plan(type(value))
        for name, each in (field_values(value) or {}).items() if plan else ():
            if each is not None and name in plan:
                hint, kind, made = plan[name]
                at = None if path is None else f"{path}.{name}"
                yield from self._of_kind(each, kind, hint, at, made)

    def _plan(self, cls: Any) -> _Plan:
        """Give hint, kind and whether storages make it, for the fields that may hold a kind."""
        contract = self._contract
        known = contract.field_plans.get(cls)
        if known is None:
            hints = {name: _hints(cls).get(name, Any) for name in field_names(cls)}
            kinds = {name: contract.kind_of_field(cls, name, hints[name]) for name in hints}
            known = contract.field_plans[cls] = {
                name: (hint, kinds[name], contract.rules.is_generated(cls, name) is not None)
                for name, hint in hints.items()
                if kinds[name] is not None or bare_hint(hint) not in SCALARS
            }
        return known


def _copied(lists: Mapping[Key, list[Item]]) -> dict[Key, list[Item]]:
    return {key: list(each) for key, each in lists.items()}


def _add_source(sources: Sources, operation: str, company: Company) -> None:
    for kind in company:
        sources.setdefault(kind, {}).setdefault(operation, []).append(company)


def _items(value: Any, hint: Any) -> list[tuple[Any, Any]] | None:
    """Give the items of a collection with their hints; None for what is none."""
    if not isinstance(value, list | tuple | Set) or field_values(value) is not None:
        return None
    arguments = [each for each in get_args(bare_hint(hint)) if each is not Ellipsis]
    items = list(value)
    if isinstance(value, tuple) and len(arguments) == len(items):
        return list(zip(items, arguments, strict=True))
    return [(each, arguments[0] if arguments else Any) for each in items]


@functools.cache
def _hints(cls: type) -> Mapping[str, Any]:
    try:
        return field_hints(cls)
    except (NameError, TypeError, AttributeError):
        return {}


def _key(value: Any) -> Any:
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return value
