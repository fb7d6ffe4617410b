"""The engine reads and rebuilds entities here, whichever library made their class."""

from __future__ import annotations

import dataclasses
import functools
import operator
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NotRequired,
    Required,
    TypeGuard,
    Union,
    get_args,
    get_origin,
    is_typeddict,
)
from uuid import UUID

import msgspec

from storeproof.harness.protobuf import (
    is_protobuf_class,
    message_hints,
    message_values,
    required_fields,
)

__all__ = [
    "SCALARS",
    "bare_hint",
    "build",
    "constructor_names",
    "field_defaults",
    "field_hints",
    "field_names",
    "field_values",
    "is_entity_class",
    "is_protobuf_class",
    "optional_fields",
    "optional_hint",
]

SCALARS: Final = frozenset(
    {NoneType, bool, int, float, complex, str, bytes, Decimal, UUID}
    | {datetime, date, time, timedelta}
)
"""The types of values that have no parts and can't be changed."""
_NONE: Final = object()


@dataclasses.dataclass(frozen=True)
class _Field:
    name: str
    keyword: str | None
    """By which the constructor takes it; None where it does not."""
    required: bool
    default: Any = _NONE
    """Its default, if it is plain or an empty collection."""


def _made_by(factory: Any) -> Any:
    return factory() if factory in (list, dict, set, frozenset, tuple) else _NONE


def _pydantic_fields(cls: Any) -> list[_Field]:
    config = getattr(cls, "model_config", None) or getattr(cls, "__pydantic_config__", None) or {}
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    return [
        _Field(
            name,
            None if info.init is False else name if by_name else _pydantic_alias(info) or name,
            info.is_required(),
            _made_by(info.default_factory)
            if info.default_factory or info.is_required()
            else info.default,
        )
        for name, info in _pydantic_infos(cls).items()
    ]


def _pydantic_infos(cls: Any) -> Mapping[str, Any]:
    """Before pydantic 2.10, models had another attribute for it than pydantic's dataclasses."""
    found: Mapping[str, Any] | None = getattr(cls, "__pydantic_fields__", None)
    return cls.model_fields if found is None else found


def _pydantic_alias(info: Any) -> str | None:
    alias = info.validation_alias or info.alias
    choices = getattr(alias, "choices", [alias])
    return next((each for each in choices if isinstance(each, str)), None)


def _msgspec_fields(cls: Any) -> list[_Field]:
    return [
        _Field(
            each.name,
            each.name,
            each.required,
            _made_by(each.default_factory) if each.default is msgspec.NODEFAULT else each.default,
        )
        for each in msgspec.structs.fields(cls)
    ]


def _attrs_fields(cls: Any) -> list[_Field]:
    import attrs

    return [
        _Field(
            each.name,
            each.alias if each.init else None,
            each.init and each.default is attrs.NOTHING,
            _attrs_default(each.default),
        )
        for each in cls.__attrs_attrs__
    ]


def _attrs_default(default: Any) -> Any:
    import attrs

    factory: Any = attrs.Factory  # attrs types this class as a function
    if isinstance(default, factory):
        return _made_by(default.factory)
    return _NONE if default is attrs.NOTHING else default


def _dataclass_fields(cls: Any) -> list[_Field]:
    missing = dataclasses.MISSING
    return [
        _Field(
            each.name,
            each.name if each.init else None,
            each.init and each.default is missing and each.default_factory is missing,
            _made_by(each.default_factory) if each.default is missing else each.default,
        )
        for each in dataclasses.fields(cls)
    ]


def _named_tuple_fields(cls: Any) -> list[_Field]:
    defaults = cls._field_defaults
    return [
        _Field(name, name, name not in defaults, defaults.get(name, _NONE)) for name in cls._fields
    ]


def _protobuf_fields(cls: Any) -> list[_Field]:
    required = required_fields(cls)
    return [_Field(name, name, name in required) for name in message_hints(cls)]


def _typed_dict_fields(cls: Any) -> list[_Field]:
    declared = _resolved(cls)
    return [_Field(name, name, _is_required(cls, name, hint)) for name, hint in declared.items()]


def _is_required(cls: Any, name: str, hint: Any) -> bool:
    marker = get_origin(hint)
    if marker in (Required, NotRequired):
        return marker is Required
    return name in cls.__required_keys__


_LIBRARIES: dict[str, Callable[[Any], list[_Field]]] = {
    "__pydantic_validator__": _pydantic_fields,
    "__struct_fields__": _msgspec_fields,
    "__attrs_attrs__": _attrs_fields,
    "__dataclass_fields__": _dataclass_fields,
    "_field_defaults": _named_tuple_fields,
}
"""The attribute by which each library marks its classes, and how to list their fields."""


@functools.cache
def _fields(cls: type) -> tuple[_Field, ...] | None:
    if issubclass(cls, Enum):
        return None
    if is_protobuf_class(cls):
        return tuple(_protobuf_fields(cls))
    if is_typeddict(cls):
        return tuple(_typed_dict_fields(cls))
    for marker, reader in _LIBRARIES.items():
        if hasattr(cls, marker):
            return tuple(reader(cls))
    return None


