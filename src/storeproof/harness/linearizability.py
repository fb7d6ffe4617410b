"""Checks ask here whether one client alone could have seen what several clients saw at once.

The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory
of what was tried ("Testing for linearizability", 2017): the same calls in another order that lead
to the same state need not be tried twice. What is sought is an order of the calls in which the
model gives the same outcomes, and in which no call comes after one that was invoked only once it
had returned (Herlihy and Wing 1990).

A state is reached by making the calls again on a new model: a copy of a model can share with it,
unseen, what its functions enclose.
"""

from __future__ import annotations

import io
import pickle
import time
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any

from storeproof.harness.compare import Renaming
from storeproof.harness.history import History, MadeCall
from storeproof.harness.partition import split
from storeproof.harness.running import Actor, Outcome, Unresolvable, compare_outcomes

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Answer", "Block", "Bounds", "Finding", "judge_history"]


class Answer(Enum):
    """Whether an order was found; that nobody knows is never as good as a yes."""

    LINEARIZABLE = "linearizable"
    NOT_LINEARIZABLE = "not linearizable"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Bounds:
    """How much a search may try before its answer is unknown."""

    states: int = 20_000
    """Calls made on models that lead to a state."""
    seconds: float = 5.0


@dataclass(frozen=True)
class Block:
    """A call that can't come next, and why."""

    call: MadeCall
    expected: Outcome
    reason: str


@dataclass(frozen=True)
class Finding:
    """What a search found: an order of every call, or how far the best ones came."""

    answer: Answer
    order: tuple[MadeCall, ...] = ()
    """The order that was found, of one key after the other, or the longest that fits."""
    blocks: tuple[Block, ...] = ()
    """Why no call can follow that one."""
    states: int = 0


async def judge_history(
    contract: Contract, history: History, bounds: Bounds | None = None
) -> Finding:
    """Look for an order of a history's calls that gives the same outcomes on the model.

    Calls that never returned may come anywhere after their invocation, or not at all. What the
    contract declares independent (`partition`) is judged key by key.
    """
    states, order, unsure = 0, list[MadeCall](), None
    for calls in split(contract, history.calls):
        found = await _Search(contract, calls, bounds or Bounds()).finding()
        states += found.states
        order += found.order
        if found.answer is Answer.NOT_LINEARIZABLE:
            return replace(found, states=states)
        unsure = unsure or (found if found.answer is Answer.UNKNOWN else None)
    if unsure is not None:
        return replace(unsure, states=states)
    return Finding(Answer.LINEARIZABLE, tuple(order), states=states)


class _World:
    """A model after some calls, with what they gave there."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self._model = contract.model()
        self._actor = Actor(contract, self._model, scribbling=False)
        self._results: dict[int, Any] = {}
        self._renaming = Renaming()

    async def make(self, made: MadeCall) -> Block | None:
        """Make a call; give why the history's outcome is not what the model gives.

        After that the world is of use only if the call is one that changes nothing.
        """
        mark = self._renaming.mark()
        expected = await self._actor.outcome(made.call, self._results)
        reason = self._unlike(made, expected)
        if reason is None:
            self._results[made.position] = expected.value
            return None
        self._renaming.undo(mark)
        return Block(made, expected, reason)

    def _unlike(self, made: MadeCall, expected: Outcome) -> str | None:
        if isinstance(expected.error, Unresolvable):
            return str(expected.error)
        if made.returned is None:
            return None
        if not expected.declared:
            return f"the model itself {expected}, which is none of the contract's errors"
        operation = made.call.operation
        return compare_outcomes(self._contract, operation, expected, made.outcome, self._renaming)

    def form(self) -> Hashable | None:
        """Give what is equal only where the states are; None where the model has no such form.

        The results are part of it: they say which of two equal entities is whose.
        """
        state = object.__getstate__(self._model), sorted(self._results.items(), key=_position)
        written = io.BytesIO()
        pickler = pickle.Pickler(written)
        pickler.fast = True  # without it, equal states differ by which of their parts are the same
        try:
            pickler.dump(state)
        except Exception:  # classes raise what they like where they can't be pickled
            return None
        return written.getvalue()


@dataclass
class _Search:
    contract: Contract
    calls: Sequence[MadeCall]
    bounds: Bounds
    states: int = 0
    _dead: set[Hashable] = field(default_factory=set)
    _best: list[MadeCall] = field(default_factory=list)
    _blocks: list[Block] = field(default_factory=list)
    _ends: float = 0.0
    _spent: bool = False
    _overlapping: frozenset[int] = frozenset()

    async def finding(self) -> Finding:
        self._ends = time.monotonic() + self.bounds.seconds
        self._overlapping = History(tuple(self.calls)).overlapping
        order = await self._extended([], _World(self.contract))
        if order is not None:
            return Finding(Answer.LINEARIZABLE, tuple(order), states=self.states)
        answer = Answer.UNKNOWN if self._spent else Answer.NOT_LINEARIZABLE
        return Finding(answer, tuple(self._best), tuple(self._blocks), self.states)

    async def _extended(self, order: list[MadeCall], world: _World | None) -> list[MadeCall] | None:
        """Give the order with the rest of the calls after it; None where nothing fits."""
        choices = self._next(order)
        if all(each.returned is None for each in choices):
            return order
        blocks: list[Block] = []
        for made in choices:
            world = world or await self._replayed(order)
            block = await world.make(made)
            if block is not None:
                blocks.append(block)
                world = world if made.call.operation in self.contract.reads else None
                continue
            longer = [*order, made]
            key = self._key(longer, world) if made.position in self._overlapping else None
            found = await self._below(longer, world, key)
            if found is not None or self._spent:
                return found
            world = None
        self._note(order, blocks)
        return None

    async def _below(
        self, order: list[MadeCall], world: _World, key: Hashable | None
    ) -> list[MadeCall] | None:
        if key in self._dead:
            return None
        self.states += 1
        self._spent = self.states >= self.bounds.states or time.monotonic() > self._ends
        if self._spent:
            return None
        found = await self._extended(order, world)
        if key is not None and found is None:
            self._dead.add(key)
        return found

    def _next(self, order: Sequence[MadeCall]) -> list[MadeCall]:
        """Give the calls before which no other must come, those that returned first before all."""
        made = {each.position for each in order}
        left = [each for each in self.calls if each.position not in made]
        end = min(map(_end, left), default=0)
        return sorted((each for each in left if each.invoked < end), key=_end)

    async def _replayed(self, order: Sequence[MadeCall]) -> _World:
        world = _World(self.contract)
        for each in order:
            await world.make(each)
        return world

    def _key(self, order: Sequence[MadeCall], world: _World) -> Hashable:
        form = world.form()
        if form is None:
            form = tuple(self._writes(order))
        return frozenset(each.position for each in order), form

    def _writes(self, order: Sequence[MadeCall]) -> Iterator[int]:
        for each in order:
            if each.call.operation not in self.contract.reads:
                yield each.position

    def _note(self, order: list[MadeCall], blocks: list[Block]) -> None:
        if len(order) > len(self._best) or not self._blocks:
            self._best, self._blocks = order, blocks


def _position(item: tuple[int, Any]) -> int:
    return item[0]


def _end(made: MadeCall) -> float:
    return float("inf") if made.returned is None else made.returned
