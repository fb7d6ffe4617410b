"""Values survive being saved as JSON and being printed as Python; damaged programs say so."""

import copy
import json
import math
import threading
from collections import OrderedDict, defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from storeproof import Contract
from storeproof.harness.compare import difference
from storeproof.harness.copying import is_immutable, isolated, scribble
from storeproof.harness.encoding import decode, encode
from storeproof.harness.exceptions import ReplayError
from storeproof.harness.program import Call, Program, Walk, load_program
from storeproof.harness.source import Source
from storeproof.harness.templates import Build, Reference, references_in, resolve

from . import entities
from .entities import (
    ENTITIES,
    Attributed,
    Box,
    Checked,
    Colour,
    FrozenAttributed,
    FrozenChecked,
    FrozenPacked,
    FrozenPlain,
    Packed,
    Plain,
    Point,
    Rights,
)
from .toys import Note, NoteId, notes

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.uuids()
    | st.datetimes(timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-8))]))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.sampled_from(ENTITIES)
)
KEYS = st.text() | st.integers() | st.sampled_from(["$ref", "$entity", "$", ("a", 1), None, True])
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(KEYS, inner)
        | st.sets(KEYS)
        | st.frozensets(KEYS)
        | st.builds(Plain, st.text(), st.lists(st.text()))
        | st.builds(FrozenPlain, st.text(), st.floats())
        | st.builds(FrozenAttributed, inner)
    ),
    max_leaves=6,
)


def evaluated(value: Any) -> Any:
    """Print a value as Python, and evaluate what was printed."""
    source = Source()
    expression = source.expression(value)
    names: dict[str, Any] = {}
    exec("\n".join(source.import_lines()), names)  # noqa: S102 - that is what is tested
    return eval(expression, names)  # noqa: S307 - likewise


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_a_value_survives_json(value: Any) -> None:
    again = decode(json.loads(json.dumps(encode(value))))

    assert difference(value, again) is None


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_a_value_survives_being_printed(value: Any) -> None:
    assert difference(value, evaluated(value)) is None


class Words(str):
    """A text of its own class."""


class Many(list[Any]):
    """A list of its own class."""


LIKELY_TROUBLE: list[Any] = [
    math.inf,
    -math.inf,
    math.nan,
    -0.0,
    10**5000,
    -(10**5000),
    2**70,
    Decimal("NaN"),
    Decimal("-Infinity"),
    Decimal("0E+3"),
    "",
    "\x00",
    "\ud800",
    "\ud83d\ude00",
    "\u2028\x85\r\n",
    {"\ud800": 1},
    {"$ref": [0, ".id"]},
    {1: {None: {(1, "a"): b"\x00"}}},
    {"a": {Decimal("1.0")}},
    frozenset({1, "a", (frozenset(),)}),
    (),
    ((1,),),
    time(1, 2, 3, 4),
    time(23, tzinfo=timezone(timedelta(hours=-3, minutes=-30))),
    date(1, 1, 1),
    datetime.max.replace(tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=timezone(timedelta(seconds=1))),
    datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
    timedelta(days=-1, microseconds=1),
    UUID(int=1),
    Rights.READ | Rights.WRITE,
    Colour.BLUE,
    FrozenPlain.Inner(1),
    FrozenPlain("a", flag=True),
    FrozenPlain("a", -0.0),
    FrozenChecked(name="a", more=[1]),
    *ENTITIES,
]


@pytest.mark.parametrize("value", LIKELY_TROUBLE, ids=lambda each: f"{type(each).__name__}")
def test_likely_trouble_survives(value: Any) -> None:
    saved = json.loads(json.dumps(encode(value), ensure_ascii=False).encode())

    assert difference(value, decode(saved)) is None
    assert difference(value, evaluated(value)) is None


def test_what_survives_keeps_what_equality_does_not_see() -> None:
    for again in (decode(encode(-0.0)), evaluated(-0.0), evaluated(FrozenPlain("a", -0.0)).ratio):
        assert math.copysign(1, again) == -1
    moment = datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=2)))
    for moved in (decode(encode(moment)), evaluated(moment)):
        assert moved.utcoffset() == timedelta(hours=2)
    zoned = moment.astimezone(ZoneInfo("Europe/Berlin"))
    assert decode(encode(zoned)).tzinfo == evaluated(zoned).tzinfo == ZoneInfo("Europe/Berlin")
    assert str(evaluated(Decimal("1.00"))) == str(decode(encode(Decimal("1.00")))) == "1.00"


@pytest.mark.parametrize(
    "value",
    [
        Words("a"),
        Many([1, Point(1)]),
        OrderedDict(a=1),
        defaultdict(list, a=[1]),
        deque([1, 2]),
        Fraction(1, 3),
        PurePosixPath("/a"),
        MappingProxyType({"a": Colour.RED}),
        bytearray(b"a"),
        range(3),
        1j,
        msgspec.UNSET,
    ],
    ids=repr,
)
def test_these_survive_being_printed(value: Any) -> None:
    again = evaluated(value)

    assert again == value
    assert type(again) is type(value)


