"""The checks of several clients: every seeded race is found, what is correct is never accused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness import running
from storeproof.harness.backends.base import Store
from storeproof.harness.checks.base import Check, Profile
from storeproof.harness.checks.bursts import BurstsCheck
from storeproof.harness.checks.linearizability import LinearizabilityCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.linearizability import Bounds
from storeproof.harness.pasted import Pasted
from storeproof.harness.printing_branches import python_test_of_branches
from storeproof.harness.program import Branch, Call, Program, Reference
from storeproof.harness.racing import race

from .mutants import NumberedTasks
from .toys import (
    InMemoryNotes,
    Note,
    NoteId,
    TaskId,
    ToyStore,
    context,
    executed,
    failure,
    notes,
    printed_test,
    tasks,
)
from .vaults import (
    RACY,
    Box,
    BoxId,
    InMemoryVault,
    LockedVault,
    RacyMutant,
    turn,
    vault,
    vault_store,
)

FEW = Profile("few", programs=20, steps=20, bursts=2, histories=80)
APART = (Capability.CONCURRENT_CLIENTS,)
BY_NAME = {each.name: each for each in RACY}


def checks() -> list[Check]:
    return [BurstsCheck(), LinearizabilityCheck()]


def killed(mutant: RacyMutant, runner: asyncio.Runner, seed: int = 0) -> CheckFailed:
    """Run the checks up to the one that must kill the mutant; give how the first one failed."""
    store = vault_store(mutant.make)
    for check in checks():
        given = context(vault, store, runner, seed=seed, profile=FEW, capabilities=APART)
        failed = failure(check, given)
        if failed is not None or check.id == mutant.check:
            break
    assert failed is not None
    return failed


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("mutant", RACY, ids=lambda each: each.name)
def test_every_race_is_found_and_its_program_is_short(
    mutant: RacyMutant, seed: int, runner: asyncio.Runner
) -> None:
    failed = killed(mutant, runner, seed)

    assert failed.program is not None
    assert len(failed.program.calls) <= mutant.calls, failed.message


@pytest.mark.parametrize("mutant", RACY, ids=lambda each: each.name)
def test_the_printed_race_passes_on_what_is_correct_and_fails_on_the_mutant(
    mutant: RacyMutant, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = killed(mutant, runner)
    source = printed_test(failed)

    on_correct = run_printed(source, vault_store(LockedVault), monkeypatch, runner)
    on_mutant = run_printed(source, vault_store(mutant.make), monkeypatch, runner)

    assert on_correct is None, source
    assert isinstance(on_mutant, AssertionError), source
    assert "client 1" in str(on_mutant)


def run_printed(
    source: str, store: Store, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> BaseException | None:
    def race(self: Contract, program: Any, *, backend: str, clients: int, **rest: Any) -> None:
        assert backend == "toy"
        shared = rest.get("shared", False)
        pasted = Pasted(self, program, clients=clients, shared=shared, times=20)
        runner.run(pasted.run(store))

    monkeypatch.setattr(Contract, "race", race)
    return executed(source)


@pytest.mark.parametrize("name", ["ChecksThenCreates", "LocksItself", "SharesAVariable"])
def test_the_saved_race_is_replayed_and_its_failures_are_counted(
    name: str, runner: asyncio.Runner
) -> None:
    mutant = BY_NAME[name]
    program = killed(mutant, runner).program
    assert program is not None
    saved = json.loads(json.dumps(program.to_json()))
    again = Program.from_json(vault, saved)
    assert again == program
    assert saved["format"] == "storeproof-program/2"

    def replayed(make: type[LockedVault]) -> CheckFailed | None:
        given = context(vault, vault_store(make), runner, replay=again, capabilities=APART)
        return failure(BurstsCheck(), given)

    failed = replayed(mutant.make)

    assert failed is not None
    assert "100 of 100 runs failed" in failed.message
    assert failed.history is not None
    assert replayed(LockedVault) is None


class Leaky(LockedVault):
    """Locks, but waits for ever where another client waits."""

    async def rename(self, id: BoxId, label: str) -> Any:
        if self.data.busy:
            await asyncio.Event().wait()
        self.data.busy += 1
        try:
            return await super().rename(id, label)
        finally:
            self.data.busy -= 1


def test_a_call_that_never_returns_is_told(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.05)
    given = context(vault, vault_store(Leaky), runner, profile=FEW, capabilities=APART)

    failed = failure(BurstsCheck(), given)

    assert failed is not None
    assert "TimeoutError" in failed.message
    assert "none of the contract's errors" in failed.message


CORRECT: list[tuple[Contract, Callable[[], Store]]] = [
    (vault, lambda: ToyStore(InMemoryVault)),
    (vault, lambda: vault_store(LockedVault)),
    (notes, lambda: ToyStore(InMemoryNotes)),
    (tasks, lambda: ToyStore(NumberedTasks)),
]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("number", range(len(CORRECT)))
def test_what_is_correct_is_never_accused(number: int, seed: int, runner: asyncio.Runner) -> None:
    contract, store = CORRECT[number]
    profile = Profile("short", programs=5, steps=10, bursts=1, histories=15)
    for check in checks():
        given = context(contract, store(), runner, seed=seed, profile=profile, capabilities=APART)

        check.run(given)

        assert given.tally.programs > 0
        assert given.tally.contended > 0


def test_clients_of_a_backend_without_second_handles_share_one(runner: asyncio.Runner) -> None:
    class Alone(ToyStore):
        async def second(self) -> Any:
            raise AssertionError("there is no second handle")

    racy = BY_NAME["ChecksThenCreates"].make

    for check in checks():
        check.run(context(vault, Alone(LockedVault), runner, profile=FEW))
        failed = failure(check, context(vault, Alone(racy), runner, profile=FEW))
        assert failed is not None
        assert failed.program is not None
        assert failed.program.shared
        assert "one handle" in failed.message


def test_a_burst_in_which_nothing_contends_shows_nothing(runner: asyncio.Runner) -> None:
    unread = Contract(vault.protocol, model=InMemoryVault, errors=vault.errors, reads=[])
    silent = Contract(
        notes.protocol,
        model=InMemoryNotes,
        errors=notes.errors,
        ignore={name: "for this test" for name in notes.operations if name != "count"},
    )

    BurstsCheck().run(context(unread, InMemoryVault, runner, profile=FEW))
    with pytest.raises(Inconclusive, match="no two calls of Notes contend"):
        BurstsCheck().run(context(silent, InMemoryNotes, runner, profile=FEW))


def test_what_takes_too_long_to_judge_is_tried_smaller_and_never_passes(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    class Counting(LockedVault):
        async def create(self, box: Any) -> Any:
            tried.append(1)
            return await super().create(box)

    given = context(vault, vault_store(Counting), runner, profile=FEW, capabilities=APART)
    call = Call("create", {"box": Box(BoxId("a"))})
    program = Program((), branches=(Branch((call, call)),) * 8)
    monkeypatch.setattr(Bounds.__init__, "__defaults__", (0, 5.0))

    with pytest.raises(Inconclusive, match="it took too long for two calls at once"):
        BurstsCheck().run(context(vault, given.store, runner, replay=program, capabilities=APART))

    assert len(tried) == 16 + 8 + 4 + 2


def test_the_report_of_bursts_names_what_was_not_tried(runner: asyncio.Runner) -> None:
    given = context(tasks, ToyStore(NumberedTasks), runner, profile=FEW, capabilities=APART)

    BurstsCheck().run(given)

    assert "create" not in given.tally.untried
    assert {*given.tally.untried} <= {*tasks.operations}


def test_programs_with_branches_are_numbered_through() -> None:
    get = Call("get", {"id": Reference(1, ".id")})
    program = Program(
        (Call("count"), Call("create", {"note": Note(NoteId("a"))})),
        branches=(
            Branch((Call("delete", {"id": Reference(1, ".id")}),), (get,)),
            Branch((Call("count"), Call("rename", {"id": "a"})), (Call("count"),)),
        ),
    )

    assert [each.operation for each in program.calls] == [
        *("count", "create"),
        *("delete", "count", "rename"),
        *("get", "count"),
    ]
    assert program.without(1) is None
    shorter = program.without(0)
    assert shorter is not None
    assert shorter.branches[0].reads == (Call("get", {"id": Reference(0, ".id")}),)
    assert program.with_calls(program.calls) == program
    assert Program.from_json(notes, json.loads(json.dumps(program.to_json()))) == program


def test_calls_that_refer_to_what_branches_were_given_are_printed(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(
        (Call("create", {"title": "a"}),),
        branches=(
            Branch(
                (Call("create", {"parent": Reference(0, ".id")}), Call("every")),
                (Call("get", {"id": Reference(1, ".id")}),),
            ),
            Branch((Call("tree", {"id": Reference(0, ".id")}),), (Call("every"),)),
        ),
        shared=True,
    )

    source = python_test_of_branches(tasks, "toy", program)

    assert "nonlocal r2" in source
    assert "r2 = None" in source
    assert "[each async for each in storage_2.every()]" in source
    assert run_printed(source, ToyStore(NumberedTasks), monkeypatch, runner) is None
    history = runner.run(race(tasks, ToyStore(NumberedTasks), program))
    assert [each.position for each in history.calls] == [0, 1, 2, 3, 4, 5]
    assert all(each.outcome.error is None for each in history.calls)


def test_what_an_earlier_call_did_not_give_is_not_asked_for(runner: asyncio.Runner) -> None:
    missing = Call("get", {"id": TaskId("none")})
    after = Call("get", {"id": Reference(0, ".id")})
    program = Program((missing,), branches=(Branch((after,), (after,)),) * 2)

    history = runner.run(race(tasks, ToyStore(NumberedTasks), program))

    assert [each.position for each in history.calls] == [0]


def test_a_race_of_values_that_storages_make_is_judged_by_reference(
    runner: asyncio.Runner,
) -> None:
    async def program(one: Any, two: Any) -> None:
        first = await one.create(title="a")
        below, _ = await asyncio.gather(
            one.create(title="b", parent=first.id), two.create(title="c", parent=first.id)
        )
        titles = [each.title async for each in two.every()]
        assert titles[0] == "a"
        assert below.id in (await two.tree(first.id)).below

    store = ToyStore(NumberedTasks)
    runner.run(Pasted(tasks, program, clients=2, shared=False, times=3).run(store))


def test_a_race_tells_what_its_function_raises_each_time(runner: asyncio.Runner) -> None:
    async def program(one: Any) -> None:
        await one.count()
        raise LookupError("its own")

    pasted = Pasted(notes, program, clients=1, shared=False, times=2)
    with pytest.raises(LookupError, match="its own"):
        runner.run(pasted.run(ToyStore(InMemoryNotes)))


def test_clients_are_released_at_once(runner: asyncio.Runner) -> None:
    """Every client has made its first step before any has made its second."""
    steps: list[str] = []

    class Noted(InMemoryNotes):
        async def count(self) -> int:
            steps.append("first")
            await turn()
            steps.append("second")
            return 0

    program = Program((), branches=(Branch((Call("count"),)),) * 4)
    given = context(notes, Noted, runner, replay=program, capabilities=APART)
    BurstsCheck().run(given)

    assert steps[:8] == ["first"] * 4 + ["second"] * 4
