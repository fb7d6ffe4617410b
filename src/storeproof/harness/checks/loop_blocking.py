"""The check of blocked loops: while a call is made, everybody else's calls go on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace

from storeproof.harness.backends.base import Capability
from storeproof.harness.blocking import LongStep, Watch, common
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed_blocking
from storeproof.harness.contract import Contract
from storeproof.harness.operations import Style
from storeproof.harness.program import Call, Program
from storeproof.harness.running import Actor
from storeproof.harness.succeeding import succeeding

__all__ = ["Blocked", "LoopBlockingCheck"]

_PROOFS = 3
"""Runs that must show it, after the first one."""
_MOST_RUNS = 10
"""Runs of what seems to block: one in which the machine may be to blame shows nothing."""


class LoopBlockingCheck(Check):
    """Makes a call of each operation, alone and by two clients, and watches each of its steps.

    A step is too long if the loop's thread computes, or waits without giving the loop its turn,
    for longer than the contract's `longest_step`, in the same place in each of 4 runs.
    """

    id = "loop_blocking"
    stage = Stage.LOOP_BLOCKING
    sentence = (
        "No operation keeps the event loop from everything else for longer at once than the "
        "contract allows."
    )

    def applies(self, contract: Contract) -> bool:
        return contract.is_async

    def run(self, context: CheckContext) -> None:
        with Watch(context.contract.longest_step) as watch:
            for program in _programs(context):
                context.tally.programs += 1
                for clients in (1, 2):
                    blocked = self._blocked(context, watch, program, clients)
                    if blocked is not None:
                        raise failed_blocking(context, self.id, program, blocked)

    def _blocked(
        self, context: CheckContext, watch: Watch, program: Program, clients: int
    ) -> Blocked | None:
        """Run a program until it is sure that its last call blocks, or until it does not."""
        found: Blocked | None = None
        for _ in range(_MOST_RUNS):
            long = context.run(_long_steps(context, watch, program, clients))
            if not long:
                return None
            found = _confirmed(context.contract.longest_step, found, long)
            if found is not None and found.runs > _PROOFS:
                return found
        return None


@dataclass(frozen=True)
class Blocked:
    """What blocks, and how often it did so in the same place."""

    step: LongStep
    computing: bool
    """Whether the processor was used; otherwise something was waited for."""
    runs: int = 1

    def again(self, other: Blocked) -> Blocked | None:
        """Give that a later run shows it as well; None where that run shows something else.

        Of what computes it need not be seen where it stands.
        """
        stack = common([self.step.stack, other.step.stack])
        if self.computing is not other.computing or not (stack or self.computing):
            return None
        known = stack or self.step.stack or other.step.stack
        return replace(other, step=replace(other.step, stack=known), runs=self.runs + 1)


def _programs(context: CheckContext) -> Iterator[Program]:
    if context.replay is not None:
        yield context.replay
        return
    operations = context.contract.operations
    for name, programs in succeeding(context, context.profile.cancellations).items():
        if operations[name].style is not Style.SYNC:
            yield from programs


async def _long_steps(
    context: CheckContext, watch: Watch, program: Program, clients: int
) -> list[LongStep]:
    """Make a program's calls on the emptied store, the last one watched, by so many clients."""
    shared = Capability.CONCURRENT_CLIENTS not in context.backend.capabilities
    handles = await context.store.clients(1 if shared else clients)
    actors = [Actor(context.contract, each, scribbling=False) for each in handles]
    *before, last = [each for each in program.steps if isinstance(each, Call)]
    for call in before:
        await actors[0].call(call)
    calls = [actors[each % len(actors)].outcome(last, actors[0].results) for each in range(clients)]
    made = await asyncio.gather(*map(watch.make, calls))
    context.tally.operations += len(before) + clients
    return [step for _, long in made for step in long]


def _confirmed(longest: float, found: Blocked | None, long: list[LongStep]) -> Blocked | None:
    """Give what blocks in this run as it did in those before, or anew; if unsure, what did."""
    guilty = [each for step in long for each in _guilty(longest, step)]
    same = (found.again(each) for each in guilty) if found is not None else ()
    return next((each for each in same if each is not None), next(iter(guilty), found))


def _guilty(longest: float, step: LongStep) -> Iterator[Blocked]:
    if step.computing > longest:
        yield Blocked(step, computing=True)
    if step.waiting > longest and step.stack:
        yield Blocked(step, computing=False)
