"""The agreement check: a program gives the same outcomes on a storage as on its model."""

from __future__ import annotations

from dataclasses import dataclass, field

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.exploring import explore
from storeproof.harness.choosing import Chooser
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.trial import Trial
from storeproof.harness.values import Draw

__all__ = ["AgreementCheck"]


class AgreementCheck(Check):
    """Runs drawn programs on the model and on the storage and compares every outcome exactly.

    Model-based testing in the manner of Hughes ("QuickCheck testing for fun and profit", 2007),
    with the in-memory implementation as the model.
    """

    id = "agreement"
    stage = Stage.AGREEMENT
    sentence = "Every program gives the same outcomes, call by call, as on the in-memory model."

    def __init__(self) -> None:
        self._choosers: dict[tuple[int, int], _Programs] = {}

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
        key = context.seed, context.profile.steps
        chooser = Chooser(context.contract, drawer, of=context.profile.drawn)
        chosen = self._choosers.setdefault(key, _Programs(chooser))
        program = await chosen.program(context.tally.programs - 1, draw, context.profile.steps)
        trial = Trial(context.contract, await context.store.fresh(), context.tally)
        return await trial.replay(program) or await trial.read_all()


@dataclass
class _Programs:
    """The programs of a seed in their order, chosen once for all backends."""

    chooser: Chooser
    known: list[Program] = field(default_factory=list)

    async def program(self, number: int, draw: Draw, steps: int) -> Program:
        if number == len(self.known):
            self.known.append(await self.chooser.program(draw, steps))
        return self.known[number]


async def _replay(context: CheckContext, program: Program) -> Failure | None:
    storage = await context.store.fresh()
    trial = Trial(context.contract, storage, context.tally, scribbling=program.scribbling)
    return await trial.replay(program)
