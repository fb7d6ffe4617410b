"""Values survive being saved as JSON and being printed as Python; damaged programs say so."""

import copy
import enum
import json
import math
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import attrs
import msgspec
import pydantic
import pytest
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given, settings
from hypothesis import strategies as st

from storeproof import Contract
from storeproof.harness.compare import difference
from storeproof.harness.copying import is_immutable, isolated, scribble
from storeproof.harness.encoding import decode, encode
from storeproof.harness.exceptions import ReplayError
from storeproof.harness.program import Call, Program, load_program
from storeproof.harness.source import Source
from storeproof.harness.templates import Reference


class Colour(enum.Enum):
    RED = "r"


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass(frozen=True)
class Plain:
    id: str
    tags: list[str] = field(default_factory=list)
    made: str = field(default="", init=False)


class Packed(msgspec.Struct, frozen=True, kw_only=True):
    name: str = ""
    at: datetime


@attrs.frozen
class Attributed:
    _secret: str
    number: int = 1


class Checked(pydantic.BaseModel):
    id: int
    label: str = pydantic.Field(default="", alias="Label")


ENTITIES = [
    Plain("a", ["b"]),
    Packed(at=datetime(2026, 3, 1, tzinfo=UTC)),
    Attributed("s"),
    Checked(id=1, Label="x"),
    Point(1),
    Colour.RED,
    Timestamp(seconds=1, nanos=2),
    Struct(),
]
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
KEYS = st.text() | st.integers() | st.sampled_from(["$ref", "$entity"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner),
    max_leaves=6,
)


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_a_value_survives_json(value: Any) -> None:
    again = decode(json.loads(json.dumps(encode(value))))

    assert difference(value, again) is None


@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_a_value_survives_being_printed(value: Any) -> None:
    source = Source()
    expression = source.expression(value)
    names: dict[str, Any] = {}
    exec("\n".join(source.import_lines()), names)  # noqa: S102 - that is what is tested

    assert difference(value, eval(expression, names)) is None  # noqa: S307 - likewise


@pytest.mark.parametrize(
    "value",
    [
        math.inf,
        -math.inf,
        {"a": {Decimal("1.0")}},
        frozenset({1, "a"}),
        time(1, 2, 3, 4),
        date(1, 1, 1),
        UUID(int=1),
    ],
)
def test_these_survive_json(value: Any) -> None:
    assert difference(value, decode(json.loads(json.dumps(encode(value))))) is None


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        encode(object())


@pytest.mark.parametrize("value", [["a"], {"a": [1]}, {1}, Plain("a", ["b"]), (["a"],)])
def test_scribbling_changes_every_mutable_value_and_no_copy(value: Any) -> None:
    before, kept = copy.deepcopy(value), isolated(value)
    scribble(value)

    assert not is_immutable(before)
    assert value != before
    assert kept == before


@pytest.mark.parametrize("value", [1, "a", ("a", 1), Point(1), Packed(at=datetime(2026, 1, 1))])  # noqa: DTZ001 - any time
def test_what_can_t_be_changed_is_shared(value: Any) -> None:
    assert is_immutable(value)
    assert isolated(value) is value


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


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_damaged_program_is_refused_in_one_sentence(data: st.DataObject) -> None:
    damaged = PROGRAM.to_json()
    _damage(damaged, data)
    told = _refusal(damaged)

    assert told
    assert "\n" not in told


def _refusal(data: Any) -> str:
    try:
        Program.from_json(CONTRACT, data)
    except ValueError as refused:
        return str(refused)
    return "none: what was replaced fits as well"


def _damage(thing: Any, data: st.DataObject) -> None:
    """Replace one part, somewhere in the nested lists and mappings."""
    keys = list(thing) if isinstance(thing, dict) else list(range(len(thing)))
    key = data.draw(st.sampled_from(keys))
    if isinstance(thing[key], dict | list) and thing[key] and data.draw(st.booleans()):
        _damage(thing[key], data)
    else:
        thing[key] = data.draw(st.sampled_from([None, 1, -1, "x", [], {}, {"$ref": 1}, ["a", 2]]))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"format": "other/1"}', "\x00"])
def test_a_file_that_holds_no_program_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "program.json"
    path.write_text(text, "utf-8")

    with pytest.raises(ReplayError, match=r"can't be replayed"):
        load_program(CONTRACT, path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="No such file"):
        load_program(CONTRACT, tmp_path / "none.json")