def is_entity_class(cls: object) -> TypeGuard[type]:
    """Whether values of the class are made of named fields.

    Known are msgspec structs, dataclasses, attrs classes, pydantic models, named tuples, protobuf
    messages, and typed dicts, whose values are plain dicts.
    """
    return isinstance(cls, type) and _fields(cls) is not None


@functools.cache
def field_names(cls: type) -> tuple[str, ...]:
    """Give the names of an entity class's fields; none for any other class."""
    return tuple(each.name for each in _fields(cls) or ())


def field_values(value: Any) -> dict[str, Any] | None:
    """Give an entity's fields and their values; None for anything that is not an entity.

    A protobuf message gives the fields that are set, with repeated ones as lists and maps as dicts;
    a pydantic model gives what it was given beside its fields as well. A field that was never set
    is left out.
    """
    cls: Any = type(value)
    read = _reader(cls)
    return None if read is None else read(value)


@functools.cache
def _reader(cls: type) -> Callable[[Any], dict[str, Any]] | None:
    """Give what reads the fields of a class's values; checks do that more than anything else."""
    if _fields(cls) is None:
        return None
    if is_protobuf_class(cls):
        return message_values
    names = field_names(cls)
    if len(names) < 2 or hasattr(cls, "__pydantic_extra__"):
        return functools.partial(_read, names)
    every = operator.attrgetter(*names)

    def read(value: Any) -> dict[str, Any]:
        try:
            return dict(zip(names, every(value), strict=True))
        except AttributeError:
            return _read(names, value)

    return read


def _read(names: Sequence[str], value: Any) -> dict[str, Any]:
    values = {name: getattr(value, name) for name in names if hasattr(value, name)}
    return values | (getattr(value, "__pydantic_extra__", None) or {})


def build(cls: type, fields: Mapping[str, Any]) -> Any:
    """Build an entity from its fields, through its class's own constructor.

    Fields that the constructor does not take are left to it.
    """
    names = constructor_names(cls)
    given = {names.get(name, name): value for name, value in fields.items()}
    return cls(**{name: value for name, value in given.items() if name is not None})


@functools.cache
def constructor_names(cls: type) -> Mapping[str, str | None]:
    """Give the keyword by which the constructor takes each field; None where it takes none."""
    return {each.name: each.keyword for each in _fields(cls) or ()}


@functools.cache
def field_hints(cls: type) -> Mapping[str, Any]:
    """Give the type hint of every field of an entity class.

    Raises NameError, TypeError or AttributeError where a hint can't be resolved.
    """
    if is_protobuf_class(cls):
        return message_hints(cls)
    if hasattr(cls, "__pydantic_validator__"):
        return _pydantic_hints(cls)
    hints = _resolved(cls)
    return {name: _unmarked(hints.get(name, Any)) for name in field_names(cls)}


def _resolved(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _unmarked(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in (Required, NotRequired) else hint


def _pydantic_hints(cls: Any) -> dict[str, Any]:
    if not getattr(cls, "__pydantic_complete__", True) and hasattr(cls, "model_rebuild"):
        cls.model_rebuild()
    return {
        name: Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        for name, info in _pydantic_infos(cls).items()
    }


def bare_hint(hint: Any) -> Any:
    """Give a hint without what `Annotated`, `Optional` or an alias put round it.

    >>> bare_hint(Annotated[int, "positive"] | None)
    <class 'int'>
    """
    try:
        return _bare_hint(hint)
    except TypeError:  # what stands in Annotated need not be hashable
        return _bare_hint.__wrapped__(hint)


@functools.cache
def _bare_hint(hint: Any) -> Any:
    if get_origin(hint) is Annotated:
        return bare_hint(get_args(hint)[0])
    inner = optional_hint(hint)
    if inner is not None:
        return bare_hint(inner)
    return bare_hint(hint.__value__) if type(hint).__name__ == "TypeAliasType" else hint


def optional_hint(hint: Any) -> Any | None:
    """Give what `Optional` was put round; None where it was not."""
    if get_origin(hint) is not Union and not isinstance(hint, UnionType):
        return None
    rest = [each for each in get_args(hint) if each is not NoneType]
    return rest[0] if len(rest) == 1 else None


@functools.cache
def optional_fields(cls: type) -> frozenset[str]:
    """Give the fields that the constructor need not be given."""
    return frozenset(each.name for each in _fields(cls) or () if not each.required)


@functools.cache
def field_defaults(cls: type) -> Mapping[str, Any]:
    """Give the defaults of an entity class that are plain or empty collections; not to be changed.

    Those that a factory of the class's own makes are left out.
    """
    return {
        each.name: each.default
        for each in _fields(cls) or ()
        if each.default is not _NONE and not each.required
    }
