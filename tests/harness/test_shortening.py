"""Programs that fail are made short and simple, without becoming illegal or another failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any, Protocol

import annotated_types as at
import pytest
from hypothesis import strategies as st

from storeproof import Contract
from storeproof.harness.program import Build, Call, Program, Reference, Walk
from storeproof.harness.running import Outcome
from storeproof.harness.search import Failure
from storeproof.harness.shortening import shorten

from .entities import Colour, Plain
from .toys import Note, NoteId, notes, tasks

NOISE = Note(
    NoteId("Zürich"),
    title="some noise",
    at=datetime(2031, 5, 4, tzinfo=timezone(timedelta(hours=3))),
    size=2**40,
    tags=["x", "y"],
    parts=(3, 4),
)


def shortened(
    program: Program, fails: Callable[[Program], bool], contract: Contract = notes
) -> tuple[Program, int]:
    """Shorten a program that fails where `fails` says so; give how many were tried, too."""
    tried = []

    def replay(each: Program) -> Failure | None:
        tried.append(each)
        return failure(each) if fails(each) else None

    assert fails(program)
    return shorten(contract, failure(program), replay).program, len(tried)


def failure(program: Program) -> Failure:
    return Failure(program, tuple(Outcome() for _ in program.steps), Outcome(), "so it is")


def operations(program: Program) -> list[str]:
    return [each.operation for each in program.steps]


def values(program: Program, name: str) -> list[Any]:
    return [each.arguments[name] for each in program.steps if name in each.arguments]


def test_only_the_needed_steps_are_left() -> None:
    noise = [Call("count"), Call("get", {"id": "q"}), Call("list_notes", {"limit": 3})] * 8
    steps = (
        *noise,
        Call("create", {"note": NOISE}),
        *noise,
        Call("delete", {"id": "Zürich"}),
        *noise,
    )

    program, tried = shortened(
        Program((*steps, Call("count")), scribbling=True),
        lambda each: {"create", "delete"} <= set(operations(each)),
    )

    assert operations(program) == ["create", "delete", "count"]
    assert not program.scribbling
    assert tried <= 60


def test_what_was_equal_stays_equal_and_becomes_simple() -> None:
    program, _ = shortened(
        Program((Call("create", {"note": NOISE}), Call("get", {"id": "Zürich"}))),
        lambda each: (
            len({*values(each, "id"), *(x.id for x in values(each, "note"))}) == 1
            and operations(each) == ["create", "get"]
        ),
    )

    assert program.steps == (Call("create", {"note": Note(NoteId("a"))}), Call("get", {"id": "a"}))


def test_fields_that_matter_are_kept() -> None:
    program, _ = shortened(
        Program((Call("create", {"note": NOISE}),)),
        lambda each: bool(values(each, "note")[0].parts) and values(each, "note")[0].size > 1000,
    )

    note = values(program, "note")[0]
    assert len(note.parts) == 1
    assert note == Note(NoteId("a"), size=2**40, parts=note.parts)


def test_optional_arguments_go() -> None:
    program, _ = shortened(
        Program((Call("list_notes", {"limit": 3}), Call("rename", {"id": "b", "title": "x"}))),
        lambda each: operations(each)[-1] == "rename",
    )

    assert program.steps == (Call("rename", {"id": "a"}),)


@pytest.mark.parametrize(
    ("one", "other"), [("Kl]", "kL]"), ("q", "Q"), ("zz ", "zz"), ("xá", "xa\u0301"), ("%q", "q")]
)
def test_what_is_alike_stays_alike(one: str, other: str) -> None:
    def alike(program: Program) -> bool:
        ids = values(program, "id")
        return len(ids) == 2 and ids[0] != ids[1] and _folded(ids[0]) == _folded(ids[1])

    program, _ = shortened(Program((Call("get", {"id": one}), Call("get", {"id": other}))), alike)

    assert all(len(each) <= 2 for each in values(program, "id"))


def _folded(text: str) -> str:
    return text.casefold().replace("a\u0301", "á").strip(" %")


def test_long_texts_become_short() -> None:
    program, _ = shortened(
        Program((Call("get", {"id": "q" * 300}),)), lambda each: len(values(each, "id")[0]) > 20
    )

    assert 20 < len(values(program, "id")[0]) <= 40


def test_references_are_kept_and_go_back_to_where_a_value_was_made() -> None:
    made = Outcome(value=tasks_entity("m1"))
    steps = (
        Call("create", {"title": "x"}),
        Call("get", {"id": Reference(0, ".id")}),
        Call("create", {"parent": Reference(1, ".id")}),
    )
    expected = (made, made, Outcome(value=tasks_entity("m2")))
    found = Failure(Program(steps), expected, Outcome(), "")

    def replay(program: Program) -> Failure | None:
        if not any(isinstance(each, Reference) for each in values(program, "parent")):
            return None
        outcomes = (*[made] * (len(program.steps) - 1), expected[-1])
        return replace(found, program=program, expected=outcomes)

    program = shorten(tasks, found, replay).program

    assert program.steps == (Call("create"), Call("create", {"parent": Reference(0, ".id")}))


def tasks_entity(id: str) -> Any:
    from .toys import Task, TaskId

    return Task(id=TaskId(id), created_at=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_walk_loses_its_calls_and_its_limit() -> None:
    calls = (Call("count"), Call("delete", {"id": "Zürich"}), Call("count"))
    walk = Walk("list_notes", {}, 3, calls)

    def fails(program: Program) -> bool:
        last = program.steps[-1]
        return isinstance(last, Walk) and any(x.operation == "delete" for x in last.between)

    program, _ = shortened(Program((Call("create", {"note": NOISE}), walk)), fails)

    assert program.steps == (Walk("list_notes", {}, 1, (Call("delete", {"id": "a"}),)),)


def test_no_more_programs_are_tried_than_is_said() -> None:
    steps = [
        Call("create", {"note": replace(NOISE, id=NoteId(f"é{i} {chr(100 + i)}{i}"), size=i**9)})
        for i in range(80)
    ]
    count = 0

    def fails(program: Program) -> bool:
        nonlocal count
        count += 1
        return count == 1 or count % 3 == 0

    _, tried = shortened(Program(tuple(steps)), fails)

    assert tried <= 200


def test_a_call_that_never_returns_is_tried_a_few_times_only() -> None:
    tried = []

    def replay(program: Program) -> Failure | None:
        tried.append(program)
        return waiting(program)

    def waiting(program: Program) -> Failure:
        return replace(failure(program), actual=Outcome(error=TimeoutError(), declared=False))

    program = Program(tuple(Call("create", {"note": NOISE}) for _ in range(20)))
    assert len(shorten(notes, waiting(program), replay).program.steps) < 20
    assert 0 < len(tried) <= 4


def test_a_failure_of_the_storage_does_not_become_one_of_the_model() -> None:
    broken = Outcome(error=TypeError("the model's own"), declared=False)
    program = Program((Call("get", {"id": "b"}),))

    def replay(each: Program) -> Failure | None:
        return Failure(each, (broken,), Outcome(), "the model itself raised")

    assert shorten(notes, failure(program), replay).program == program


class Things(Protocol):
    async def put(
        self,
        *,
        code: Annotated[str, at.Len(3, 5)],
        color: Colour,
        shape: str,
        json: dict[str, Any],
        names: Annotated[list[str], at.MinLen(1)],
        build: Plain | None,
    ) -> None: ...


class InMemoryThings:
    async def put(self, **_: Any) -> None:
        return


def things(**arguments: Any) -> Contract:
    return Contract(Things, model=InMemoryThings, arguments=arguments)


THING = Call(
    "put",
    {
        "code": "WXYZ",
        "color": Colour.BLUE,
        "shape": "round",
        "json": {"a": [1, {"b": 2}], "c": None},
        "names": ["x", "y"],
        "build": Build(Plain, {"id": "x", "tags": ["x"]}),
    },
)


def test_values_stay_what_their_types_allow() -> None:
    legal = []

    def fails(program: Program) -> bool:
        given = program.steps[0].arguments
        legal.append(3 <= len(given["code"]) <= 5 and len(given["names"]) >= 1)
        return True

    program, _ = shortened(Program((THING,)), fails, things())

    assert all(legal)
    given = program.steps[0].arguments
    assert given["color"] is Colour.RED
    assert (given["shape"], given["json"]) == ("a", {})
    assert len(given["names"]) == 1
    assert len(given["code"]) == 3


def test_nested_values_lose_what_is_not_needed() -> None:
    program, _ = shortened(
        Program((THING,)), lambda each: "b" in str(each.steps[0].arguments["json"]), things()
    )

    assert program.steps[0].arguments["json"] == {"a": [{"b": 0}]}


def test_values_stay_among_those_that_the_contract_gives() -> None:
    contract = things(shape=["a", "bb", "round"], names=st.just(["only"]), code=st.just("Q"))
    seen = set()

    def fails(program: Program) -> bool:
        given = program.steps[0].arguments
        seen.add((given["shape"], given["code"]))
        return bool(given["shape"] != "a")

    program, _ = shortened(Program((THING,)), fails, contract)

    assert {shape for shape, _ in seen} == {"a", "bb", "round"}
    assert {code for _, code in seen} == {"WXYZ", "Q"}
    assert program.steps[0].arguments["names"] == ["only"]
    assert program.steps[0].arguments["shape"] == "bb"


def test_a_strategy_is_searched_for_a_simpler_value() -> None:
    contract = things(json=st.dictionaries(st.sampled_from("abc"), st.integers(0, 9), min_size=1))
    large = {**THING.arguments, "json": {"a": 7, "b": 8, "c": 9}}

    def fails(program: Program) -> bool:
        return sum(program.steps[0].arguments["json"].values()) >= 3

    program, _ = shortened(Program((Call("put", large),)), fails, contract)

    assert len(program.steps[0].arguments["json"]) == 1
