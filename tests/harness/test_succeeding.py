"""Programs that end in a call that succeeds are found and short, also where that takes much."""

from __future__ import annotations

import asyncio
from typing import Any, NewType, Protocol

import pytest

from storeproof import Contract
from storeproof.harness import succeeding as looked_for
from storeproof.harness.program import Program
from storeproof.harness.succeeding import succeeding

from .toys import QUICK, context

BellId = NewType("BellId", str)
FULL = 15


class BellError(Exception):
    """Root of the errors of jars."""


class NoBell(BellError):
    """It never rang."""


class Jar(Protocol):
    """Coins, and a bell that rings once there are enough."""

    async def put(self) -> None:
        """Put a coin in."""
        ...

    async def ring(self) -> list[BellId]:
        """Give the bell's id, once there are enough coins."""
        ...

    async def answer(self, bell: BellId) -> int:
        """Count the answers. Raises NoBell."""
        ...


class InMemoryJar:
    """The model."""

    def __init__(self) -> None:
        self.coins = self.answers = 0
        self.bells: list[BellId] = []

    async def put(self) -> None:
        self.coins += 1

    async def ring(self) -> list[BellId]:
        if self.coins >= FULL:
            self.bells = [BellId("the bell")]
        return list(self.bells)

    async def answer(self, bell: BellId) -> int:
        if bell not in self.bells:
            raise NoBell
        self.answers += 1
        return self.answers


def found(runner: asyncio.Runner, seed: int) -> list[Program]:
    contract = Contract(Jar, model=InMemoryJar, errors=[BellError], reads=[])
    given = context(contract, InMemoryJar, runner, profile=QUICK, seed=seed)
    return succeeding(given, 1)["answer"]


@pytest.mark.parametrize("seed", range(3))
def test_what_needs_many_calls_is_found_and_short(seed: int, runner: asyncio.Runner) -> None:
    (program,) = found(runner, seed)

    names = [step.operation for step in program.steps]
    assert names == [*["put"] * FULL, "ring", "answer"]


def test_it_takes_programs_in_which_its_calls_come_late(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Any = looked_for
    monkeypatch.setattr(settings, "_LATE_TRIES", 0)
    assert not any(found(runner, seed) for seed in range(3))
