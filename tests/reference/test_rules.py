"""Entities by rules: every field in its canonical form, or the first bad one named."""

from enum import StrEnum
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import Rules, by_rules, integer, member, names, optional, text
from storeproof.reference.values import canonical_name


class Colour(StrEnum):
    RED = "red"


class Note(msgspec.Struct, frozen=True, kw_only=True):
    colour: Colour = Colour.RED
    number: int = 1
    title: str | None = None
    tags: frozenset[str] = frozenset()


RULES: Rules = {
    Note: {
        "tags": names,
        "title": optional(text(3)),
        "number": integer(0, 9),
        "colour": member(Colour),
    }
}


def shout(_field: str, value: str) -> str:
    return value.upper()


def test_fields_become_canonical() -> None:
    rules = {Note: {**RULES[Note], "title": optional(shout)}}
    note = Note(title="new", tags=frozenset({"a", "b"}))
    assert by_rules(rules, note) == replace(note, title="NEW")
    assert by_rules(rules, Note()) == Note()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"colour": None}, "colour"),
        ({"number": 10}, "number"),
        ({"number": -1}, "number"),
        ({"number": True}, "number"),
        ({"title": "long"}, "title"),
        ({"title": 1}, "title"),
        ({"tags": {"a"}}, "tags"),
        ({"tags": frozenset({""})}, "tags"),
        ({"tags": None, "title": "long", "number": 10}, "number"),
        ({"tags": None, "title": "long"}, "title"),
    ],
)
def test_the_first_bad_field_in_the_order_of_declaration(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        by_rules(RULES, replace(Note(), **changes))
    assert caught.value.field == field


def test_optional_leaves_other_values_to_its_rule() -> None:
    with pytest.raises(InvalidValue):
        optional(canonical_name)("title", "")
