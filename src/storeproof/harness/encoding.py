"""Programs are saved and loaded through this module: any value as JSON that keeps its type."""

from __future__ import annotations

import base64
import functools
import importlib
import json
import sys
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from storeproof.harness.protobuf import home_of
from storeproof.harness.structure import build, field_values, is_entity_class
from storeproof.harness.templates import Build, Reference, is_path

__all__ = ["decode", "encode"]

_LONG = 10**4000
"""Python refuses to write integers of much more than 4000 digits in decimal."""


def _bytes_to_text(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _bytes_from_text(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _text_to_escapes(value: str) -> str:
    return value.encode("unicode_escape").decode()


def _text_from_escapes(text: str) -> str:
    return text.encode("ascii").decode("unicode_escape")


def _integer_from_hex(text: str) -> int:
    return int(text, 16)


def _timedelta_to_parts(value: timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _timedelta_from_parts(parts: list[int]) -> timedelta:
    return timedelta(*parts)


def _zoned_to_parts(value: datetime) -> list[Any]:
    return [value.replace(tzinfo=None).isoformat(), str(value.tzinfo), value.fold]


def _zoned_from_parts(parts: list[Any]) -> datetime:
    moment, zone, fold = parts
    return datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone), fold=fold)


def _reference_to_parts(reference: Reference) -> list[Any]:
    return [reference.call, reference.path]


def _reference_from_parts(parts: list[Any]) -> Reference:
    call, path = parts
    if type(call) is not int or call < 0 or not is_path(path):
        raise ValueError(f"{parts!r} is no reference")
    return Reference(call, path)


_SCALARS: dict[type, tuple[str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    bytes: ("$bytes", _bytes_to_text, _bytes_from_text),
    Decimal: ("$decimal", str, Decimal),
    UUID: ("$uuid", str, UUID),
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    timedelta: ("$timedelta", _timedelta_to_parts, _timedelta_from_parts),
    Reference: ("$ref", _reference_to_parts, _reference_from_parts),
}
_SEQUENCES: dict[type, str] = {tuple: "$tuple", set: "$set", frozenset: "$frozenset"}
_READERS: dict[str, Callable[[Any], Any]] = {
    **{tag: reader for tag, _, reader in _SCALARS.values()},
    "$float": float,
    "$int": _integer_from_hex,
    "$text": _text_from_escapes,
    "$zoned": _zoned_from_parts,
}
_SEQUENCE_READERS: dict[str, type] = {tag: cls for cls, tag in _SEQUENCES.items()}


def encode(value: Any) -> Any:
    """Give the JSON form of a value or of a template.

    Raises TypeError for a value that is neither plain data nor an entity of a known kind, and for
    one whose class can't be imported by its name.
    """
    cls = type(value)
    if cls in (NoneType, bool, int, str, float):
        return _encode_plain(value)
    if cls is list:
        return [encode(each) for each in value]
    if cls is dict:
        return _encode_dict(value)
    if cls is datetime and isinstance(value.tzinfo, ZoneInfo) and value.tzinfo.key:
        return {"$zoned": _zoned_to_parts(value)}
    if cls in _SCALARS:
        tag, writer, _ = _SCALARS[cls]
        return {tag: writer(value)}
    if cls in _SEQUENCES:
        return {_SEQUENCES[cls]: _encode_items(value)}
    return _encode_object(value)


def _encode_plain(value: Any) -> Any:
    if isinstance(value, float) and value - value != 0:
        return {"$float": repr(value)}
    if isinstance(value, int) and abs(value) >= _LONG:
        return {"$int": hex(value)}
    if isinstance(value, str) and _has_surrogates(value):
        return {"$text": _text_to_escapes(value)}
    return value


def _has_surrogates(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text)


def _encode_items(value: Any) -> list[Any]:
    items = [encode(each) for each in value]
    return items if isinstance(value, tuple) else sorted(items, key=json.dumps)


def _encode_dict(value: dict[Any, Any]) -> Any:
    if all(map(_is_plain_key, value)):
        return {key: encode(each) for key, each in value.items()}
    return {"$dict": [[encode(key), encode(each)] for key, each in value.items()]}


def _is_plain_key(key: Any) -> bool:
    return type(key) is str and not key.startswith("$") and not _has_surrogates(key)


def _encode_object(value: Any) -> Any:
    if isinstance(value, Build):
        return {"$build": _name_of(value.cls), "fields": _encode_fields(value.fields)}
    cls: Any = type(value)
    name = _name_of(cls)
    if isinstance(value, Enum):
        return {"$enum": name, **_member(value)}
    fields = field_values(value)
    if fields is None:
        raise TypeError(f"a {name} can't be saved as JSON")
    return {"$entity": name, "fields": _encode_fields(fields)}


def _member(value: Enum) -> dict[str, Any]:
    """A combination of flags is no member of its own."""
    named = value.name in type(value).__members__
    return {"name": value.name} if named else {"value": encode(value.value)}


def _encode_fields(fields: Any) -> dict[str, Any]:
    return {key: encode(each) for key, each in fields.items()}


@functools.cache
def _name_of(cls: type) -> str:
    name = ":".join(home_of(cls))
    try:
        found = _named(name)
    except ValueError as problem:
        raise TypeError(str(problem)) from None
    if found is not cls:
        raise TypeError(f"{name} is another class")
    return name


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
    try:
        return _decode_tagged(tag, data)
    except RecursionError:
        raise
    except Exception as problem:  # constructors of entities raise what they like
        raise ValueError(f"{tag}: {_told(problem)}") from None


def _told(problem: Exception) -> str:
    return str(problem) if isinstance(problem, ValueError) else repr(problem)


def _decode_tagged(tag: str, data: dict[str, Any]) -> Any:
    content = data[tag]
    if tag in _READERS:
        return _READERS[tag](content)
    if tag in _SEQUENCE_READERS:
        return _SEQUENCE_READERS[tag](_decoded_items(content))
    if tag == "$dict":
        return {decode(key): decode(each) for key, each in content}
    if tag == "$enum":
        cls = _class(content, lambda cls: issubclass(cls, Enum))
        return cls[data["name"]] if "name" in data else cls(decode(data["value"]))
    if tag == "$entity":
        return build(_class(content, is_entity_class), _decode_fields(data))
    if tag == "$build":
        return Build(_class(content, is_entity_class), _decode_fields(data))
    raise ValueError("there is no such tag")


def _decoded_items(content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise ValueError(f"{content!r} is no list")
    return [decode(each) for each in content]


def _decode_fields(data: dict[str, Any]) -> dict[str, Any]:
    return {key: decode(each) for key, each in data["fields"].items()}


def _class(name: str, is_fit: Callable[[type], bool]) -> Any:
    cls = _named(name)
    if not isinstance(cls, type) or not is_fit(cls):
        raise ValueError(f"{name} is no class of such values")
    return cls


def _named(name: str) -> Any:
    module, _, path = name.partition(":")
    try:
        found: Any = sys.modules.get(module) or importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as problem:  # a module that is imported raises what it likes
        raise ValueError(f"{name} can't be imported ({problem})") from None
    return found
