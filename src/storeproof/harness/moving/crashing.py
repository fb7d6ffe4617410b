"""The check of crashes ends loads at counted moments here, and looks what is there then."""

from __future__ import annotations

import tempfile
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from storeproof.harness.apart.jobs import LoadJob
from storeproof.harness.apart.origins import origin_of_opener
from storeproof.harness.faulting import handle_behind, wire_to
from storeproof.harness.moving.moves import awaited
from storeproof.harness.moving.states import State, calls_of, seen, shows, state_after, verified
from storeproof.harness.moving.travelling import Place, Step, in_time, moves_of
from storeproof.harness.program import Program
from storeproof.harness.wire import Fault

if TYPE_CHECKING:
    from storeproof.harness.checks.base import CheckContext

__all__ = ["CUTS", "Crash"]

T = TypeVar("T")

CUTS = (Fault.CUT, Fault.PARTIAL)
"""Before or after a statement, by whose message it is; while a message is on its way."""


class Crash:
    """A target that holds what some of a program's calls leave, or nothing, before each load.

    The load brings what all of them leave; `end` removes the archives. Methods that try something
    give a sentence on what is wrong afterwards, if anything.
    """

    def __init__(self, context: CheckContext, program: Program) -> None:
        self._context, self._contract = context, context.contract
        self._program, self._store = program, context.store
        self._moves = moves_of(context.contract)
        self._left = ExitStack()
        folder = self._left.enter_context(tempfile.TemporaryDirectory(prefix="storeproof-"))
        self._old, self._new = Path(folder) / "old", Path(folder) / "new"
        self._states: dict[Path, State] = {}

    def __enter__(self) -> Crash:
        self._run(self._begin())
        return self

    def __exit__(self, *_: object) -> None:
        self._left.close()

    def kill(self, moment: int | None) -> tuple[int, str]:
        """Kill the process that loads at a moment, or at its end; give how many moments it had."""
        self._run(self._target())
        opener = origin_of_opener(self._contract, self._context.backend)
        job = LoadJob(
            backend=self._context.backend.name,
            opener=opener,
            address=self._store.address,
            path=str(self._new),
            moment=moment,
        )
        told = self._context.apart.do(self._contract, job)
        if told.end is not None and told.end.problem:
            return 0, f"In a process of its own {told.end.problem}."
        done = told.end is not None
        return told.end.moments if told.end else 0, self._run(self._afterwards(done=done))

    def cut(self, fault: Fault | None, nth: int) -> tuple[int, str]:
        """Break the connection of a load at a message; give how many messages had passed."""
        assert self._store.endpoint is not None, "only networked stores have connections"
        with wire_to(self._store) as wire:
            return self._run(self._cut(wire, fault, nth))

    async def _cut(self, wire: Any, fault: Fault | None, nth: int) -> tuple[int, str]:
        async with handle_behind(wire, self._store) as handle:
            await self._fill(handle)
            before = wire.messages
            if fault is not None:
                wire.plan(fault, nth)
            done = False
            with suppress(Exception):  # what a lost connection becomes is another check's affair
                await in_time("load", lambda: self._moves.load(self._new, handle))
                done = True
            messages = wire.messages - before
        return messages, await self._afterwards(done=done)

    async def _begin(self) -> None:
        calls = [number for number, _ in calls_of(self._program)]
        kept = calls[: len(self._program.steps) // 2] if self._moves.replaces else []
        for path, made in ((self._old, kept), (self._new, calls)):
            state = await state_after(self._contract, self._program, made)
            self._states[path] = state
            storage = state.place.storage
            await awaited(self._moves.export(storage, path))
        await self._fill(await self._store.fresh())

    async def _target(self) -> None:
        await self._store.vacate()
        await self._fill(await self._store.reopen())
        await self._store.release()

    async def _fill(self, storage: Any) -> None:
        if self._moves.replaces:
            await in_time("load", lambda: self._moves.load(self._old, storage))

    async def _afterwards(self, *, done: bool) -> str:
        await self._store.settle()
        storage = await self._store.reopen()
        found = [path for path in (self._old, self._new) if await self._is(storage, path)]
        if not found:
            return "The target holds neither what it held before nor what was to be loaded."
        if done and self._new not in found:
            return "The load had ended well, and the target holds what it held before."
        return await self._again(storage, loaded=self._new in found)

    async def _again(self, storage: Any, *, loaded: bool) -> str:
        if loaded and not self._moves.replaces:
            return ""
        try:
            await in_time("load", lambda: self._moves.load(self._new, storage))
        except Step as failed:
            return f"The target is as before, but the load can't be repeated: {failed}."
        if await self._is(storage, self._new):
            return ""
        return "The load was repeated, and the target holds something else."

    async def _is(self, storage: Any, path: Path) -> bool:
        """Whether a storage holds what an archive does."""
        state = self._states[path]
        place = Place(self._contract, "", storage, state.place.results)
        reads = await seen(self._program, place)
        same = shows(self._contract, self._program, state, reads)
        return same and await verified(self._contract, path, storage)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._context.run(work)
