"""The agreement check: a program gives the same outcomes on a storage as on its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.exploring import explore
from storeproof.harness.choosing import Chooser, Chosen
from storeproof.harness.contract import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome
from storeproof.harness.search import Failure
from storeproof.harness.trial import Trial
from storeproof.harness.values import Draw

__all__ = ["AgreementCheck"]

_KEPT = 500
"""Programs of which it is kept what the model gives for them, which takes more room than they."""


class AgreementCheck(Check):
    """Runs drawn programs on the model and on the storage and compares every outcome exactly.

    Model-based testing in the manner of Hughes ("QuickCheck testing for fun and profit", 2007),
    with the in-memory implementation as the model.
    """

    id = "agreement"
    stage = Stage.AGREEMENT
    sentence = "Every program gives the same outcomes, call by call, as on the in-memory model."

    def __init__(self) -> None:
        self._chosen: dict[tuple[Contract, int, int], _Programs] = {}

    def run(self, context: CheckContext) -> None:
        context.tally.calls = dict.fromkeys(context.contract.operations, (0, 0))
        explore(
            context,
            self.id,
            lambda drawer, draw: self._attempt(context, drawer, draw),
            lambda program: _replay(context, program),
        )

    async def _attempt(
        self, context: CheckContext, drawer: CallDrawer, draw: Draw
    ) -> Failure | None:
        key = context.contract, context.seed, context.profile.steps
        chooser = Chooser(context.contract, drawer, of=context.profile.drawn)
        chosen = self._chosen.setdefault(key, _Programs(chooser))
        made = await chosen.program(context.tally.programs - 1, draw, context.profile.steps)
        return await _replay(context, made.program, made.outcomes)


@dataclass
class _Programs:
    """The programs of a seed in their order, chosen once for all backends."""

    chooser: Chooser
    known: dict[int, Chosen] = field(default_factory=dict)

    async def program(self, number: int, draw: Draw, steps: int) -> Chosen:
        if number not in self.known:
            made = await self.chooser.program(draw, steps)
            self.known[number] = made if number < _KEPT else replace(made, outcomes=())
        return self.known[number]


async def _replay(
    context: CheckContext, program: Program, expected: Sequence[Outcome] = ()
) -> Failure | None:
    trial = Trial(
        context.contract,
        await context.store.fresh(),
        context.tally,
        scribbling=program.scribbling,
        expected=expected,
    )
    return await trial.replay(program)
