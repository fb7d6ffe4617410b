"""The engine keeps callers and storages apart with these: copies, and callers that overwrite."""

from __future__ import annotations

import copy
import functools
from collections.abc import MutableMapping, MutableSequence, MutableSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType
from typing import Any
from uuid import UUID

from storeproof.harness.structure import field_values, is_protobuf_class

__all__ = ["is_immutable", "isolated", "scribble"]

_SCALARS = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, Decimal, UUID}
    | {datetime, date, time, timedelta}
)
_SCRIBBLE = "overwritten by the caller"


def is_immutable(value: Any) -> bool:
    """Whether nothing in the value can be changed in place."""
    cls: Any = type(value)
    if cls in _SCALARS or isinstance(value, Enum):
        return True
    if cls is tuple or cls is frozenset:
        return all(map(is_immutable, value))
    if not _is_frozen_class(cls):
        return False
    return all(map(is_immutable, (field_values(value) or {}).values()))


@functools.cache
def _is_frozen_class(cls: type) -> bool:
    if hasattr(cls, "__struct_config__"):
        return bool(cls.__struct_config__.frozen)
    if hasattr(cls, "__dataclass_params__"):
        return bool(cls.__dataclass_params__.frozen)
    if hasattr(cls, "__pydantic_fields__"):
        return bool(cls.model_config.get("frozen"))  # type: ignore[attr-defined]  # guarded
    if hasattr(cls, "__attrs_attrs__"):
        return "frozen" in cls.__setattr__.__name__
    return issubclass(cls, tuple)


def isolated(value: Any) -> Any:
    """Give a copy that shares nothing mutable with the value."""
    return value if is_immutable(value) else copy.deepcopy(value)


def scribble(value: Any) -> None:
    """Overwrite every mutable part of a value in place, as a careless caller would.

    >>> tags = {"kind": ["a"]}
    >>> scribble(tags)
    >>> tags
    {'overwritten by the caller': 'overwritten by the caller'}
    """
    if is_immutable(value):
        return
    if isinstance(value, MutableMapping):
        _scribble_all(value.values())
        value.clear()
        value[_SCRIBBLE] = _SCRIBBLE
    elif isinstance(value, MutableSequence) and not isinstance(value, bytearray):
        _scribble_all(value)
        value.clear()
        value.append(_SCRIBBLE)
    elif isinstance(value, MutableSet):
        value.clear()
        value.add(_SCRIBBLE)
    elif is_protobuf_class(type(value)):
        value.Clear()
    elif isinstance(value, tuple | frozenset):
        _scribble_all(value)
    else:
        _scribble_fields(value)


def _scribble_all(values: Any) -> None:
    for each in list(values):
        scribble(each)


def _scribble_fields(value: Any) -> None:
    for name, each in (field_values(value) or {}).items():
        scribble(each)
        if isinstance(each, str):
            try:
                setattr(value, name, _SCRIBBLE)
            except (AttributeError, TypeError, ValueError):
                continue
