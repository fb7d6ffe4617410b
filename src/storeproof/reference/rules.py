"""For authors of components: the canonical form of an entity, by one rule for each field.

    _RULES: Rules = {Note: {"id": canonical_id, "text": text(1000), "at": optional(canonical_time)}}

    def canonical(entity: Entity) -> Entity:
        return by_rules(_RULES, entity)

A rule gives the canonical form of a value, or raises InvalidValue with the name of its field.
`all_kept` tells of many entities at once whether there is anything to do.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from itertools import repeat
from operator import attrgetter, is_
from typing import Any, Final, TypeAlias, TypeVar

import msgspec

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.values import (
    EARLIEST,
    LATEST,
    MAX_EMAIL,
    MAX_ID,
    MAX_JSON,
    MAX_NAME,
    canonical_email,
    canonical_flag,
    canonical_id,
    canonical_integer,
    canonical_name,
    canonical_names,
    canonical_text,
    canonical_time,
)

__all__ = [
    "Rule",
    "Rules",
    "all_kept",
    "by_rules",
    "canonical_member",
    "canonical_values",
    "identifier",
    "integer",
    "keeps",
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
_Keeps: TypeAlias = Callable[[Sequence[Any]], bool]
"""Whether a rule is known to give these values themselves; False says nothing."""


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
    return _quickly(
        lambda field, value: canonical_text(field, value, maximum),
        lambda values: _are_texts(values, 0, maximum),
    )


def identifier(maximum: int) -> Rule:
    """Text of one to so many characters."""
    return _quickly(
        lambda field, value: canonical_id(field, value, maximum),
        lambda values: _are_texts(values, 1, maximum),
    )


def integer(low: int, high: int) -> Rule:
    """An integer from `low` to `high`."""
    return _quickly(
        lambda field, value: canonical_integer(field, value, low, high),
        lambda values: _are(int, values) and low <= min(values) and max(values) <= high,
    )


def optional(rule: Rule) -> Rule:
    """None, or what the rule says."""
    return _quickly(
        lambda field, value: None if value is None else rule(field, value),
        lambda values: keeps(rule, [value for value in values if value is not None]),
    )


def names(field: str, value: frozenset[str]) -> frozenset[str]:
    """A rule: a set of names."""
    canonical_names(field, value)
    return frozenset(value)  # which is itself, unless it is of a subclass


def member(kind: type[Enum]) -> Rule:
    """A member of the enumeration."""
    return _quickly(
        lambda field, value: canonical_member(kind, field, value),
        lambda values: _are(kind, values),
    )


def canonical_member(kind: type[Choice], field: str, value: Choice) -> Choice:
    """A member of the enumeration; a mere text is refused."""
    if not isinstance(value, kind):
        raise InvalidValue(field, f"must be a {kind.__name__}")
    return value


def keeps(rule: Rule, values: Sequence[Any]) -> bool:
    """Whether the rule gives every one of these values itself."""
    quick = _QUICK.get(rule)
    if not values or (quick is not None and quick(values)):
        return True
    try:
        return all(rule("", value) is value for value in values)
    except InvalidValue:
        return False


def all_kept(rules: Mapping[str, Rule], entities: Sequence[msgspec.Struct]) -> bool:
    """Whether the rules give every field's own value, in each of these entities."""
    return all(keeps(rule, list(map(attrgetter(name), entities))) for name, rule in rules.items())


def _quickly(rule: Rule, quick: _Keeps) -> Rule:
    _QUICK[rule] = quick
    return rule


def _are(kind: type, values: Sequence[Any]) -> bool:
    return set(map(type, values)) == {kind}


def _are_texts(values: Sequence[Any], shortest: int, longest: int) -> bool:
    if not _are(str, values):
        return False
    lengths, joined = set(map(len, values)), "".join(values)
    fit = shortest <= min(lengths) and max(lengths) <= longest
    return fit and "\0" not in joined and (joined.isascii() or _can_be_encoded(joined))


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _are_times(values: Sequence[Any]) -> bool:
    return (
        _are(datetime, values)
        and all(map(is_, map(attrgetter("tzinfo"), values), repeat(UTC)))
        and min(values) >= EARLIEST
        and max(values) <= LATEST
    )


_PLAIN_EMAILS: Final = re.compile(r"(?:[!-?A-~]+@[!-?A-~]+\n)+").fullmatch


def _are_plain_emails(values: Sequence[Any]) -> bool:
    return _are_texts(values, 1, MAX_EMAIL) and bool(_PLAIN_EMAILS("\n".join([*values, ""])))


_QUICK: Final[dict[Rule, _Keeps]] = {
    canonical_id: lambda values: _are_texts(values, 1, MAX_ID),
    canonical_name: lambda values: _are_texts(values, 1, MAX_NAME),
    canonical_flag: lambda values: _are(bool, values),
    canonical_time: _are_times,
    canonical_email: _are_plain_emails,
}
