"""The round-trip check takes a program's content through archives here, and goes on with it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from storeproof.harness.backends.base import Store
from storeproof.harness.compare import Renaming
from storeproof.harness.exceptions import HarnessError
from storeproof.harness.moving.moves import Moves, awaited
from storeproof.harness.program import Call, Program
from storeproof.harness.racing import Numbered, Parts
from storeproof.harness.running import PATIENCE, Actor, Outcome, Unresolvable, compare_outcomes

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = [
    "MODEL",
    "Place",
    "Step",
    "Stop",
    "Trouble",
    "calls_after",
    "filled",
    "in_time",
    "moves_of",
    "travel",
]

MODEL = "the model"
Stop: TypeAlias = tuple[str, Store]
"""The name of a backend, and a store on it."""


@dataclass(frozen=True)
class Trouble:
    """What went wrong: a step of the move, or a call that differs after it.

    where: the way that the content went, up to the storage that shows it.
    """

    where: str
    told: str
    call: Call | None = None
    expected: Outcome | None = None
    actual: Outcome | None = None


class Step(Exception):
    """A step of a move failed; the text says which one, and how."""

    def __init__(self, told: str, problem: Exception) -> None:
        self.told, self.problem = told, problem
        super().__init__(f"{told} raised {type(problem).__name__}({problem})")


def moves_of(contract: Contract) -> Moves:
    """Give how a contract's content is moved; its checks run only where it says so."""
    assert contract.moves is not None, "the check applies to contracts that have moves"
    return contract.moves


async def in_time(told: str, step: Callable[[], Any]) -> None:
    """Take a step, which may be async; raises Step where it fails, or takes too long."""
    try:
        async with asyncio.timeout(PATIENCE):
            await awaited(step())
    except HarnessError:
        raise
    except Exception as problem:  # functions of a contract's author raise what they like
        raise Step(told, problem) from problem


class Place:
    """A storage that has the content, the way that it came there, and its own calls' results."""

    def __init__(
        self, contract: Contract, where: str, storage: Any, results: Mapping[int, Any]
    ) -> None:
        self.where, self.storage, self.results = where, storage, dict(results)
        self._contract, self._renaming = contract, Renaming()
        self._actor = Actor(contract, storage, scribbling=False)

    async def make(self, number: int, call: Call) -> Outcome | None:
        """Make a call of a program; None where what it refers to is not there."""
        outcome = await self._actor.outcome(call, self.results)
        if isinstance(outcome.error, Unresolvable):
            return None
        self.results[number] = outcome.value
        return outcome

    async def compare(self, number: int, call: Call, expected: Outcome) -> Trouble | None:
        """Make a call of a program, which is to have this outcome."""
        actual = await self._actor.outcome(call, self.results)
        self.results[number] = actual.value
        reason = compare_outcomes(self._contract, call.operation, expected, actual, self._renaming)
        return None if reason is None else Trouble(self.where, reason, call, expected, actual)


async def filled(contract: Contract, program: Program) -> Place:
    """Make a program's steps on a new model."""
    place = Place(contract, MODEL, contract.model(), {})
    for number, call in Parts(program).steps:
        await place.make(number, call)
    return place


async def travel(contract: Contract, program: Program, stops: Sequence[Stop]) -> Trouble | None:
    """Move what a program's steps leave on the model from stop to stop, and into a new model.

    Wherever it was, it must be the same, and what the program does after its steps must have the
    same outcomes as on the model that it came from. Gives the first thing that is not so.
    """
    with tempfile.TemporaryDirectory(prefix="storeproof-") as folder:
        journey = _Journey(contract, program, Path(folder))
        try:
            return await journey.run(stops)
        except Step as failed:
            return Trouble(journey.where, str(failed))


class _Journey:
    def __init__(self, contract: Contract, program: Program, folder: Path) -> None:
        self._contract, self._program, self._folder = contract, program, folder
        self._moves = moves_of(contract)
        self._copies: list[Place] = []
        self.where = MODEL

    async def run(self, stops: Sequence[Stop]) -> Trouble | None:
        model = await filled(self._contract, self._program)
        latest = model
        for name, store in stops:
            latest = await self._arrive(name, latest, await store.fresh())
        await self._arrive(MODEL, latest, self._contract.model())
        for copy in self._copies:
            self.where = copy.where
            await self._verify(copy.storage)
        return await self._go_on(model)

    async def _arrive(self, name: str, source: Place, target: Any) -> Place:
        path = self._folder / str(len(self._copies))
        await in_time("export", lambda: self._moves.export(source.storage, path))
        self.where = f"{self.where} -> {name}"
        await in_time("load", lambda: self._moves.load(path, target))
        self._copies.append(Place(self._contract, self.where, target, source.results))
        return self._copies[-1]

    async def _verify(self, storage: Any) -> None:
        verify = self._moves.verify
        if verify is not None:
            first = self._folder / "0"
            await in_time("verify, with the first archive,", lambda: verify(first, storage))

    async def _go_on(self, model: Place) -> Trouble | None:
        for number, call in calls_after(self._program):
            expected = await model.make(number, call)
            if expected is None:
                continue
            for copy in self._copies:
                trouble = await copy.compare(number, call, expected)
                if trouble is not None:
                    return trouble
        return None


def calls_after(program: Program) -> Numbered:
    """Give the calls after a program's steps."""
    parts = Parts(program)
    return [each for calls in (*parts.branches, *parts.reads) for each in calls]
