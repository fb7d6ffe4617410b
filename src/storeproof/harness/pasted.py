"""`Contract.race`, `cancel` and `disconnect` run here what tests that failures print give them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Store
from storeproof.harness.contradiction import broken_parts
from storeproof.harness.disturbing import Broken, Rehearsed, rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.faulting import break_everywhere
from storeproof.harness.history import History
from storeproof.harness.linearizability import Answer, judge_history
from storeproof.harness.opening import break_opening
from storeproof.harness.recording import Client, Recording, Turns
from storeproof.harness.running import PATIENCE
from storeproof.harness.sweeping import sweep

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Pasted", "PastedCancelling"]


class Pasted:
    """A function of several clients, and how often it is run."""

    def __init__(
        self,
        contract: Contract,
        program: Callable[..., Awaitable[None]],
        *,
        clients: int,
        shared: bool,
        times: int,
    ) -> None:
        self._contract, self._program = contract, program
        self._clients, self._shared, self._times = clients, shared, times

    async def run(self, store: Store) -> None:
        """Run the function until its history is one that no order explains.

        Raises AssertionError then; Inconclusive where that could not be found out; what the
        function itself raises where it does so each time.
        """
        problems = []
        for number in range(1, self._times + 1):
            recording = Recording(self._contract, Turns(number, self._clients))
            try:
                await self._once(store, recording)
            except Exception as problem:  # such as that of a call which another order forbids
                problems.append(problem)
            await self._judge(recording.history(), number)
        if len(problems) == self._times:
            raise problems[-1]

    async def _once(self, store: Store, recording: Recording) -> None:
        count = 1 if self._shared else self._clients
        handles = await store.clients(count) * (self._clients // count)
        made = [Client(recording, index, each) for index, each in enumerate(handles)]
        async with asyncio.timeout(PATIENCE):
            await self._program(*made)

    async def _judge(self, history: History, number: int) -> None:
        finding = await judge_history(self._contract, history)
        if finding.answer is Answer.UNKNOWN:
            reason = f"no order of {len(history.calls)} calls was found in time"
            raise Inconclusive("the race", reason, "Make fewer calls")
        if finding.answer is Answer.NOT_LINEARIZABLE or history.undeclared():
            parts = broken_parts(history, finding)
            raise AssertionError("\n\n".join([f"run {number} of {self._times}:", *parts]))


class _PastedEnding(ABC):
    """A function of one client, whose last call is disturbed."""

    def __init__(
        self, contract: Contract, program: Callable[[Any], Awaitable[None]], *, shared: bool
    ) -> None:
        self._contract, self._program, self._shared = contract, program, shared

    async def run(self, store: Store) -> None:
        """Note the function's calls on the model, then disturb the last one on the store.

        Raises AssertionError where that shows something wrong; Inconclusive where the last call
        does not succeed on the model.
        """
        recording = Recording(self._contract, Turns(0, 1))
        await self._program(Client(recording, 0, self._contract.model()))
        found = await rehearsed(self._contract, recording.program())
        if found is None:
            reason = "the function's last call does not succeed on the model"
            raise Inconclusive(self.doing, reason, "Make what it needs before")
        broken = await self.broken(store, found)
        if broken is not None:
            raise AssertionError("\n\n".join([broken.sentence, *broken.parts]))

    doing: str

    @abstractmethod
    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        """Disturb the last call everywhere."""


class PastedCancelling(_PastedEnding):
    """A function of one client, whose last call is cancelled."""

    doing = "cancelling"

    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        return (await sweep(self._contract, store, found, shared=self._shared)).broken


class PastedDisconnecting(_PastedEnding):
    """A function of one client, whose last call's connection is broken."""

    doing = "disconnecting"

    async def broken(self, store: Store, found: Rehearsed) -> Broken | None:
        for breaking in (break_everywhere, break_opening):
            broken = (await breaking(self._contract, store, found, shared=self._shared)).broken
            if broken is not None:
                return broken
        return None
