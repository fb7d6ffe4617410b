"""Programs meet the same ids, names and cursors again through these pools of earlier values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from storeproof.harness.program import Build, Call, Reference
from storeproof.harness.running import Outcome
from storeproof.harness.structure import field_hints, field_values

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pools"]

_MOST = 24
"""Values remembered of one kind: more would only make meeting one again less likely."""


_WEIGHT = 4
"""How much likelier a value from a call that succeeded is met again than one from a failed call."""

_Values = dict[object, list[Any]]
_Plan = Mapping[str, tuple[Any, object | None, bool]]
_PLAIN = (str, int, float, bool, bytes, datetime, timedelta, Decimal)


class Pools:
    """The values of each kind that occurred so far in one program."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._values: dict[object, list[Any]] = {}
        self._tried: dict[object, list[Any]] = {}
        self._seen: set[tuple[int, object, Any]] = set()
        self.pages: list[tuple[Call, Reference]] = []
        """Calls of page operations that have a next page, with the reference to its cursor."""

    def of(self, kind: object) -> Sequence[Any]:
        """Give the values of a kind, those of calls that succeeded more often than others.

        Values that storages made are given as references.
        """
        return [*(self._values.get(kind, []) * _WEIGHT), *self._tried.get(kind, [])]

    def add_call(self, call: Call, index: int, outcome: Outcome) -> None:
        """Remember what occurred in a call's arguments and in its result."""
        values = self._values if outcome.error is None else self._tried
        operation, result = self._contract.operations[call.operation], outcome.value
        for parameter in operation.parameters:
            if parameter.name in call.arguments:
                self._add_argument(values, call, parameter.name, parameter.hint)
        origin = f"{operation.name}.return" in self._contract.rules.generated
        for kind, path, value, generated in self._positions(result, operation.returns, "", origin):
            self._add(values, kind, Reference(index, path) if generated else value)
        if operation.paged and getattr(result, "next_cursor", None) is not None:
            self.pages.append((call, Reference(index, ".next_cursor")))

    def _add_argument(self, values: _Values, call: Call, name: str, hint: Any) -> None:
        value = call.arguments[name]
        kind = self._contract.kind_of_parameter(call.operation, name, hint)
        if kind is not None and not isinstance(value, list | tuple | Reference | Build):
            self._add(values, kind, value)
        for inner_kind, _, inner, _ in self._positions(value, hint, "", False):
            self._add(values, inner_kind, inner)

    def _add(self, values: _Values, kind: object, value: Any) -> None:
        if value is None:
            return
        try:
            key = (id(values), kind, value)
            known = key in self._seen
        except TypeError:
            key = (id(values), kind, repr(value))
            known = key in self._seen
        if not known and len(values.setdefault(kind, [])) < _MOST:
            self._seen.add(key)
            values[kind].append(value)

    def _positions(
        self, value: Any, hint: Any, path: str, generated: bool
    ) -> Iterator[tuple[object, str, Any, bool]]:
        """Give kind, path, value and whether storages make it, for every part that has a kind."""
        if value is None or isinstance(value, Reference | Build):
            return
        kind = hint if hasattr(hint, "__supertype__") else None
        if kind is not None:
            yield kind, path, value, generated
            return
        if isinstance(value, str | bytes | int | float):
            return
        if isinstance(value, list | tuple) and field_values(value) is None:
            for index, each in enumerate(value[:_MOST]):
                yield from self._positions(each, _item_hint(hint), f"{path}[{index}]", generated)
        elif isinstance(value, Set):
            for each in list(value)[:_MOST]:
                yield from self._positions(each, _item_hint(hint), path, generated)
        elif not isinstance(value, Mapping):
            yield from self._fields(value, path)

    def _fields(self, value: Any, path: str) -> Iterator[tuple[object, str, Any, bool]]:
        plan = self._plan(type(value))
        for name, each in (field_values(value) or {}).items() if plan else ():
            if each is None or name not in plan:
                continue
            hint, kind, generated = plan[name]
            if kind is not None:
                yield kind, f"{path}.{name}", each, generated
            else:
                yield from self._positions(each, hint, f"{path}.{name}", generated)

    def _plan(self, cls: Any) -> _Plan:
        """Give hint, kind and whether storages make it, for the fields that may hold a kind."""
        known = self._contract.field_plans.get(cls)
        if known is None:
            hints = {name: _without_none(hint) for name, hint in field_hints(cls).items()}
            known = self._contract.field_plans[cls] = {
                name: (
                    hint,
                    self._contract.kind_of_field(cls, name, hint),
                    self._contract.rules.is_generated(cls, name) is not None,
                )
                for name, hint in hints.items()
                if hint not in _PLAIN or self._contract.kind_of_field(cls, name, hint) is not None
            }
        return known


def _item_hint(hint: Any) -> Any:
    arguments = [each for each in get_args(_without_none(hint)) if each is not Ellipsis]
    return arguments[0] if arguments else Any


def _without_none(hint: Any) -> Any:
    if get_origin(hint) is Union or type(hint).__name__ == "UnionType":
        rest = [each for each in get_args(hint) if each is not type(None)]
        return rest[0] if len(rest) == 1 else hint
    return hint
