"""Failures are printed as Python through this module: values as expressions, with imports."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from types import NoneType
from typing import Any

from storeproof.harness.structure import field_defaults, field_values

__all__ = ["Source"]

_PLAIN = (NoneType, bool, int, str, bytes)


@dataclass
class Source:
    """Writes values as Python expressions and remembers what they need imported."""

    imports: dict[str, set[str]] = field(default_factory=dict)
    """Module -> names."""

    def import_lines(self) -> list[str]:
        return [
            f"from {module} import {', '.join(sorted(names))}"
            for module, names in sorted(self.imports.items())
        ]

    def name_of(self, thing: Any) -> str:
        """Give the name of a class or function, and import it."""
        module, name = thing.__module__, thing.__qualname__
        if module != "builtins":
            self.imports.setdefault(module, set()).add(name.split(".")[0])
        return str(name)

    def expression(self, value: Any) -> str:
        """Write a value as a Python expression that evaluates to an equal one.

        What has no such expression is written as its repr.
        """
        if type(value) in _PLAIN:
            return repr(value)
        if isinstance(value, Enum):
            return f"{self.name_of(type(value))}.{value.name}"
        if type(value) in _WRITERS:
            return _WRITERS[type(value)](self, value)
        if isinstance(value, tuple) and field_values(value) is None:
            inner = "".join(f"{self.expression(each)}, " for each in value)
            return f"({inner.rstrip() if len(value) == 1 else inner.rstrip(', ')})"
        fields = field_values(value)
        if fields is not None:
            return self.call(type(value), fields)
        return self._by_repr(value)

    def call(self, cls: type, fields: Mapping[str, Any]) -> str:
        """Write an entity as a call of its class, leaving out fields that have their default."""
        shown = {name: each for name, each in fields.items() if not _is_default(cls, name, each)}
        inner = ", ".join(f"{name}={self.expression(each)}" for name, each in shown.items())
        return f"{self.name_of(cls)}({inner})"

    def _by_repr(self, value: Any) -> str:
        """Write a value whose repr calls its class by name (Decimal, UUID, paths and the like)."""
        text = repr(value)
        name = type(value).__name__
        if re.match(rf"{re.escape(name)}\(", text):
            self.imports.setdefault(type(value).__module__, set()).add(name)
        return text


def _is_default(cls: type, name: str, value: Any) -> bool:
    default = field_defaults(cls).get(name, ...)
    return default is not ... and type(default) is type(value) and bool(default == value)


def _list(source: Source, value: list[Any]) -> str:
    return f"[{', '.join(map(source.expression, value))}]"


def _dict(source: Source, value: dict[Any, Any]) -> str:
    items = (f"{source.expression(key)}: {source.expression(each)}" for key, each in value.items())
    return f"{{{', '.join(items)}}}"


def _set(source: Source, value: set[Any]) -> str:
    inner = ", ".join(sorted(map(source.expression, value)))
    return f"{{{inner}}}" if value else "set()"


def _frozenset(source: Source, value: frozenset[Any]) -> str:
    return f"frozenset({_set(source, set(value))})" if value else "frozenset()"


def _float(source: Source, value: float) -> str:
    text = repr(value)
    return text if text[-1].isdigit() else f'float("{text}")'


def _datetime(source: Source, value: datetime) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute]
    parts += [value.second] if value.second or value.microsecond else []
    parts += [value.microsecond] if value.microsecond else []
    source.imports.setdefault("datetime", set()).add("datetime")
    zone = f", tzinfo={_zone(source, value)}" if value.tzinfo is not None else ""
    fold = ", fold=1" if value.fold else ""
    return f"datetime({', '.join(map(str, parts))}{zone}{fold})"


def _zone(source: Source, value: datetime) -> str:
    zone, names = value.tzinfo, source.imports.setdefault("datetime", set())
    if zone is UTC:
        names.add("UTC")
        return "UTC"
    if isinstance(zone, timezone):
        names.add("timezone")
        return f"timezone({_timedelta(source, zone.utcoffset(None))})"
    return source.expression(zone)


def _timedelta(source: Source, value: timedelta) -> str:
    source.imports.setdefault("datetime", set()).add("timedelta")
    parts = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    shown = ", ".join(f"{name}={number}" for name, number in parts.items() if number)
    return f"timedelta({shown})"


def _date(source: Source, value: date) -> str:
    source.imports.setdefault("datetime", set()).add("date")
    return f"date({value.year}, {value.month}, {value.day})"


def _time(source: Source, value: time) -> str:
    source.imports.setdefault("datetime", set()).add("time")
    return f"time.fromisoformat({value.isoformat()!r})"


_WRITERS: dict[type, Callable[[Source, Any], str]] = {
    list: _list,
    dict: _dict,
    set: _set,
    frozenset: _frozenset,
    float: _float,
    datetime: _datetime,
    timedelta: _timedelta,
    date: _date,
    time: _time,
}
