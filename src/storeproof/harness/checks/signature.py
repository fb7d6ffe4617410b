"""The signature check: a storage has every operation, called as the Protocol says."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.operations import Operation, Parameter, Style, is_missing

__all__ = ["SignatureCheck", "signature_problems"]


class SignatureCheck(Check):
    """Compares parameter names, kinds, defaults and async-ness of every operation."""

    id = "signature"
    stage = Stage.SIGNATURE
    sentence = "Every operation exists, called by the names, kinds and defaults of the Protocol's."

    def run(self, context: CheckContext) -> None:
        storage = context.run(context.store.fresh())
        contract = context.contract
        problems = [
            problem
            for operation in contract.operations.values()
            for problem in signature_problems(storage, operation)
        ]
        context.tally.operations += len(contract.operations)
        if problems:
            listed = "\n".join(f"  - {each}" for each in problems)
            raise CheckFailed(
                f"{contract.name} on {context.backend.name}: {type(storage).__name__} can't be "
                f"called as {contract.protocol.__name__} says\n{listed}"
            )


def signature_problems(storage: Any, operation: Operation) -> Iterator[str]:
    """Say what keeps a storage's operation from being called as the Protocol says."""
    member = getattr(storage, operation.name, None)
    if is_missing(storage, operation):
        yield f"{operation.name} is missing"
        return
    if not callable(member):
        yield f"{operation.name} is no method"
        return
    style, declared = _style(member), operation.style
    if style is not declared:
        yield f"{operation.name} is {_article(style)}, the Protocol's is {_article(declared)}"
    actual = inspect.signature(member).parameters
    for parameter in operation.parameters:
        yield from _parameter_problems(operation, parameter, actual)
    yield from _order_problems(operation, list(actual))
    known = {each.name for each in operation.parameters}
    for name, extra in actual.items():
        if (
            name not in known
            and extra.default is inspect.Parameter.empty
            and not _is_variadic(extra)
        ):
            yield f"{operation.name} needs {name}, which the Protocol does not have"


def _parameter_problems(operation: Operation, parameter: Parameter, actual: Any) -> Iterator[str]:
    where = f"{operation.name}({parameter.name})"
    found = actual.get(parameter.name)
    if found is None:
        if not _takes_any(parameter, actual):
            yield f"{where} is missing"
        return
    if found.kind is not parameter.kind:
        yield f"{where} is {found.kind.description}, the Protocol's is {parameter.kind.description}"
    if found.default is inspect.Parameter.empty and not parameter.required:
        yield f"{where} has no default, the Protocol's is {parameter.default!r}"
    elif not _same_default(found.default, parameter.default):
        shown = "none" if parameter.required else repr(parameter.default)
        yield f"{where} has the default {found.default!r}, the Protocol's is {shown}"


def _order_problems(operation: Operation, actual: list[str]) -> Iterator[str]:
    """Whoever gives arguments by position relies on their order."""
    declared = [
        each.name
        for each in operation.parameters
        if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and each.name in actual
    ]
    found = sorted(declared, key=actual.index)
    if found != declared:
        order = f"({', '.join(found)}), the Protocol's is ({', '.join(declared)})"
        yield f"{operation.name} has the order {order}"


def _same_default(found: Any, declared: Any) -> bool:
    return bool(found is declared or (type(found) is type(declared) and found == declared))


def _takes_any(parameter: Parameter, actual: Any) -> bool:
    """Whether a wrapper's `*args, **kwargs` takes the parameter."""
    kinds = {each.kind for each in actual.values()}
    if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
        return inspect.Parameter.VAR_POSITIONAL in kinds
    both = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
        return inspect.Parameter.VAR_KEYWORD in kinds
    return both <= kinds


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _style(member: Any) -> Style:
    plain = inspect.unwrap(getattr(member, "__func__", member))
    if inspect.isasyncgenfunction(plain):
        return Style.GENERATOR
    if inspect.iscoroutinefunction(plain) or inspect.iscoroutinefunction(member):
        return Style.COROUTINE
    returns = str(inspect.signature(member).return_annotation)
    if any(word in returns for word in ("AsyncIterator", "AsyncIterable", "AsyncGenerator")):
        return Style.GENERATOR
    if any(word in returns for word in ("Awaitable", "Coroutine", "Future")):
        return Style.COROUTINE
    return Style.SYNC


def _article(style: Style) -> str:
    return {"coroutine": "async", "async generator": "an async generator", "sync": "not async"}[
        style
    ]
