"""The checks of several clients are carried out here: run, judge, shorten, tell; or replay."""

from __future__ import annotations

from collections.abc import Iterable

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.checks.telling import failed_together
from storeproof.harness.exceptions import CheckFailed, NotApplicable
from storeproof.harness.judging import Race, Runs, judged
from storeproof.harness.program import Program
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten

__all__ = ["Sharing", "prove", "replay"]

_REPLAYS = 100
_SHARED = 4
"""One in so many programs is run by clients that share a handle."""
_ONE_THREAD = (
    "threads would have to share one storage on {name}, which is not declared to be thread-safe: "
    "Contract(thread_safe=True)"
)


class Sharing:
    """Which programs are run by clients that share a handle: one in four, or all of them.

    Storages that are not async are shared by threads only if the contract says that they may be.

    Raises NotApplicable where several clients can't use them at all.
    """

    def __init__(self, context: CheckContext) -> None:
        contract = context.contract
        self._apart = Capability.CONCURRENT_CLIENTS in context.backend.capabilities
        self._shares = contract.is_async or contract.thread_safe
        if self._apart and not contract.is_async:
            one, other = context.run(context.store.clients(2))
            self._apart = one is not other
        if not self._apart and not self._shares:
            raise NotApplicable(_ONE_THREAD.format(name=context.backend.name))

    def is_shared(self, number: int) -> bool:
        """Whether the clients of the program of this number share a handle."""
        return not self._apart or (self._shares and number % _SHARED == 0)


def prove(context: CheckContext, check: str, programs: Iterable[Program]) -> None:
    """Run programs of several clients until no order explains what one of them saw.

    Raises CheckFailed with the shortest program of which that is so.
    """
    for program in programs:
        context.tally.programs += 1
        found = context.run(judged(context, program, context.tally.programs))
        if found.is_broken:
            raise _shortened(context, check, found)


def replay(context: CheckContext, check: str, program: Program) -> None:
    """Run one program as often as may be needed, and say how often it failed."""
    runs = Runs(context)
    failed, last = runs.count(program, _REPLAYS)
    context.tally.programs += runs.made
    if last is not None:
        raise failed_together(context, check, last, _often(failed, runs.made))


def _shortened(context: CheckContext, check: str, found: Race) -> CheckFailed:
    runs = Runs(context, lenient=True)
    failed, last = runs.count(found.program)
    if last is None:
        return failed_together(context, check, found, "it failed once, and never again")
    best = last

    def again(program: Program) -> Failure | None:
        nonlocal best
        race = runs.again(program)
        if race is None:
            return None
        best = race
        return race.failure()

    shorten(context.contract, last.failure(), again)
    failed, last = runs.count(best.program)
    return failed_together(context, check, last or best, _often(failed, runs.made))


def _often(failed: int, runs: int) -> str:
    return f"{failed} of {runs} runs failed"
