"""The agreement check runs a program on the model and on a storage at once through this module."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.checks.base import Tally
from storeproof.harness.compare import Renaming
from storeproof.harness.operations import Operation, Parameter
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program
from storeproof.harness.running import Actor, Outcome, Unresolvable, compare_outcomes
from storeproof.harness.search import Failure
from storeproof.harness.structure import field_hints, is_entity_class, optional_fields

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Trial", "reading_calls"]

_MOST_READS = 12
_MOST_PER_OPERATION = 4
_FEW = 2
"""Of the values that a contract gives, the first ones, which are the simplest."""


class Trial:
    """A model and a storage that are given the same calls; the first difference is the failure.

    expected: what the model gave for all of the calls, where they were made on it before.
    """

    def __init__(
        self,
        contract: Contract,
        storage: Any,
        tally: Tally,
        *,
        scribbling: bool,
        expected: Sequence[Outcome] = (),
    ) -> None:
        self._contract, self._tally = contract, tally
        self._known = expected
        self._model = Actor(contract, contract.model(), scribbling=False)
        self._storage = Actor(contract, storage, scribbling=scribbling)
        self._renaming = Renaming()
        self._scribbling = scribbling
        self._steps: list[Call] = []
        self._expected: list[Outcome] = []

    async def step(self, call: Call) -> Failure | None:
        """Make one call on both; none where the model did not give what it refers to."""
        self._tally.operations += 1
        expected = await self._modelled(call)
        if isinstance(expected.error, Unresolvable):
            self._model.results.pop()
            return None
        self._tally.add_call(call.operation, succeeded=expected.error is None)
        actual = await self._storage.call(call)
        self._steps.append(call)
        self._expected.append(expected)
        reason = self._reason(call, expected, actual)
        if reason is not None:
            program = Program(tuple(self._steps), scribbling=self._scribbling)
            return Failure(program, tuple(self._expected), actual, reason)
        return None

    async def _modelled(self, call: Call) -> Outcome:
        if self._known:
            return self._known[len(self._steps)]
        return await self._model.call(call)

    async def replay(self, program: Program) -> Failure | None:
        """Make the calls of a whole program on both, up to one that can't be made on the model."""
        for index, step in enumerate(program.steps):
            failure = await self.step(step) if isinstance(step, Call) else None
            if failure is not None:
                return replace(failure, program=replace(program, steps=tuple(self._steps)))
            if len(self._steps) == index:
                return None
        return None

    def _reason(self, call: Call, expected: Outcome, actual: Outcome) -> str | None:
        if not expected.declared:
            return f"the model itself {expected}, which is none of the contract's errors"
        return compare_outcomes(self._contract, call.operation, expected, actual, self._renaming)


def reading_calls(contract: Contract, pools: Pools, most: int = _MOST_READS) -> list[Call]:
    """Give the calls that show the content: every list, then a look-up of every known id."""
    calls = (
        sorted(_reads_of(contract, contract.operations[name], pools), key=_size)
        for name in contract.operations
        if name in contract.reads
    )
    every = itertools.chain.from_iterable(
        itertools.islice(each, _MOST_PER_OPERATION) for each in calls
    )
    return sorted(every, key=_size)[:most]


def _size(call: Call) -> int:
    return len(call.arguments)


def _reads_of(contract: Contract, operation: Operation, pools: Pools) -> Iterator[Call]:
    needed = [
        each for each in operation.parameters if each.required and each.name not in contract.context
    ]
    choices = [_read_values(contract, operation, each, pools) for each in needed]
    for values in itertools.islice(itertools.product(*choices), _MOST_PER_OPERATION):
        names = (each.name for each in needed)
        yield Call(operation.name, dict(zip(names, values, strict=True)))


def _read_values(
    contract: Contract, operation: Operation, parameter: Parameter, pools: Pools
) -> list[Any]:
    if operation.paged and parameter.name in ("cursor", "limit"):
        return [None if parameter.name == "cursor" else contract.largest_page]
    full = f"{operation.name}.{parameter.name}"
    given = contract.arguments.get(full, contract.arguments.get(parameter.name))
    if isinstance(given, Sequence):
        return list(given[:_FEW])
    kind = contract.kind_of_parameter(operation.name, parameter.name, parameter.hint)
    if kind is not None:
        return list(dict.fromkeys(pools.of(kind)))
    if is_entity_class(parameter.hint) and set(field_hints(parameter.hint)) <= optional_fields(
        parameter.hint
    ):
        return [parameter.hint()]
    return []
