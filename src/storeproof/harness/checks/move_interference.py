"""The check of interference: exports see one moment, and loads at once never mix."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace

from storeproof.harness.backends.base import Capability, Store
from storeproof.harness.checks.base import CheckContext, Stage
from storeproof.harness.checks.moving import MovesCheck, shortest, spread
from storeproof.harness.checks.telling_moves import failed_move
from storeproof.harness.contract import Contract
from storeproof.harness.moving.interfering import Interfered, exported_meanwhile, loaded_twice
from storeproof.harness.moving.travelling import Step
from storeproof.harness.program import Branch, Call, Program

__all__ = ["MoveInterferenceCheck"]

_SHARE = 2
"""One in so many of the profile's programs."""
_MOMENTS, _AGAIN = 2, 12
"""At which what is moved is held: of a program, and of one that was broken."""

Way = Callable[[Contract, Store, Program, int], Awaitable[Interfered]]


class MoveInterferenceCheck(MovesCheck):
    """Holds exports and loads at counted suspensions, while another client goes on.

    It goes on until it has done all, or for a moment: it may rightly wait for what is held.
    """

    id = "move_interference"
    stage = Stage.MOVE_INTERFERENCE
    sentence = (
        "An export shows one moment while others write, and of two loads at once one waits or is "
        "refused: never is there a mix."
    )
    needs = frozenset({Capability.CONCURRENT_CLIENTS})

    def run(self, context: CheckContext) -> None:
        for program in self._programs(context):
            self._try(context, program, exported_meanwhile)
            self._try(context, program, loaded_twice)

    def _programs(self, context: CheckContext) -> list[Program]:
        if context.replay is not None:
            return [context.replay]
        count = max(1, context.profile.moves // _SHARE)
        return [_divided(each) for each in self._drawn.programs(context, count)]

    def _try(self, context: CheckContext, program: Program, way: Way) -> None:
        def trial(each: Program, most: int = _AGAIN) -> str:
            return next(_problems(context, each, way, most), "")

        context.tally.programs += 1
        found = trial(program, _AGAIN if context.replay else _MOMENTS)
        if found:
            best, told = shortest(context, program, found, lambda each: trial(each) or None)
            raise failed_move(context, self.id, best, [told])


def _problems(context: CheckContext, program: Program, way: Way, most: int) -> Iterator[str]:
    """Try a program without holding anything, to count suspensions; then hold at some of them."""

    async def tried(nth: int) -> Interfered:
        try:
            return await way(context.contract, context.store, program, nth)
        except Step as failed:
            return Interfered(0, problem=f"{failed}.")

    first = context.run(tried(0))
    if first.problem:
        yield first.problem
    for nth in spread(first.suspensions, most):
        found = context.run(tried(nth))
        context.tally.operations += len(program.calls)
        context.tally.contended += found.held
        if found.problem:
            yield f"It was held at suspension {nth} of {first.suspensions}. {found.problem}"


def _divided(program: Program) -> Program:
    """Have another client make the last third of the steps, and what comes after them."""
    at = len(program.steps) * 2 // 3
    later = tuple(each for each in program.steps[at:] if isinstance(each, Call))
    (branch,) = program.branches
    calls = (*later, *branch.calls)
    return replace(program, steps=program.steps[:at], branches=(Branch(calls, branch.reads),))
