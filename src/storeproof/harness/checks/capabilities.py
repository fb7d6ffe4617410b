"""The capabilities check: a backend can do what it declares, and declares what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.compare import Renaming
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call, Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.running import Actor, Outcome, compare_outcomes
from storeproof.harness.search import Failure, search
from storeproof.harness.trial import reading_calls
from storeproof.harness.values import Draw, choose

__all__ = ["CapabilitiesCheck"]

_CALLS = 8


class CapabilitiesCheck(Check):
    """Writes through one handle and reads through others, and knocks at the server's door."""

    id = "capabilities"
    stage = Stage.CAPABILITIES
    sentence = "A backend can do what it declares, and declares what it can do."

    def run(self, context: CheckContext) -> None:
        problems = [*_network_problems(context), *_handle_problems(context)]
        if problems:
            listed = "\n".join(f"  - {each}" for each in problems)
            raise CheckFailed(
                f"{context.contract.name} on {context.backend.name}: its capabilities are "
                f"declared wrongly\n{listed}"
            )


def _network_problems(context: CheckContext) -> list[str]:
    declared = Capability.NETWORKED in context.backend.capabilities
    endpoint = context.store.endpoint
    if declared and (endpoint is None or not context.run(_answers(*endpoint))):
        return [f"networked is declared, but nothing answers at {endpoint or 'no endpoint'}"]
    if not declared and endpoint is not None:
        return [f"networked is not declared, but its store's endpoint is {endpoint}"]
    return []


async def _answers(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), timeout=5)
    except (OSError, TimeoutError):
        return False
    writer.close()
    await writer.wait_closed()
    return True


def _handle_problems(context: CheckContext) -> list[str]:
    """Compare what other handles see with what was written."""
    seen = context.run(_seen_by_others(context, _witness(context)))
    return [
        _problem(capability, actual)
        for capability, actual in seen.items()
        if actual != (capability in context.backend.capabilities)
    ]


def _witness(context: CheckContext) -> Program:
    """Find the shortest program after which reading shows that something was written.

    Raises Inconclusive where there is none.
    """
    drawer = experienced_drawer(context)

    async def attempt(draw: Draw) -> Failure | None:
        calls = await _draw_calls(context, drawer, draw)
        written = await _write(context, Program(calls))
        # What it reads of nothing is its own affair: agreement compares that with the model.
        blank = await written.read(context, await context.store.fresh())
        if _same(context, written, blank):
            return None
        return Failure(Program(calls), (), None, "something was written")

    found = search(context, attempt)
    if found is None:
        raise Inconclusive(
            "capabilities",
            f"no call of {context.contract.name} changed what its reading operations give",
            "Name these operations with Contract(reads=[…])",
        )
    return found.program


async def _draw_calls(context: CheckContext, drawer: CallDrawer, draw: Draw) -> tuple[Call, ...]:
    actor = Actor(context.contract, context.contract.model(), scribbling=False)
    pools = Pools(context.contract)
    calls: list[Call] = []
    for index in range(_CALLS):
        calls.append(drawer.draw_call(draw, pools, list(context.contract.operations)))
        pools.add_call(calls[-1], index, await actor.call(calls[-1]))
        if choose(draw, _CALLS) == 0:
            break
    return tuple(calls)


def _problem(capability: Capability, actual: bool) -> str:
    told = {
        Capability.CONCURRENT_CLIENTS: "a second handle {} what the first one wrote",
        Capability.SURVIVES_RESTART: "a handle opened after all were closed {} what was written",
    }[capability]
    declared = "is not declared, but" if actual else "is declared, but"
    return f"{capability} {declared} {told.format('sees' if actual else 'does not see')}"


@dataclass
class _Content:
    """What a program's calls gave, and what the reading calls that follow it give."""

    results: list[Any]
    calls: list[Call]
    outcomes: list[Outcome]

    async def read(self, context: CheckContext, storage: Any) -> list[Outcome]:
        """Make the same reading calls on another storage or handle."""
        actor = Actor(context.contract, storage, scribbling=False)
        actor.results.extend(self.results)
        return [await actor.call(call) for call in self.calls]


async def _write(context: CheckContext, program: Program) -> _Content:
    """Run a program on the emptied store and read what it wrote, through the first handle."""
    storage = await context.store.fresh()
    actor, pools = Actor(context.contract, storage, scribbling=False), Pools(context.contract)
    for index, call in enumerate(program.steps):
        if isinstance(call, Call):
            pools.add_call(call, index, await actor.call(call))
            context.tally.operations += 1
    calls = reading_calls(context.contract, pools)
    content = _Content(actor.results, calls, [])
    content.outcomes = await content.read(context, storage)
    return content


async def _seen_by_others(context: CheckContext, program: Program) -> dict[Capability, bool]:
    """Write through the first handle, then say which other handles see it."""
    written = await _write(context, program)
    handles: dict[Capability, Callable[[], Awaitable[Any]]] = {
        Capability.CONCURRENT_CLIENTS: context.store.second,
        Capability.SURVIVES_RESTART: context.store.reopen,
    }
    return {
        capability: _same(context, written, await written.read(context, await handle()))
        for capability, handle in handles.items()
    }


def _same(context: CheckContext, written: _Content, other: list[Outcome]) -> bool:
    renaming = Renaming()
    return all(
        compare_outcomes(context.contract, call.operation, left, right, renaming) is None
        for call, left, right in zip(written.calls, written.outcomes, other, strict=True)
    )
