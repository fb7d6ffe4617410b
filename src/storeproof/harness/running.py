"""Checks run the calls of a program on a storage here, and get each call's outcome."""

from __future__ import annotations

import asyncio
import functools
import re
import types
from collections.abc import Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming, Rules, difference, shown
from storeproof.harness.copying import isolated, scribble
from storeproof.harness.operations import Operation, Style
from storeproof.harness.program import Call, Results, resolve

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = [
    "PATIENCE",
    "Actor",
    "Outcome",
    "Unresolvable",
    "compare_outcomes",
    "invoke",
    "public_attributes",
]

PATIENCE = 20.0
"""Seconds after which a call that has not returned counts as raising TimeoutError."""
_LONG = 400
"""Letters of a value, or of an error's text, that people are shown."""


@dataclass(frozen=True)
class Outcome:
    """What a call gave: a value, or an error, which the contract declares or not."""

    value: Any = None
    error: Exception | None = None
    declared: bool = True

    def __str__(self) -> str:
        if self.error is None:
            return f"returned {shown(self.value, _LONG)}"
        return f"raised {_error_text(self.error)}"


def public_attributes(error: BaseException | None) -> dict[str, Any]:
    """Give the attributes by which two errors of one class are compared."""
    return {
        name: value
        for name, value in getattr(error, "__dict__", {}).items()
        if not name.startswith("_") and not isinstance(value, BaseException)
    }


def compare_outcomes(
    contract: Contract, operation: str, expected: Outcome, actual: Outcome, renaming: Renaming
) -> str | None:
    """Say how two outcomes of an operation differ, or give None where they are the same."""
    rules = contract.rules
    if not actual.declared and type(actual.error) is not type(expected.error):
        return f"{_error_text(actual.error)} is none of the contract's errors"
    if expected.error is not None or actual.error is not None:
        return _compare_errors(expected, actual, rules, renaming)
    found = difference(
        expected.value,
        actual.value,
        rules=rules,
        renaming=renaming,
        unordered=operation in contract.unordered,
        made=contract.kind_of_result(operation),
    )
    return None if found is None else str(found)


def _compare_errors(
    expected: Outcome, actual: Outcome, rules: Rules, renaming: Renaming
) -> str | None:
    if type(expected.error) is not type(actual.error):
        return f"the model {expected}; the storage {actual}"
    found = difference(
        public_attributes(expected.error),
        public_attributes(actual.error),
        rules=rules,
        renaming=renaming,
    )
    if found is None:
        return None
    attribute = re.sub(r"^\['(\w+)'\]", r"\1", found.path)
    return f"the error's {attribute}: {found.reason}"


class Unresolvable(Exception):
    """A call's arguments refer to what an earlier call did not give."""

    def __init__(self, call: Call, problem: Exception) -> None:
        self.call, self.problem = call, problem
        super().__init__(f"the arguments of {call.operation} can't be made: {problem!r}")


class Actor:
    """A caller of one storage during one program; it remembers results for later references.

    A scribbling actor overwrites every mutable argument and result after the call, a harmless one
    gives the storage copies and keeps copies.
    """

    def __init__(self, contract: Contract, storage: Any, *, scribbling: bool) -> None:
        self._contract, self._storage, self._scribbling = contract, storage, scribbling
        self.results: list[Any] = []

    async def call(self, call: Call) -> Outcome:
        """Make one call; anything raised that derives from Exception is an outcome."""
        outcome = await self.outcome(call, self.results)
        self.results.append(outcome.value)
        return outcome

    async def outcome(self, call: Call, results: Results) -> Outcome:
        """Make one call whose references lead to these results, which stay as they are."""
        try:
            arguments = self.arguments(call, results)
        except Unresolvable as error:
            return Outcome(error=error, declared=False)
        return await self.invoke(call.operation, arguments)

    def arguments(self, call: Call, results: Results) -> dict[str, Any]:
        """Give the arguments of a call whose references lead to these results.

        Raises Unresolvable where they lead nowhere.
        """
        if call.is_plain:
            return dict(call.arguments)
        try:
            templates = call.arguments.items()
            return {name: isolated(resolve(each, results)) for name, each in templates}
        except Exception as problem:  # constructors of entities raise what they like
            raise Unresolvable(call, problem) from None

    async def invoke(self, name: str, arguments: dict[str, Any]) -> Outcome:
        """Make one call with these arguments."""
        operation = self._contract.operations[name]
        given = {**arguments, **self.context_of(name)}
        try:
            value = await _patiently(invoke(self._storage, operation, given))
        except Exception as error:
            if self._scribbling:
                scribble(*arguments.values())
            return Outcome(error=error, declared=isinstance(error, self._contract.errors))
        kept = isolated(value)
        if self._scribbling:
            scribble(*arguments.values(), *([value] if kept is not value else []))
        return Outcome(value=kept)

    def context_of(self, name: str) -> dict[str, Any]:
        """Give what an operation takes beside the arguments that are drawn."""
        made = self._contract.context
        if not made:
            return {}
        names = (each.name for each in self._contract.operations[name].parameters)
        return {each: made[each]() for each in names if each in made}


async def _patiently(call: Coroutine[Any, Any, Any]) -> Any:
    """Await a call for as long as PATIENCE. One that never waits costs no timer."""
    try:
        waiting = call.send(None)
    except StopIteration as end:
        return end.value
    async with asyncio.timeout(PATIENCE):
        return await _rest(call, waiting)


@types.coroutine
def _rest(call: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine that was begun and waits; `yield from` can only begin one."""
    while True:
        try:
            sent = yield waiting
        except BaseException as error:
            step = functools.partial(call.throw, error)
        else:
            step = functools.partial(call.send, sent)
        try:
            waiting = step()
        except StopIteration as end:
            return end.value


async def invoke(storage: Any, operation: Operation, arguments: Mapping[str, Any]) -> Any:
    """Call an operation by its Protocol's parameter names; an async generator is collected."""
    if not operation.positional:
        made = getattr(storage, operation.name)(**arguments)
        return await _value(operation, made)
    first = list(operation.positional)
    while first and first[-1].name not in arguments:
        first.pop()
    positional = [arguments.get(each.name, each.default) for each in first]
    named = {name: arguments[name] for name in arguments.keys() - {each.name for each in first}}
    made = getattr(storage, operation.name)(*positional, **named)
    return await _value(operation, made)


async def _value(operation: Operation, made: Any) -> Any:
    if operation.style is Style.GENERATOR:
        return [each async for each in made]
    return await made if operation.style is Style.COROUTINE else made


def _error_text(error: BaseException | None) -> str:
    if error is None:
        return "nothing"
    text = str(error)
    return f"{type(error).__name__}({text if len(text) <= _LONG else text[: _LONG - 1] + '…'})"
