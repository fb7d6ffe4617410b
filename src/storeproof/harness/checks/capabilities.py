"""The capabilities check: a backend can do what it declares, and declares what it can do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from storeproof.harness.backends.base import Capability
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.compare import Renaming
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.running import Actor, Outcome, compare_outcomes
from storeproof.harness.search import Failure, search
from storeproof.harness.trial import reading_calls
from storeproof.harness.values import Draw

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
    """Compare what other handles see with what was written, for the first content that shows it."""
    shown: list[dict[Capability, bool]] = []
    drawer = CallDrawer(context.contract)

    async def attempt(draw: Draw) -> Failure | None:
        if not shown:
            seen = await _seen_by_others(context, drawer, draw)
            shown.extend([seen] if seen is not None else [])
        return None

    search(context, attempt)
    if not shown:
        raise Inconclusive(
            "capabilities",
            f"no call of {context.contract.name} changed what its reading operations give",
            "Name these operations with Contract(reads=[…])",
        )
    return [
        _problem(capability, actual)
        for capability, actual in shown[0].items()
        if actual != (capability in context.backend.capabilities)
    ]


def _problem(capability: Capability, actual: bool) -> str:
    told = {
        Capability.CONCURRENT_CLIENTS: "a second handle {} what the first one wrote",
        Capability.SURVIVES_RESTART: "a handle opened after all were closed {} what was written",
    }[capability]
    declared = "is not declared, but" if actual else "is declared, but"
    return f"{capability} {declared} {told.format('sees' if actual else 'does not see')}"


async def _seen_by_others(
    context: CheckContext, drawer: CallDrawer, draw: Draw
) -> dict[Capability, bool] | None:
    """Write, then say which other handles see it; None where reading shows nothing written."""
    storage = await context.store.fresh()
    pools = await _written(context, drawer, draw, storage)
    calls = reading_calls(context.contract, pools)
    written = await _content(context, storage, calls)
    blank = await _content(context, context.contract.model(), calls)
    if _same(context, calls, written, blank):
        return None
    handles: dict[Capability, Callable[[], Awaitable[Any]]] = {
        Capability.CONCURRENT_CLIENTS: context.store.second,
        Capability.SURVIVES_RESTART: context.store.reopen,
    }
    seen = {}
    for capability, handle in handles.items():
        content = await _content(context, await handle(), calls)
        seen[capability] = _same(context, calls, written, content)
    return seen


async def _written(context: CheckContext, drawer: CallDrawer, draw: Draw, storage: Any) -> Pools:
    actor = Actor(context.contract, storage, scribbling=False)
    pools = Pools(context.contract)
    for index in range(_CALLS):
        call = drawer.draw_call(draw, pools, list(context.contract.operations))
        outcome = await actor.call(call)
        pools.add_call(call, index, outcome)
        context.tally.operations += 1
    return pools


async def _content(context: CheckContext, storage: Any, calls: list[Call]) -> list[Outcome]:
    actor = Actor(context.contract, storage, scribbling=False)
    return [await actor.call(call) for call in calls]


def _same(
    context: CheckContext, calls: list[Call], one: list[Outcome], other: list[Outcome]
) -> bool:
    renaming = Renaming()
    return all(
        compare_outcomes(context.contract, call.operation, left, right, renaming) is None
        for call, left, right in zip(calls, one, other, strict=True)
    )
