"""What cancels the components' operations accuses those that are done by half."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from .cancelling import Cancelling


class Toy:
    """Moves one from the left to the right, at once or in two steps."""

    def __init__(self) -> None:
        self.sides: dict[int, tuple[int, int]] = {}
        self.worked = 0

    async def prepare(self, nth: int) -> None:
        await asyncio.sleep(0)
        self.sides[nth] = (1, 0)

    async def state(self, nth: int) -> tuple[int, int]:
        return self.sides[nth]

    async def work(self, _nth: int) -> None:
        self.worked += 1

    async def lose(self, nth: int) -> None:
        self.sides[nth] = (0, 0)

    async def move(self, nth: int) -> None:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.sides[nth] = (0, 1)

    async def move_in_two_steps(self, nth: int) -> None:
        self.sides[nth] = (0, 0)
        await asyncio.sleep(0)
        self.sides[nth] = (0, 1)


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def cancelling(toy: Toy) -> Cancelling[Toy]:
    @asynccontextmanager
    async def opened(_url: str) -> AsyncIterator[Toy]:
        yield toy

    return Cancelling(
        opened=opened, prepare=Toy.prepare, state=Toy.state, before=(1, 0), work=Toy.work
    )


def test_an_operation_is_cancelled_wherever_it_waits_and_both_storages_work_on(
    cancelling: Cancelling[Toy], toy: Toy
) -> None:
    assert cancelling.everywhere("", Toy.move, (0, 1)) == 2
    assert toy.sides == {1: (1, 0), 2: (1, 0), 3: (0, 1)}
    assert toy.worked == 6


def test_an_operation_that_is_done_by_half_is_accused(cancelling: Cancelling[Toy]) -> None:
    with pytest.raises(AssertionError):
        cancelling.everywhere("", Toy.move_in_two_steps, (0, 1))


def test_an_operation_that_leads_elsewhere_is_accused(cancelling: Cancelling[Toy]) -> None:
    with pytest.raises(AssertionError):
        cancelling.everywhere("", Toy.move, (2, 2))


def test_what_changes_later_is_accused_unless_the_work_does_so(cancelling: Cancelling[Toy]) -> None:
    losing = replace(cancelling, work=Toy.lose)
    with pytest.raises(AssertionError):
        losing.everywhere("", Toy.move, (0, 1))
    replace(losing, work_keeps_state=False).everywhere("", Toy.move, (0, 1))
