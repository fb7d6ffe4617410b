"""The bursts check: clients that make contending calls at once see what one order explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.together import Sharing, prove, replay
from storeproof.harness.contention import ProgramDrawer, with_clients
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.pairs import Pair, find_pairs
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.rivals import Rivalry, find_rivals

__all__ = ["BurstsCheck"]

_CLIENTS = (2, 4, 8)
"""In the quick profile two different calls are made by 4 clients only."""


@dataclass(frozen=True)
class _Contending:
    """What contends on the model."""

    pairs: Mapping[Pair, Program]
    rivals: Mapping[Rivalry, Program]

    @property
    def names(self) -> set[str]:
        return {name for pair in self.pairs for name in pair} | {each[0] for each in self.rivals}


class BurstsCheck(Check):
    """Lets 2, 4 and 8 clients make calls at once that contend on the model.

    Calls contend where their order matters, or where both change what one read gives. Two different
    calls of one operation are tried for each error by which one turns the other away.
    """

    id = "bursts"
    stage = Stage.BURSTS
    sentence = (
        "When 2, 4 or 8 clients make calls at once that contend, some order of the calls gives the "
        "same outcomes, and the same final content, on the in-memory model."
    )

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], _Contending] = {}

    def run(self, context: CheckContext) -> None:
        if context.replay is not None:
            replay(context, self.id, context.replay)
            return
        sharing = Sharing(context)
        contending = self._contending(context)
        names = contending.names
        context.tally.untried = tuple(
            each for each in context.contract.operations if each not in names
        )
        if not names:
            raise Inconclusive(
                self.id,
                f"no two calls of {context.contract.name} contend on its model",
                "Name the operations that show its content with Contract(reads=[…])",
            )
        prove(context, self.id, _bursts(context, contending, sharing))

    def _contending(self, context: CheckContext) -> _Contending:
        """Look on the model, once for all backends."""
        profile = context.profile
        key = context.seed, profile.bursts
        if key not in self._known:
            contract = context.contract
            drawer = ProgramDrawer(contract, experienced_drawer(context))
            pairs = context.run(find_pairs(contract, drawer, *key, tries=profile.pair_tries))
            rivals = context.run(find_rivals(contract, drawer, *key, tries=profile.rival_tries))
            self._known[key] = _Contending(pairs, rivals)
        return self._known[key]


def _bursts(context: CheckContext, contending: _Contending, sharing: Sharing) -> Iterator[Program]:
    """Give the programs to several clients, in turn with handles of their own and with one."""
    for number, (program, clients) in enumerate(_sized(context, contending)):
        context.tally.contended += 1
        made = with_clients(context.contract, program, clients)
        yield replace(made, shared=sharing.is_shared(number))


def _sized(context: CheckContext, contending: _Contending) -> Iterator[tuple[Program, int]]:
    different = _CLIENTS if context.profile.bursts > 1 else _CLIENTS[1:2]
    for (one, other), program in contending.pairs.items():
        for clients in _CLIENTS if one == other else different:
            yield program, clients
    for program in contending.rivals.values():
        for clients in different:
            yield program, clients
