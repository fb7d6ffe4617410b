"""The engine reads and draws protobuf messages through their descriptors; this module knows them.

protobuf itself is not imported: whoever has messages has it.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeGuard

import msgspec

__all__ = [
    "JSON_MESSAGES",
    "alternatives",
    "home_of",
    "is_protobuf_class",
    "message_from_json",
    "message_hints",
    "message_values",
    "required_fields",
]

_INT32: Final = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
_INT64: Final = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_UINT32: Final = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
_UINT64: Final = Annotated[int, msgspec.Meta(ge=0), msgspec.Meta(le=2**63 - 1)]
_HINTS: Final[Mapping[int, Any]] = {
    1: float,
    2: float,
    3: _INT64,
    4: _UINT64,
    5: _INT32,
    6: _UINT64,
    7: _UINT32,
    8: bool,
    9: str,
    12: bytes,
    13: _UINT32,
    15: _INT32,
    16: _INT64,
    17: _INT32,
    18: _INT64,
}
"""FieldDescriptor.type -> the Python type of its values."""
_NANOS: Final = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]
_RANGES: Final[Mapping[str, Mapping[str, Any]]] = {
    "google.protobuf.Timestamp": {
        "seconds": Annotated[int, msgspec.Meta(ge=-62_135_596_800, le=253_402_300_799)],
        "nanos": _NANOS,
    },
    "google.protobuf.Duration": {
        "seconds": Annotated[int, msgspec.Meta(ge=0, le=315_576_000_000)],
        "nanos": _NANOS,
    },
}
"""Full name -> field -> what its description allows: the years 1 to 9999, ten thousand years."""
_ENUM, _REQUIRED_BEHAVIOR = 14, 2
_FILLED: Final = msgspec.Meta(min_length=1)


def is_protobuf_class(cls: object) -> TypeGuard[type]:
    """Whether the class is a protobuf message's."""
    return isinstance(cls, type) and hasattr(cls, "DESCRIPTOR") and hasattr(cls, "ListFields")


def home_of(cls: Any) -> tuple[str, str]:
    """Give the module from which a class can be imported, and its name there.

    Generated code that was moved into a package still calls its classes by their old module, and
    before protobuf 6 a nested class does not name the one that it is in.
    """
    if not is_protobuf_class(cls):
        return cls.__module__, cls.__qualname__
    message: Any = cls.DESCRIPTOR  # type: ignore[attr-defined]  # guarded
    name = ".".join(reversed([each.name for each in _outwards(message)]))
    if cls.__module__ not in sys.modules:
        for module, found in list(sys.modules.items()):
            if getattr(found, "DESCRIPTOR", None) is message.file:
                return module, name
    return cls.__module__, name


def _outwards(message: Any) -> Iterator[Any]:
    while message is not None:
        yield message
        message = message.containing_type


@functools.cache
def message_hints(cls: Any) -> Mapping[str, Any]:
    """Give the type hint of every field of a message class."""
    required, ranges = required_fields(cls), _RANGES.get(cls.DESCRIPTOR.full_name, {})
    return {
        each.name: ranges.get(each.name) or _hint(each, each.name in required)
        for each in cls.DESCRIPTOR.fields
    }


@functools.cache
def required_fields(cls: Any) -> frozenset[str]:
    """Give the fields that must be set, and to something: proto2's, and those of AIP-203."""
    return frozenset(each.name for each in cls.DESCRIPTOR.fields if _is_required(each))


@functools.cache
def alternatives(cls: Any) -> tuple[tuple[str, ...], ...]:
    """Give the groups of fields of which one at most is set."""
    groups = (tuple(each.name for each in group.fields) for group in cls.DESCRIPTOR.oneofs)
    return tuple(each for each in groups if len(each) > 1)


def message_values(message: Any) -> dict[str, Any]:
    """Give the fields that are set; repeated ones as lists, maps and Structs as dicts."""
    return {field.name: _plain(field, value) for field, value in message.ListFields()}


def _plain(field: Any, value: Any) -> Any:
    if isinstance(value, Mapping) or hasattr(value, "GetEntryClass"):
        return dict(value)
    return list(value) if _is_repeated(field) else value


def _hint(field: Any, required: bool) -> Any:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        key, value = field.message_type.fields
        return _made(dict, _single(key, False), _single(value, False))
    if _is_repeated(field):
        items = _made(list, _single(field, False))
        return Annotated[items, _FILLED] if required else items
    return _single(field, required)


def _made(generic: Any, *arguments: Any) -> Any:
    return generic[arguments]


def _single(field: Any, required: bool) -> Any:
    if field.message_type is not None:
        return field.message_type._concrete_class
    if field.type == _ENUM:
        numbers = [each.number for each in field.enum_type.values]
        return Literal[tuple(each for each in numbers if each or not required)]
    hint = _HINTS[field.type]
    return Annotated[hint, _FILLED] if required and hint in (str, bytes) else hint


def _is_required(field: Any) -> bool:
    if getattr(field, "is_required", False):
        return True
    return any(
        option.full_name == "google.api.field_behavior" and _REQUIRED_BEHAVIOR in value
        for option, value in field.GetOptions().ListFields()
    )


def _is_repeated(field: Any) -> bool:
    repeated = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if repeated is None else repeated)


def message_from_json(cls: Any, value: Any) -> Any:
    """Make a message that stands for JSON."""
    return importlib.import_module("google.protobuf.json_format").ParseDict(value, cls())


JSON_MESSAGES: Final[Mapping[str, Any]] = {
    "google.protobuf.Struct": dict[str, Any],
    "google.protobuf.Value": Any,
    "google.protobuf.ListValue": list[Any],
}
"""Full name of a message that stands for JSON -> the hint of that JSON."""
