"""For authors of components: the canonical form of an entity, by one rule for each field.

    _RULES: Rules = {Note: {"id": canonical_id, "text": text(1000), "at": optional(canonical_time)}}

    def canonical(entity: Entity) -> Entity:
        return by_rules(_RULES, entity)

A rule gives the canonical form of a value, or raises InvalidValue with the name of its field.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import repeat
from typing import Any, TypeAlias, TypeVar

import msgspec

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import (
    MAX_JSON,
    canonical_integer,
    canonical_names,
    canonical_text,
    canonical_time,
)

__all__ = [
    "Rule",
    "Rules",
    "by_rules",
    "canonical_member",
    "canonical_values",
    "integer",
    "member",
    "names",
    "optional",
    "text",
]

Entity = TypeVar("Entity", bound=msgspec.Struct)
Choice = TypeVar("Choice", bound=Enum)
Rule: TypeAlias = Callable[[str, Any], Any]
Rules: TypeAlias = Mapping[type[msgspec.Struct], Mapping[str, Rule]]
"""For each kind of entity, patch or filter: the rules of all its fields."""


def by_rules(rules: Rules, entity: Entity) -> Entity:
    """The entity with every field in its canonical form.

    Raises InvalidValue for the first bad field, in the order of declaration.
    """
    wanted = rules[type(entity)]
    return _replaced(entity, [wanted[name] for name in _fields(type(entity))])


def _replaced(entity: Entity, rules: Iterable[Rule]) -> Entity:
    """The entity itself where the rules give every field's own value: making one takes longer."""
    changed = {}
    for name, rule in zip(_fields(type(entity)), rules):  # noqa: B905 - those of `_kept` never end
        value = getattr(entity, name)
        made = rule(name, value)
        if made is not value:
            changed[name] = made
    return msgspec.structs.replace(entity, **changed) if changed else entity


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    return kind.__struct_fields__


def canonical_values(item: Entity) -> Entity:
    """What a storage made, in the form that every storage can keep, for want of its own rules.

    Raises InvalidValue for the first field that none can keep.
    """
    return _replaced(item, repeat(_kept))


def _kept(field: str, value: Any) -> Any:
    match value:
        case None | bool() | bytes() | Enum():
            return value
        case str():
            return canonical_text(field, value, MAX_JSON)
        case int():
            return canonical_integer(field, value)
        case datetime():
            return canonical_time(field, value)
        case Decimal() if value.is_finite():
            return value
        case msgspec.Struct():
            return canonical_values(value)
        case tuple() | frozenset():
            return type(value)(_kept(field, each) for each in value)
        case _:
            raise InvalidValue(field, f"must not be a {type(value).__name__}")


def text(maximum: int) -> Rule:
    """Text of at most so many characters."""
    return lambda field, value: canonical_text(field, value, maximum)


def integer(low: int, high: int) -> Rule:
    """An integer from `low` to `high`."""
    return lambda field, value: canonical_integer(field, value, low, high)


def optional(rule: Rule) -> Rule:
    """None, or what the rule says."""
    return lambda field, value: None if value is None else rule(field, value)


def names(field: str, value: frozenset[str]) -> frozenset[str]:
    """A rule: a set of names."""
    return frozenset(canonical_names(field, value))


def member(kind: type[Enum]) -> Rule:
    """A member of the enumeration."""
    return lambda field, value: canonical_member(kind, field, value)


def canonical_member(kind: type[Choice], field: str, value: Choice) -> Choice:
    """A member of the enumeration; a mere text is refused."""
    if not isinstance(value, kind):
        raise InvalidValue(field, f"must be a {kind.__name__}")
    return value
