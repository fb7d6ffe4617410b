"""Checks run what clients do at once here: on a store, which gives a history, and on the model."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming
from storeproof.harness.history import History, Recorder
from storeproof.harness.program import Branch, Call, Program, Step
from storeproof.harness.running import Actor, Outcome, Unresolvable, compare_outcomes

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = [
    "Numbered",
    "Outcomes",
    "Parts",
    "contends",
    "different",
    "on_model",
    "order_matters",
    "race",
    "without_reads",
]

Numbered = list[tuple[int, Call]]
Outcomes = dict[int, Outcome]
"""By the number of the call; those that could not be made are missing."""


class Parts:
    """The parts of a program, with the numbers of their calls."""

    def __init__(self, program: Program) -> None:
        self._numbers = itertools.count()
        self.steps = self._numbered(program.steps)
        self.branches = [self._numbered(each.calls) for each in program.branches]
        self.reads = [self._numbered(each.reads) for each in program.branches]

    def _numbered(self, calls: Sequence[Step]) -> Numbered:
        return [(next(self._numbers), each) for each in calls if isinstance(each, Call)]


async def race(contract: Contract, store: Store, program: Program, first: int = 0) -> History:
    """Run a program on an emptied store: its steps, the branches at once, then their reads.

    The clients are released together, each at its first call; nothing waits for a clock.

    first: the client whose turn it is first, counted round and round: where nothing else is left
    to chance, another one shows another race.
    """
    handles = await _handles(store, program)
    clients = [_Client(contract, index, each) for index, each in enumerate(handles)]
    history = await _Race(contract, program, clients).run(first % len(clients))
    if history.undeclared() is not None:
        await store.fresh()  # what became of the other handles is unknown, so they are closed
    return history


async def _handles(store: Store, program: Program) -> list[Any]:
    count = max(1, len(program.branches))
    return await store.clients(1) * count if program.shared else await store.clients(count)


class _Client(Actor):
    def __init__(self, contract: Contract, index: int, storage: Any) -> None:
        super().__init__(contract, storage, scribbling=False)
        self.index = index


class _Race:
    def __init__(self, contract: Contract, program: Program, clients: Sequence[_Client]) -> None:
        self._parts, self._clients = Parts(program), clients
        self._recorder = Recorder(contract)
        self._results: dict[int, Any] = {}

    async def run(self, first: int) -> History:
        parts, released = self._parts, asyncio.Event()

        async def branch(client: _Client, calls: Numbered) -> None:
            await released.wait()
            await self._make(client, calls)

        await self._make(self._clients[0], parts.steps)
        branches = list(map(branch, self._clients, parts.branches))
        tasks = [asyncio.create_task(each) for each in (*branches[first:], *branches[:first])]
        released.set()
        await asyncio.gather(*tasks)
        for client, reads in zip(self._clients, parts.reads, strict=False):
            await self._make(client, reads)
        return self._recorder.history()

    async def _make(self, client: _Client, calls: Numbered) -> None:
        for position, call in calls:
            try:
                arguments = client.arguments(call, self._results)
            except Unresolvable:
                continue
            word = self._recorder.invoke(client.index, position, call)
            outcome = await client.invoke(call.operation, arguments)
            self._recorder.respond(word, outcome)
            if outcome.error is None:
                self._results[position] = outcome.value


async def on_model(contract: Contract, program: Program, order: Sequence[int]) -> Outcomes:
    """Run a program's steps, these branches one after another, and all reads on a new model."""
    actor, parts = Actor(contract, contract.model(), scribbling=False), Parts(program)
    made = [parts.steps, *(parts.branches[each] for each in order), *parts.reads]
    outcomes: Outcomes = {}
    results: dict[int, Any] = {}
    for position, call in itertools.chain.from_iterable(made):
        outcome = await actor.outcome(call, results)
        if not isinstance(outcome.error, Unresolvable):
            outcomes[position] = outcome
            results[position] = outcome.value
    return outcomes


def without_reads(program: Program) -> Program:
    """Give the program without what its clients read once all is done."""
    return replace(program, branches=tuple(Branch(each.calls) for each in program.branches))


async def order_matters(contract: Contract, program: Program) -> bool:
    """Whether the branches give other outcomes on the model if the last one comes first."""
    every = range(len(program.branches))
    forth = await on_model(contract, program, every)
    back = await on_model(contract, program, every[::-1])
    return bool(different(contract, dict(enumerate(program.calls)), forth, back))


async def contends(contract: Contract, program: Program) -> bool:
    """Whether the branches' calls get in each other's way, as the model shows it.

    They do where another order gives other outcomes or another content, and where two branches
    change what one read gives: two that add to the same number do, in whatever order.
    """
    for each in (without_reads(program), program):
        if await order_matters(contract, each):
            return True
    calls = dict(enumerate(program.calls))
    reads = {number for part in Parts(program).reads for number, _ in part}
    none = await on_model(contract, program, ())
    changed: set[int] = set()
    for index in range(len(program.branches)):
        alone = await on_model(contract, program, (index,))
        changes = different(contract, calls, none, alone) & reads
        if changes & changed:
            return True
        changed |= changes
    return False


def different(
    contract: Contract, calls: Mapping[int, Step], one: Outcomes, other: Outcomes
) -> set[int]:
    """Give the numbers of the calls whose outcomes differ."""
    renaming, found = Renaming(), set[int]()
    for number in sorted({*one, *other}):
        if number not in one or number not in other:
            found.add(number)
            continue
        mark, operation = renaming.mark(), calls[number].operation
        unlike = compare_outcomes(contract, operation, one[number], other[number], renaming)
        if unlike is not None:
            renaming.undo(mark)
            found.add(number)
    return found
