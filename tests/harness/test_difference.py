"""What counts as the same: every rule that `difference` states."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from storeproof.harness.compare import Renaming, Rules, difference

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Task:
    id: str
    title: str = ""
    made_at: datetime | None = None


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (1, 1),
        (math.nan, math.nan),
        (Decimal("1.0"), Decimal("1.00")),
        (NOON, NOON.astimezone(timezone(timedelta(hours=-8)))),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ([Task("a")], [Task("a")]),
        (frozenset("ab"), frozenset("ba")),
    ],
)
def test_these_are_the_same(expected: Any, actual: Any) -> None:
    assert difference(expected, actual) is None


@pytest.mark.parametrize(
    ("expected", "actual", "told"),
    [
        (1, True, "expected int 1, got bool True"),
        (1, 1.0, "expected int 1, got float 1.0"),
        (None, "", "expected None, got str ''"),
        ("á", "a\u0301", r"expected '\xe1', got 'a\u0301'"),
        ("a", "A", "expected 'a', got 'A'"),
        ((1,), [1], "expected tuple (1,), got list [1]"),
        ([1, 2], [2, 1], "[0]: expected 1, got 2"),
        ([1], [1, 2], "expected 1 items, got 2"),
        ({"a": 1}, {}, "['a']: is missing"),
        ({}, {"a": 1}, "['a']: is extra: 1"),
        ({"a": [1]}, {"a": [2]}, "['a'][0]: expected 1, got 2"),
        (NOON, NOON + timedelta(microseconds=1), "expected"),
        (NOON, NOON.replace(tzinfo=None), "one time is aware, the other is naive"),
        (Task("a", "x"), Task("a", "y"), "title: expected 'x', got 'y'"),
        ([Task("a", made_at=NOON)], [Task("a")], "[0].made_at"),
        (0.1 + 0.2, 0.3, "expected 0.30000000000000004, got 0.3"),
    ],
)
def test_these_differ_and_are_told_apart(expected: Any, actual: Any, told: str) -> None:
    found = difference(expected, actual)

    assert found is not None
    assert told in str(found)


def test_an_unordered_list_is_compared_as_a_multiset() -> None:
    assert difference([1, 2, 1], [1, 1, 2], unordered=True) is None
    assert difference([1, 2, 1], [1, 2, 2], unordered=True) is not None
    assert difference([1], [1, 1], unordered=True) is not None


GENERATED = Rules(generated=frozenset({"Task.id", "Task.made_at"}))


def test_what_a_storage_makes_stands_for_what_the_model_made() -> None:
    renaming = Renaming()

    assert difference(Task("m1"), Task("c1"), rules=GENERATED, renaming=renaming) is None
    assert difference(Task("m2"), Task("c2"), rules=GENERATED, renaming=renaming) is None
    assert difference(Task("m1"), Task("c1"), rules=GENERATED, renaming=renaming) is None


@pytest.mark.parametrize(("model", "storage"), [("m1", "c2"), ("m2", "c1")])
def test_the_renaming_is_one_to_one(model: str, storage: str) -> None:
    renaming = Renaming()
    difference(Task("m1"), Task("c1"), rules=GENERATED, renaming=renaming)

    assert difference(Task(model), Task(storage), rules=GENERATED, renaming=renaming) is not None


def test_times_that_storages_make_need_only_be_there() -> None:
    later = Task("c", made_at=NOON + timedelta(seconds=1))

    assert difference(Task("m", made_at=NOON), later, rules=GENERATED) is None
    assert difference(Task("m", made_at=NOON), Task("c"), rules=GENERATED) is not None


def test_a_declared_canonical_form_is_compared_in_place_of_the_value() -> None:
    class Opaque:
        def __init__(self, value: int) -> None:
            self.value = value

    rules = Rules(canonical={Opaque: lambda each: each.value})

    assert difference(Opaque(1), Opaque(1), rules=rules) is None
    assert difference(Opaque(1), Opaque(2), rules=rules) is not None
