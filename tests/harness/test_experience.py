"""A rehearsal on the model makes the calls that need much succeed far more often."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NewType, Protocol

import pytest

from harness.toys import context
from storeproof import Contract
from storeproof.harness.drawing import CallDrawer
from storeproof.harness.experience import Experience, Meetings
from storeproof.harness.pools import Pools
from storeproof.harness.program import Call
from storeproof.harness.rehearsal import experienced_drawer
from storeproof.harness.running import Actor, Outcome
from storeproof.harness.values import Draw

Person = NewType("Person", str)
Room = NewType("Room", str)
Key = NewType("Key", str)


class Missing(Exception):
    """Something referred to is not there, or there already."""


@dataclass(frozen=True)
class Lent:
    key: Key
    person: Person
    room: Room


class Keys(Protocol):
    """Who has the key of which room."""

    async def hire(self, person: Person) -> None:
        """Adds a person."""

    async def build(self, room: Room) -> None:
        """Adds a room."""

    async def lend(self, lent: Lent) -> None:
        """Raises Missing unless both are there and the key is new."""

    async def opens(self, key: Key, room: Room) -> bool:
        """Whether the key is the room's. Raises Missing unless it was lent."""

    async def names(self, person: Person) -> bool:
        """Whether there is such a person."""


class InMemoryKeys:
    def __init__(self) -> None:
        self.people: set[Person] = set()
        self.rooms: set[Room] = set()
        self.lent: dict[Key, Room] = {}

    async def hire(self, person: Person) -> None:
        self.people.add(person)

    async def build(self, room: Room) -> None:
        self.rooms.add(room)

    async def lend(self, lent: Lent) -> None:
        if lent.person not in self.people or lent.room not in self.rooms or lent.key in self.lent:
            raise Missing
        self.lent[lent.key] = lent.room

    async def opens(self, key: Key, room: Room) -> bool:
        if key not in self.lent:
            raise Missing
        return self.lent[key] == room

    async def names(self, person: Person) -> bool:
        return person in self.people


@pytest.fixture
def keys() -> Contract:
    return Contract(Keys, model=InMemoryKeys, errors=(Missing,), reads=["opens", "names"])


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


async def successes(contract: Contract, drawer: CallDrawer) -> Counter[str]:
    found: Counter[str] = Counter()
    for seed in range(100):
        actor, pools = Actor(contract, contract.model(), scribbling=False), Pools(contract)
        draw = Draw(seed)
        for index in range(20):
            call = drawer.draw_call(draw, pools, list(contract.operations))
            outcome = await actor.call(call)
            pools.add_call(call, index, outcome)
            found[call.operation] += outcome.error is None
    return found


def test_what_needs_much_succeeds_far_more_often(keys: Contract, runner: asyncio.Runner) -> None:
    blind = runner.run(successes(keys, CallDrawer(keys)))
    drawer = experienced_drawer(context(keys, InMemoryKeys, runner))
    experienced = runner.run(successes(keys, drawer))
    assert experienced["lend"] > 2 * blind["lend"] > 0
    assert experienced["opens"] > 3 * blind["opens"]


def test_a_rehearsal_is_held_once_and_counts_as_nothing_tried(
    keys: Contract, runner: asyncio.Runner
) -> None:
    given = context(keys, InMemoryKeys, runner)
    experienced_drawer(given)
    first = keys.experience
    experienced_drawer(given)
    assert keys.experience is first is not None
    assert (given.tally.programs, given.tally.operations) == (0, 0)


def lend(keys: Contract, pools: Pools, key: str, *, index: int) -> None:
    lent = Lent(Key(key), Person(f"{key} person"), Room(f"{key} room"))
    pools.add_call(Call("lend", {"lent": lent}), index, Outcome())


def test_what_belongs_together_is_met_together(keys: Contract) -> None:
    pools = Pools(keys)
    for index, key in enumerate("abcd"):
        lend(keys, pools, key, index=index)
    together = 0
    for seed in range(40):
        met = Meetings("opens", pools, Experience(), meant_to_succeed=True)
        draw = Draw(seed)
        key, room = met.known(draw, Key, "key"), met.known(draw, Room, "room")
        together += key is not None and room is not None
        if key and room:
            assert room == f"{key} room"
    assert together > 5


def test_what_was_only_asked_for_does_not_count_where_there_is_more(keys: Contract) -> None:
    pools, experience = Pools(keys), Experience()
    pools.add_call(Call("names", {"person": "x"}), 0, Outcome(value=False))
    assert list(experience.sources(pools, Person)) == ["names"]
    asked = Pools(keys)
    asked.add_call(Call("names", {"person": "x"}), 0, Outcome(value=False))
    lend(keys, pools, "a", index=1)
    experience.learn(Meetings("names", pools, experience, meant_to_succeed=True), succeeded=True)
    assert list(experience.sources(pools, Person)) == ["lend"]
    assert list(experience.sources(asked, Person)) == []
