"""The isolation check: two stores of one backend know nothing of each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from storeproof.harness.backends.base import Store
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed_apart
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.running import Outcome
from storeproof.harness.search import Failure, search
from storeproof.harness.shortening import shorten
from storeproof.harness.two_stores import Disagreement, draw_apart, run_apart
from storeproof.harness.values import Draw

__all__ = ["IsolationCheck"]

_SHARE = 10
"""One program for so many of the profile's."""
_BOTH = (0, 1)


class IsolationCheck(Check):
    """Runs a program on one store while another runs on a second one, in turns and at once.

    Each must give what the model gives alone. What fails alone as well says nothing here.
    """

    id = "isolation"
    stage = Stage.ISOLATION
    stores = 2
    sentence = (
        "What is done on one store is never seen on another one of the same backend: each gives "
        "what the in-memory model gives alone."
    )

    def run(self, context: CheckContext) -> None:
        second = context.run(_created(context))
        try:
            _prove(context, self.id, (context.store, second))
        finally:
            context.run(second.close())


async def _created(context: CheckContext) -> Store:
    """Create a second store, and see that it can be used.

    Raises Inconclusive where it can't.
    """
    try:
        store = await context.backend.create_store(context.contract, context.server)
        await store.fresh()
    except Exception as error:  # a backend's author raises what they like
        reason = f"{context.backend.name} can't create a second store ({error!r})"
        raise Inconclusive(
            "isolation", reason, "Its create_store must give a new place each time"
        ) from error
    return store


def _prove(context: CheckContext, check: str, stores: Sequence[Store]) -> None:
    if context.replay is not None:
        found = context.run(_seen(context, stores, context.replay))
        if found is not None:
            raise failed_apart(context, check, context.replay, found)
        return
    drawer = experienced_drawer(context)

    async def attempt(draw: Draw) -> Failure | None:
        steps = context.profile.steps
        program = await draw_apart(context.contract, drawer, draw, steps)
        found = await _seen(context, stores, program)
        return None if found is None else _failure(program, found)

    programs = max(1, context.profile.programs // _SHARE)
    fewer = replace(context, profile=replace(context.profile, programs=programs))
    failure = search(fewer, attempt)
    if failure is not None:
        raise _shortened(context, check, stores, failure)


async def _seen(
    context: CheckContext, stores: Sequence[Store], program: Program
) -> Disagreement | None:
    """Run a program in both ways; give what one store shows of the other, each time it is asked."""
    if len(program.branches) < len(_BOTH):
        return None
    context.tally.operations += 2 * len(program.calls)
    for at_once in (False, True):
        found = await run_apart(context.contract, stores, program, _BOTH, at_once=at_once)
        if found is None:
            continue
        alone = await run_apart(context.contract, stores, program, (found.branch,), at_once=at_once)
        if alone is None:
            return await run_apart(context.contract, stores, program, _BOTH, at_once=at_once)
    return None


def _shortened(
    context: CheckContext, check: str, stores: Sequence[Store], failure: Failure
) -> Exception:
    best: Disagreement | None = None

    def again(program: Program) -> Failure | None:
        nonlocal best
        found = context.run(_seen(context, stores, program))
        if found is None:
            return None
        best = found
        return _failure(program, found)

    first = again(failure.program) or failure
    if best is None:
        raise Inconclusive(check, "a program that failed did not fail again", "Run it again")
    shortest = shorten(context.contract, first, again)
    return failed_apart(context, check, shortest.program, best)


def _failure(program: Program, found: Disagreement) -> Failure:
    outcomes = tuple(Outcome() for _ in program.calls)
    return Failure(program, outcomes, found.actual, found.reason)
