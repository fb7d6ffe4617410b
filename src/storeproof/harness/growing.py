"""The check of statements gets here one program on little data, and the same on much more."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from storeproof.harness.program import Call, Program
from storeproof.harness.running import Actor, Outcome
from storeproof.harness.trial import reading_calls
from storeproof.harness.varying import Varying, Way

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Grown", "grown"]

_MOST_ITEMS = 100
"""What a list is asked for, so that it gives all there is."""
_MOST_READS = 40
_MOST = 60
"""Copies in all."""
_APART = 100
"""The number of the first copy with new ids and other values: only the ids would not be new."""
_MISSES = 2
"""Copies of a call that fail one after the other before another way is taken."""


_WAYS = (
    Way(ids=True),
    Way(ids=True, others=True),
    Way(others=True),
    Way(others=True, numbers=True),
    Way(),
)


@dataclass(frozen=True)
class Grown:
    """A program whose calls were made several times with other values, then its last one."""

    before: tuple[tuple[int | None, Call], ...]
    """With their numbers in the program; copies have none."""
    lasts: tuple[Call, ...]
    """Calls that succeed, in this order: what reads, then one of the program's last operation."""
    copies: int


async def grown(
    contract: Contract, program: Program, copies: int, reads: Sequence[Call] = (), *, own: bool
) -> Grown | None:
    """Make a program's calls on the model, with so many copies of those that change something.

    A copy has new ids in the place of those that its call brought, or other values with the same
    ids, or both, or nothing new: so there are more entities, more of one entity's, and more of its
    past. Only copies that succeed are kept.

    reads: calls that read, to be made beside those that are found.
    own: whether the last call is copied as well. None where its copies take away what others made.
    """
    return await _Growing(contract, program).grow(copies, reads, own=own)


@dataclass
class _Growing:
    contract: Contract
    program: Program
    _before: list[tuple[int | None, Call]] = field(default_factory=list)
    _copies: int = 0

    def __post_init__(self) -> None:
        self._model = self.contract.model()
        self._actor = Actor(self.contract, self._model, scribbling=False)
        self._results: dict[int, Any] = {}
        self._calls = [each for each in self.program.steps if isinstance(each, Call)]
        self._varying = Varying(self.contract)

    async def grow(self, copies: int, reads: Sequence[Call], *, own: bool) -> Grown | None:
        *calls, last = self._calls
        for number, call in enumerate(calls):
            outcome = await self._actor.outcome(call, self._results)
            self._results[number] = outcome.value
            self._before.append((number, call))
            self._varying.learn(call, number, outcome)
        await self._copy(calls, copies)
        size = self._size()
        if own and last.operation not in self.contract.reads and await self._keep(last):
            await self._copy([last], copies)
        if self._size() < size:
            return None
        others = self._others(last, copies)
        lasts = [*await self._reads(last, reads), *await self._first_of(others)]
        return Grown(tuple(self._before), tuple(lasts), self._copies)

    async def _copy(self, calls: Sequence[Call], copies: int) -> None:
        """Copy calls in one way after the other, as often as asked in each."""
        writes = [each for each in calls if each.operation not in self.contract.reads]
        for way in _WAYS:
            for call in writes:
                await self._copies_of(call, copies, way)

    async def _copies_of(self, call: Call, copies: int, way: Way) -> None:
        missed = 0
        first = _APART if way.ids and way.others else 1
        for nth in range(first, first + copies):
            copied = self._varying.copied(call, nth, way)
            is_new = (copied == call) == (way == Way())
            if copied is None or not is_new or not await self._keep(copied):
                missed += 1
            if missed == _MISSES or self._copies >= _MOST:
                return

    async def _keep(self, call: Call) -> bool:
        well = await self._succeeds(call)
        if well:
            self._before.append((None, call))
            self._copies += 1
        return well

    async def _succeeds(self, call: Call) -> bool:
        return (await self._actor.outcome(call, self._results)).error is None

    async def _reads(self, last: Call, reads: Sequence[Call]) -> list[Call]:
        known = self._varying.known
        known.add_call(last, len(self._calls) - 1, Outcome())
        usual = [*reading_calls(self.contract, known, _MOST_READS), *reads, last]
        able = [each for each in usual if each.operation in self.contract.reads]
        wide = [call for each in able for call in _widened(self.contract, each)]
        unique = [each for index, each in enumerate(wide) if each not in wide[:index]]
        return [each for each in unique if await self._succeeds(each)]

    async def _first_of(self, calls: Sequence[Call]) -> list[Call]:
        """Give the first call that succeeds now."""
        for call in calls:
            if await self._succeeds(call):
                return [call]
        return []

    def _others(self, last: Call, copies: int) -> list[Call]:
        """Give calls that may do what the last one did, if that changes something."""
        if last.operation in self.contract.reads:
            return []
        copied = (self._varying.copied(last, copies + 1, way) for way in _WAYS)
        return [*_widened(self.contract, last), *(each for each in copied if each is not None)]

    def _size(self) -> int:
        """Give how much a model holds; 0 where that can't be told."""
        try:
            return len(pickle.dumps(object.__getstate__(self._model)))
        except Exception:  # classes raise what they like where they can't be pickled
            return 0


def _widened(contract: Contract, call: Call) -> list[Call]:
    """Give the call with a limit that lets all through; if it reads, also without its filters."""
    operation = contract.operations[call.operation]
    limited: Mapping[str, Any] = {}
    if any(each.name == "limit" for each in operation.parameters):
        limited = {"limit": min(_MOST_ITEMS, contract.largest_page)}
    calls = [replace(call, arguments={**call.arguments, **limited})]
    if operation.name not in contract.reads:
        return [*calls, call]
    needed = {each.name for each in operation.parameters if each.required}
    fewest = {name: each for name, each in call.arguments.items() if name in needed}
    return [replace(call, arguments={**fewest, **limited}), *calls]
