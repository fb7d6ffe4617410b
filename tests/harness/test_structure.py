"""Entities of every library are read and rebuilt alike."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, NewType, Optional, get_args

import pydantic
import pytest
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from storeproof.harness.structure import (
    bare_hint,
    build,
    constructor_names,
    field_defaults,
    field_hints,
    field_names,
    field_values,
    is_entity_class,
    optional_fields,
)

from .entities import (
    ENTITIES,
    Address,
    Attributed,
    Box,
    Checked,
    CheckedPlain,
    Colour,
    FrozenAttributed,
    FrozenChecked,
    FrozenPacked,
    LooseAddress,
    Packed,
    Plain,
    Point,
)

if TYPE_CHECKING:
    from nowhere import Unknown  # type: ignore[import-not-found]  # that is the point

FIELDS: list[tuple[Any, list[str], set[str], dict[str, Any]]] = [
    (Packed, ["name", "at", "tags"], {"name", "tags"}, {"name": "", "tags": []}),
    (FrozenPacked, ["first_name", "points"], {"points"}, {"points": ()}),
    (Plain, ["id", "tags", "made"], {"tags", "made"}, {"tags": [], "made": ""}),
    (
        Attributed,
        ["_secret", "names", "other", "made"],
        {"names", "other", "made"},
        {"names": [], "other": 1, "made": "made"},
    ),
    (FrozenAttributed, ["number"], {"number"}, {"number": 1}),
    (
        Checked,
        ["id", "label", "odd_name", "tags"],
        {"label", "odd_name", "tags"},
        {"label": "", "odd_name": "", "tags": []},
    ),
    (CheckedPlain, ["id", "name"], {"name"}, {"name": "x"}),
    (Point, ["x", "y"], {"y"}, {"y": 0}),
    (Timestamp, ["seconds", "nanos"], {"seconds", "nanos"}, {}),
    (Address, ["street", "number"], {"number"}, {}),
    (LooseAddress, ["street", "number", "town"], {"number", "town"}, {}),
]


@pytest.mark.parametrize(("cls", "names", "optional", "defaults"), FIELDS)
def test_the_fields_of_a_class_are_known(
    cls: Any, names: list[str], optional: set[str], defaults: dict[str, Any]
) -> None:
    assert is_entity_class(cls)
    assert list(field_names(cls)) == names
    assert optional_fields(cls) == optional
    assert dict(field_defaults(cls)) == defaults


@pytest.mark.parametrize("cls", [int, str, dict, list, Colour, object, type, None, list[int]])
def test_these_are_no_entity_classes(cls: Any) -> None:
    assert not is_entity_class(cls)


@pytest.mark.parametrize("entity", [x for x in ENTITIES if field_values(x) is not None], ids=repr)
def test_an_entity_is_rebuilt_from_its_fields(entity: Any) -> None:
    fields = field_values(entity)

    assert fields is not None
    again = build(type(entity), fields)
    assert again == entity
    assert type(again) is type(entity)
    assert field_values(again) == fields


@pytest.mark.parametrize("value", [1, "a", {"street": "a"}, [1], None, Colour.RED, object()])
def test_these_are_no_entities(value: Any) -> None:
    assert field_values(value) is None


def test_a_typed_dict_is_built_as_the_dict_that_it_is() -> None:
    assert build(Address, {"street": "a"}) == {"street": "a"}


def test_only_the_set_fields_of_a_message_are_given() -> None:
    assert field_values(Timestamp(nanos=1)) == {"nanos": 1}
    assert field_values(Value(number_value=0)) == {"number_value": 0.0}
    assert field_values(Struct(fields={"a": Value(bool_value=True)})) == {
        "fields": {"a": Value(bool_value=True)}
    }


def test_what_a_model_was_given_beside_its_fields_counts() -> None:
    assert field_values(FrozenChecked(name="a", more=1)) == {"name": "a", "more": 1}


@dataclass
class Unset:
    id: str
    later: str = field(init=False)


def test_a_field_that_was_never_set_is_left_out() -> None:
    assert field_values(Unset("a")) == {"id": "a"}


def test_the_constructor_s_own_words_are_known() -> None:
    assert constructor_names(Attributed)["_secret"] == "secret"
    assert constructor_names(Attributed)["other"] == "another"
    assert constructor_names(Attributed)["made"] is None
    assert constructor_names(Checked)["odd_name"] == "odd-name"
    assert constructor_names(FrozenChecked)["name"] == "name"


def test_the_hints_of_fields_keep_their_constraints() -> None:
    hint = field_hints(FrozenChecked)["name"]

    assert get_args(hint)[0] is str
    assert get_args(hint)[1].max_length == 3
    assert field_hints(Box[int])["item"] is int
    assert field_hints(Address) == {"street": str, "number": int}


def test_a_hint_that_can_t_be_resolved_is_told() -> None:
    @dataclass
    class Broken:
        other: "Unknown"

    class BrokenModel(pydantic.BaseModel):
        other: "Unknown"

    for cls in (Broken, BrokenModel):
        assert field_names(cls) == ("other",)
        with pytest.raises(NameError):
            field_hints(cls)


Id = NewType("Id", str)


@pytest.mark.parametrize(
    "hint",
    [
        Id,
        Id | None,
        Optional[Id],  # noqa: UP045 - both spellings
        Annotated[Id, "x"],
        Annotated[Id | None, "x"],
        Annotated[Id, 1] | None,
    ],
)
def test_a_bare_hint_has_nothing_round_it(hint: Any) -> None:
    assert bare_hint(hint) is Id


def test_a_hint_with_unhashable_metadata_can_be_bared() -> None:
    assert bare_hint(Annotated[int, []]) is int
    assert bare_hint(int | str) == int | str
