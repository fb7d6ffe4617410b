"""The pages check: a walk gives every item once, also while others come and go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, get_args

from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.checks.telling import failed
from storeproof.harness.contract import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.operations import Operation
from storeproof.harness.paging import assert_walk
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program, Walk, resolve
from storeproof.harness.running import Actor, Outcome
from storeproof.harness.search import Failure, search
from storeproof.harness.shortening import shorten
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
        if context.replay is not None:
            failure = _replay(context, context.replay)
            if failure is not None:
                raise failed(context, self.id, failure)
            return
        drawer = CallDrawer(context.contract)

        async def attempt(draw: Draw) -> Failure | None:
            return await _attempt(context, drawer, draw)

        found = search(context, attempt)
        if found is not None:
            failure, again = found
            if again:
                failure = shorten(
                    context.contract, failure, lambda program: _replay(context, program)
                )
            raise failed(context, self.id, failure, again=again)


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
    return await runner.walk(_draw_walk(drawer, draw, runner.pools, operation))


def _draw_walk(drawer: CallDrawer, draw: Draw, pools: Pools, operation: Operation) -> Walk:
    asked = frozenset({"cursor", "limit"})
    arguments = drawer.arguments(draw, pools, operation.name, leave_out=asked)
    names = drawer.enabled(draw)
    between = tuple(
        Call(name, drawer.arguments(draw, pools, name))
        for name in (pick(draw, names) for _ in range(choose(draw, _MOST_BETWEEN + 1)))
    )
    return Walk(operation.name, arguments, 1 + choose(draw, _MOST_LIMIT), between)


def _makers(contract: Contract, paged: Operation) -> list[str]:
    """Give the operations that return, or take, what the pages hold."""
    items = set(get_args(paged.returns))
    return [
        name
        for name, operation in contract.operations.items()
        if operation.returns in items or any(each.hint in items for each in operation.parameters)
    ]


class _Runner:
    """Runs a program with a walk at its end on one storage."""

    def __init__(self, context: CheckContext, storage: Any) -> None:
        self._context, self._storage = context, storage
        self._actor = Actor(context.contract, storage, scribbling=False)
        self._steps: list[Call] = []
        self._outcomes: list[Outcome] = []
        self.pools = Pools(context.contract)

    async def call(self, call: Call) -> None:
        outcome = await self._actor.call(call)
        self._context.tally.operations += 1
        self._steps.append(call)
        self._outcomes.append(outcome)
        self.pools.add_call(call, len(self._steps) - 1, outcome)

    async def walk(self, walk: Walk) -> Failure | None:
        reason = await self._broken(walk)
        if reason is None:
            return None
        program = Program((*self._steps, walk))
        return Failure(program, (*self._outcomes, Outcome()), None, reason)

    async def _broken(self, walk: Walk) -> str | None:
        contract = self._context.contract
        context = {
            name: make()
            for name, make in contract.context.items()
            if any(each.name == name for each in contract.operations[walk.operation].parameters)
        }
        arguments: Mapping[str, Any] = resolve(walk.arguments, self._actor.results)
        try:
            await assert_walk(
                getattr(self._storage, walk.operation),
                {**arguments, **context},
                limit=walk.limit,
                largest=contract.largest_page,
                between=self._between(walk) if walk.between else None,
            )
        except AssertionError as broken:
            return str(broken)
        except contract.errors:
            return None
        return None

    async def _between(self, walk: Walk) -> AsyncIterator[Outcome]:
        for call in walk.between:
            self._context.tally.operations += 1
            yield await self._actor.call(call)


def _replay(context: CheckContext, program: Program) -> Failure | None:
    async def replay() -> Failure | None:
        runner = _Runner(context, await context.store.fresh())
        for step in program.steps:
            if isinstance(step, Walk):
                return await runner.walk(step)
            await runner.call(step)
        return None

    return context.run(replay())
