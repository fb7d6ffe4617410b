"""Benchmarks get here calls of an operation, of which as many succeed as are wanted."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storeproof.harness.checks.base import CheckContext
from storeproof.harness.latency.refusals import NotMeasurable
from storeproof.harness.latency.sampling import Call
from storeproof.harness.operations import Operation, Style
from storeproof.harness.program import Call as Step
from storeproof.harness.program import Program
from storeproof.harness.running import Actor, invoke
from storeproof.harness.succeeding import succeeding_of
from storeproof.harness.varying import Way, copied_alone

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Calls", "Made", "Workload", "derived", "stated"]

Calls = Callable[[Any, int], Awaitable[Call]]
"""Makes the nth call ready on a storage: what it needs is done by then, outside the measurement."""

Made = Callable[[Any, int], Awaitable[object]]
"""Makes a call on a storage, with a number that makes its ids new."""

_DIFFERENT = 8
"""Calls of an operation that changes nothing, which can be made again and again."""
_PROVED = 40
"""Copies of a program that must succeed on the model, one after the other."""
_PROGRAMS = 3
_FIRST = 0x10000
"""The number of the first copy: those from here on end in as many digits."""
_WAYS = (Way(ids=True), Way(ids=True, others=True), Way(others=True))


@dataclass(frozen=True)
class Workload:
    """An operation's calls.

    repeatable: whether one call can be made again, since it changes nothing.
    """

    calls: Calls
    repeatable: bool

    async def ready(self, storage: Any, numbers: Iterator[int], count: int) -> Sequence[Call]:
        """Make so many calls ready, of numbers that no other call has."""
        different = min(count, _DIFFERENT) if self.repeatable else count
        made = [await self.calls(storage, next(numbers)) for _ in range(different)]
        return [made[each % different] for each in range(count)]


def stated(call: Made, *before: Made) -> Calls:
    """State an operation's calls: how one is made, and what is made before, outside the clock.

    >>> calls = {"get": stated(lambda s, n: s.get(f"k{n}"), lambda s, n: s.put(f"k{n}", "text"))}
    """

    async def prepared(storage: Any, number: int) -> Call:
        for each in before:
            await each(storage, number)
        return lambda: call(storage, number)

    return prepared


def derived(context: CheckContext, operation: str) -> Workload:
    """Derive calls from the contract: of short programs, whose copies have ids of their own.

    What changes something is never called with the same values again: that may be for nothing.

    Raises NotMeasurable where no such program can be called again and again on the model.
    """
    contract, repeatable = context.contract, operation in context.contract.reads
    ways = (*_WAYS, Way()) if repeatable else _WAYS
    for program in succeeding_of(context, operation, _PROGRAMS):
        for way in ways:
            calls = _Derived(contract, program, way)
            if context.run(_holds(calls, contract.model())):
                return Workload(calls, repeatable)
    raise NotMeasurable(
        f"no call of {contract.name}.{operation} was found that can be made again and again",
        f'Say how one is made: contract.benchmarks(calls={{"{operation}": …}})',
    )


@dataclass(frozen=True)
class _Derived:
    contract: Contract
    program: Program
    way: Way

    async def __call__(self, storage: Any, number: int) -> Call:
        actor = Actor(self.contract, storage, scribbling=False)
        results: dict[int, Any] = {}
        *before, last = self._copies(number)
        for index, call in enumerate(before):
            outcome = await actor.outcome(call, results)
            if outcome.error is not None:
                raise outcome.error
            results[index] = outcome.value
        arguments = actor.arguments(last, results) | actor.context_of(last.operation)
        return bound(storage, self.contract.operations[last.operation], arguments)

    def _copies(self, number: int) -> list[Step]:
        return [
            copied_alone(self.contract, step, _FIRST + number, self.way)
            for step in self.program.steps
            if isinstance(step, Step)
        ]


def bound(storage: Any, operation: Operation, arguments: dict[str, Any]) -> Call:
    """Give a call that costs nothing but the operation's own, where it is async."""
    if operation.style is Style.COROUTINE and not operation.positional:
        return functools.partial(getattr(storage, operation.name), **arguments)
    return functools.partial(invoke, storage, operation, arguments)


async def _holds(calls: _Derived, model: Any) -> bool:
    """Whether copies succeed on one model; two of the same call would show less than there is."""
    try:
        async with asyncio.timeout(_PROVED):
            for number in range(_PROVED):
                await (await calls(model, number))()
    except Exception:  # storages raise what they like
        return False
    return True
