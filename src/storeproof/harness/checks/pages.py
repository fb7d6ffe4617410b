"""The pages check: a walk gives every item once, also while others come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.exploring import explore
from storeproof.harness.contract import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.operations import Operation, item_hint
from storeproof.harness.paging import assert_walk
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program, Walk, resolve
from storeproof.harness.running import PATIENCE, Actor, Outcome, Unresolvable
from storeproof.harness.search import Failure
from storeproof.harness.values import Draw, choose, pick

__all__ = ["PagesCheck"]

_MOST_LIMIT = 3
_MOST_BETWEEN = 5


class PagesCheck(Check):
    """Fills a storage with drawn calls, then walks through a page operation's items."""

    id = "pages"
    stage = Stage.PAGES
    sentence = (
        "Walking a list with any limit gives the same items as one large page, each once, also "
        "while other items are inserted and deleted between pages."
    )

    def applies(self, contract: Contract) -> bool:
        return bool(contract.pages)

    def run(self, context: CheckContext) -> None:
        explore(
            context,
            self.id,
            lambda drawer, draw: _attempt(context, drawer, draw),
            lambda program: _replay(context, program),
        )


async def _attempt(context: CheckContext, drawer: CallDrawer, draw: Draw) -> Failure | None:
    contract = context.contract
    runner = _Runner(context, await context.store.fresh())
    operation = pick(draw, contract.pages)
    makers = _makers(contract, operation) or list(contract.operations)
    for _ in range(2 * context.profile.steps):
        names = makers if choose(draw, 3) else list(contract.operations)
        await runner.call(drawer.draw_call(draw, runner.pools, names))
        if choose(draw, context.profile.steps) == 0:
            break
    return await runner.walk(_draw_walk(contract, drawer, draw, runner.pools, operation))


def _draw_walk(
    contract: Contract, drawer: CallDrawer, draw: Draw, pools: Pools, operation: Operation
) -> Walk:
    asked = frozenset({"cursor", "limit"})
    arguments = drawer.arguments(draw, pools, operation.name, leave_out=asked)
    names = [each for each in contract.operations if each not in contract.reads]
    count = 1 + choose(draw, _MOST_BETWEEN) if names and choose(draw, 3) else 0
    between = tuple(
        Call(name, drawer.arguments(draw, pools, name))
        for name in (pick(draw, names) for _ in range(count))
    )
    return Walk(operation.name, arguments, 1 + choose(draw, _MOST_LIMIT), between)


def _makers(contract: Contract, paged: Operation) -> list[str]:
    """Give the operations that change something and return, or take, what the pages hold."""
    item = item_hint(paged)
    return [
        name
        for name, operation in contract.operations.items()
        if name not in contract.reads
        and item in (operation.returns, *(each.hint for each in operation.parameters))
    ]


class _Runner:
    """Runs a program with a walk at its end on one storage."""

    def __init__(self, context: CheckContext, storage: Any) -> None:
        self._context, self._storage = context, storage
        self._actor = Actor(context.contract, storage, scribbling=False)
        self._steps: list[Call] = []
        self._outcomes: list[Outcome] = []
        self.pools = Pools(context.contract)

    async def call(self, call: Call) -> bool:
        """Make one call; none where an earlier one did not give what it refers to."""
        outcome = await self._actor.call(call)
        if isinstance(outcome.error, Unresolvable):
            self._actor.results.pop()
            return False
        self._context.tally.operations += 1
        self._steps.append(call)
        self._outcomes.append(outcome)
        self.pools.add_call(call, len(self._steps) - 1, outcome)
        return True

    async def walk(self, walk: Walk) -> Failure | None:
        try:
            arguments = resolve(walk.arguments, self._actor.results)
        except Exception:  # constructors of entities raise what they like
            return None
        operation = self._context.contract.operations[walk.operation]
        context = {
            name: make()
            for name, make in self._context.contract.context.items()
            if any(each.name == name for each in operation.parameters)
        }
        reason = await self._broken(walk, {**arguments, **context})
        if reason is None:
            return None
        program = Program((*self._steps, walk))
        return Failure(program, (*self._outcomes, Outcome()), None, reason)

    async def _broken(self, walk: Walk, arguments: Mapping[str, Any]) -> str | None:
        contract = self._context.contract
        operation = getattr(self._storage, walk.operation)
        try:
            async with asyncio.timeout(PATIENCE):
                await assert_walk(
                    operation,
                    arguments,
                    limit=walk.limit,
                    largest=contract.largest_page,
                    between=self._between(walk) if walk.between else None,
                    moving=walk.operation in contract.moving,
                )
        except AssertionError as broken:
            return str(broken)
        except Exception as error:
            if not isinstance(error, contract.errors):
                return f"{type(error).__name__}({error}) is none of the contract's errors"
            if not walk.between and await self._lists(operation, arguments):
                return f"one large page was given, the walk raised {type(error).__name__}({error})"
        return None

    async def _lists(self, operation: Any, arguments: Mapping[str, Any]) -> bool:
        largest = self._context.contract.largest_page
        try:
            await operation(**arguments, cursor=None, limit=largest)
        except self._context.contract.errors:
            return False
        return True

    async def _between(self, walk: Walk) -> AsyncIterator[Outcome]:
        for call in walk.between:
            self._context.tally.operations += 1
            yield await self._actor.call(call)


async def _replay(context: CheckContext, program: Program) -> Failure | None:
    runner = _Runner(context, await context.store.fresh())
    for step in program.steps:
        if isinstance(step, Walk):
            return await runner.walk(step)
        if not await runner.call(step):
            return None
    return None
