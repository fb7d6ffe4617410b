"""Programs are saved and loaded through this module: any value as JSON that keeps its type."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from storeproof.harness.structure import build, field_values, is_entity_class

__all__ = ["decode", "encode"]

_ENTITY, _CLASS, _ENUM, _DICT, _FLOAT = "$entity", "$class", "$enum", "$dict", "$float"


def _bytes_to_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _timedelta_to_parts(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _timedelta_from_parts(parts: list[int]) -> timedelta:
    return timedelta(*parts)


_SCALARS: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", _bytes_to_text, base64.b64decode),
    Decimal: ("$decimal", str, Decimal),
    UUID: ("$uuid", str, UUID),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    timedelta: ("$timedelta", _timedelta_to_parts, _timedelta_from_parts),
}
_SEQUENCES: dict[type, str] = {tuple: "$tuple", set: "$set", frozenset: "$frozenset"}
_SCALAR_READERS = {tag: reader for tag, _, reader in _SCALARS.values()}
_SEQUENCE_READERS: dict[str, type] = {tag: cls for cls, tag in _SEQUENCES.items()}


def encode(value: Any) -> Any:
    """Give the JSON form of a value.

    Raises TypeError for a value that is neither plain data nor an entity of a known kind.
    """
    cls = type(value)
    if value is None or cls in (bool, int, str):
        return value
    if cls is float:
        return value if value - value == 0 else {_FLOAT: repr(value)}
    if cls is list:
        return [encode(each) for each in value]
    if cls is dict:
        return _encode_dict(value)
    if cls in _SCALARS:
        tag, writer, _ = _SCALARS[cls]
        return {tag: writer(value)}
    if cls in _SEQUENCES:
        return {_SEQUENCES[cls]: _encode_items(value)}
    return _encode_object(value)


def _encode_items(value: Any) -> list[Any]:
    items = [encode(each) for each in value]
    return items if isinstance(value, tuple) else sorted(items, key=json.dumps)


def _encode_dict(value: dict[Any, Any]) -> Any:
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: encode(each) for key, each in value.items()}
    return {_DICT: [[encode(key), encode(each)] for key, each in value.items()]}


def _encode_object(value: Any) -> Any:
    cls = type(value)
    name = f"{cls.__module__}:{cls.__qualname__}"
    if isinstance(value, Enum):
        return {_ENUM: name, "name": value.name}
    fields = field_values(value)
    if fields is None:
        raise TypeError(f"a {name} can't be saved as JSON")
    return {_ENTITY: name, "fields": {key: encode(each) for key, each in fields.items()}}


def decode(data: Any) -> Any:
    """Give back the value of a JSON form.

    Raises ValueError, naming the part, for what `encode` never writes.
    """
    if isinstance(data, list):
        return [decode(each) for each in data]
    if not isinstance(data, dict):
        return data
    tag = next((key for key in data if key.startswith("$")), None)
    if tag is None:
        return {key: decode(each) for key, each in data.items()}
    return _decode_tagged(tag, data)


def _decode_tagged(tag: str, data: dict[str, Any]) -> Any:
    content = data[tag]
    if tag in _SCALAR_READERS:
        return _SCALAR_READERS[tag](content)
    if tag in _SEQUENCE_READERS:
        return _SEQUENCE_READERS[tag](decode(each) for each in content)
    if tag == _DICT:
        return {decode(key): decode(each) for key, each in content}
    if tag == _FLOAT:
        return float(content)
    if tag == _ENUM:
        return _named(content)[data["name"]]
    if tag == _CLASS:
        return _entity_class(content)
    if tag == _ENTITY:
        fields = {key: decode(each) for key, each in data["fields"].items()}
        return build(_entity_class(content), fields)
    raise ValueError(f"unknown tag {tag!r}")


def _entity_class(name: str) -> type:
    cls = _named(name)
    if not is_entity_class(cls):
        raise ValueError(f"{name} is not an entity class")
    return cls


def _named(name: str) -> Any:
    module, _, path = name.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as problem:
        raise ValueError(f"{name} can't be imported ({problem})") from None
    return found
