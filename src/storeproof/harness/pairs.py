"""The check of bursts looks here for pairs of operations whose calls contend."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from storeproof.harness.contention import Change, Draft, ProgramDrawer
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import contends, order_matters, without_reads
from storeproof.harness.values import Draw, Rejected, choose, pick

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pair", "find_pairs"]

_PARTNERS = 3
"""Calls of other operations that are tried with one call."""

Pair = tuple[str, str]
"""Two operations, or one twice."""


async def find_pairs(
    contract: Contract, drawer: ProgramDrawer, seed: int, count: int, *, tries: int
) -> dict[Pair, Program]:
    """Look for programs of two calls that contend: so many for each operation, if possible.

    Only the model is asked. An operation that changes something is tried with itself first.

    tries: programs for each that is wanted, after which an operation is given up.
    """
    finder = _Finder(contract, drawer, seed, count, tries)
    while (name := finder.least()) is not None:
        await finder.look_for(name)
    return finder.found


class _Finder:
    def __init__(
        self, contract: Contract, drawer: ProgramDrawer, seed: int, count: int, tries: int
    ) -> None:
        self._contract, self._drawer, self._count = contract, drawer, count
        self._chance = random.Random(seed)  # noqa: S311 - to repeat a run
        self._tries = dict.fromkeys(contract.operations, tries * count)
        self.found: dict[Pair, Program] = {}

    def least(self) -> str | None:
        """Give the operation that was tried least of those that may yet have more pairs."""
        wanting = [name for name, tries in self._tries.items() if tries > 0 and self._wants(name)]
        return max(wanting, key=lambda name: self._tries[name], default=None)

    def _wants(self, name: str) -> bool:
        if name not in self._drawer.writes:
            return not any(name in pair for pair in self.found)
        return (name, name) not in self.found or self._with_writes(name) < self._count

    def _with_writes(self, name: str) -> int:
        """Give the number of pairs with other operations that change something."""
        writes = {*self._drawer.writes} - {name}
        return sum(name in pair and bool(writes & {*pair}) for pair in self.found)

    async def look_for(self, name: str) -> None:
        """Draw one call that changes something, and look for what contends with it."""
        self._tries[name] -= 1
        draw = Draw(self._chance.getrandbits(64))
        writes = self._drawer.writes
        target = name if name in writes or not writes else pick(draw, writes)
        try:
            async for change in self._drawer.calls_of(draw, target):
                if await self._finds(draw, change):
                    return
        except Rejected:
            return

    async def _finds(self, draw: Draw, change: Change) -> bool:
        """Whether a pair of the operation with itself is found, here or before."""
        draft, call = change.draft, change.call
        if change.reads:
            self._add_reads(draw, change)
        for other in self._partners(draw, change):
            if (call.operation, other.operation) in self.found:
                continue
            if await self._contends(change, other):
                self._add(draft, call, other)
        return (call.operation, call.operation) in self.found

    def _partners(self, draw: Draw, change: Change) -> Iterator[Call]:
        """Draw calls that may contend with a call: of the same operation, then of others."""
        draft, call = change.draft, change.call
        if choose(draw, 2):
            yield self._drawer.call(draw, draft.pools, call.operation)
        yield call
        for _ in range(_PARTNERS if change.reads else 0):
            if self._with_writes(call.operation) < self._count:
                yield self._drawer.call(draw, draft.pools, pick(draw, self._drawer.writes))

    async def _contends(self, change: Change, other: Call) -> bool:
        if change.reads and other is change.call:
            return True
        program = change.draft.program(change.call, other)
        if change.reads:
            return await contends(self._contract, program)
        return await order_matters(self._contract, without_reads(program))

    def _add_reads(self, draw: Draw, change: Change) -> None:
        """Pair a call with the read that takes least, with any, and with those without a pair."""
        some = [change.reads[0], pick(draw, change.reads)]
        for read in (*some, *change.reads):
            if read in some or not any(read.operation in pair for pair in self.found):
                self._add(change.draft, read, change.call)

    def _add(self, draft: Draft, call: Call, other: Call) -> None:
        pair = call.operation, other.operation
        if pair not in self.found:
            self.found[pair] = draft.program(call, other)
