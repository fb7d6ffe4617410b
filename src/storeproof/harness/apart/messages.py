"""Processes of one check write to each other through here: any value, exactly as it is.

Values are pickled and not encoded as programs are: results may be of classes that have no JSON
form, and both ends are processes of this run.
"""

from __future__ import annotations

import importlib
import io
import operator
import pickle
from types import MappingProxyType
from typing import Any

from storeproof.harness.protobuf import home_of, is_protobuf_class

__all__ = ["pack", "unpack"]


def pack(value: Any) -> bytes:
    """Write a value; raises what a class raises that can't be pickled."""
    written = io.BytesIO()
    _Pickler(written, pickle.HIGHEST_PROTOCOL).dump(value)
    return written.getvalue()


def unpack(data: bytes) -> Any:
    """Read a value that `pack` wrote."""
    return pickle.loads(data)  # noqa: S301 - written by a process of this run


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if is_protobuf_class(value):
            return _imported, home_of(value)
        if is_protobuf_class(type(value)):
            return _message, (type(value), value.SerializePartialToString())
        if isinstance(value, MappingProxyType):
            return _read_only, (dict(value),)
        if isinstance(value, Exception):
            return _error, (type(value), value.args, _attributes(value))
        return NotImplemented


def _imported(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


def _message(cls: Any, data: bytes) -> Any:
    """Make a protobuf message, which pickle itself looks for where it was generated."""
    return cls.FromString(data)


def _read_only(value: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(value)


def _attributes(error: Exception) -> dict[str, Any]:
    """Give what an error tells, less the errors that caused it."""
    return {
        name: value
        for name, value in vars(error).items()
        if not isinstance(value, BaseException) and name != "__notes__"
    }


def _error(cls: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]) -> Exception:
    """Make an error without its constructor, which may take other arguments than it kept."""
    made = cls.__new__(cls, *args)
    made.args = args
    vars(made).update(attributes)
    return made
