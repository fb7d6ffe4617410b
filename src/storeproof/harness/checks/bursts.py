"""The bursts check: clients that make contending calls at once see what one order explains."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.together import Sharing, prove, replay
from storeproof.harness.contention import ProgramDrawer, with_clients
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.pairs import Pair, find_pairs
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer

__all__ = ["BurstsCheck"]

_CLIENTS = (2, 4, 8)
"""In the quick profile two different calls are made by 4 clients only."""


class BurstsCheck(Check):
    """Lets 2, 4 and 8 clients make calls at once that contend on the model.

    Calls contend where their order matters, or where both change what one read gives.
    """

    id = "bursts"
    stage = Stage.BURSTS
    sentence = (
        "When 2, 4 or 8 clients make calls at once that contend, some order of the calls gives the "
        "same outcomes, and the same final content, on the in-memory model."
    )

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], dict[Pair, Program]] = {}

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            replay(context, self.id, context.replay)
            return
        sharing = Sharing(context)
        pairs = self._pairs(context)
        names = {name for pair in pairs for name in pair}
        context.tally.untried = tuple(
            each for each in context.contract.operations if each not in names
        )
        if not pairs:
            raise Inconclusive(
                self.id,
                f"no two calls of {context.contract.name} contend on its model",
                "Name the operations that show its content with Contract(reads=[…])",
            )
        prove(context, self.id, _bursts(context, pairs, sharing))

    def _pairs(self, context: CheckContext) -> dict[Pair, Program]:
        """Look on the model, once for all backends."""
        key = context.seed, context.profile.bursts
        if key not in self._known:
            drawer = ProgramDrawer(context.contract, experienced_drawer(context))
            self._known[key] = context.run(find_pairs(context.contract, drawer, *key))
        return self._known[key]


def _bursts(
    context: CheckContext, pairs: dict[Pair, Program], sharing: Sharing
) -> Iterator[Program]:
    """Give the pairs to several clients, in turn with handles of their own and with one."""
    sized = ((program, size) for pair in pairs for program, size in _sized(context, pairs, pair))
    for number, (program, clients) in enumerate(sized):
        context.tally.contended += 1
        made = with_clients(context.contract, program, clients)
        yield replace(made, shared=sharing.is_shared(number))


def _sized(
    context: CheckContext, pairs: dict[Pair, Program], pair: Pair
) -> Iterator[tuple[Program, int]]:
    one, other = pair
    every = one == other or context.profile.bursts > 1
    for clients in _CLIENTS if every else _CLIENTS[1:2]:
        yield pairs[pair], clients
