"""The engine reads and rebuilds entities here, whichever library made their class."""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol, TypeGuard

import msgspec

__all__ = [
    "build",
    "field_defaults",
    "field_hints",
    "field_values",
    "is_entity_class",
    "is_protobuf_class",
    "optional_fields",
]


class _Reader(Protocol):
    def __call__(self, cls: type, /) -> tuple[str, ...]: ...


def _pydantic_fields(cls: type) -> tuple[str, ...]:
    return tuple(cls.__pydantic_fields__)  # type: ignore[attr-defined]  # guarded by its marker


def _msgspec_fields(cls: type) -> tuple[str, ...]:
    return tuple(cls.__struct_fields__)  # type: ignore[attr-defined]  # guarded by its marker


def _attrs_fields(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in cls.__attrs_attrs__)  # type: ignore[attr-defined]  # guarded


def _dataclass_fields(cls: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(cls))


def _named_tuple_fields(cls: type) -> tuple[str, ...]:
    return tuple(cls._fields)  # type: ignore[attr-defined]  # guarded by its marker


_READERS: dict[str, _Reader] = {
    "__pydantic_fields__": _pydantic_fields,
    "__struct_fields__": _msgspec_fields,
    "__attrs_attrs__": _attrs_fields,
    "__dataclass_fields__": _dataclass_fields,
    "_fields": _named_tuple_fields,
}
"""The attribute by which each library marks its classes, and how to list their fields."""


def is_protobuf_class(cls: object) -> TypeGuard[type]:
    """Whether the class is a protobuf message's."""
    return isinstance(cls, type) and hasattr(cls, "DESCRIPTOR") and hasattr(cls, "ListFields")


@functools.cache
def _field_names(cls: type) -> tuple[str, ...] | None:
    if issubclass(cls, Enum):
        return None
    if is_protobuf_class(cls):
        return tuple(each.name for each in cls.DESCRIPTOR.fields)  # type: ignore[attr-defined]  # guarded
    for marker, reader in _READERS.items():
        if hasattr(cls, marker):
            return reader(cls)
    return None


def is_entity_class(cls: object) -> TypeGuard[type]:
    """Whether values of the class are made of named fields.

    Known are msgspec structs, dataclasses, attrs classes, pydantic models, named tuples and
    protobuf messages.
    """
    return isinstance(cls, type) and _field_names(cls) is not None


def field_values(value: Any) -> dict[str, Any] | None:
    """Give an entity's fields and their values; None for anything that is not an entity.

    A protobuf message gives the fields that are set, with repeated ones as lists and maps as dicts.
    """
    cls: Any = type(value)
    names = _field_names(cls)
    if names is None:
        return None
    if is_protobuf_class(cls):
        return {field.name: _plain(field, inner) for field, inner in value.ListFields()}
    return {name: getattr(value, name) for name in names}


def _plain(field: Any, value: Any) -> Any:
    if isinstance(value, Mapping) or hasattr(value, "GetEntryClass"):
        return dict(value)
    repeated = getattr(field, "is_repeated", None)
    if repeated is None:
        repeated = field.label == field.LABEL_REPEATED
    return list(value) if repeated else value


def build(cls: type, fields: Mapping[str, Any]) -> Any:
    """Build an entity from its fields, through its class's own constructor."""
    if hasattr(cls, "__attrs_attrs__"):
        aliases = {each.name: each.alias for each in cls.__attrs_attrs__ if each.init}
        return cls(**{aliases[name]: value for name, value in fields.items() if name in aliases})
    if dataclasses.is_dataclass(cls):
        kept = {each.name for each in dataclasses.fields(cls) if each.init}
        return cls(**{name: value for name, value in fields.items() if name in kept})
    if hasattr(cls, "__pydantic_fields__"):
        return _build_pydantic(cls, fields)
    return cls(**fields)


def _build_pydantic(cls: Any, fields: Mapping[str, Any]) -> Any:
    aliases = {name: info.alias or name for name, info in cls.__pydantic_fields__.items()}
    by_name = cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")
    return cls(**{name if by_name else aliases[name]: value for name, value in fields.items()})


@functools.cache
def field_hints(cls: type) -> Mapping[str, Any]:
    """Give the type hint of every field of an entity class.

    Raises NameError or TypeError where a hint can't be resolved.
    """
    names = _field_names(cls) or ()
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: hints.get(name, Any) for name in names}


@functools.cache
def optional_fields(cls: type) -> frozenset[str]:
    """Give the fields that the constructor need not be given."""
    if issubclass(cls, msgspec.Struct):
        return frozenset(each.name for each in msgspec.structs.fields(cls) if not each.required)
    if hasattr(cls, "__pydantic_fields__"):
        fields = cls.__pydantic_fields__
        return frozenset(name for name, info in fields.items() if not info.is_required())
    if hasattr(cls, "__attrs_attrs__"):
        return frozenset(
            each.name for each in cls.__attrs_attrs__ if repr(each.default) != "NOTHING"
        )
    if dataclasses.is_dataclass(cls):
        return frozenset(
            each.name
            for each in dataclasses.fields(cls)
            if each.default is not dataclasses.MISSING
            or each.default_factory is not dataclasses.MISSING
        )
    return frozenset(getattr(cls, "_field_defaults", ()))


@functools.cache
def field_defaults(cls: Any) -> Mapping[str, Any]:
    """Give the plain defaults of an entity class; those made by a factory are left out."""
    if issubclass(cls, msgspec.Struct):
        plain = {each.name: each.default for each in msgspec.structs.fields(cls)}
    elif hasattr(cls, "__pydantic_fields__"):
        plain = {name: info.default for name, info in cls.__pydantic_fields__.items()}
    elif hasattr(cls, "__attrs_attrs__"):
        plain = {each.name: each.default for each in cls.__attrs_attrs__}
    elif dataclasses.is_dataclass(cls):
        plain = {each.name: each.default for each in dataclasses.fields(cls)}
    else:
        plain = dict(getattr(cls, "_field_defaults", {}))
    return {name: plain[name] for name in optional_fields(cls) if name in plain}
