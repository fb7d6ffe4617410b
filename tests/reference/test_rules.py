"""Entities by rules: every field in its canonical form, or the first bad one named."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import (
    Rule,
    Rules,
    all_kept,
    by_rules,
    identifier,
    integer,
    keeps,
    member,
    names,
    optional,
    text,
)
from storeproof.reference.values import (
    EARLIEST,
    LATEST,
    canonical_email,
    canonical_flag,
    canonical_id,
    canonical_name,
    canonical_time,
)


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


KEPT: list[tuple[Rule, list[Any]]] = [
    (canonical_id, ["a", "x" * 255, "\u00e9"]),
    (canonical_name, ["a", "x" * 128]),
    (canonical_flag, [True, False]),
    (canonical_time, [EARLIEST, LATEST, datetime(2020, 1, 1, tzinfo=UTC)]),
    (canonical_email, ["a@b", "Ann+x@Example.org", "\u00e9@x.org"]),
    (text(3), ["", "abc", "\U0001f600"]),
    (identifier(3), ["a", "abc"]),
    (integer(-1, 9), [-1, 9, 0]),
    (member(Colour), [Colour.RED]),
    (optional(text(3)), [None, "abc"]),
    (optional(integer(0, 9)), [None, None]),
]
CHANGED: list[tuple[Rule, list[Any]]] = [
    (canonical_id, ["", "x" * 256, "a\0", "\ud800", 1, None]),
    (canonical_name, ["x" * 129, ""]),
    (canonical_flag, [1, None, "true"]),
    (
        canonical_time,
        [
            datetime(2020, 1, 1),  # noqa: DTZ001 - a naive one must be refused
            datetime(2020, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            datetime(1, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, tzinfo=UTC),
            "2020-01-01",
        ],
    ),
    (canonical_email, ["a b@c", "a@", "@b", "a@b@c", "a\0@b", "a@" + "b" * 319, "a\u00a0@b", 1]),
    (text(3), ["abcd", "\0", "\udfff", None, b"a"]),
    (identifier(3), ["", "abcd"]),
    (integer(-1, 9), [-2, 10, True, 1.0, None]),
    (member(Colour), ["red", None]),
    (optional(text(3)), ["abcd", 1]),
    (shout, ["a"]),
]


@pytest.mark.parametrize(("rule", "values"), KEPT)
def test_values_that_a_rule_keeps_are_kept_together(rule: Rule, values: list[Any]) -> None:
    assert all(rule("", value) is value for value in values)
    assert keeps(rule, values)
    assert keeps(rule, [])


@pytest.mark.parametrize(
    ("rule", "kept", "changed"),
    [(rule, dict(KEPT).get(rule, []), each) for rule, values in CHANGED for each in values],
)
def test_one_value_that_a_rule_changes_or_refuses_is_not_overlooked(
    rule: Rule, kept: list[Any], changed: Any
) -> None:
    assert not keeps(rule, [*kept, changed])
    assert not keeps(rule, [changed, *kept])


def test_all_fields_of_all_entities_are_asked() -> None:
    rules = {name: rule for name, rule in RULES[Note].items() if name != "tags"}
    assert all_kept(rules, [Note(), replace(Note(), title="abc")])
    for changes in ({"title": "long"}, {"number": 10}, {"colour": "red"}):
        assert not all_kept(rules, [Note(), replace(Note(), **changes), Note()])
