"""What counts as the same: every rule that `difference` states."""

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any, NewType
from zoneinfo import ZoneInfo

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from storeproof import assert_same
from storeproof.harness.compare import Renaming, Rules, difference

from .entities import ENTITIES, FrozenChecked, FrozenPlain, Plain

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Text(str):
    """Compares as what it is not."""


class Level(StrEnum):
    LOW = "low"


BERLIN = ZoneInfo("Europe/Berlin")
TWICE = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
"""It comes twice: at 00:30 and at 01:30 UTC."""


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
        (Decimal("NaN"), Decimal("NaN")),
        ([{"a": (math.nan,)}], [{"a": (math.nan,)}]),
        (0.0, -0.0),
        (Decimal("1E+3"), Decimal(1000)),
        (TWICE, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        (TWICE.replace(fold=1), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
        (datetime.max.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)),
        (time(12, tzinfo=UTC), time(13, tzinfo=timezone(timedelta(hours=1)))),
        ({1: "a", (2, "b"): {3}}, {(2, "b"): {3}, 1: "a"}),
        (Level.LOW, Level.LOW),
        *[(each, each) for each in ENTITIES],
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
        (True, 1, "expected bool True, got int 1"),
        (1.0, 1, "expected float 1.0, got int 1"),
        ("a", Text("a"), "expected str 'a', got Text 'a'"),
        (Level.LOW, "low", "got str 'low'"),
        ([1, [True]], [1, [1]], "[1][0]: expected bool True, got int 1"),
        ({"a": 1}, {"a": True}, "['a']: expected int 1, got bool True"),
        ({1: "a"}, {True: "a"}, "[1]: is missing"),
        ({1}, {1.0}, "lacks [1], has extra [1.0]"),
        ({"a", "b"}, {"a", "c"}, "lacks ['b'], has extra ['c']"),
        (math.nan, 0.0, "expected nan, got 0.0"),
        (Decimal("NaN"), Decimal(1), "expected Decimal('NaN')"),
        (TWICE, TWICE.replace(fold=1), "expected"),
        (NOON, NOON.replace(tzinfo=timezone(timedelta(hours=1))), "expected"),
        (NOON, NOON.replace(tzinfo=None).replace(hour=12), "aware"),
        (time(12), time(12, tzinfo=UTC), "aware"),
        (NOON, date(2026, 3, 1), "expected datetime"),
        (b"a", "a", "expected bytes b'a', got str 'a'"),
        ([1], (1,), "expected list [1], got tuple (1,)"),
        (Plain("a", ["b"]), Plain("a", ["c"]), "tags[0]: expected 'b', got 'c'"),
        (FrozenPlain("a", flag=1), FrozenPlain("a", flag=True), "flag: expected int 1"),
        (FrozenChecked(name="a", more=1), FrozenChecked(name="a"), "more: is set on one side"),
        (Value(number_value=0), Value(null_value=0), "is set on one side only"),
        (Timestamp(nanos=1), Timestamp(nanos=2), "nanos: expected 1, got 2"),
        (
            Struct(fields={"a": Value(number_value=1)}),
            Struct(fields={"a": Value(number_value=2)}),
            "fields['a'].number_value: expected 1.0, got 2.0",
        ),
        ({"k": [Task("a", "x")]}, {"k": [Task("a", "y")]}, "['k'][0].title: expected 'x'"),
        (object(), object(), "object does not compare by value; declare its form with"),
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


class Array:
    """Gives no one answer when it is compared."""

    def __eq__(self, other: object) -> Any:
        raise ValueError("ambiguous")

    __hash__ = None  # type: ignore[assignment]  # as arrays do


class Unspeakable:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_values_that_can_t_be_compared_or_shown_differ_all_the_same() -> None:
    assert difference(Array(), Array()) is not None
    assert "Unspeakable whose repr raised" in str(difference(Unspeakable(), 1))


def test_an_unordered_list_says_what_is_too_much_or_too_little() -> None:
    assert "nothing equals 2" in str(difference([1, 2], [1, 3], unordered=True))
    assert "extra items: [1]" in str(difference((1,), (1, 1), unordered=True))
    assert "expected list" in str(difference([1], (1,), unordered=True))
    assert difference([[1, 2]], [[2, 1]], unordered=True) is not None


TaskId = NewType("TaskId", str)


@dataclass(frozen=True)
class Note:
    id: TaskId
    text: str = ""


@dataclass(frozen=True)
class Comment:
    on: str
    number: int = 0


NAMED = Rules(generated=frozenset({"Note.id", "Task.id", "Page.next_cursor"}))


def same(expected: Any, actual: Any, renaming: Renaming, **options: Any) -> bool:
    return difference(expected, actual, rules=NAMED, renaming=renaming, **options) is None


def test_a_failed_match_leaves_no_trace_in_the_renaming() -> None:
    renaming = Renaming()
    model = [Note(TaskId("m1"), "a"), Note(TaskId("m2"), "b")]
    storage = [Note(TaskId("c2"), "b"), Note(TaskId("c1"), "a")]

    assert same(model, storage, renaming, unordered=True)
    assert same("m1", "c1", renaming)
    assert not same("m1", "c2", renaming)


def test_a_name_stands_for_another_wherever_it_turns_up() -> None:
    renaming = Renaming()
    assert same(Note(TaskId("m")), Note(TaskId("c")), renaming)

    assert same(Comment("m", 1), Comment("c", 1), renaming)
    assert same({"m", "x"}, {"x", "c"}, renaming)
    assert same({"m": 1}, {"c": 1}, renaming)
    assert same({"id": "m"}, {"id": "c"}, renaming)
    assert not same({"m": 1}, {"d": 1}, renaming)
    assert not same({"m"}, {"m", "c"}, renaming)
    assert not same(Comment("m"), Comment("d"), renaming)
    assert not same(Comment("x"), Comment("c"), renaming)


def test_numbers_that_were_made_do_not_stand_for_what_only_equals_them() -> None:
    renaming = Renaming()
    assert same(1, 7, renaming, made="Note.id")

    assert same(1, 7, renaming)
    assert not same(True, 7, renaming)
    assert not same(1.0, 7.0, renaming)


def test_names_of_one_new_type_are_of_one_kind() -> None:
    renaming = Renaming()
    assert same("m", "c", renaming, made=TaskId)

    assert same(Note(TaskId("m")), Note(TaskId("c")), renaming)
    assert not same(Note(TaskId("m")), Note(TaskId("d")), renaming)


def test_names_of_two_kinds_may_be_alike() -> None:
    renaming = Renaming()
    assert same(Task("1"), Task("1"), renaming)

    assert same(Note(TaskId("1")), Note(TaskId("2")), renaming)


def test_what_storages_make_is_of_one_type_and_as_aware() -> None:
    renaming = Renaming()

    assert not same("1", 1, renaming, made="Task.id")
    assert not same(None, "1", renaming, made="Task.id")
    assert same(None, None, renaming, made="Task.id")
    assert not same(NOON, NOON.replace(tzinfo=None), renaming, made="Task.made_at")
    assert "naive" in str(
        difference(
            Task("a", made_at=NOON), Task("a", made_at=NOON.replace(tzinfo=None)), rules=GENERATED
        )
    )


@pytest.mark.parametrize(
    ("one", "other"), [(1.5, 2.5), (Timestamp(nanos=1), Timestamp()), (date.min, date.max)]
)
def test_times_of_every_kind_may_fall_together(one: Any, other: Any) -> None:
    renaming = Renaming()

    assert same(one, other, renaming, made="Task.made_at")
    assert same(one, one, renaming, made="Task.made_at")
    assert same(other, one, renaming, made="Task.made_at")


def test_lists_of_names_are_renamed_item_by_item() -> None:
    renaming = Renaming()

    assert same(["m1", "m2"], ["c1", "c2"], renaming, made="ids.return")
    assert same(["m2"], ["c2"], renaming, made="ids.return")
    assert not same(["m2"], ["c1"], renaming, made="ids.return")
    assert not same(["m3", "m4"], ["c3"], renaming, made="ids.return")


def test_names_need_not_be_hashable() -> None:
    renaming = Renaming()
    one, other = Value(string_value="m"), Value(string_value="c")

    assert same(one, other, renaming, made="Task.id")
    assert not same(one, Value(string_value="d"), renaming, made="Task.id")


@dataclass(frozen=True)
class Page:
    items: tuple[int, ...]
    next_cursor: str | None = None


def test_of_cursors_only_the_presence_is_compared() -> None:
    rules = Rules(NAMED.generated, cursors=frozenset({"Page.next_cursor"}))
    renaming = Renaming()

    def alike(one: Page, other: Page) -> bool:
        return difference(one, other, rules=rules, renaming=renaming) is None

    assert alike(Page((1,), "m"), Page((1,), "c"))
    assert alike(Page((1,), "m"), Page((1,), "d"))
    assert not alike(Page((1,), "m"), Page((1,)))
    assert not alike(Page((1,)), Page((1,), "c"))
    assert not alike(Page((1,), "m"), Page((2,), "c"))


def test_a_canonical_form_holds_for_derived_classes_and_is_compared_exactly() -> None:
    class Money:
        def __init__(self, amount: Any) -> None:
            self.amount = amount

    class Euros(Money):
        pass

    rules = Rules(canonical={Money: lambda each: each.amount})

    assert difference([Euros(1)], [Euros(1)], rules=rules) is None
    assert difference(Euros(1), Euros(True), rules=rules) is not None
    assert difference(Euros(1), Money(1), rules=rules) is not None


def test_assert_same_says_where() -> None:
    assert_same([2, 1], [1, 2], unordered=True)
    with pytest.raises(AssertionError, match=r"\[0\]: expected 1, got 2"):
        assert_same([2, 1], [1, 2])
