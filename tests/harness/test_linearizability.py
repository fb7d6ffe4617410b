"""Histories by hand that the checker must accept, must reject, or must not decide."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from storeproof import Contract
from storeproof.harness.history import History, MadeCall, Recorder
from storeproof.harness.linearizability import Answer, Bounds, Finding, judge_history
from storeproof.harness.program import Call, Reference
from storeproof.harness.running import Outcome

from .examples import run
from .toys import MOMENT, Duplicate, Note, NoteId, Task, TaskId, notes, tasks


class Lost(Exception):
    """The connection was lost while the answer was awaited."""


class Empty(Exception):
    """The queue is empty."""


class Register(Protocol):
    async def write(self, value: int) -> None: ...

    async def read(self) -> int: ...

    async def add(self, more: int) -> int: ...


class InMemoryRegister:
    def __init__(self) -> None:
        self.value = 0

    async def write(self, value: int) -> None:
        self.value = value

    async def read(self) -> int:
        return self.value

    async def add(self, more: int) -> int:
        self.value += more
        return self.value


class Queue(Protocol):
    async def put(self, item: str) -> None: ...

    async def take(self) -> str: ...


class InMemoryQueue:
    def __init__(self) -> None:
        self.items: deque[str] = deque()

    async def put(self, item: str) -> None:
        self.items.append(item)

    async def take(self) -> str:
        if not self.items:
            raise Empty
        return self.items.popleft()


class Unpicklable(InMemoryRegister):
    """Has a part without a form."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = threading.Lock()


class Slotted:
    """Its value is in no `__dict__`."""

    __slots__ = ("value",)

    __init__ = InMemoryRegister.__init__
    write, read, add = InMemoryRegister.write, InMemoryRegister.read, InMemoryRegister.add


class HalfSlotted(Slotted):
    """Its value is not in the `__dict__` that it has."""


class Enclosing:
    """Its functions enclose its value, so that a copy would share it."""

    def __init__(self) -> None:
        values = [0]

        async def write(value: int) -> None:
            values[0] = value

        async def read() -> int:
            return values[0]

        async def add(more: int) -> int:
            values[0] += more
            return values[0]

        self.write, self.read, self.add = write, read, add


ERRORS = {"errors": [Lost, Empty], "uncertain": [Lost]}
register = Contract(Register, model=InMemoryRegister, **ERRORS)  # type: ignore[arg-type]  # known
queue = Contract(Queue, model=InMemoryQueue, **ERRORS)  # type: ignore[arg-type]  # known


def history(*lanes: str) -> History:
    """Read a history drawn with a lane for each client.

    A call begins at its name and ends at `]`, with what it gave before: `write(1)--]`,
    `read()--1]`; one without an end may or may not have happened.
    """
    return History(tuple(sorted(itertools.chain(*map(_lane, range(9), lanes)), key=_invoked)))


def _invoked(made: MadeCall) -> int:
    return made.invoked


def _lane(client: int, lane: str) -> Iterator[MadeCall]:
    start = 0
    while start < len(lane):
        if not lane[start].isalpha():
            start += 1
            continue
        end = lane.find("]", start)
        text = lane[start:] if end < 0 else lane[start:end]
        yield _made(client, start, None if end < 0 else end, text)
        start = len(lane) if end < 0 else end + 1


def _made(client: int, start: int, end: int | None, text: str) -> MadeCall:
    name, _, rest = text.partition("(")
    argument, _, given = rest.partition(")")
    value = given.strip("-")
    names = {"write": "value", "add": "more", "put": "item"}
    numeric = name in ("write", "add")
    arguments = {names[name]: int(argument) if numeric else argument} if argument else {}
    outcome = Outcome(_value(value)) if value != "empty" else Outcome(error=Empty())
    # Two calls may begin in the same column; which comes first makes no difference.
    return MadeCall(client, 100 * client + start, Call(name, arguments), start, end, outcome)


def _value(text: str) -> Any:
    return (int(text) if text.isdigit() else text) if text else None


def judged(contract: Contract, given: History, **bounds: Any) -> Finding:
    return run(judge_history(contract, given, Bounds(**bounds)))


MODELS = [None, Unpicklable, Slotted, HalfSlotted, Enclosing]

