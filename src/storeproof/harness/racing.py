"""Checks run what clients do at once here: on a store, which gives a history, and on the model."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming
from storeproof.harness.history import History, Recorder
from storeproof.harness.program import Branch, Call, Program, Step
from storeproof.harness.running import Actor, Outcome, Unresolvable, compare_outcomes
from storeproof.harness.threads import in_threads

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = [
    "Clients",
    "Numbered",
    "Outcomes",
    "Parts",
    "contends",
    "different",
    "handles_for",
    "on_model",
    "order_matters",
    "race",
    "without_reads",
]

Numbered = list[tuple[int, Call]]
Outcomes = dict[int, Outcome]
"""By the number of the call; those that could not be made are missing."""


async def _plain(call: Coroutine[Any, Any, Outcome]) -> Outcome:
    return await call


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

    The clients are released together, each at its first call; nothing waits for a clock. Where no
    operation is async, each client makes its calls in a thread of its own.

    first: the client whose turn it is first, counted round and round: where nothing else is left
    to chance, another one shows another race.
    """
    handles = await handles_for(store, program)
    recorder = Recorder(contract)
    if contract.is_async:
        await _race(Clients(contract, program, handles, recorder), first)
    else:
        with in_threads(contract) as threads:
            clients = Clients(contract, program, handles, recorder, wrapped=threads.make)
            await _race(clients, first)
    history = recorder.history()
    if history.undeclared() is not None:
        await store.fresh()  # what became of the other handles is unknown, so they are closed
    return history


async def _race(clients: Clients, first: int) -> None:
    await clients.make_steps()
    await clients.make_branches(first)
    await clients.make_reads()


async def handles_for(store: Store, program: Program) -> list[Any]:
    """Empty the store; give a handle for each client of a program, or one that all share."""
    count = max(1, len(program.branches))
    return await store.clients(1) * count if program.shared else await store.clients(count)


class Clients:
    """The clients of a program, one for each handle, or some of them; they note what they do.

    results: what calls of the program were given elsewhere. lanes: the clients' numbers in the
    history, from 0 unless given. wrapped: what is done around each call.
    """

    def __init__(
        self,
        contract: Contract,
        program: Program,
        handles: Sequence[Any],
        recorder: Recorder,
        *,
        results: Mapping[int, Any] | None = None,
        lanes: Sequence[int] | None = None,
        wrapped: Callable[[Coroutine[Any, Any, Outcome]], Awaitable[Outcome]] = _plain,
    ) -> None:
        self._parts, self._recorder = Parts(program), recorder
        self.actors = [Actor(contract, each, scribbling=False) for each in handles]
        self._lanes = range(len(handles)) if lanes is None else lanes
        self._wrapped = wrapped
        self.results = dict(results or {})

    async def make_steps(self) -> None:
        """Make the program's steps, by the first client."""
        await self._make(0, self._parts.steps)

    async def make_branches(self, first: int = 0) -> None:
        """Make the branches at once; `first` is whose turn it is first, round and round."""
        released = asyncio.Event()

        async def branch(index: int, calls: Numbered) -> None:
            await released.wait()
            await self._make(index, calls)

        pairs = zip(range(len(self.actors)), self._parts.branches, strict=False)
        branches = [branch(index, calls) for index, calls in pairs]
        first %= len(self.actors)
        tasks = [asyncio.create_task(each) for each in (*branches[first:], *branches[:first])]
        released.set()
        await asyncio.gather(*tasks)

    async def make_reads(self) -> None:
        """Make every client's reads, one after the other."""
        for index, reads in zip(range(len(self.actors)), self._parts.reads, strict=False):
            await self._make(index, reads)

    async def _make(self, index: int, calls: Numbered) -> None:
        actor = self.actors[index]
        for position, call in calls:
            try:
                arguments = actor.arguments(call, self.results)
            except Unresolvable:
                continue
            if self._recorder.ended:
                return
            word = self._recorder.invoke(self._lanes[index], position, call)
            outcome = await self._wrapped(actor.invoke(call.operation, arguments))
            self._recorder.respond(word, outcome)
            if outcome.error is None:
                self.results[position] = outcome.value


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