@dataclass
class Point2:
    """Its name is what `Point` is printed as where that is taken."""


def test_two_classes_of_one_name_are_told_apart() -> None:
    other = type("Point", (), {"__module__": "elsewhere", "__qualname__": "Point"})
    source = Source()

    assert source.name_of(Point) == "Point"
    assert source.name_of(other) == "Point2"
    assert source.name_of(Point2) == "Point22"
    assert source.import_lines() == [
        "from elsewhere import Point as Point2",
        f"from {entities.__name__} import Point",
        f"from {__name__} import Point2 as Point22",
    ]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Attributed("s"), 'Attributed(secret="s")'),
        (Attributed("s", another=2), 'Attributed(secret="s", another=2)'),
        (Plain("a"), 'Plain(id="a")'),
        (Checked(id=1, **{"odd-name": "x"}), "Checked(id=1, **{'odd-name': \"x\"})"),
        (FrozenChecked(name="a"), 'FrozenChecked(name="a")'),
        (Box[int](item=1), "Box[int](item=1)"),
        (
            Packed(at=datetime(2026, 1, 1, tzinfo=UTC)),
            "Packed(at=datetime(2026, 1, 1, 0, 0, tzinfo=UTC))",
        ),
        ([Reference(0, ".id"), {1}], "[r1.id, {1}]"),
        (Build(Plain, {"id": Reference(1, "")}), "Plain(id=r2)"),
    ],
)
def test_an_entity_is_printed_as_somebody_would_write_it(value: Any, printed: str) -> None:
    assert Source().expression(value) == printed


def test_what_belongs_to_a_function_is_not_imported() -> None:
    class Local:
        def __repr__(self) -> str:
            return "Local()"

    source = Source()

    assert source.expression(Local()) == "Local()"
    assert source.import_lines() == []


class Outer:
    class Inner(msgspec.Struct):
        x: int = 0


def test_a_nested_class_survives_json() -> None:
    assert decode(encode([Outer.Inner(1)])) == [Outer.Inner(1)]


def local_entity() -> Any:
    @dataclass
    class Local:
        id: str = "a"

    return Local()


@pytest.mark.parametrize(
    "value", [object(), Words("a"), Many(), local_entity(), {"a": [1j]}, OrderedDict()]
)
def test_what_has_no_json_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize(
    "data",
    [
        {"$entity": "os:environ", "fields": {}},
        {"$entity": "nowhere:Thing", "fields": {}},
        {"$entity": f"{entities.__name__}:Point", "fields": {"z": 1}},
        {"$entity": f"{entities.__name__}:Point", "fields": [1]},
        {"$entity": f"{entities.__name__}:Point"},
        {"$entity": 1, "fields": {}},
        {"$entity": f"{entities.__name__}:Checked", "fields": {"id": -1}},
        {"$enum": f"{entities.__name__}:Colour", "name": "GREEN"},
        {"$enum": f"{entities.__name__}:Point", "name": "x"},
        {"$decimal": "many"},
        {"$decimal": [9]},
        {"$timedelta": [10**30]},
        {"$datetime": 1},
        {"$bytes": "*"},
        {"$set": [[]]},
        {"$tuple": "ab"},
        {"$dict": [[[], 1]]},
        {"$dict": 1},
        {"$float": "x"},
        {"$int": "x"},
        {"$ref": [-1, ""]},
        {"$ref": [0, "; import os"]},
        {"$ref": [True, ""]},
        {"$ref": 1},
        {"$zoned": ["2026-01-01", "Nowhere/City", 0]},
        {"$what": 1},
        [{"a": {"$what": 1}}],
    ],
    ids=str,
)
def test_what_encode_never_writes_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"^\$"):
        decode(data)


MUTABLE: list[Any] = [
    ["a"],
    {"a": [1]},
    {1},
    bytearray(b"a"),
    deque([1]),
    (["a"],),
    Plain("a", ["b"]),
    Packed(at=datetime(2026, 1, 1, tzinfo=UTC)),
    Attributed("s"),
    Checked(id=1),
    Point([1]),  # type: ignore[arg-type]  # it holds a list
    FrozenPlain(["a"]),  # type: ignore[arg-type]  # likewise
    FrozenAttributed([1]),  # type: ignore[arg-type]  # likewise
    FrozenPacked([1]),  # type: ignore[arg-type]  # likewise
    Timestamp(seconds=1),
    Struct(fields={"a": Value(number_value=1)}),
]


@dataclass
class Count:
    number: int = 1
    ratio: float = 1.0
    flag: bool = False
    nothing: None = None
    at: date = date.max
    inner: tuple[Any, ...] = ()


