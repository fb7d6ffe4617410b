"""The contract derives its operations from a Protocol or ABC through this module."""

from __future__ import annotations

import functools
import inspect
import typing
from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar, get_args, get_origin, is_typeddict

from storeproof.harness.exceptions import ContractError
from storeproof.harness.structure import field_hints, field_names

__all__ = [
    "Operation",
    "Parameter",
    "Style",
    "derive_operations",
    "is_missing",
    "item_hint",
    "substitute",
]

_REQUIRED = inspect.Parameter.empty


class Style(StrEnum):
    """How an operation is called."""

    COROUTINE = "coroutine"
    GENERATOR = "async generator"
    SYNC = "sync"


@dataclass(frozen=True)
class Parameter:
    """One parameter of an operation, with its resolved type hint."""

    name: str
    hint: Any
    kind: inspect._ParameterKind
    default: Any = _REQUIRED

    @property
    def required(self) -> bool:
        return self.default is _REQUIRED


@dataclass(frozen=True)
class Operation:
    """One public method of the Protocol: what it takes, what it returns, and its law."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: Any
    style: Style
    doc: str
    function: Callable[..., Any]
    """The Protocol's own function, which an implementation must not just inherit."""

    @functools.cached_property
    def positional(self) -> tuple[Parameter, ...]:
        """The parameters that are given by their position only."""
        only = inspect.Parameter.POSITIONAL_ONLY
        return tuple(each for each in self.parameters if each.kind is only)

    @functools.cached_property
    def paged(self) -> bool:
        """Whether it takes a cursor and a limit and returns items and a next cursor."""
        names = {parameter.name for parameter in self.parameters}
        origin = get_origin(self.returns) or self.returns
        return (
            {"cursor", "limit"} <= names
            and isinstance(origin, type)
            and not is_typeddict(origin)
            and {"items", "next_cursor"} <= set(field_names(origin))
        )


def derive_operations(
    protocol: type, *, contract: str, ignore: Mapping[str, str]
) -> dict[str, Operation]:
    """Give the public operations of a Protocol or ABC, in the order of their declaration.

    Inherited ones count; names in `ignore` do not. Raises ContractError for what is no class, for
    types that can't be resolved, for properties, for `*args` and `**kwargs`, and where nothing is
    left.
    """
    if not isinstance(protocol, type):
        raise ContractError(
            contract,
            f"{protocol!r} is no class",
            "Give the Protocol or ABC whose async methods are the operations",
        )
    operations = {
        name: _operation(protocol, name, owner, function, contract)
        for name, (owner, function) in _public_functions(protocol).items()
        if name not in ignore
    }
    if not operations:
        raise ContractError(
            contract,
            f"{protocol.__name__} has no public method",
            "Give the Protocol or ABC whose async methods are the operations",
        )
    return operations


def _public_functions(protocol: type) -> dict[str, tuple[type, Any]]:
    found: dict[str, tuple[type, Any]] = {}
    for owner in reversed(protocol.__mro__):
        if owner in (object, ABC, Generic, typing.Protocol):
            continue
        for name, member in vars(owner).items():
            if not name.startswith("_") and _is_member(member):
                found[name] = (owner, member)
    return found


_NO_METHODS: tuple[type, ...] = (property, functools.cached_property, staticmethod, classmethod)


def _is_member(member: Any) -> bool:
    return inspect.isfunction(member) or isinstance(member, _NO_METHODS)


def _operation(protocol: type, name: str, owner: type, function: Any, contract: str) -> Operation:
    if not inspect.isfunction(function):
        raise ContractError(
            contract,
            f"{protocol.__name__}.{name} is a {type(function).__name__}, not a method",
            f'Leave it out with ignore={{"{name}": "why"}}',
        )
    hints = _resolved_hints(protocol, name, function, contract)
    variables = _type_arguments(protocol, owner)
    signature = inspect.signature(function)
    parameters = tuple(
        Parameter(
            each.name, substitute(hints.get(each.name, Any), variables), each.kind, each.default
        )
        for each in list(signature.parameters.values())[1:]
    )
    for each in parameters:
        if each.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD):
            raise ContractError(
                contract,
                f"{protocol.__name__}.{name} takes any number of arguments ({each.name})",
                f'Name them in the Protocol, or leave it out with ignore={{"{name}": "why"}}',
            )
    returns = substitute(hints.get("return", Any), variables)
    return Operation(
        name,
        parameters,
        returns,
        _style(function, returns),
        inspect.getdoc(function) or "",
        function,
    )


def _resolved_hints(protocol: type, name: str, function: Any, contract: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as problem:
        raise ContractError(
            contract,
            f"the types of {protocol.__name__}.{name} can't be resolved ({problem})",
            "Import the names at module level, not under TYPE_CHECKING, or leave the operation out "
            f'with ignore={{"{name}": "why"}}',
        ) from None


def _style(function: Callable[..., Any], returns: Any) -> Style:
    if inspect.isasyncgenfunction(function):
        return Style.GENERATOR
    if inspect.iscoroutinefunction(function):
        return Style.COROUTINE
    origin = get_origin(returns)
    if origin is not None and hasattr(origin, "__aiter__"):
        return Style.GENERATOR
    if origin is not None and hasattr(origin, "__await__"):
        return Style.COROUTINE
    return Style.SYNC


def _type_arguments(protocol: type, owner: type) -> dict[Any, Any]:
    """Give what each type variable of `owner` stands for in `protocol`."""
    found: dict[Any, Any] = {}
    for cls in protocol.__mro__:
        for base in vars(cls).get("__orig_bases__", ()):
            origin = get_origin(base)
            parameters = getattr(origin, "__parameters__", ())
            for variable, argument in zip(parameters, get_args(base), strict=False):
                found.setdefault((origin, variable), substitute(argument, _of(found, cls)))
    return _of(found, owner)


def is_missing(holder: Any, operation: Operation) -> bool:
    """Whether a class, or an instance, has no method of its own for an operation.

    What it merely inherits from a Protocol, or as an abstract method, is not its own.
    """
    member = getattr(holder, operation.name, None)
    if member is None:
        return True
    if isinstance(holder, type):
        cls = holder
    elif operation.name in getattr(holder, "__dict__", {}):
        return False
    else:
        cls = type(holder)
    owner = next((each for each in cls.__mro__ if operation.name in vars(each)), None)
    abstract = getattr(member, "__isabstractmethod__", False)
    return bool(abstract or getattr(owner, "_is_protocol", False))


def _of(found: dict[Any, Any], owner: type) -> dict[Any, Any]:
    return {variable: given for (cls, variable), given in found.items() if cls is owner}


def item_hint(paged: Operation) -> Any:
    """Give the type of the items that the pages of an operation hold."""
    cls = get_origin(paged.returns) or paged.returns
    variables = dict(zip(getattr(cls, "__parameters__", ()), get_args(paged.returns), strict=False))
    try:
        items = substitute(field_hints(cls)["items"], variables)
    except (NameError, TypeError, AttributeError):
        return None
    return next(iter(get_args(items)), None)


def substitute(hint: Any, variables: Mapping[Any, Any]) -> Any:
    """Replace the type variables of a hint by what they stand for.

    >>> T = TypeVar("T")
    >>> substitute(list[T], {T: int})
    list[int]
    """
    if not variables:
        return hint
    if isinstance(hint, TypeVar):
        return variables.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if parameters and get_origin(hint) is not None:
        return hint[tuple(variables.get(each, each) for each in parameters)]
    return hint
