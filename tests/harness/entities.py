"""For the engine's tests: entities of every kind that the engine knows."""

import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Generic, NamedTuple, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
from google.protobuf.descriptor_pb2 import DescriptorProto, EnumValueDescriptorProto
from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

Item = TypeVar("Item")


class Colour(enum.Enum):
    RED = "r"
    BLUE = "b"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Packed(msgspec.Struct, kw_only=True):
    """Required after optional, as only keywords allow."""

    name: str = ""
    at: datetime
    tags: list[str] = []


class FrozenPacked(msgspec.Struct, frozen=True, tag="frozen", rename="camel"):
    first_name: str
    points: tuple[int, ...] = ()


@dataclass
class Plain:
    id: str
    tags: list[str] = field(default_factory=list)
    made: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self.made = f"made of {self.id}"


@dataclass(frozen=True, slots=True)
class FrozenPlain:
    id: str
    ratio: float = 0.0
    flag: int = 1

    class Inner(NamedTuple):
        """A nested class."""

        x: int


@attrs.define
class Attributed:
    _secret: str
    names: list[str] = attrs.field(factory=list)
    other: int = attrs.field(default=1, alias="another")
    made: str = attrs.field(init=False, default="made")


@attrs.frozen(slots=False)
class FrozenAttributed:
    number: int = 1


class Checked(pydantic.BaseModel):
    id: Annotated[int, pydantic.Field(ge=1)]
    label: str = pydantic.Field(default="", alias="Label")
    odd_name: str = pydantic.Field(default="", alias="odd-name")
    tags: list[str] = pydantic.Field(default_factory=list)


class FrozenChecked(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, populate_by_name=True, extra="allow")

    name: str = pydantic.Field(default="x", alias="Name", max_length=3)


class Box(pydantic.BaseModel, Generic[Item]):
    item: Item


@pydantic.dataclasses.dataclass
class CheckedPlain:
    id: int
    name: str = "x"


class Point(NamedTuple):
    x: int
    y: int = 0


class Address(TypedDict):
    street: str
    number: NotRequired[int]


class LooseAddress(Address, total=False):
    town: str


MESSAGES = [
    Timestamp(seconds=1, nanos=2),
    Duration(seconds=3),
    Struct(fields={"a": Value(number_value=1), "b": Value(null_value=0)}),
    Struct(),
    DescriptorProto(
        name="nested",
        field=[{"name": "one"}, {"name": "two", "number": 2}],
        extension_range=[DescriptorProto.ExtensionRange(start=1)],
        reserved_name=["a", "b"],
    ),
    EnumValueDescriptorProto(name="", number=0),
]

ENTITIES = [
    Packed(at=datetime(2026, 3, 1, tzinfo=UTC), tags=["a"]),
    FrozenPacked("a", (1, 2)),
    Plain("a", ["b"]),
    FrozenPlain("a", -0.0, True),
    FrozenPlain.Inner(1),
    Attributed("s", ["n"], 3),
    FrozenAttributed(),
    Checked(id=1, Label="x", **{"odd-name": "y"}),
    FrozenChecked(name="abc", more=[1]),
    CheckedPlain(1),
    Point(1),
    Colour.RED,
    Rights.READ | Rights.WRITE,
    Rights(0),
    *MESSAGES,
]
"""One value, or more, of every kind."""
