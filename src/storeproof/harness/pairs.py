"""The check of bursts looks here for pairs of operations whose calls contend."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from storeproof.harness.contention import Draft, ProgramDrawer
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import changed_reads, contends
from storeproof.harness.values import Draw, Rejected, choose, pick

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pair", "find_pairs"]

_TRIES = 3
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
        self._pairs = dict.fromkeys(contract.operations, 0)
        self._tries = dict.fromkeys(contract.operations, _TRIES * count)
        self.found: dict[Pair, Program] = {}

    def least(self) -> str | None:
        """Give the operation that has the fewest pairs and may yet have more."""
        wanting = [name for name, tries in self._tries.items() if tries > 0 and self._wants(name)]
        return min(wanting, key=lambda name: (self._pairs[name], -self._tries[name]), default=None)

    def _wants(self, name: str) -> bool:
        alone = name in self._drawer.writes and (name, name) not in self.found
        return alone or self._pairs[name] < self._count

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
        """Whether the call contends with one that is alike, or changes what a read gives."""
        found = await self._with(draft, call, self._alike(draw, draft, call))
        reads = await changed_reads(self._contract, draft.program(call), draft.reads())
        for read in reads:
            if self._pairs[read.operation] < self._count:
                self._add(draft, read, call)
        if reads and self._pairs[call.operation] < self._count:
            other = self._drawer.call(draw, draft.pools, pick(draw, self._drawer.writes))
            await self._with(draft, call, other)
        return found or bool(reads)

    def _alike(self, draw: Draw, draft: Draft, call: Call) -> Call:
        """Give the same call, or another one of its operation."""
        if choose(draw, 2):
            return call
        return self._drawer.call(draw, draft.pools, call.operation)

    async def _with(self, draft: Draft, call: Call, other: Call) -> bool:
        if (call.operation, other.operation) in self.found:
            return True
        contended = await contends(self._contract, draft.program(call, other))
        if contended:
            self._add(draft, call, other)
        return contended

    def _add(self, draft: Draft, call: Call, other: Call) -> None:
        pair = call.operation, other.operation
        if pair not in self.found:
            self.found[pair] = draft.program(call, other)
            for name in {*pair}:
                self._pairs[name] += 1
