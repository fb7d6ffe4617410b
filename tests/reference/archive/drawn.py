"""For the tests of archives: drawn calls fill storages, and more of them go on with two."""

from __future__ import annotations

from typing import Any, Final

from storeproof.harness.compare import Renaming
from storeproof.harness.contract import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.experience import Experience
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.running import Actor, compare_outcomes
from storeproof.harness.values import Draw
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.errors.laws import contract as errors
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.selection import Storages

CONTRACTS: Final[dict[str, Contract]] = {
    "auth": auth,
    "costs": costs,
    "errors": errors,
    "providers": providers,
}


class Caller:
    """Draws calls of one component, and makes them on its storage in memory."""

    def __init__(self, component: str, storages: Storages, seed: int) -> None:
        self.component = component
        self.contract = CONTRACTS[component]
        self.actor = Actor(self.contract, getattr(storages, component), scribbling=False)
        self.pools = Pools(self.contract)
        self._experience = Experience(self.contract.reads)
        self._drawer = CallDrawer(self.contract, self._experience, rehearsing=True)
        self._draw = Draw(seed)

    async def fill(self, calls: int) -> None:
        """Makes so many calls, most of which succeed."""
        for _ in range(calls):
            call, meetings = self._drawer.draw_met(
                self._draw, self.pools, list(self.contract.operations)
            )
            outcome = await self.actor.call(call)
            self.pools.add_call(call, len(self.actor.results) - 1, outcome)
            self._experience.learn(meetings, succeeded=outcome.error is None)

    async def go_on(self, copies: dict[str, Storages], calls: int) -> list[str]:
        """Makes the same calls on copies of the storages; tells which outcomes differ."""
        others = {name: self._with_results(each) for name, each in copies.items()}
        told = []
        for _ in range(calls):
            call = self._drawer.draw_call(self._draw, self.pools, list(self.contract.operations))
            expected = await self.actor.call(call)
            self.pools.add_call(call, len(self.actor.results) - 1, expected)
            for name, other in others.items():
                found = await other.call(call)
                wrong = compare_outcomes(self.contract, call.operation, expected, found, Renaming())
                if wrong is not None:
                    told.append(f"{name}: {_shown(call)}: {wrong}")
        return told

    def _with_results(self, storages: Storages) -> Actor:
        actor = Actor(self.contract, getattr(storages, self.component), scribbling=False)
        actor.results = list(self.actor.results)
        return actor


def _shown(call: Call) -> str:
    arguments: Any = dict(call.arguments)
    return f"{call.operation}({arguments})"