ACCEPTED: list[tuple[Contract, tuple[str, ...]]] = [
    (register, ("write(1)-]  read()-1]",)),
    # Reads during a write may see the old value or the new one,
    (register, ("write(1)------------]", "  read()-0] read()-1]")),
    (register, ("write(1)------------]", "  read()-1] read()-1]")),
    (register, ("write(1)------------]", "  read()-0]", "   read()-1]")),
    # and the later of two writes at once is either of them.
    (register, ("write(1)-]  read()-2]", "write(2)-]")),
    (register, ("write(1)-]  read()-1]", "write(2)-]")),
    # Herlihy and Wing's figure 1 (a) and (c).
    (queue, ("put(x)--]  take()-y]", "   put(y)--] take()-x]")),
    (queue, ("put(x)-----]  take()-y]", "  put(y)----]  take()-x]")),
    (queue, ("put(x)-----]", " take()-empty] take()-x]")),
    # Nobody knows of a write that never returned; it may come late.
    (register, ("write(1)", "    read()-0]  read()-1]  read()-1]")),
    (register, ("write(1)", "    read()-0]  read()-0]")),
    (register, ("write(1)", "write(2)", "    read()-0]  read()-2]  read()-1]")),
    (register, ("add(1)--1]", "add(1)--2]", "add(1)--3]", "add(1)--4]")),
]

REJECTED: list[tuple[Contract, tuple[str, ...]]] = [
    (register, ("write(1)-]  read()-0]",)),
    # What was seen once does not go away,
    (register, ("write(1)------------]", "  read()-1] read()-0]")),
    (register, ("write(1)--------------------]", "  read()-1]", "             read()-0]")),
    # two readers agree which of two writes came later,
    (
        register,
        (
            "write(1)-]",
            "write(2)-]",
            "            read()-1] read()-2]",
            "             read()-2] read()-1]",
        ),
    ),
    # nothing is seen that nobody wrote,
    (register, ("write(1)---------]", " read()-2]")),
    # no update is lost,
    (register, ("add(1)--1]", "add(1)--1]")),
    (register, ("add(1)--1]", "add(1)--2]", "             read()-1]")),
    # Herlihy and Wing's figure 1 (b): y was put after x; and (d): an item is taken once.
    (queue, ("put(x)-]            ", "           put(y)-] take()-y]")),
    (queue, ("put(x)-] take()-x]", "           take()-x]")),
    (queue, ("put(x)-]", "           take()-empty]")),
    # A write that may have happened happened once at most, and not before it began.
    (register, ("           write(1)", "read()-1]")),
    (register, ("write(1)", "    read()-1]  read()-0]")),
    (register, ("add(1)", "    read()-2]")),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("contract", "lanes"), ACCEPTED)
def test_what_one_client_could_have_seen_is_accepted(
    contract: Contract, lanes: tuple[str, ...], model: Callable[[], Any] | None
) -> None:
    found = judged(_with_model(contract, model), history(*lanes))

    assert found.answer is Answer.LINEARIZABLE


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("contract", "lanes"), REJECTED)
def test_what_no_client_alone_could_have_seen_is_rejected(
    contract: Contract, lanes: tuple[str, ...], model: Callable[[], Any] | None
) -> None:
    found = judged(_with_model(contract, model), history(*lanes))

    assert found.answer is Answer.NOT_LINEARIZABLE
    assert found.blocks


def _with_model(contract: Contract, model: Callable[[], Any] | None) -> Contract:
    if model is None or contract is queue:
        return contract
    return Contract(Register, model=model, **ERRORS)  # type: ignore[arg-type]  # known


def test_the_order_that_is_found_fits() -> None:
    given = history("write(1)-----------]", "  read()-0] read()-1]")

    found = judged(register, given)

    assert [each.call.operation for each in found.order] == ["read", "write", "read"]


def test_the_longest_order_and_what_blocks_it_are_told() -> None:
    found = judged(register, history("write(1)-]", "add(2)-2]", "             read()-9]"))

    assert len(found.order) == 2
    (block,) = found.blocks
    assert block.call.call.operation == "read"
    assert "expected " in block.reason


def long_history() -> History:
    """Writers at once, then a read of what none of them wrote."""
    lanes = [f"add({number})" + "-" * 9 for number in range(1, 8)]
    lanes = [f"{lane}]" for lane in lanes]
    quiet = [
        MadeCall(each.client, each.position, each.call, each.invoked, each.returned)
        for each in history(*lanes).calls
    ]
    read = MadeCall(9, 9999, Call("read"), 100, 101, Outcome(999))
    return History((*quiet, read))


class Adding(Protocol):
    async def add(self, more: int) -> None: ...

    async def read(self) -> int: ...


class InMemoryAdding:
    def __init__(self) -> None:
        self.value = 0

    async def add(self, more: int) -> None:
        self.value += more

    async def read(self) -> int:
        return self.value