MUTABLE += [Count(), Count(inner=([1],))]


@pytest.mark.parametrize("value", MUTABLE, ids=repr)
def test_scribbling_changes_every_mutable_value_and_no_copy(value: Any) -> None:
    value = copy.deepcopy(value)
    before, kept = copy.deepcopy(value), isolated(value)
    scribble(value)

    assert not is_immutable(before)
    assert value != before
    assert kept == before


def test_scribbling_reaches_every_field() -> None:
    count = Count(inner=([1],))
    inner = count.inner[0]
    scribble(count)

    assert difference(count, Count()) is not None
    assert inner != [1]
    assert [getattr(count, each) for each in ("number", "ratio", "flag")] == [2, 2.0, True]


@pytest.mark.parametrize(
    "value",
    [
        *(1, "a", ("a", 1), frozenset({(1,)}), Colour.RED, None, Decimal(1)),
        *(
            Point(1),
            FrozenPlain("a"),
            FrozenPacked("a"),
            FrozenAttributed(),
            FrozenChecked(name="x"),
        ),
    ],
    ids=repr,
)
def test_what_can_t_be_changed_is_shared(value: Any) -> None:
    assert is_immutable(value)
    assert isolated(value) is value
    scribble(value)


def test_read_only_mappings_are_copied_too() -> None:
    inner = [1]
    value = {"a": MappingProxyType({"b": inner})}
    kept = isolated(value)
    inner.append(2)

    assert kept == {"a": {"b": [1]}}
    assert type(kept["a"]) is MappingProxyType
    scribble(value["a"])
    assert inner != [1, 2]


def test_what_can_t_be_copied_is_given_as_it_is() -> None:
    lock = threading.Lock()

    assert isolated(lock) is lock


class Numbers:
    async def add(self, number: int) -> Point:
        return Point(number)

    async def get(self, number: int) -> int:
        return number


CONTRACT = Contract(Numbers, model=Numbers)
PROGRAM = Program((Call("add", {"number": 1}), Call("get", {"number": Reference(0, ".x")})))


def test_a_program_survives_json() -> None:
    assert Program.from_json(CONTRACT, json.loads(json.dumps(PROGRAM.to_json()))) == PROGRAM


def test_a_step_that_others_refer_to_is_not_taken_out_alone() -> None:
    assert PROGRAM.without(0) is None
    assert PROGRAM.without(1) == Program((Call("add", {"number": 1}),))


REFERENCES = [
    Reference(0, ".id"),
    [Reference(0, "")],
    {Reference(0, ""), "a"},
    frozenset({Reference(0, "")}),
    (1, Reference(0, "['a'][0].b")),
    {Reference(0, ""): [Reference(0, "[1]")]},
    Build(Plain, {"id": Reference(0, ""), "tags": [Build(Point, {"x": Reference(0, "")})]}),
]


@pytest.mark.parametrize("template", REFERENCES, ids=str)
def test_references_are_found_saved_and_renumbered_wherever_they_stand(template: Any) -> None:
    walk = Walk("get", {"number": 1}, 2, (Call("get", {"number": template}),))
    steps = (Call("add", {"number": 1}), Call("add", {"number": 2}), Call("get", {"number": 3}))
    program = Program((*steps, Call("get", {"number": moved(template)}), walk))

    assert references_in(template)
    assert json.loads(json.dumps(encode(template))) == encode(template)
    assert decode(encode(template)) == template
    assert program.without(0) is None
    assert program.without(1) is None
    shorter = program.without(2)
    assert shorter is not None
    assert shorter.steps[2:] == (Call("get", {"number": moved(template)}), walk)


def moved(template: Any) -> Any:
    """Refer to the second call instead."""
    from storeproof.harness.templates import rewritten

    return rewritten(template, lambda x: Reference(1, x.path) if isinstance(x, Reference) else x)


def test_taking_out_a_step_renumbers_what_comes_after_it() -> None:
    steps = (Call("add", {"number": 1}), Call("add"), Call("get", {"number": Reference(1, ".x")}))

    assert Program(steps).without(0) == Program(
        (Call("add"), Call("get", {"number": Reference(0, ".x")}))
    )


def test_references_are_looked_up_in_earlier_results() -> None:
    result = {"a": [Point(1, 2)]}

    assert resolve({"x": {Reference(0, "['a'][0].y")}}, [result]) == {"x": {2}}
    assert resolve(Build(Point, {"x": Reference(0, "['a'][0].x")}), [result]) == Point(1)
    with pytest.raises(LookupError):
        resolve(Reference(0, "['b']"), [result])
    with pytest.raises(AttributeError):
        resolve(Reference(0, ".b"), [result])


