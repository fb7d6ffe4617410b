"""Programs grow by copies of their calls, whose values are made different here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.structure import bare_hint, build, field_hints, field_values
from storeproof.harness.templates import Build, Reference

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract
    from storeproof.harness.running import Outcome

__all__ = ["Varying", "Way", "copied_alone", "different_value"]


@dataclass(frozen=True)
class Way:
    """What is other in a copy of a call."""

    ids: bool = False
    """The ids that the call brought, and whatever else has a kind."""
    others: bool = False
    """What has no kind."""
    numbers: bool = False
    """Numbers and times that were there before, such as a version that counts up."""


class Varying:
    """Copies calls with other values; the ids of what is there already stay."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._pools: list[tuple[Call, Pools]] = []
        self.known = Pools(contract)
        """What calls brought so far that were learned."""

    def learn(self, call: Call, number: int, outcome: Outcome) -> None:
        """Remember a call, and what was known before it."""
        self._pools.append((call, self.known.fork()))
        self.known.add_call(call, number, outcome)

    def copied(self, call: Call, nth: int, way: Way) -> Call | None:
        """Give the nth copy of a call; None where a class refuses its values."""
        known = next((pools for each, pools in self._pools if each is call), self.known)
        copier = _Variation(self._contract, known, nth, way)
        try:
            return replace(call, arguments=copier.arguments(call))
        except Exception:  # constructors of entities raise what they like
            return None


def copied_alone(contract: Contract, call: Call, nth: int, way: Way) -> Call:
    """Give the nth copy of a call, as if nothing was known before it.

    So all calls of a program are copied alike: an id that two of them have is one in the copies.
    """
    arguments = _Variation(contract, Pools(contract), nth, way).arguments(call)
    return replace(call, arguments=arguments)


class Copier:
    """Copies the arguments of a call; a subclass says what becomes of a scalar of some kind."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract

    def scalar(self, value: Any, kind: object | None) -> Any:
        """Give the value that stands in the copy."""
        raise NotImplementedError

    def arguments(self, call: Call) -> Mapping[str, Any]:
        """Give the arguments of the copy. Constructors of entities raise what they like."""
        hints = {
            each.name: each.hint for each in self.contract.operations[call.operation].parameters
        }
        return {
            name: self._value(
                value,
                hints[name],
                self.contract.kind_of_parameter(call.operation, name, hints[name]),
            )
            for name, value in call.arguments.items()
        }

    def _value(self, value: Any, hint: Any, kind: object | None) -> Any:
        if isinstance(value, Reference):
            return value
        if isinstance(value, Build):
            return Build(value.cls, self._fields(value.cls, value.fields))
        fields = field_values(value)
        if fields is not None:
            return build(type(value), self._fields(type(value), fields))
        inner = ([each for each in get_args(bare_hint(hint)) if each is not Ellipsis] or [Any])[-1]
        if isinstance(value, Mapping):
            return {key: self._value(each, inner, kind) for key, each in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return type(value)(self._value(each, inner, kind) for each in value)
        return self.scalar(value, kind or _kind(inner))

    def _fields(self, cls: type, fields: Mapping[str, Any]) -> dict[str, Any]:
        hints = field_hints(cls)
        return {
            name: self._value(
                each, hints.get(name, Any), self.contract.kind_of_field(cls, name, hints.get(name))
            )
            for name, each in fields.items()
        }


class _Variation(Copier):
    def __init__(self, contract: Contract, known: Pools, nth: int, way: Way) -> None:
        super().__init__(contract)
        self._known, self._nth, self._way = known, nth, way

    def scalar(self, value: Any, kind: object | None) -> Any:
        if kind is None:
            varied = self._way.others
        elif value in self._known.of(kind):
            varied = self._way.numbers and isinstance(value, int | float | Decimal | date)
        else:
            varied = self._way.ids
        return different_value(value, self._nth) if varied else value


def _kind(hint: Any) -> object | None:
    bare = bare_hint(hint)
    return bare if hasattr(bare, "__supertype__") else None


def different_value(value: Any, nth: int) -> Any:
    """Give the nth other value of the same type and, for texts, of nearly the same form.

    The end of a text becomes a number of base 16, so that digests and UUIDs stay what they are.
    """
    match value:
        case bool() | Enum():
            return value
        case str():
            return _text(value, nth)
        case bytes():
            return value[:-1] + bytes([nth % 256])
        case int() | float() | Decimal():
            return value + nth
        case datetime():
            return value + timedelta(hours=nth)
        case date():
            return value + timedelta(days=nth)
        case UUID():
            return UUID(int=value.int ^ nth)
    return value


def _text(value: str, nth: int) -> str:
    code = f"{nth:02x}"
    return value[: -len(code)] + code if len(value) > len(code) else value + code
