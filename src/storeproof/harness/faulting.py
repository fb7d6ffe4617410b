"""The check of faults breaks the connection of a program's last call through `break_everywhere`."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storeproof.harness.disturbing import Broken, Disturbed, Rehearsed
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.history import written
from storeproof.harness.program import Call
from storeproof.harness.running import PATIENCE, Outcome
from storeproof.harness.wire import Fault, Met, Wire

if TYPE_CHECKING:
    from storeproof.harness.backends.base import Store
    from storeproof.harness.contract import Contract

__all__ = [
    "ATTEMPTS",
    "FAULTS",
    "TIMEOUTS",
    "Choice",
    "Faulted",
    "Trial",
    "break_everywhere",
    "every_fault",
    "handle_behind",
    "require",
    "wire_to",
]

FAULTS = (Fault.CUT, Fault.RESET, Fault.PARTIAL, Fault.DELAY, Fault.BLACK_HOLE)
Choice = Callable[[int, int], Sequence[Fault]]
"""Which faults happen at a message, given its number, from 1, and how many there usually are;
some behind the last one, so that it is seen that there are no more."""

TIMEOUTS = (0.25, 1.0, 4.0)
"""Seconds that the storage is asked to wait for its server, where its opener takes them: the first
with which it can be opened, since a busy machine takes its time."""
ATTEMPTS = 3
"""How often a call is made again on the handle whose connection broke, until it works."""
_VOID = 3
"""How often a program is tried whose earlier calls fail although nothing is broken yet."""


@dataclass(frozen=True)
class Faulted:
    """What came of breaking the connection of one program's last call."""

    messages: int
    """At which it was broken."""
    operations: int
    broken: Broken | None = None
    fault: Fault | None = None
    """The one after which something was wrong."""


def every_fault(nth: int, messages: int) -> Sequence[Fault]:
    """Choose every fault at every message."""
    return FAULTS


async def break_everywhere(
    contract: Contract,
    store: Store,
    program: Rehearsed,
    *,
    shared: bool,
    choice: Choice = every_fault,
) -> Faulted:
    """Break the last call's connection at its 1st, 2nd, … message until it meets no fault.

    Every time the store is emptied before. shared: whether there is no second handle.

    Raises Inconclusive where the proxy, or the storage behind it, can't be opened.
    """
    require(contract, store)
    with wire_to(store) as wire:
        async with handle_behind(wire, store) as handle:
            return await _Sweep(
                contract, store, program, wire=wire, handle=handle, shared=shared
            ).run(choice)


def require(contract: Contract, store: Store) -> None:
    if store.endpoint is None:
        problem, remedy = "the store has no endpoint", "Set it to the server's host and port"
        raise Inconclusive("faults", problem, remedy)
    if not (contract.unavailable or contract.uncertain):
        raise Inconclusive(
            "faults",
            "nothing says which errors a lost connection becomes",
            "Name them: Contract(unavailable=[…]) for what certainly had no effect, "
            "Contract(uncertain=[…]) for what may have",
        )


@contextmanager
def wire_to(store: Store) -> Iterator[Wire]:
    """Have a proxy before the store's endpoint.

    Raises Inconclusive where it can't listen.
    """
    assert store.endpoint is not None  # the caller has seen to it
    wire = Wire(*store.endpoint, store.framing)
    try:
        wire.start()
    except OSError as error:
        problem = f"the proxy can't listen on {wire.host}:{wire.port} ({error})"
        raise Inconclusive("faults", problem, "Free a port there") from error
    try:
        yield wire
    finally:
        wire.stop()


@asynccontextmanager
async def handle_behind(wire: Wire, store: Store) -> AsyncIterator[Any]:
    """Empty the store, and give a handle behind the proxy.

    Raises Inconclusive where it can't be opened.
    """
    await store.clients(1)
    opening, handle = await _opened(wire, store)
    try:
        yield handle
    finally:
        wire.mend()
        with suppress(Exception):  # closing what is broken raises what it likes
            async with asyncio.timeout(PATIENCE):
                await opening.__aexit__(None, None, None)


async def _opened(wire: Wire, store: Store) -> tuple[AbstractAsyncContextManager[Any], Any]:
    """Give a handle behind the wire, with what closes it.

    Raises Inconclusive where it can't be opened.
    """
    problem: Exception | None = None
    for seconds in TIMEOUTS:
        opening = store.through(wire.host, wire.port, timeout=seconds)
        try:
            async with asyncio.timeout(PATIENCE):
                return opening, await opening.__aenter__()
        except Exception as error:
            problem = error
    where = f"the storage can't be opened through the proxy at {wire.host}:{wire.port}"
    remedy = "See whether its store's address_at(host, port) leads there"
    raise Inconclusive("faults", f"{where} ({problem!r})", remedy) from problem


