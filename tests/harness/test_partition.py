"""Histories are split by declared keys, and only where that changes no answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from storeproof import Contract
from storeproof.harness.exceptions import ContractError
from storeproof.harness.history import History, MadeCall
from storeproof.harness.linearizability import Answer, Finding, judge_history
from storeproof.harness.partition import split
from storeproof.harness.program import Call, Reference
from storeproof.harness.running import Outcome

from .examples import run


@dataclass(frozen=True)
class Entry:
    key: str
    value: int = 0


class Registers(Protocol):
    async def write(self, entry: Entry) -> None: ...

    async def add(self, key: str, more: int) -> int: ...

    async def read(self, key: str) -> int: ...

    async def total(self) -> int: ...

    async def swap(self, key: str, other: str) -> None: ...


class InMemoryRegisters:
    def __init__(self) -> None:
        self.values: dict[str, int] = {}

    async def write(self, entry: Entry) -> None:
        self.values[entry.key] = entry.value

    async def add(self, key: str, more: int) -> int:
        self.values[key] = self.values.get(key, 0) + more
        return self.values[key]

    async def read(self, key: str) -> int:
        return self.values.get(key, 0)

    async def total(self) -> int:
        return sum(self.values.values())

    async def swap(self, key: str, other: str) -> None:
        values = self.values
        values[key], values[other] = values.get(other, 0), values.get(key, 0)


KEYS = ["key", "Entry.key"]
whole = Contract(Registers, model=InMemoryRegisters, reads=["read", "total"])
keyed = Contract(Registers, model=InMemoryRegisters, reads=["read", "total"], partition=KEYS)


def made(
    position: int, call: Call, invoked: int, returned: int | None, value: Any = None
) -> MadeCall:
    return MadeCall(position, position, call, invoked, returned, Outcome(value))


def write(key: str, value: int) -> Call:
    return Call("write", {"entry": Entry(key, value)})


def read(key: str) -> Call:
    return Call("read", {"key": key})


def add(key: str) -> Call:
    return Call("add", {"key": key, "more": 1})


def judged(contract: Contract, calls: Sequence[MadeCall]) -> Finding:
    return run(judge_history(contract, History(tuple(calls))))


def a_large_history(*, lost: int | None = None) -> list[MadeCall]:
    """16 clients make 100 calls each: in each round all of them at once, 4 about one key.

    lost: the round in which one of two that add to one number does not see the other.
    """
    chance = random.Random(0)
    values: dict[str, int] = {}
    calls: list[MadeCall] = []
    for number in range(100):
        clients = list(range(16))
        chance.shuffle(clients)
        for turn, client in enumerate(clients):
            key = f"key {number % 5}.{client // 4}"
            values[key] = values.get(key, 0) + 1
            start, end = 1000 * number + client, 1000 * number + 500 + turn
            given = Outcome(values[key] - (number == lost))
            calls.append(MadeCall(client, len(calls), add(key), start, end, given))
    return sorted(calls, key=lambda each: each.invoked)


def test_a_large_history_is_decided_key_by_key_in_few_states() -> None:
    calls = a_large_history()

    assert len(calls) == 1600
    assert len(split(keyed, calls)) == 20
    found = judged(keyed, calls)

    assert found.answer is Answer.LINEARIZABLE
    assert len(found.order) == 1600
    assert found.states < 5 * 1600


def test_a_large_history_is_rejected_key_by_key_in_few_states() -> None:
    found = judged(keyed, a_large_history(lost=50))

    assert found.answer is Answer.NOT_LINEARIZABLE
    assert found.states < 5 * 1600


# Each register alone may be written and read so, in one order; both can't.
ACROSS = (
    made(0, write("x", 1), 0, 10),
    made(1, Call("swap", {"key": "x", "other": "y"}), 11, 12),
    made(2, read("x"), 13, 14, 1),
)


def test_what_is_about_two_keys_is_never_split() -> None:
    assert split(keyed, ACROSS[:1] + ACROSS[2:]) == [list(ACROSS[:1] + ACROSS[2:])]
    assert judged(whole, ACROSS).answer is Answer.NOT_LINEARIZABLE
    both = Contract(Registers, model=InMemoryRegisters, reads=["read"], partition=[*KEYS, "other"])
    assert split(both, ACROSS) == [ACROSS]
    assert judged(both, ACROSS).answer is Answer.NOT_LINEARIZABLE


class InMemoryOnce(InMemoryRegisters):
    """A value is held by one key at most: the keys are not independent."""

    async def write(self, entry: Entry) -> None:
        if entry.value in self.values.values():
            raise ValueError("taken")
        self.values[entry.key] = entry.value


def test_a_violation_across_keys_is_found_unless_keys_are_declared_independent() -> None:
    once = Contract(Registers, model=InMemoryOnce, reads=["read", "total"])
    calls = [made(0, write("x", 1), 0, 10), made(1, write("y", 1), 1, 11)]

    assert len(split(once, calls)) == 1
    assert judged(once, calls).answer is Answer.NOT_LINEARIZABLE
    wrong = Contract(Registers, model=InMemoryOnce, reads=["read", "total"], partition=KEYS)
    assert judged(wrong, calls).answer is Answer.LINEARIZABLE


APART = [made(0, write("x", 1), 0, 1), made(1, write("y", 1), 2, 3)]


@pytest.mark.parametrize(
    "more",
    [
        made(2, Call("total"), 4, 5, 2),
        made(2, Call("write", {"entry": None}), 4, None),
        made(2, Call("read", {"key": Reference(0, ".key")}), 4, 5, 0),
        made(2, Call("add", {"key": "x", "more": Reference(1, "")}), 4, 5, 0),
    ],
)
def test_a_call_without_a_plain_key_keeps_a_history_whole(more: MadeCall) -> None:
    assert len(split(keyed, APART)) == 2
    assert len(split(keyed, [*APART, more])) == 1
    assert len(split(whole, APART)) == 1


def test_keys_that_a_storage_may_take_for_the_same_stay_together() -> None:
    same = ["ß", "SS", "ss ", "ﬁ", "FI", "1", "\uff11"]
    calls = [made(index, read(key), index, index, 0) for index, key in enumerate(same)]

    assert [len(each) for each in split(keyed, calls)] == [3, 2, 2]


def test_storages_that_make_values_are_judged_whole() -> None:
    made_ids = Contract(
        Registers,
        model=InMemoryRegisters,
        reads=["read"],
        partition=KEYS,
        generated=["add.return"],
    )

    assert len(split(made_ids, APART)) == 1


def test_a_key_that_nothing_has_is_refused() -> None:
    with pytest.raises(ContractError, match="there is no parameter 'name'"):
        Contract(Registers, model=InMemoryRegisters, partition=["name"])
    with pytest.raises(ContractError, match="partition='key' is no list"):
        Contract(Registers, model=InMemoryRegisters, partition="key")
