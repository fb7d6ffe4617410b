"""The check of bursts looks here for pairs of operations whose calls contend."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from storeproof.harness.contention import Draft, ProgramDrawer
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import changed_reads, contends, order_matters, without_reads
from storeproof.harness.values import Draw, Rejected, choose, pick

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pair", "find_pairs"]

_TRIES = 6
_PARTNERS = 4
"""Calls of other operations that are tried with one call."""
"""After so many programs in which it did not contend an operation is given up."""

Pair = tuple[str, str]
"""Two operations, or one twice."""


async def find_pairs(
    contract: Contract, drawer: ProgramDrawer, seed: int, count: int
) -> dict[Pair, Program]:
    """Look for programs of two calls that contend: so many for each operation, if possible.

    Only the model is asked. An operation that changes something is tried with itself first.
    """
    finder = _Finder(contract, drawer, seed, count)
    while (name := finder.least()) is not None:
        await finder.look_for(name)
    return finder.found


class _Finder:
    def __init__(self, contract: Contract, drawer: ProgramDrawer, seed: int, count: int) -> None:
        self._contract, self._drawer, self._count = contract, drawer, count
        self._chance = random.Random(seed)  # noqa: S311 - to repeat a run
        self._tries = dict.fromkeys(contract.operations, _TRIES * count)
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
            async for draft, call in self._drawer.calls_of(draw, target):
                if await self._finds(draw, draft, call):
                    return
        except Rejected:
            return

    async def _finds(self, draw: Draw, draft: Draft, call: Call) -> bool:
        """Whether a pair of the operation with itself is found, here or before."""
        reads = await changed_reads(self._contract, draft.program(call), draft.reads())
        self._add_reads(draw, draft, call, reads)
        twice = draft.program(call, call)
        if reads or await order_matters(self._contract, without_reads(twice)):
            self._add(draft, call, await self._alike(draw, draft, call))
        for _ in range(_PARTNERS if reads else 0):
            if self._with_writes(call.operation) < self._count:
                other = self._drawer.call(draw, draft.pools, pick(draw, self._drawer.writes))
                if await contends(self._contract, draft.program(call, other)):
                    self._add(draft, call, other)
        return (call.operation, call.operation) in self.found

    def _add_reads(self, draw: Draw, draft: Draft, call: Call, reads: Sequence[Call]) -> None:
        """Pair a call with the read that takes least, and with others that have no pair yet."""
        if reads:
            self._add(draft, reads[0], call)
        for read in reads:
            if not any(read.operation in pair for pair in self.found):
                self._add(draft, read, call)

    async def _alike(self, draw: Draw, draft: Draft, call: Call) -> Call:
        """Give another call of the operation that contends with the call, or the call itself."""
        if choose(draw, 2):
            return call
        other = self._drawer.call(draw, draft.pools, call.operation)
        contended = await contends(self._contract, draft.program(call, other))
        return other if contended else call

    def _add(self, draft: Draft, call: Call, other: Call) -> None:
        pair = call.operation, other.operation
        if pair not in self.found:
            self.found[pair] = draft.program(call, other)
