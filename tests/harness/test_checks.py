"""Signature and capabilities; how calls are made, told and searched."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from typing import Any, Protocol

import pytest

from storeproof import MUST, Capability, Contract, law
from storeproof.harness import law_check as law_check_module
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.checks.base import Profile
from storeproof.harness.checks.capabilities import CapabilitiesCheck
from storeproof.harness.checks.pages import PagesCheck
from storeproof.harness.checks.signature import SignatureCheck, signature_problems
from storeproof.harness.compare import Renaming
from storeproof.harness.exceptions import (
    BackendUnavailable,
    ContractError,
    HarnessError,
    Inconclusive,
)
from storeproof.harness.operations import Operation, derive_operations
from storeproof.harness.program import Call, Program, Reference, Walk
from storeproof.harness.running import Actor, Outcome, compare_outcomes, invoke
from storeproof.harness.search import Failure, search
from storeproof.harness.values import Draw

from .mutants import NeverTheSame
from .toys import (
    Duplicate,
    InMemoryNotes,
    Note,
    NoteId,
    NotFound,
    Page,
    ToyStore,
    context,
    failure,
    jobs,
    notes,
    tasks,
)

FEW = Profile("few", programs=20, steps=10)


class Operations(Protocol):
    async def plain(self, one: int, two: str = "2") -> None: ...

    async def positional(self, one: int, /) -> None: ...

    async def named(self, *, one: int) -> None: ...

    def sync(self) -> int: ...

    def generated(self) -> AsyncIterator[int]: ...


OPERATIONS = derive_operations(Operations, contract="toy", ignore={})


def problems(name: str, method: Any) -> list[str]:
    storage = type("Storage", (), {name: method})()
    return list(signature_problems(storage, OPERATIONS[name]))


def wrapped(function: Any) -> Any:
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return wrapper


async def plain(self: Any, one: int, two: str = "2") -> None: ...


async def more(self: Any, one: int, two: str = "2", three: int = 3, *rest: int) -> None: ...


async def any_two(self: Any, *args: Any, two: str = "2", **kwargs: Any) -> None: ...


async def positional(self: Any, one: int, /) -> None: ...


async def named(self: Any, *, one: int) -> None: ...


def declared(self: Any) -> AsyncIterator[int]: ...


def awaitable(self: Any, one: int, two: str = "2") -> Awaitable[None]: ...


async def generated(self: Any) -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("plain", plain),
        ("plain", more),
        ("plain", wrapped(plain)),
        ("plain", awaitable),
        ("positional", positional),
        ("positional", wrapped(positional)),
        ("named", named),
        ("named", wrapped(named)),
        ("sync", lambda self: 1),
        ("generated", generated),
        ("generated", declared),
    ],
)
def test_what_can_be_called_as_the_protocol_says_has_no_problems(name: str, method: Any) -> None:
    assert problems(name, method) == []


async def no_two(self: Any, one: int) -> None: ...


async def true_two(self: Any, one: int, two: str = "3") -> None: ...


async def required_two(self: Any, one: int, two: str) -> None: ...


async def optional_one(self: Any, one: int = 1, two: str = "2") -> None: ...


async def turned(self: Any, two: str = "2", one: int = 1) -> None: ...


async def needs_more(self: Any, one: int, three: int, two: str = "2") -> None: ...


def not_async(self: Any, one: int, two: str = "2") -> None: ...


@pytest.mark.parametrize(
    ("name", "method", "told"),
    [
        ("plain", None, ["plain is missing"]),
        ("plain", 1, ["plain is no method"]),
        ("plain", no_two, ["plain(two) is missing"]),
        ("plain", any_two, ["plain(two) is keyword-only, the Protocol's is positional or keyword"]),
        ("plain", true_two, ["plain(two) has the default '3', the Protocol's is '2'"]),
        ("plain", required_two, ["plain(two) has no default, the Protocol's is '2'"]),
        ("plain", optional_one, ["plain(one) has the default 1, the Protocol's is none"]),
        (
            "plain",
            turned,
            [
                "plain(one) has the default 1, the Protocol's is none",
                "plain has the order (two, one), the Protocol's is (one, two)",
            ],
        ),
        ("plain", needs_more, ["plain needs three, which the Protocol does not have"]),
        ("plain", not_async, ["plain is not async, the Protocol's is async"]),
        ("sync", plain, ["sync is async, the Protocol's is not async", "sync needs one, which"]),
        ("generated", named, ["generated is async, the Protocol's is an async generator"]),
        ("named", positional, ["named(one) is positional-only, the Protocol's is keyword-only"]),
    ],
)
def test_every_other_signature_is_told(name: str, method: Any, told: list[str]) -> None:
    found = problems(name, method)

    assert len(found) >= len(told)
    for text, wanted in zip(found, told, strict=False):
        assert text.startswith(wanted)


def test_the_signature_check_lists_every_problem(runner: asyncio.Runner) -> None:
    class Partial(InMemoryNotes):
        count = None  # type: ignore[assignment]  # the defect

        async def get(self, key: NoteId) -> Note:  # type: ignore[override]  # the defect
            return await super().get(key)

    failed = failure(SignatureCheck(), context(notes, Partial, runner))

    assert failed is not None
    lines = failed.message.splitlines()
    assert lines[0] == "notes on toy: Partial can't be called as Notes says"
    assert "  - count is missing" in lines
    assert "  - get(id) is missing" in lines


def blank(_: Any) -> Any:
    return InMemoryNotes()


def same(first: Any) -> Any:
    return first


CONCURRENT, SURVIVES = Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART
NETWORKED = Capability.NETWORKED


@pytest.mark.parametrize(
    ("second", "reopened", "able"),
    [
        (same, same, {CONCURRENT, SURVIVES}),
        (same, blank, {CONCURRENT}),
        (blank, same, {SURVIVES}),
        (blank, blank, set()),
    ],
)
@pytest.mark.parametrize("declares", [set(), {CONCURRENT}, {SURVIVES}, {CONCURRENT, SURVIVES}])
def test_capabilities_are_verified_in_both_directions(
    second: Any, reopened: Any, able: set[Any], declares: set[Any], runner: asyncio.Runner
) -> None:
    store = ToyStore(InMemoryNotes, second, reopened)
    given = context(notes, store, runner, capabilities=tuple(declares), profile=FEW)

    failed = failure(CapabilitiesCheck(), given)

    wrong = {str(each) for each in able ^ declares}
    assert (failed is not None) == bool(wrong)
    told = failed.message.splitlines()[1:] if failed is not None else []
    assert {line.split()[1] for line in told} == wrong
    for each in declares - able:
        assert any(f"{each} is declared, but" in line for line in told)
    for each in able - declares:
        assert any(f"{each} is not declared, but" in line for line in told)


@pytest.mark.parametrize("contract", [tasks, jobs])
def test_capabilities_are_seen_through_what_storages_make(
    contract: Contract, runner: asyncio.Runner
) -> None:
    shared = ToyStore(contract.model)
    alone = ToyStore(contract.model, lambda _: contract.model(), lambda _: contract.model())
    both = (CONCURRENT, SURVIVES)

    assert (
        failure(CapabilitiesCheck(), context(contract, shared, runner, capabilities=both)) is None
    )
    assert failure(CapabilitiesCheck(), context(contract, alone, runner)) is None
    assert failure(CapabilitiesCheck(), context(contract, shared, runner)) is not None
    assert (
        failure(CapabilitiesCheck(), context(contract, alone, runner, capabilities=both))
        is not None
    )


def test_capabilities_that_nothing_can_show_are_inconclusive(runner: asyncio.Runner) -> None:
    unread = Contract(notes.protocol, model=InMemoryNotes, errors=notes.errors, reads=[])

    with pytest.raises(Inconclusive, match=r"reads=\[…\]"):
        CapabilitiesCheck().run(context(unread, InMemoryNotes, runner, profile=FEW))


def test_a_network_is_verified_in_both_directions(runner: asyncio.Runner) -> None:
    async def serve() -> asyncio.Server:
        return await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)

    server = runner.run(serve())
    both = (CONCURRENT, SURVIVES)

    def told(endpoint: tuple[str, int] | None, *more: Capability) -> str:
        store = ToyStore(InMemoryNotes, endpoint=endpoint)
        given = context(notes, store, runner, capabilities=(*both, *more), profile=FEW)
        failed = failure(CapabilitiesCheck(), given)
        return failed.message if failed is not None else ""

    with closing(server):
        endpoint = server.sockets[0].getsockname()
        assert told(endpoint, NETWORKED) == ""
        assert "networked is not declared, but its store's endpoint is" in told(endpoint)
    runner.run(server.wait_closed())
    assert "networked is declared, but nothing answers at" in told(endpoint, NETWORKED)
    assert "nothing answers at no endpoint" in told(None, NETWORKED)
    assert told(None) == ""


def test_arguments_reach_their_parameters(runner: asyncio.Runner) -> None:
    class Several(Protocol):
        def call(self, a: int = 1, b: int = 2, /, c: int = 3, *, d: int = 4) -> Any: ...

    class Storage:
        def call(self, a: int = 1, b: int = 2, /, c: int = 3, *, d: int = 4) -> Any:
            return (a, b, c, d)

    operation = derive_operations(Several, contract="toy", ignore={})["call"]

    def called(**arguments: Any) -> Any:
        return runner.run(invoke(Storage(), operation, arguments))

    assert called() == (1, 2, 3, 4)
    assert called(b=9) == (1, 9, 3, 4)
    assert called(d=9, a=8) == (8, 2, 3, 9)
    assert called(c=9) == (1, 2, 9, 4)


def test_whatever_a_storage_raises_is_an_outcome(runner: asyncio.Runner) -> None:
    actor = Actor(notes, InMemoryNotes(), scribbling=True)

    missing = runner.run(actor.call(Call("get", {"id": "a"})))
    leaked = runner.run(actor.call(Call("create", {"note": 1})))

    assert missing.declared
    assert str(missing) == "raised NotFound(no 'a')"
    assert not leaked.declared
    assert len(actor.results) == 2


def test_a_call_that_does_not_return_is_an_outcome(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waits(InMemoryNotes):
        async def count(self) -> int:
            await asyncio.Event().wait()
            return 0

    monkeypatch.setattr("storeproof.harness.running.PATIENCE", 0.01)

    outcome = runner.run(Actor(notes, Waits(), scribbling=False).call(Call("count")))

    assert isinstance(outcome.error, TimeoutError)
    assert not outcome.declared


def told(expected: Outcome, actual: Outcome, operation: str = "get") -> str | None:
    return compare_outcomes(notes, operation, expected, actual, Renaming())


def raised(error: Exception, declared: bool = True) -> Outcome:
    return Outcome(error=error, declared=declared)


@pytest.mark.parametrize(
    ("expected", "actual", "text"),
    [
        (Outcome(1), Outcome(1), None),
        (raised(NotFound("a")), raised(NotFound("a")), None),
        (Outcome(1), Outcome(2), "the result: expected 1, got 2"),
        (Outcome(1), raised(NotFound("a")), "the model returned 1; the storage raised NotFound"),
        (
            raised(NotFound("a")),
            Outcome(None),
            "the model raised NotFound(no 'a'); the storage ret",
        ),
        (raised(NotFound("a")), raised(Duplicate("a")), "the storage raised Duplicate(a is taken)"),
        (raised(NotFound("a")), raised(NotFound("b")), "the error's id: expected 'a', got 'b'"),
        (
            Outcome(1),
            raised(KeyError("a"), False),
            "KeyError('a') is none of the contract's errors",
        ),
    ],
)
def test_outcomes_are_compared(expected: Outcome, actual: Outcome, text: str | None) -> None:
    found = told(expected, actual)

    assert (found is None) == (text is None)
    assert (text or "") in (found or "")


class Nested(Exception):
    def __init__(self, parts: Any, cause: BaseException | None = None) -> None:
        self.parts, self.cause, self._private = parts, cause, object()
        super().__init__("nested")


def test_errors_are_compared_by_their_public_attributes() -> None:
    one, same = Nested({"a": [1]}, ValueError("x")), Nested({"a": [1]}, KeyError("y"))

    assert told(raised(one), raised(same)) is None
    assert told(raised(one), raised(Nested({"a": [2]}))) == (
        "the error's parts['a'][0]: expected 1, got 2"
    )


def test_a_program_whose_references_lead_nowhere_does_not_fail(runner: asyncio.Runner) -> None:
    missing = Call("get", {"id": "a"})
    program = Program((missing, Call("get", {"id": Reference(0, ".id")}), Call("count")))
    walk = Program((missing, Walk("list_notes", {"cursor": Reference(0, ".id")}, 1)))

    assert failure(AgreementCheck(), context(notes, InMemoryNotes, runner, replay=program)) is None
    assert failure(PagesCheck(), context(notes, InMemoryNotes, runner, replay=walk)) is None


def test_a_model_that_raises_what_is_not_declared_is_told_of(runner: asyncio.Runner) -> None:
    narrow = Contract(notes.protocol, model=InMemoryNotes, errors=[Duplicate], name="narrow")

    failed = failure(AgreementCheck(), context(narrow, InMemoryNotes, runner))

    assert failed is not None
    assert "the model itself raised NotFound" in failed.message
    assert "is none of the contract's errors" in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) == 1


def test_what_does_not_fail_again_is_told_so(runner: asyncio.Runner) -> None:
    failed = failure(AgreementCheck(), context(notes, NeverTheSame, runner))

    assert failed is not None
    assert "difference: the result: expected " in failed.message


def test_a_search_gives_the_first_failure_as_it_was_drawn(runner: asyncio.Runner) -> None:
    given = context(notes, InMemoryNotes, runner, profile=FEW)
    tried = 0

    async def attempt(draw: Draw) -> Failure | None:
        nonlocal tried
        tried += 1
        return Failure(Program((Call("count"),)), (), None, "") if draw.below(256) > 100 else None

    found = search(given, attempt)

    assert found is not None
    assert found.program == Program((Call("count"),))
    assert given.tally.programs == tried < FEW.programs


def test_a_search_that_finds_nothing_tries_as_many_programs_as_the_profile_says(
    runner: asyncio.Runner,
) -> None:
    given = context(notes, InMemoryNotes, runner, profile=FEW)

    async def attempt(draw: Draw) -> Failure | None:
        draw.below(256)

    assert search(given, attempt) is None
    assert given.tally.programs == FEW.programs


@pytest.mark.parametrize("flaky", [False, True])
def test_what_stops_a_search_is_raised_as_it_is(flaky: bool, runner: asyncio.Runner) -> None:
    raised: list[HarnessError] = []

    async def attempt(draw: Draw) -> Failure | None:
        draw.below(256)
        if flaky and raised:
            return None
        raised.append(BackendUnavailable("toy", "it went away", "Start it"))
        raise raised[-1]

    with pytest.raises(BackendUnavailable, match="it went away"):
        search(context(notes, InMemoryNotes, runner, profile=FEW), attempt)


class Refusing:
    """Its constructor refuses whatever its types allow."""

    def __init__(self, value: int) -> None:
        raise ValueError("never")


def test_classes_that_refuse_what_their_types_allow_are_inconclusive(
    runner: asyncio.Runner,
) -> None:
    from dataclasses import dataclass

    @dataclass
    class Never:
        value: int

        def __post_init__(self) -> None:
            raise ValueError("never")

    class Storage(Protocol):
        async def put(self, value: Any) -> None: ...

    class Model:
        async def put(self, value: Any) -> None:
            return

    Storage.put.__annotations__["value"] = Never
    contract = Contract(Storage, model=Model)

    with pytest.raises(Inconclusive, match="classes refuse what their types allow"):
        AgreementCheck().run(context(contract, Model, runner, profile=FEW))


def test_every_reading_operation_is_called_at_the_end(runner: asyncio.Runner) -> None:
    called = set()

    class Noted(InMemoryNotes):
        def __getattribute__(self, name: str) -> Any:
            called.add(name)
            return super().__getattribute__(name)

    class Unlisted(Noted):
        async def create(self, note: Note) -> Note:
            created = await super().create(note)
            self.notes[f"{note.id} too"] = note
            return created

    program = Program((Call("create", {"note": Note(NoteId("a"))}),))
    assert failure(AgreementCheck(), context(notes, Unlisted, runner, replay=program)) is None

    for seed in range(5):
        assert failure(AgreementCheck(), context(notes, Unlisted, runner, seed=seed)) is not None
    assert {"get", "list_notes", "count"} <= called


def test_a_page_is_read_whole(runner: asyncio.Runner) -> None:
    assert "list_notes" in notes.reads
    assert isinstance(runner.run(InMemoryNotes().list_notes(limit=1000)), Page)


@pytest.mark.parametrize("member", [Operation, Call])
def test_parts_of_contracts_and_programs_can_t_be_changed(member: Any) -> None:
    assert member.__dataclass_params__.frozen


def test_a_contract_error_has_its_parts() -> None:
    error = ContractError("notes", "it is wrong", "Right it")

    assert (error.contract, error.problem, error.remedy) == ("notes", "it is wrong", "Right it")
    assert str(error) == "Contract(notes): it is wrong. Right it"
    assert inspect.isclass(type(error))


def test_callables_are_not_confused_with_operations() -> None:
    wanted: Callable[[], Any] = InMemoryNotes
    assert callable(wanted)


def test_a_law_that_waits_for_ever_fails(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    @law("TOY-001", MUST)
    async def waits(storage: Any) -> None:
        """It ends."""
        await asyncio.Event().wait()

    monkeypatch.setattr(law_check_module, "_LAW_SECONDS", 0.01)
    found = failure(
        law_check_module.law_check("notes", waits), context(notes, InMemoryNotes, runner)
    )
    assert found is not None
    assert "TimeoutError" in found.message


def test_an_assertion_that_says_nothing_comes_with_the_values_around_it(
    runner: asyncio.Runner,
) -> None:
    """Laws in packages are not rewritten by pytest as test modules are."""
    source = (
        "async def counts(storage):\n"
        "    'It counts.'\n"
        "    counted = [1, 0]\n"
        "    assert counted == [0, 1]\n"
    )
    given: dict[str, Any] = {}
    exec(compile(source, "laws.py", "exec"), given)  # noqa: S102 - as a module that nobody rewrote
    counts = law("NOTE-1", MUST)(given["counts"])
    found = failure(
        law_check_module.law_check("notes", counts), context(notes, InMemoryNotes, runner)
    )
    assert found is not None
    assert "[1, 0]" in found.message


def test_agreement_counts_the_calls_of_every_operation(runner: asyncio.Runner) -> None:
    given = context(notes, InMemoryNotes, runner, profile=FEW)
    AgreementCheck().run(given)
    calls = given.tally.calls
    assert calls.keys() == notes.operations.keys()
    assert sum(made for made, _ in calls.values()) == given.tally.operations
    assert 0 < calls["create"][1] < calls["create"][0]


def test_a_contract_for_another_implementation_may_have_a_name_of_its_own() -> None:
    plain, named = (
        notes.stored_by(InMemoryNotes, "sqlite", name=name) for name in (None, "other notes")
    )

    assert (plain.name, named.name) == (notes.name, "other notes")
    assert plain.storages["sqlite"] is named.storages["sqlite"] is InMemoryNotes
