"""The agreement check: a program gives the same outcomes on a storage as on its model."""

from __future__ import annotations

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.exploring import explore
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.trial import Trial
from storeproof.harness.values import Draw, choose

__all__ = ["AgreementCheck"]


class AgreementCheck(Check):
    """Runs drawn programs on the model and on the storage and compares every outcome exactly.

    Model-based testing in the manner of Hughes ("QuickCheck testing for fun and profit", 2007),
    with the in-memory implementation as the model.
    """

    id = "agreement"
    stage = Stage.AGREEMENT
    sentence = "Every program gives the same outcomes, call by call, as on the in-memory model."

    def run(self, context: CheckContext) -> None:
        context.tally.calls = dict.fromkeys(context.contract.operations, (0, 0))
        explore(
            context,
            self.id,
            lambda drawer, draw: _attempt(context, drawer, draw),
            lambda program: _replay(context, program),
        )


async def _attempt(context: CheckContext, drawer: CallDrawer, draw: Draw) -> Failure | None:
    trial = Trial(context.contract, await context.store.fresh(), context.tally)
    names = drawer.enabled(draw)
    for _ in range(2 * context.profile.steps):
        failure = await trial.step(drawer.draw_call(draw, trial.pools, names))
        if failure is not None:
            return failure
        if choose(draw, context.profile.steps) == 0:
            break
    return await trial.read_all()


async def _replay(context: CheckContext, program: Program) -> Failure | None:
    storage = await context.store.fresh()
    trial = Trial(context.contract, storage, context.tally, scribbling=program.scribbling)
    return await trial.replay(program)
