"""Other processes import what they need, are told everything exactly, and end."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from google.protobuf import struct_pb2

from storeproof import Contract
from storeproof.harness.apart import Apart, Job, Part, launching
from storeproof.harness.apart.messages import pack, unpack
from storeproof.harness.apart.origins import find, origin_of, origin_of_opener
from storeproof.harness.backends.directory import DirectoryBackend
from storeproof.harness.exceptions import Inconclusive
from storeproof.harness.history import Recorder
from storeproof.harness.program import Branch, Call, Program

from .toys import Duplicate, InMemoryNotes, Note, NoteId, NotFound, notes


class Late(InMemoryNotes):
    """Takes its time to be opened."""

    def __init__(self, seconds: str) -> None:
        time.sleep(float(seconds))
        super().__init__()


class Strange:
    """Can't be pickled."""

    def __reduce__(self) -> str:
        raise TypeError("strange")


class Odd(InMemoryNotes):
    """Gives and raises what can't be passed on."""

    async def count(self) -> Any:
        return Strange()

    async def list_notes(self, *given: Any, **named: Any) -> Any:
        return OneWay()

    async def get(self, id: NoteId) -> Note:
        error = KeyError("gone")
        error.strange = Strange()  # type: ignore[attr-defined]  # what a driver may do
        raise error


class OneWay:
    """Can be pickled, and not read again."""

    def __reduce__(self) -> Any:
        return int, ("nothing",)


def refuses(_: str) -> Any:
    raise OSError("no disk")


def ends(_: str) -> Any:
    import os

    os._exit(1)


def closes_badly(_: str) -> Any:
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened() -> Any:
        yield InMemoryNotes()
        raise OSError("busy")

    return opened()


contract = Contract(
    notes.protocol,
    model=InMemoryNotes,
    errors=[NotFound, Duplicate],
    storages={
        "late": Late,
        "odd": lambda _: Odd(),
        "refuses": refuses,
        "ends": ends,
        "closes badly": closes_badly,
        "notes": lambda _: InMemoryNotes(),
    },
    name="apart",
)
NOTE = Note(NoteId("a"))


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    with closing(Apart()) as made:
        yield made


def job(backend: str, *calls: Call, address: str = "0", **given: Any) -> Job:
    return Job(
        backend=backend,
        opener=None,
        address=address,
        program=Program((), branches=(Branch(calls),)),
        parts=(Part.BRANCHES,),
        lanes=(0,),
        **given,
    )


