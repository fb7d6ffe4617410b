"""The engine keeps callers and storages apart with these: copies, and callers that overwrite."""

from __future__ import annotations

import copy
import functools
from collections.abc import (
    Callable,
    Iterable,
    Mapping,
    MutableMapping,
    MutableSequence,
    MutableSet,
    Set,
)
from enum import Enum
from types import MappingProxyType
from typing import Any

from storeproof.harness.structure import SCALARS, field_values, is_protobuf_class

__all__ = ["is_immutable", "isolated", "scribble"]

_SCRIBBLE = "overwritten by the caller"


def is_immutable(value: Any) -> bool:
    """Whether nothing in the value can be changed in place."""
    cls: Any = type(value)
    parts = _parts_of_frozen(cls)
    return parts is not None and all(
        type(each) in SCALARS or is_immutable(each) for each in parts(value)
    )


@functools.cache
def _parts_of_frozen(cls: Any) -> Callable[[Any], Iterable[Any]] | None:
    """Give what gives a value's parts; None for values that can themselves be changed in place."""
    if cls in SCALARS or issubclass(cls, Enum):
        return lambda _: ()
    if issubclass(cls, tuple | frozenset):
        return None if cls.__dictoffset__ else lambda value: value
    return _fields_of if _is_frozen_class(cls) else None


def _fields_of(value: Any) -> Iterable[Any]:
    return (field_values(value) or {}).values()


def _is_frozen_class(cls: type) -> bool:
    if hasattr(cls, "__struct_config__"):
        return bool(cls.__struct_config__.frozen)
    if hasattr(cls, "__dataclass_params__"):
        return bool(cls.__dataclass_params__.frozen)
    if hasattr(cls, "__pydantic_validator__"):
        return bool(cls.model_config.get("frozen"))  # type: ignore[attr-defined]  # guarded
    if hasattr(cls, "__attrs_attrs__"):
        return "frozen" in cls.__setattr__.__name__
    return False


def isolated(value: Any) -> Any:
    """Give a copy that shares nothing mutable with the value.

    What can't be copied, a lock for instance, is given as it is.
    """
    if is_immutable(value):
        return value
    copies: dict[int, Any] = {}
    _copy_proxies(value, copies)
    try:
        return copy.deepcopy(value, copies)
    except Exception:  # classes raise what they like where they can't be copied
        return value


def _copy_proxies(value: Any, copies: dict[int, Any]) -> None:
    """Copy the read-only mappings in a value beforehand, since `deepcopy` can't."""
    if isinstance(value, MappingProxyType):
        copies[id(value)] = MappingProxyType(isolated(dict(value)))
        return
    for part in _parts(value):
        _copy_proxies(part, copies)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return list(value.values())
    if isinstance(value, list | tuple | Set):
        return list(value)
    return list((field_values(value) or {}).values())


def scribble(*values: Any) -> None:
    """Overwrite every mutable part of the values in place, as a careless caller would.

    >>> tags = {"kind": ["a"]}
    >>> scribble(tags)
    >>> tags
    {'overwritten by the caller': 'overwritten by the caller'}
    """
    for value in values:
        if not is_immutable(value):
            _scribble(value)


def _scribble(value: Any) -> None:
    scribble(*_parts(value))
    if is_protobuf_class(type(value)):
        value.Clear()
    elif isinstance(value, bytearray):
        value[:] = _SCRIBBLE.encode()
    elif isinstance(value, MutableMapping):
        value.clear()
        value[_SCRIBBLE] = _SCRIBBLE
    elif isinstance(value, MutableSequence):
        value.clear()
        value.append(_SCRIBBLE)
    elif isinstance(value, MutableSet):
        value.clear()
        value.add(_SCRIBBLE)
    else:
        _scribble_fields(value)


def _scribble_fields(value: Any) -> None:
    for name, each in (field_values(value) or {}).items():
        try:
            setattr(value, name, _overwritten(each))
        except (AttributeError, TypeError, ValueError):
            continue


def _overwritten(value: Any) -> Any:
    """Give another value, of the same type where that is easy."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return _SCRIBBLE if value is None or isinstance(value, str) else None
