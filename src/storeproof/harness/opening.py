"""The check of faults breaks connections through `break_opening` while a storage is opened."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any

from storeproof.harness.disturbing import Broken, Rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.faulting import (
    ATTEMPTS,
    TIMEOUTS,
    Choice,
    Faulted,
    Trial,
    require,
    wire_to,
)
from storeproof.harness.program import Call
from storeproof.harness.running import PATIENCE, Actor, Outcome
from storeproof.harness.wire import Fault, Wire

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = ["break_opening", "most_faults"]

_PAUSE = 0.005
"""Seconds between two looks at the connections that a storage is closing."""
_SELDOM = 5
"""Silence is tried at one message in so many, from `_FIRST` on: each costs a timeout."""

_FIRST = 2


def most_faults(nth: int, messages: int) -> Sequence[Fault]:
    """Choose all ways of cutting at every message, and silence at some."""
    cuts = (Fault.CUT, Fault.RESET, Fault.PARTIAL)
    return (*cuts, Fault.BLACK_HOLE) if nth % _SELDOM == _FIRST else cuts


async def break_opening(
    contract: Contract,
    store: Store,
    program: Rehearsed,
    *,
    shared: bool,
    choice: Choice = most_faults,
) -> Faulted:
    """Open a storage for the last call of a program, and break its connection meanwhile.

    It is refused, then broken at the 1st, 2nd, … message, up to the last one of that call. Every
    time the store is emptied before. shared: whether there is no second handle.

    Raises Inconclusive where the proxy, or the storage behind it, can't be opened.
    """
    require(contract, store)
    with wire_to(store) as wire:
        return await _Openings(contract, store, program, wire=wire, shared=shared).run(choice)


class _Openings:
    def __init__(
        self, contract: Contract, store: Store, program: Rehearsed, *, wire: Wire, shared: bool
    ) -> None:
        self._contract, self._store, self._program = contract, store, program
        self._wire, self._shared = wire, shared
        self._operations = self._broken_at = self._usual = 0
        self._seconds = TIMEOUTS[0]

    async def run(self, choice: Choice) -> Faulted:
        self._usual = (await self._unbroken()).messages
        for fault, nth in self._faults(choice):
            trial = await self._tried(fault, nth)
            if trial.found is not None:  # on a busy machine it may be once, but hardly twice
                trial = await self._tried(fault, nth)
            self._broken_at += trial.met is not None
            if trial.found is not None:
                return Faulted(self._broken_at, self._operations, trial.found, fault)
        return Faulted(self._broken_at, self._operations)

    def _faults(self, choice: Choice) -> Iterator[tuple[Fault, int]]:
        if self._usual:
            yield Fault.REFUSE, 0
        for nth in range(1, self._usual + 1):
            for fault in choice(nth, self._usual):
                if fault is not Fault.REFUSE:
                    yield fault, nth

    async def _unbroken(self) -> _Opening:
        for self._seconds in TIMEOUTS:
            trial = await self._tried(None, 0)
            if trial.lost is None:
                return trial
        where = f"{self._wire.host}:{self._wire.port}"
        problem = f"the storage can't be opened through the proxy at {where}: it {trial.lost}"
        remedy = "See whether its store's address_at(host, port) leads there"
        raise Inconclusive("faults", problem, remedy)

    async def _tried(self, fault: Fault | None, nth: int) -> _Opening:
        direct = (await self._store.clients(1))[0]
        made = _Opening(self._contract, self._program, self._store, self._wire, direct)
        made.seconds, made.shared = self._seconds, self._shared
        try:
            made.found = await made.run(fault, nth, self._usual)
        finally:
            self._wire.mend()
            await made.close()
        self._operations += made.operations
        return made


class _Opening(Trial):
    """A storage whose opening is broken once, and all that is done before and afterwards.

    seconds: that it may wait for its server. shared: whether there is no second handle.
    """

    seconds: float
    shared: bool

    def __init__(
        self, contract: Contract, program: Rehearsed, store: Store, wire: Wire, direct: Any
    ) -> None:
        super().__init__(contract, program, [direct, direct], wire)
        self._store = store
        self._entered: AbstractAsyncContextManager[Any] | None = None

    async def run(self, fault: Fault | None, nth: int, usual: int) -> Broken | None:
        *before, last = self.program.calls
        if self.shared:
            self.lost = await self._open()
        for call in () if self.lost else before:
            outcome = await self.make(self.second, call)
            self.lost = outcome if self.is_lost(outcome) else self.lost
        if self.shared:
            await self.close()
        if self.lost is not None:
            return None
        known = self._wire.opened
        opened, outcome, seconds = await self._break_opening(last, fault, nth)
        if fault is None:
            self.lost = outcome if outcome.error is not None else None
            return None
        if self.met is None and fault is not Fault.REFUSE:
            return None
        self.sentence = self._told(nth, usual, outcome, opened=opened)
        problem = self.late(seconds, outcome)
        if problem is None and not opened:
            problem = await self._unopened(outcome, known)
        return problem or await self.afterwards(last) or await self.judged()

    async def _break_opening(
        self, last: Call, fault: Fault | None, nth: int
    ) -> tuple[bool, Outcome, float]:
        """Open the storage and make the last call; whether it was opened, what came, how long."""
        if fault is Fault.REFUSE:
            self._wire.refuse()
        elif fault is not None:
            self._wire.plan(fault, nth)
        counted, started = self._wire.messages, time.monotonic()
        with self.rescued(fault):
            failed = await self._open()
            outcome = failed or await self.make(self.first, last)
        seconds = time.monotonic() - started
        self.met, self.messages = self._wire.met, self._wire.messages - counted
        self._wire.mend()
        return failed is None, outcome, seconds

    async def _open(self) -> Outcome | None:
        """Open the storage behind the wire as the first handle; gives what it raised instead."""
        wire = self._wire
        entering = self._store.through(wire.host, wire.port, timeout=self.seconds)
        try:
            async with asyncio.timeout(PATIENCE):
                handle = await entering.__aenter__()
        except Exception as error:
            return Outcome(error=error, declared=isinstance(error, self.contract.errors))
        self._entered = entering
        self.first = Actor(self.contract, handle, scribbling=False)
        if self.shared:
            self.second = self.first
        return None

    async def _unopened(self, outcome: Outcome, known: int) -> Broken | None:
        """Say what an opening that raised did wrong, and open it again."""
        if not outcome.declared:
            return self.broken(["That is none of the contract's errors."], outcome)
        left = await self._left_open(known)
        if left:
            plural = "connection stays" if left == 1 else "connections stay"
            return self.broken([f"{left} {plural} open, which nobody can close any more."], outcome)
        for _ in range(ATTEMPTS):
            failed = await self._open()
            if failed is None:
                return None
        why = f"The server can be reached again, but opened anew, {ATTEMPTS} attempts later, it"
        return self.broken([f"{why} {failed}."], failed)

    async def _left_open(self, known: int) -> int:
        """Give how many connections are not closed in time, of those opened since so many."""
        ends = time.monotonic() + self.contract.ends_within
        while self._wire.open_since(known) and time.monotonic() < ends:  # noqa: ASYNC110 - the wire is another thread's
            await asyncio.sleep(_PAUSE)
        return self._wire.open_since(known)

    async def close(self) -> None:
        """Close what was opened."""
        entered, self._entered = self._entered, None
        if entered is not None:
            with suppress(Exception):  # closing what is broken raises what it likes
                async with asyncio.timeout(PATIENCE):
                    await entered.__aexit__(None, None, None)

    def _told(self, nth: int, usual: int, outcome: Outcome, *, opened: bool) -> str:
        where, met = "", self.met
        if met is not None:
            where = f" at message {nth} of {usual} ({met.kind}, from the {met.side})"
        fault = Fault.REFUSE if met is None else met.fault
        then = "its first call" if opened else "the opening"
        return f"While a storage was opened, its connection was {fault}{where}; {then} {outcome}."
