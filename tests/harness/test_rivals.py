"""Rivals are found on the model: two things that want what only one can have."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, NewType, Protocol

import pytest

from storeproof import Contract
from storeproof.harness.checks.base import Profile
from storeproof.harness.checks.bursts import BurstsCheck
from storeproof.harness.contention import ProgramDrawer
from storeproof.harness.program import Program
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.rivals import Rivalry, find_rivals

from .toys import ToyStore, context, failure

SeatId = NewType("SeatId", str)
GuestId = NewType("GuestId", str)
QUICK = Profile("quick", programs=20, steps=20)


class HallError(Exception):
    """Root of the errors of halls."""


class Missing(HallError):
    """There is no such guest."""


class Taken(HallError):
    """The seat, or the id, is taken."""

    def __init__(self, field: str) -> None:
        self.field = field


class Needed(HallError):
    """One guest has to stay."""


@dataclass(frozen=True)
class Guest:
    id: GuestId
    seat: SeatId | None = None


class Hall(Protocol):
    """Guests, and where they sit."""

    async def enter(self, guest: Guest) -> Guest:
        """Let a guest in, who stands. Raises Taken."""
        ...

    async def sit(self, id: GuestId, seat: SeatId) -> Guest:
        """Give a guest a seat. Raises Missing, then Taken where another guest sits there."""
        ...

    async def leave(self, id: GuestId) -> None:
        """Let a guest out. Raises Missing, then Needed for the last one."""
        ...

    async def list_guests(self) -> list[Guest]:
        """Give all guests by id."""
        ...


class InMemoryHall:
    """The model."""

    def __init__(self) -> None:
        self.guests: dict[str, Guest] = {}

    async def enter(self, guest: Guest) -> Guest:
        if guest.id in self.guests:
            raise Taken("id")
        self.guests[guest.id] = replace(guest, seat=None)
        return self.guests[guest.id]

    async def sit(self, id: GuestId, seat: SeatId) -> Guest:
        self.check_seat(id, seat)
        self.guests[id] = replace(self.guests[id], seat=seat)
        return self.guests[id]

    async def leave(self, id: GuestId) -> None:
        self.check_last(id)
        self.guests.pop(id, None)

    async def list_guests(self) -> list[Guest]:
        return [self.guests[each] for each in sorted(self.guests)]

    def check_seat(self, id: GuestId, seat: SeatId) -> None:
        if id not in self.guests:
            raise Missing
        if any(each.seat == seat and each.id != id for each in self.guests.values()):
            raise Taken("seat")

    def check_last(self, id: GuestId) -> None:
        if id not in self.guests:
            raise Missing
        if len(self.guests) == 1:
            raise Needed


class LooksFirst(InMemoryHall):
    """Looks whether the seat is free, and takes it later."""

    async def sit(self, id: GuestId, seat: SeatId) -> Guest:
        self.check_seat(id, seat)
        await asyncio.sleep(0)
        if id not in self.guests:
            raise Missing
        self.guests[id] = replace(self.guests[id], seat=seat)
        return self.guests[id]


class LeavesTogether(InMemoryHall):
    """Looks whether somebody else is left, and lets the guest out later."""

    async def leave(self, id: GuestId) -> None:
        self.check_last(id)
        await asyncio.sleep(0)
        if self.guests.pop(id, None) is None:
            raise Missing


hall = Contract(Hall, model=InMemoryHall, errors=[HallError], name="hall")


def given(make: Any, runner: asyncio.Runner, seed: int = 0) -> Any:
    return context(hall, ToyStore(make), runner, profile=QUICK, seed=seed)


def rivals(runner: asyncio.Runner, seed: int) -> dict[Rivalry, Program]:
    made = given(InMemoryHall, runner, seed)
    drawer = ProgramDrawer(hall, experienced_drawer(made))
    return dict(runner.run(find_rivals(hall, drawer, seed, 1, tries=25)))


@pytest.mark.parametrize("seed", range(3))
def test_two_things_that_want_the_same_are_found(runner: asyncio.Runner, seed: int) -> None:
    found = rivals(runner, seed)

    assert {("enter", "Taken", "id"), ("sit", "Taken"), ("leave", "Needed")} <= found.keys()
    for (operation, *_), program in found.items():
        one, other = (each.calls[0] for each in program.branches)
        assert one.operation == other.operation == operation
        assert one != other
    one, other = (each.calls[0] for each in found["sit", "Taken"].branches)
    assert one.arguments["id"] != other.arguments["id"]
    assert one.arguments["seat"] == other.arguments["seat"]


@pytest.mark.parametrize("make", [LooksFirst, LeavesTogether])
def test_bursts_try_them(runner: asyncio.Runner, make: Any) -> None:
    failed = failure(BurstsCheck(), given(make, runner))

    assert failed is not None
    assert failed.program is not None
    assert len(failed.program.calls) <= 4, failed.message
    assert failure(BurstsCheck(), given(InMemoryHall, runner)) is None