WALKING = Program(
    (
        Call("create", {"note": Note(NoteId("a"), at=datetime(2026, 1, 1, tzinfo=UTC))}),
        Call("rename", {"id": Reference(0, ".id"), "title": "é"}),
        Call("create", {"note": Build(Note, {"id": Reference(0, ".id"), "parts": (1,)})}),
        Walk("list_notes", {}, 2, (Call("delete", {"id": Reference(1, ".id")}), Call("count"))),
    ),
    scribbling=True,
)


def test_a_program_of_every_part_survives_json() -> None:
    assert Program.from_json(notes, json.loads(json.dumps(WALKING.to_json()))) == WALKING


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([], "no steps"),
        ([{"call": {"operation": "gte", "arguments": {}}}], "no operation 'gte'"),
        ([{"call": {"operation": [], "arguments": {}}}], "no operation"),
        ([{"call": {"operation": "get", "arguments": {}}}], "get needs 'id'"),
        ([{"call": {"operation": "count", "arguments": {"x": 1}}}], "no parameter 'x'"),
        ([{"call": {"operation": "get", "arguments": {"id": {"$ref": [0, ""]}}}}], "not before it"),
        (
            [{"walk": {"operation": "count", "arguments": {}, "limit": 1, "between": []}}],
            "no pages",
        ),
        (
            [{"walk": {"operation": "list_notes", "arguments": {}, "limit": 0, "between": []}}],
            "no limit",
        ),
        (
            [
                {
                    "walk": {
                        "operation": "list_notes",
                        "arguments": {},
                        "limit": 1,
                        "between": [{"call": {"operation": "gte", "arguments": {}}}],
                    }
                }
            ],
            "no operation 'gte'",
        ),
        (1, "damaged"),
        ([{}], "damaged"),
    ],
)
def test_a_program_that_does_not_fit_its_contract_says_where(steps: Any, told: str) -> None:
    data = {"format": "storeproof-program/1", "scribbling": False, "steps": steps}

    with pytest.raises(ValueError, match=told):
        Program.from_json(notes, data)


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_program_of_every_part_is_refused_in_one_sentence(data: st.DataObject) -> None:
    damaged = WALKING.to_json()
    for _ in range(data.draw(st.integers(1, 3))):
        _damage(damaged, data)
    told = _refusal(damaged, notes)

    assert told
    assert "\n" not in told


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_file_with_other_letters_in_it_is_refused_or_fits(data: st.DataObject) -> None:
    text = json.dumps(WALKING.to_json())
    start = data.draw(st.integers(0, len(text) - 1))
    length = data.draw(st.integers(0, 20))
    noise = data.draw(st.text(max_size=5) | st.sampled_from(['"', "[" * 2000, "1e999", "NaN"]))
    with TemporaryDirectory() as directory:
        path = Path(directory) / "program.json"
        path.write_text(text[:start] + noise + text[start + length :], "utf-8")
        with suppress(ReplayError):
            assert load_program(notes, path).steps


def test_text_that_is_no_text_can_be_saved(tmp_path: Path) -> None:
    program = Program((Call("get", {"id": "\ud800"}),))
    path = tmp_path / "program.json"
    path.write_text(json.dumps(program.to_json(), ensure_ascii=False), "utf-8")

    assert load_program(notes, path) == program


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_program_is_refused_in_one_sentence(data: st.DataObject) -> None:
    damaged = PROGRAM.to_json()
    _damage(damaged, data)
    told = _refusal(damaged)

    assert told
    assert "\n" not in told


def _refusal(data: Any, contract: Contract = CONTRACT) -> str:
    try:
        Program.from_json(contract, data)
    except ValueError as refused:
        return str(refused)
    return "none: what was replaced fits as well"


NOISE = [
    *(None, True, 1, -1, 10**30, 1.5, "x", "", [], {}, ["a", 2], [[[]]], {"a": None}),
    *({"$ref": 1}, {"$ref": [0, "x"]}, {"$decimal": "x"}, {"$set": [{}]}, {"$entity": "a:b"}),
    *({"$dict": [[{}, 1]]}, {"$what": 1}, {"$datetime": None}, "nowhere:Thing", "json:JSONDecoder"),
]


def _damage(thing: Any, data: st.DataObject) -> None:
    """Replace one part, somewhere in the nested lists and mappings."""
    keys = list(thing) if isinstance(thing, dict) else list(range(len(thing)))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    if isinstance(thing[key], dict | list) and thing[key] and data.draw(st.booleans()):
        _damage(thing[key], data)
    else:
        thing[key] = copy.deepcopy(data.draw(st.sampled_from(NOISE)))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "other/1"}', "\x00"])
def test_a_file_that_holds_no_program_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "program.json"
    path.write_text(text, "utf-8")

    with pytest.raises(ReplayError, match=r"can't be replayed"):
        load_program(CONTRACT, path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file"):
        load_program(CONTRACT, tmp_path / "none.json")
