"""For both storages: entities as Redis hashes, one field of JSON for each field of an entity.

So a script changes one field, and compares two, without decoding anything: numbers in Lua
are floats. Times are JSON as well, but all of one length, so that their text is in their order.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar

import msgspec

__all__ = ["entity_of", "fields_of", "given_fields_of", "json_of", "stamp", "time_of", "wanted"]

Entity = TypeVar("Entity", bound=msgspec.Struct)

_ENCODER = msgspec.json.Encoder(order="deterministic")


def stamp(at: datetime) -> str:
    """A canonical time as text of 32 characters, in the order of time."""
    return at.isoformat(timespec="microseconds")


def time_of(text: bytes) -> datetime:
    """The time that a `stamp` stands for."""
    return datetime.fromisoformat(text.decode())


def json_of(value: Any) -> bytes:
    """The JSON of one field: equal for equal canonical values."""
    if isinstance(value, datetime):
        return f'"{stamp(value)}"'.encode()
    return _ENCODER.encode(value)


def wanted(value: Any) -> bytes:
    """The JSON of a field of a filter; empty where it is not given."""
    return b"" if value is None else json_of(value)


def fields_of(entity: msgspec.Struct) -> list[Any]:
    """Names and values of all fields, as HSET takes them."""
    return _flat(entity, entity.__struct_fields__)


def given_fields_of(patch: msgspec.Struct) -> list[Any]:
    """Names and values of the fields that a patch gives."""
    return _flat(
        patch, [name for name in patch.__struct_fields__ if getattr(patch, name) is not None]
    )


def _flat(entity: msgspec.Struct, names: Iterable[str]) -> list[Any]:
    return [part for name in names for part in (name, json_of(getattr(entity, name)))]


def entity_of(kind: type[Entity], flat: list[bytes]) -> Entity:
    """The entity of what HGETALL answered."""
    pairs = zip(flat[::2], flat[1::2], strict=True)
    return msgspec.json.decode(b"{%b}" % b",".join(b'"%b":%b' % pair for pair in pairs), type=kind)