@pytest.mark.parametrize(
    "value",
    [
        datetime(2026, 3, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 3, 1, 12, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(2026, 3, 1, 12),  # noqa: DTZ001 - naive it must stay
        Decimal("1.00"),
        "\ud800\0e\u0301",
        2**70,
        {"b": (1, [2.5, None]), "a": frozenset({b"x"})},
        NOTE,
    ],
    ids=repr,
)
def test_a_value_arrives_as_it_was(value: Any) -> None:
    arrived = unpack(pack(value))

    assert arrived == value
    assert repr(arrived) == repr(value)
    assert type(arrived) is type(value)


def test_read_only_mappings_and_errors_arrive_too() -> None:
    class_and_text = unpack(pack([MappingProxyType({"a": 1}), NotFound("b")]))

    assert class_and_text[0] == MappingProxyType({"a": 1})
    assert type(class_and_text[0]) is MappingProxyType
    assert type(class_and_text[1]) is NotFound
    assert vars(class_and_text[1]) == vars(NotFound("b"))
    assert str(class_and_text[1]) == str(NotFound("b"))


def test_calls_are_told_with_their_outcomes(apart: Apart) -> None:
    made = job(
        "notes", Call("create", {"note": NOTE}), Call("create", {"note": NOTE}), Call("count")
    )

    told = apart.do(contract, made)

    recorder = Recorder(contract)
    told.note(made.program, recorder)
    assert told.end is not None
    assert not told.end.problem
    assert [str(each.outcome) for each in recorder.history().calls] == [
        f"returned {NOTE!r}",
        "raised Duplicate(id is taken)",
        "returned 1",
    ]
    assert told.results == {0: NOTE, 2: 1}


def test_a_process_is_killed_at_each_moment_and_at_none_twice(apart: Apart) -> None:
    calls = [Call("create", {"note": Note(NoteId(each))}) for each in "abc"]
    whole = apart.do(contract, job("notes", *calls, dies=True))
    assert whole.end is not None
    assert whole.end.moments == 3, "each acknowledgement is one; this storage waits for nothing"

    for moment in (1, 2, 3):
        told = apart.do(contract, job("notes", *calls, dies=True, moment=moment))
        assert told.end is None
        assert sorted(told.outcomes) == list(range(moment))


@pytest.mark.parametrize(
    ("backend", "problem"),
    [
        ("refuses", "opening the storage raised OSError: no disk"),
        ("ends", "the process ended"),
        ("closes badly", "closing the storage raised OSError: busy"),
    ],
)
def test_what_a_storage_does_wrong_apart_is_told(apart: Apart, backend: str, problem: str) -> None:
    told = apart.do(contract, job(backend, Call("count")))

    assert told.end is not None
    assert told.end.problem == problem
    assert told.end.by_storage


def test_a_process_that_tells_nothing_is_ended(
    apart: Apart, monkeypatch: pytest.MonkeyPatch
) -> None:
    apart.do(contract, job("late", Call("count")))
    monkeypatch.setattr(launching, "_SECONDS", 0.05)

    told = apart.do(contract, job("late", Call("count"), address="1000"))

    assert told.end is not None
    assert told.end.problem == "the process told nothing for 0.05 seconds"


def test_what_can_t_be_passed_on_shows_nothing(apart: Apart) -> None:
    with pytest.raises(Inconclusive, match=r"what it gave can't be pickled \(strange\)"):
        apart.do(contract, job("odd", Call("count")))


def test_what_can_t_be_read_again_shows_nothing(apart: Apart) -> None:
    with pytest.raises(Inconclusive, match=r"can't be read by another process \(ValueError"):
        apart.do(contract, job("odd", Call("list_notes")))


def test_what_calls_take_must_be_passed_on_too(apart: Apart) -> None:
    with pytest.raises(Inconclusive, match=r"what calls take can't be passed .*\(strange\)"):
        apart.do(contract, job("notes", Call("get", {"id": Strange()})))


def test_messages_of_protobuf_arrive_with_what_is_set_in_them() -> None:
    message = struct_pb2.Struct()
    message.update({"a": [None, 1.5, {"é": False}]})

    arrived, cls = unpack(pack([message, type(message)]))

    assert arrived == message
    assert cls is struct_pb2.Struct


def test_an_undeclared_error_is_told_in_any_case(apart: Apart) -> None:
    told = apart.do(contract, job("odd", Call("get", {"id": NoteId("a")})))

    (outcome,) = told.outcomes.values()
    assert not outcome.declared
    assert str(outcome) == "raised RuntimeError(KeyError: 'gone')"


def test_a_contract_is_found_by_its_name_or_its_suite_s() -> None:
    assert find(origin_of(contract)) is contract
    nameless = Contract(notes.protocol, model=InMemoryNotes, name="nameless")
    with pytest.raises(Inconclusive, match="no module has a name by which another process"):
        origin_of(nameless)

    globals()["TestNameless"] = nameless.suite()
    try:
        assert origin_of(nameless).path == "TestNameless.storeproof_contract"
        assert find(origin_of(nameless)) is nameless
    finally:
        del globals()["TestNameless"]


def test_an_opener_of_the_backend_must_be_a_function_of_a_module() -> None:
    known = DirectoryBackend("disk", openers={notes.protocol: refuses})
    unknown = DirectoryBackend("disk", openers={notes.protocol: lambda _: InMemoryNotes()})

    origin = origin_of_opener(contract, known)

    assert origin is not None
    assert find(origin) is refuses
    assert origin_of_opener(contract, DirectoryBackend("odd")) is None
    with pytest.raises(Inconclusive, match="can't import how disk opens apart"):
        origin_of_opener(contract, unknown)


def test_a_module_is_imported_by_its_file_where_its_name_is_another_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from storeproof.harness.apart.origins import Origin

    monkeypatch.setitem(sys.modules, "json", json)  # to be there again afterwards
    (tmp_path / "examples.py").write_text("kept = 'mine'")

    assert find(Origin("json", str(tmp_path / "examples.py"), "kept")) == "mine"


def test_nothing_is_left_of_a_launcher() -> None:
    apart = Apart()
    apart.do(contract, job("notes", Call("count")))
    (launcher,) = apart._launchers.values()

    apart.close()

    assert launcher._process.poll() == 0