class _Sweep:
    def __init__(
        self,
        contract: Contract,
        store: Store,
        program: Rehearsed,
        *,
        wire: Wire,
        handle: Any,
        shared: bool,
    ) -> None:
        self._contract, self._store, self._program = contract, store, program
        self._shared, self._wire, self._handle = shared, wire, handle
        self._operations = self._broken_at = 0
        self._usual = 0
        """Messages of the last call where nothing is broken."""

    async def run(self, choice: Choice) -> Faulted:
        for _ in range(2):  # the first time, statements may be prepared
            trial = await self._twice(None, 0)
            if trial.found is not None:
                return self._faulted(trial.found, None)
            self._usual = trial.messages
        for nth in itertools.count(1) if self._usual else ():
            reached = False
            faults = choice(nth, self._usual)
            for fault in faults:
                trial = await self._twice(fault, nth)
                reached = reached or trial.met is not None
                if trial.found is not None:
                    return self._faulted(trial.found, fault)
            self._broken_at += reached
            if faults and not reached:
                break
        return self._faulted(None, None)

    async def _twice(self, fault: Fault | None, nth: int) -> Trial:
        """Try a fault; on another handle as well where that shows something wrong.

        On a busy machine the short timeout ends what is in order, but hardly twice.
        """
        trial = await self._tried(self._handle, fault, nth)
        if trial.found is None:
            return trial
        async with handle_behind(self._wire, self._store) as handle:
            await self._tried(handle, None, 0)  # statements are prepared, as on the first handle
            return await self._tried(handle, fault, nth)

    def _faulted(self, broken: Broken | None, fault: Fault | None) -> Faulted:
        return Faulted(self._broken_at, self._operations, broken, fault)

    async def _tried(self, handle: Any, fault: Fault | None, nth: int) -> Trial:
        """Make the program's calls once; again where they fail before anything is broken.

        Raises Inconclusive where they always do.
        """
        for _ in range(_VOID):
            second = (await self._store.clients(1))[0]
            handles = [handle, handle if self._shared else second]
            trial = Trial(self._contract, self._program, handles, self._wire)
            trial.found = await trial.run(fault, nth, self._usual)
            self._operations += trial.operations
            if trial.lost is None:
                return trial
        problem = f"calls fail through the proxy although nothing is broken yet: it {trial.lost}"
        raise Inconclusive("faults", problem, "See whether the server has too much to do")


class Trial(Disturbed):
    """A call whose connection is broken once, and all that is done before and afterwards.

    met: where the fault happened, if it did. messages: those of the last call. lost: the outcome of
    a call that failed too early.
    """

    def __init__(
        self, contract: Contract, program: Rehearsed, handles: Sequence[Any], wire: Wire
    ) -> None:
        super().__init__(contract, program, handles, "Nothing was broken yet, beside the proxy.")
        self._wire = wire
        self.met: Met | None = None
        self.messages = 0
        self.lost: Outcome | None = None
        self.found: Broken | None = None

    async def run(self, fault: Fault | None, nth: int, usual: int) -> Broken | None:
        *before, last = self.program.calls
        for call in before:
            outcome = await self.make(self.first, call)
            if self.is_lost(outcome):
                self.lost = outcome
                return None
        problem = await self._break(last, fault, nth, usual)
        if problem is not None or self.lost is not None or (fault and self.met is None):
            return problem
        return await self.afterwards(last) or await self.judged()

    async def _break(self, call: Call, fault: Fault | None, nth: int, usual: int) -> Broken | None:
        if fault is not None:
            self._wire.plan(fault, nth)
        word, position = self.begin(self.first, call)
        counted, started = self._wire.messages, time.monotonic()
        with self.rescued(fault):
            outcome = await self.first.outcome(call, self.results)
        seconds = time.monotonic() - started
        self.met, self.messages = self._wire.met, self._wire.messages - counted
        self._wire.mend()
        self.respond(word, position, outcome)
        if fault is None or self.met is None:
            self.lost = outcome if self.is_lost(outcome) else None
            return None
        self.sentence = _told(self.met, nth, usual, outcome)
        return self.late(seconds, outcome)

    @contextmanager
    def rescued(self, fault: Fault | None) -> Iterator[None]:
        """Mend the wire once the call is too late, also where it blocks the loop."""
        if fault not in (Fault.BLACK_HOLE, Fault.REFUSE):
            yield
            return
        timer = threading.Timer(self.contract.ends_within, self._wire.mend)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def late(self, seconds: float, outcome: Outcome) -> Broken | None:
        """Say that a call took too long; None where it did not."""
        longest = self.contract.ends_within
        if seconds < longest:
            return None
        return self.broken(
            [
                f"It took {seconds:.1f} seconds: every call has to end within {longest:g} "
                "(Contract(ends_within=…)). Does the storage bound its waiting for an answer? "
                "An opener that takes `timeout` is told how long it may wait in this check."
            ],
            outcome,
        )

    async def afterwards(self, last: Call) -> Broken | None:
        """Use both handles; give which one does not work."""
        alone = self.second is self.first
        for call in () if alone else self.program.reads:
            outcome = await self.make(self.second, call)
            if self.is_lost(outcome):
                return self._useless("Another handle has to work at once, but", call, outcome)
        problem = await self._again(last)
        if problem is not None:
            return problem
        for call in (last, *self.program.reads):
            outcome = await self.make(self.second, call)
            if self.is_lost(outcome):
                return self._useless("Another handle has to work, but", call, outcome)
        return None

    async def _again(self, last: Call) -> Broken | None:
        for _ in range(ATTEMPTS):
            outcome = await self.make(self.first, last)
            if not self.is_lost(outcome):
                return None
        why = f"The connection can be had again, but on the same handle, {ATTEMPTS} attempts later,"
        return self._useless(why, last, outcome)

    def _useless(self, why: str, call: Call, outcome: Outcome) -> Broken:
        return self.broken([f"{why} {written(call)} {outcome}."], outcome)

    def is_lost(self, outcome: Outcome) -> bool:
        """Whether a call failed because the connection did."""
        kinds = (*self.contract.uncertain, *self.contract.unavailable)
        return isinstance(outcome.error, kinds)

    def respond(self, word: int, position: int, outcome: Outcome) -> None:
        super().respond(word, position, outcome)
        error = outcome.error
        refused = isinstance(error, self.contract.unavailable)
        if refused and not isinstance(error, self.contract.uncertain):
            self.recorder.retract(word)


def _told(met: Met, nth: int, usual: int, outcome: Outcome) -> str:
    of = f" of {usual}" if nth <= usual else ""
    where = f"message {nth}{of} ({met.kind}, from the {met.side})"
    return f"The last call's connection was {met.fault} at {where}; the call {outcome}."
