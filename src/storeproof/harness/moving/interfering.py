"""The check of interference runs exports beside writers, and two loads at once, by this module."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Store
from storeproof.harness.moving.holding import Held
from storeproof.harness.moving.moves import awaited
from storeproof.harness.moving.states import (
    State,
    calls_of,
    loaded,
    seen,
    shows,
    state_after,
)
from storeproof.harness.moving.travelling import MODEL, Place, Step, in_time, moves_of
from storeproof.harness.program import Program
from storeproof.harness.racing import Parts
from storeproof.harness.running import PATIENCE

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["Interfered", "exported_meanwhile", "loaded_twice"]

_WAITED = 0.3
"""Seconds that what is held gives the others: some of these may rightly wait for it to end."""


@dataclass(frozen=True)
class Interfered:
    """What came of one trial."""

    suspensions: int
    """Of what was held, or could have been."""
    held: bool = False
    problem: str = ""


async def exported_meanwhile(
    contract: Contract, store: Store, program: Program, nth: int
) -> Interfered:
    """Export what a program's steps leave; at the nth suspension, another client makes the rest."""
    with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
        return await _Export(contract, store, program, Path(folder) / "archive").run(nth)


async def loaded_twice(contract: Contract, store: Store, program: Program, nth: int) -> Interfered:
    """Load two archives at once: the second begins at the nth suspension of the first.

    They hold what a program's steps leave, and what its other calls do by themselves.
    """
    with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
        return await _Loads(contract, store, program, Path(folder)).run(nth)


class _Beside:
    """Something that goes on beside what is held, for a while or until its own end."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._work = work
        self.task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.task = asyncio.create_task(self._work())
        await asyncio.wait([self.task], timeout=_WAITED)

    async def end(self) -> None:
        if self.task is not None:
            await self.task


async def _holding(held: Held[Any], beside: _Beside) -> Exception | None:
    """Run what is held to its end, and what goes on beside it; give what the former raised."""
    problem = None
    try:
        async with asyncio.timeout(PATIENCE):
            await held
    except Exception as raised:  # a contract's author raises what they like
        problem = raised
    await beside.end()
    return problem


async def _call(step: Callable[[], Any]) -> None:
    await awaited(step())


class _Export:
    def __init__(self, contract: Contract, store: Store, program: Program, path: Path) -> None:
        self._contract, self._store, self._program = contract, store, program
        self._path, self._begun = path, list[int]()
        self._happened: list[int] = []
        self._problem = ""

    async def run(self, nth: int) -> Interfered:
        first = Place(self._contract, "", await self._store.fresh(), {})
        for number, call in Parts(self._program).steps:
            await self._make(first, number, call)
        steps = len(self._happened)
        writer = Place(self._contract, "", await self._store.second(), first.results)
        beside = _Beside(lambda: self._write(writer))
        export = moves_of(self._contract).export
        held = Held(_call(lambda: export(first.storage, self._path)), nth, beside.begin)
        failed = await _holding(held, beside)
        problem = self._problem or await self._judged(failed, steps, writer)
        return Interfered(held.suspensions, beside.task is not None, problem)

    async def _write(self, writer: Place) -> None:
        for calls in Parts(self._program).branches:
            for number, call in calls:
                await self._make(writer, number, call)

    async def _make(self, place: Place, number: int, call: Any) -> None:
        outcome = await place.make(number, call)
        if outcome is None:
            return
        lost = (*self._contract.unavailable, *self._contract.uncertain)
        if not outcome.declared and not isinstance(outcome.error, lost):
            self._problem = (
                f"While it went on, another client's {call.operation} {outcome}, "
                "which is none of the contract's errors."
            )
        elif not isinstance(outcome.error, lost):
            self._happened.append(number)

    async def _judged(self, failed: Exception | None, steps: int, writer: Place) -> str:
        if failed is not None:
            return f"The export raised {failed!r}."
        try:
            model = await loaded(self._contract, self._path, writer.results)
        except Step as problem:
            return f"What was exported can't be loaded: {problem}."
        reads = await seen(self._program, model)
        for count in range(steps, len(self._happened) + 1):
            made = self._happened[:count]
            state = await state_after(self._contract, self._program, made)
            if shows(self._contract, self._program, state, reads):
                return ""
        return (
            "What was exported is not what was there at any one moment: neither before, nor after "
            f"any of the {len(self._happened) - steps} calls that another client made meanwhile."
        )


class _Loads:
    def __init__(self, contract: Contract, store: Store, program: Program, folder: Path) -> None:
        self._contract, self._store, self._program = contract, store, program
        self._folder, self._moves = folder, moves_of(contract)
        self._second: Exception | None = None

    async def run(self, nth: int) -> Interfered:
        every = [number for number, _ in calls_of(self._program)]
        at = len(self._program.steps)
        made = (every[:0], every[:at], every[at:])
        none, one, other = [await state_after(self._contract, self._program, each) for each in made]
        paths = [await self._archive(each, name) for each, name in ((one, "1"), (other, "2"))]
        first, second = await self._store.fresh(), await self._store.second()
        beside = _Beside(lambda: self._load(paths[1], second))
        held = Held(_call(lambda: self._moves.load(paths[0], first)), nth, beside.begin)
        failed = await _holding(held, beside)
        if beside.task is None:
            return Interfered(held.suspensions)
        problem = await self._judged([failed, self._second], (none, one, other), first)
        return Interfered(held.suspensions, held=True, problem=problem)

    async def _archive(self, state: State, name: str) -> Path:
        path = self._folder / name
        await in_time("export", lambda: self._moves.export(state.place.storage, path))
        return path

    async def _load(self, path: Path, storage: Any) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await awaited(self._moves.load(path, storage))
        except Exception as raised:  # a contract's author raises what they like
            self._second = raised

    async def _judged(
        self, raised: Sequence[Exception | None], states: Sequence[State], storage: Any
    ) -> str:
        declared = (*self._moves.refusals, *self._contract.errors)
        for each in raised:
            if each is not None and not isinstance(each, declared):
                return f"Of two loads at once one raised {each!r}, which is no declared refusal."
        none, one, other = states
        done = [state for state, each in zip((one, other), raised, strict=True) if each is None]
        if len(done) > 1 and not self._moves.replaces:
            return "Two loads at once both ended well, though nothing may be replaced."
        reads = await seen(
            self._program, Place(self._contract, MODEL, storage, other.place.results)
        )
        if any(shows(self._contract, self._program, each, reads) for each in done or [none]):
            return ""
        ended = "one of them" if len(done) == 1 else "both" if done else "neither"
        return f"Of two loads at once {ended} ended well, and the storage holds something else."