def test_orders_that_lead_to_the_same_state_are_tried_once() -> None:
    adding = Contract(Adding, model=InMemoryAdding)

    found = judged(adding, long_history())

    assert found.answer is Answer.NOT_LINEARIZABLE
    assert found.states < 7 * 2**7


@pytest.mark.parametrize("bounds", [{"states": 20}, {"seconds": 0.0}])
def test_what_takes_too_long_is_unknown(bounds: dict[str, Any]) -> None:
    class Locked(InMemoryAdding):
        def __init__(self) -> None:
            super().__init__()
            self.lock = threading.Lock()

    adding = Contract(Adding, model=Locked)

    assert judged(adding, long_history(), **bounds).answer is Answer.UNKNOWN


def made(client: int, position: int, call: Call, *times: int, **outcome: Any) -> MadeCall:
    return MadeCall(client, position, call, *times, Outcome(**outcome))


def task(id: str, title: str) -> Task:
    return Task(id=TaskId(id), title=title, created_at=MOMENT)


def test_values_that_storages_make_stand_for_the_models() -> None:
    one = made(0, 0, Call("create", {"title": "a"}), 0, 3, value=task("x", "a"))
    other = made(1, 1, Call("create", {"title": "b"}), 1, 2, value=task("y", "b"))
    get = Call("get", {"id": Reference(0, ".id")})

    right = made(0, 2, get, 4, 5, value=task("x", "a"))
    wrong = made(0, 2, get, 4, 5, value=task("y", "b"))

    assert judged(tasks, History((one, other, right))).answer is Answer.LINEARIZABLE
    assert judged(tasks, History((one, other, wrong))).answer is Answer.NOT_LINEARIZABLE


@pytest.mark.parametrize("first", ["x", "y"])
def test_equal_states_with_other_names_are_told_apart(first: str) -> None:
    """Which of two equal tasks was created first is seen once one of them is gone."""

    class Numbered(tasks.model):  # type: ignore[name-defined,misc]  # a class given as a value
        def new_id(self) -> TaskId:
            return TaskId(str(len(self.tasks)))

        def now(self) -> Any:
            return MOMENT

    numbered = Contract(
        tasks.protocol,
        model=Numbered,
        errors=tasks.errors,
        generated=["Task.id", "Task.created_at"],
        reads=["get", "tree", "every"],
    )
    second = "y" if first == "x" else "x"
    calls = (
        made(0, 0, Call("create"), 0, 2, value=task("x", "")),
        made(1, 1, Call("create"), 1, 3, value=task("y", "")),
        made(0, 2, Call("every"), 4, 5, value=[task(first, ""), task(second, "")]),
    )

    assert judged(numbered, History(calls)).answer is Answer.LINEARIZABLE


def test_both_creating_the_same_note_is_rejected() -> None:
    call = Call("create", {"note": Note(NoteId("a"))})
    twice = [made(i, i, call, i, 2 + i, value=Note(NoteId("a"))) for i in range(2)]
    once = made(1, 1, call, 1, 3, error=Duplicate("id"))

    found = judged(notes, History(tuple(twice)))

    assert found.answer is Answer.NOT_LINEARIZABLE
    assert "Duplicate" in str(found.blocks[0].expected)
    assert judged(notes, History((twice[0], once))).answer is Answer.LINEARIZABLE


def test_a_recorder_keeps_what_may_have_happened_and_drops_reads_that_gave_nothing() -> None:
    recorder = Recorder(register)
    for position, (operation, outcome) in enumerate(
        [
            ("write", Outcome()),
            ("write", Outcome(error=Lost())),
            ("read", Outcome(error=Lost())),
            ("write", Outcome(error=Empty())),
        ]
    ):
        word = recorder.invoke(0, position, Call(operation))
        recorder.respond(word, outcome)
    recorder.invoke(1, 4, Call("write"))
    recorder.invoke(1, 5, Call("read"))

    kept = recorder.history().calls

    assert [each.position for each in kept] == [0, 1, 3, 4]
    assert [each.returned is None for each in kept] == [False, True, False, True]


def test_a_model_that_waits_is_asked_as_well() -> None:
    class Waiting(InMemoryRegister):
        async def add(self, more: int) -> int:
            await asyncio.sleep(0)
            return await super().add(more)

    waiting = _with_model(register, Waiting)

    assert judged(waiting, history("add(1)--1]", "add(1)--2]")).answer is Answer.LINEARIZABLE
