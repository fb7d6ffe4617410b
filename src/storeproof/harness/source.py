"""Failures are printed as Python through this module: values as expressions, with imports."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from keyword import iskeyword
from types import MappingProxyType, NoneType
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from storeproof.harness.protobuf import home_of
from storeproof.harness.structure import constructor_names, field_defaults, field_values
from storeproof.harness.templates import Build, Reference

__all__ = ["Source"]

_LONG = 10**4000
_BUILTINS: tuple[type, ...] = (
    *(dict, list, set, frozenset, tuple),
    *(str, bytes, bytearray, int, float),
)


@dataclass
class Source:
    """Writes values and templates as Python expressions, remembers what they need imported."""

    imports: dict[str, set[str]] = field(default_factory=dict)
    """Module -> names, or "name as other name"."""
    _homes: dict[str, str] = field(default_factory=lambda: {"storage": "", "program": ""})
    """Name in the test -> the module that it comes from."""

    def import_lines(self) -> list[str]:
        return [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self.imports.items())
        ]

    def add(self, module: str, name: str) -> str:
        """Import a name; gives it, or the other name that it goes by where it is taken."""
        local, number = name, 2
        while self._homes.setdefault(local, module) != module:
            local, number = f"{name}{number}", number + 1
        self.imports.setdefault(module, set()).add(name if local == name else f"{name} as {local}")
        return local

    def name_of(self, thing: Any) -> str:
        """Give the name of a class or function, and import it."""
        generic = getattr(thing, "__pydantic_generic_metadata__", {})
        if generic.get("args"):
            arguments = ", ".join(map(self.name_of, generic["args"]))
            return f"{self.name_of(generic['origin'])}[{arguments}]"
        module, name = home_of(thing)
        first, dot, rest = name.partition(".")
        if "<locals>" in rest:
            return str(thing.__name__)
        if module == "builtins":
            return name
        return f"{self.add(module, first)}{dot}{rest}"

    def expression(self, value: Any) -> str:
        """Write a value, or a template, as a Python expression that evaluates to an equal one.

        What has no such expression is written as its repr.
        """
        cls = type(value)
        if cls in _WRITERS:
            return _WRITERS[cls](self, value)
        if isinstance(value, Enum):
            return self._enum(value)
        if isinstance(value, ZoneInfo):
            return f"{self.add('zoneinfo', 'ZoneInfo')}({str(value)!r})"
        fields = field_values(value)
        if fields is not None:
            return self.call(cls, fields)
        base: Any = next((each for each in _BUILTINS if isinstance(value, each)), None)
        if base is not None and cls.__repr__ is base.__repr__:
            return f"{self.name_of(cls)}({_WRITERS[base](self, base(value))})"
        return self._by_repr(value)

    def call(self, cls: type, fields: Mapping[str, Any]) -> str:
        """Write an entity as a call of its class, leaving out fields that have their default."""
        names = constructor_names(cls)
        shown = {
            keyword: self.expression(each)
            for name, each in fields.items()
            if (keyword := names.get(name, name)) is not None and not _is_default(cls, name, each)
        }
        return f"{self.name_of(cls)}({keywords(shown)})"

    def _enum(self, value: Enum) -> str:
        """A combination of flags is no member of its own."""
        name = self.name_of(type(value))
        if value.name in type(value).__members__:
            return f"{name}.{value.name}"
        return f"{name}({self.expression(value.value)})"

    def _by_repr(self, value: Any) -> str:
        """Write a value whose repr calls its class by name (Decimal, UUID, paths and the like)."""
        text = repr(value)
        cls = type(value)
        found = re.match(rf"(?:{re.escape(cls.__module__)}\.)?{re.escape(cls.__name__)}\(", text)
        return f"{self.name_of(cls)}({text[found.end() :]}" if found else text


def keywords(expressions: Mapping[str, str]) -> str:
    """Write keyword arguments; those that are no Python names as a dict."""
    plain = [
        f"{name}={text}"
        for name, text in expressions.items()
        if name.isidentifier() and not iskeyword(name)
    ]
    odd = [
        f"{name!r}: {text}"
        for name, text in expressions.items()
        if not name.isidentifier() or iskeyword(name)
    ]
    return ", ".join([*plain, *([f"**{{{', '.join(odd)}}}"] if odd else [])])


def _is_default(cls: type, name: str, value: Any) -> bool:
    """Whether a value is written as the default is: `==` takes True for 1 and -0.0 for 0.0."""
    defaults = field_defaults(cls)
    if name not in defaults or type(defaults[name]) is not type(value):
        return False
    return Source().expression(defaults[name]) == Source().expression(value)


def _plain(source: Source, value: Any) -> str:
    return repr(value)


def _text(source: Source, value: str) -> str:
    text = repr(value)
    return f'"{text[1:-1]}"' if text[0] == "'" and '"' not in value else text


def _integer(source: Source, value: int) -> str:
    return hex(value) if abs(value) >= _LONG else repr(value)


def _reference(source: Source, value: Reference) -> str:
    return str(value)


def _build(source: Source, value: Build) -> str:
    return source.call(value.cls, value.fields)


def _list(source: Source, value: list[Any]) -> str:
    return f"[{', '.join(map(source.expression, value))}]"


def _tuple(source: Source, value: tuple[Any, ...]) -> str:
    inner = ", ".join(map(source.expression, value))
    return f"({inner},)" if len(value) == 1 else f"({inner})"


def _dict(source: Source, value: dict[Any, Any]) -> str:
    items = (f"{source.expression(key)}: {source.expression(each)}" for key, each in value.items())
    return f"{{{', '.join(items)}}}"


def _defaultdict(source: Source, value: defaultdict[Any, Any]) -> str:
    factory = value.default_factory
    made = "None" if factory is None else source.name_of(factory)
    return f"{source.add('collections', 'defaultdict')}({made}, {_dict(source, value)})"


def _proxy(source: Source, value: MappingProxyType[Any, Any]) -> str:
    return f"{source.add('types', 'MappingProxyType')}({source.expression(dict(value))})"


def _set(source: Source, value: set[Any]) -> str:
    inner = ", ".join(sorted(map(source.expression, value)))
    return f"{{{inner}}}" if value else "set()"


def _frozenset(source: Source, value: frozenset[Any]) -> str:
    return f"frozenset({_set(source, set(value))})" if value else "frozenset()"


def _float(source: Source, value: float) -> str:
    text = repr(value)
    return text if text[-1].isdigit() else f'float("{text}")'


def _unset(source: Source, value: msgspec.UnsetType) -> str:
    return source.add("msgspec", "UNSET")


def _datetime(source: Source, value: datetime) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute]
    parts += [value.second] if value.second or value.microsecond else []
    parts += [value.microsecond] if value.microsecond else []
    name = source.add("datetime", "datetime")
    return f"{name}({', '.join(map(str, parts))}{_zone(source, value)})"


def _time(source: Source, value: time) -> str:
    parts = [value.hour, value.minute, value.second, value.microsecond]
    name = source.add("datetime", "time")
    return f"{name}({', '.join(map(str, parts))}{_zone(source, value)})"


def _zone(source: Source, value: datetime | time) -> str:
    zone = f", tzinfo={source.expression(value.tzinfo)}" if value.tzinfo is not None else ""
    return f"{zone}, fold=1" if value.fold else zone


def _timezone(source: Source, value: timezone) -> str:
    if value is UTC:
        return source.add("datetime", "UTC")
    offset = _timedelta(source, value.utcoffset(None))
    return f"{source.add('datetime', 'timezone')}({offset})"


def _timedelta(source: Source, value: timedelta) -> str:
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    shown = ", ".join(f"{name}={number}" for name, number in parts.items() if number)
    return f"{source.add('datetime', 'timedelta')}({shown})"


def _date(source: Source, value: date) -> str:
    return f"{source.add('datetime', 'date')}({value.year}, {value.month}, {value.day})"


_WRITERS: dict[type, Callable[[Source, Any], str]] = {
    NoneType: _plain,
    bool: _plain,
    str: _text,
    bytes: _plain,
    bytearray: _plain,
    int: _integer,
    float: _float,
    list: _list,
    tuple: _tuple,
    dict: _dict,
    defaultdict: _defaultdict,
    MappingProxyType: _proxy,
    set: _set,
    frozenset: _frozenset,
    datetime: _datetime,
    date: _date,
    time: _time,
    timedelta: _timedelta,
    timezone: _timezone,
    Reference: _reference,
    Build: _build,
    msgspec.UnsetType: _unset,
}
