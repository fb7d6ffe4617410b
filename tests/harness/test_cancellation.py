"""The check of cancellation finds what a cancelled call leaves, and accuses nothing correct."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from dataclasses import replace
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness import running, sweeping
from storeproof.harness.backends.base import Store
from storeproof.harness.cancelling import Way, cancel
from storeproof.harness.checks.base import Profile
from storeproof.harness.checks.cancellation import CancellationCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.pasted import PastedCancelling
from storeproof.harness.program import Program
from storeproof.harness.running import Outcome

from .leavers import (
    CORRECT,
    LEAVING,
    CleansUpUnshielded,
    PooledVault,
    ShieldedVault,
    SwallowsIt,
    WritesByHalves,
)
from .toys import InMemoryNotes, ToyStore, context, executed, failure, jobs, notes, printed_test
from .vaults import InMemoryVault, LockedVault, vault, vault_store

QUICK = Profile("quick", programs=20, steps=20)
APART = (Capability.CONCURRENT_CLIENTS,)


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A toy's call never waits for anything but a lock that nobody gives back."""
    monkeypatch.setattr(running, "PATIENCE", 0.2)
    monkeypatch.setattr(sweeping, "_LEFT_SECONDS", 0.05)


def failed_on(make: Any, runner: asyncio.Runner, **options: Any) -> CheckFailed | None:
    given = context(vault, vault_store(make), runner, profile=QUICK, capabilities=APART, **options)
    return failure(CancellationCheck(), given)


TOLD = {
    "KeepsTheLock": "TimeoutError",
    "WritesByHalves": "No order of these calls",
    "SwallowsIt": "although it was cancelled",
    "TurnsItIntoAnError": "raised Unavailable() although it was cancelled",
    "KeepsAConnection": "Is a connection not given back",
    "KeepsTheOnlyConnection": "TimeoutError",
    "RunsOutOfConnections": "raised Unavailable()",
    "CleansUpUnshielded": "again whenever it waited later",
    "LeavesATask": "left a task: <coroutine object Event.wait",
    "LeavesAnError": "Task exception was never retrieved (ConnectionError())",
}


@pytest.mark.parametrize("make", LEAVING, ids=lambda each: each.__name__)
def test_what_a_cancelled_call_leaves_is_found_and_its_program_is_short(
    make: type[PooledVault], runner: asyncio.Runner
) -> None:
    failed = failed_on(make, runner)

    assert failed is not None
    assert TOLD[make.__name__] in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) <= 3, failed.message


@pytest.mark.parametrize("make", LEAVING, ids=lambda each: each.__name__)
def test_the_printed_test_passes_on_what_is_correct_and_fails_on_the_mutant(
    make: type[PooledVault], runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_on(make, runner)
    assert failed is not None
    source = printed_test(failed)

    assert run_printed(source, vault_store(PooledVault), monkeypatch, runner) is None, source
    raised = run_printed(source, vault_store(make), monkeypatch, runner)
    assert isinstance(raised, AssertionError), source


def run_printed(
    source: str, store: Store, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> BaseException | None:
    def cancelling(self: Contract, program: Any, *, backend: str, shared: bool = False) -> None:
        assert backend == "toy"
        runner.run(PastedCancelling(self, program, shared=shared).run(store))

    monkeypatch.setattr(Contract, "cancel", cancelling)
    return executed(source)


def test_the_saved_program_is_replayed(runner: asyncio.Runner) -> None:
    failed = failed_on(CleansUpUnshielded, runner)
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(vault, json.loads(json.dumps(failed.program.to_json())))

    assert failed_on(CleansUpUnshielded, runner, replay=again) is not None
    assert failed_on(ShieldedVault, runner, replay=again) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", CORRECT)
def test_what_is_correct_is_never_accused(make: Any, seed: int, runner: asyncio.Runner) -> None:
    given = context(vault, vault_store(make), runner, profile=QUICK, capabilities=APART, seed=seed)

    CancellationCheck().run(given)

    assert given.tally.untried == ()
    assert given.tally.programs == len(vault.operations)


def test_where_little_is_tried_most_operations_are_cancelled_in_one_way_at_each_suspension(
    runner: asyncio.Runner,
) -> None:
    tried = []
    for often in (0, len(vault.operations)):
        profile = replace(QUICK, often=often)
        store = vault_store(ShieldedVault)
        tried.append(context(vault, store, runner, profile=profile, capabilities=APART))
        CancellationCheck().run(tried[-1])

    few, many = (each.tally for each in tried)
    assert few.programs == many.programs == len(vault.operations)
    assert few.untried == many.untried == ()
    assert 2 * few.operations < many.operations


@pytest.mark.parametrize("make", [SwallowsIt, WritesByHalves])
def test_a_defect_of_every_operation_is_found_in_one_way_too(
    make: type[PooledVault], runner: asyncio.Runner
) -> None:
    given = context(
        vault,
        vault_store(make),
        runner,
        profile=replace(QUICK, often=0),
        capabilities=APART,
    )

    assert failure(CancellationCheck(), given) is not None


def test_one_handle_is_enough_where_there_is_no_second(runner: asyncio.Runner) -> None:
    class Alone(ToyStore):
        async def second(self) -> Any:
            raise AssertionError("there is no second handle")

    CancellationCheck().run(context(vault, Alone(LockedVault), runner, profile=QUICK))
    given = context(vault, Alone(CleansUpUnshielded), runner, profile=QUICK)
    failed = failure(CancellationCheck(), given)
    assert failed is not None
    assert "shared=True" in failed.message


def test_operations_that_never_wait_are_told_as_not_tried(runner: asyncio.Runner) -> None:
    given = context(notes, InMemoryNotes, runner, profile=QUICK)

    CancellationCheck().run(given)

    assert given.tally.untried == tuple(notes.operations)
    assert not CancellationCheck().applies(jobs)


def test_a_pasted_call_that_does_not_succeed_shows_nothing(runner: asyncio.Runner) -> None:
    async def program(storage: Any) -> None:
        await storage.list_boxes()
        try:
            await storage.get("missing")
        except vault.errors:
            return

    pasted = PastedCancelling(vault, program, shared=False)
    with pytest.raises(Inconclusive, match="does not succeed on the model"):
        runner.run(pasted.run(ToyStore(InMemoryVault)))


def test_every_way_cancels_at_the_suspension_that_was_asked_for(runner: asyncio.Runner) -> None:
    steps: list[str] = []

    async def call() -> Outcome:
        woken = asyncio.get_running_loop().create_future()
        await asyncio.sleep(0)
        steps.append("first")
        asyncio.get_running_loop().call_soon(lambda: woken.done() or woken.set_result(None))
        try:
            await woken
        except asyncio.CancelledError:
            steps.append("woken" if not woken.cancelled() else "waiting")
            try:
                await asyncio.sleep(0)
            except asyncio.CancelledError:
                steps.append("again")
            raise
        return Outcome("done")

    seen = {}
    for way in Way:
        for nth in (1, 2, 9):
            steps.clear()
            made = runner.run(cancel(call(), nth, way))
            seen[way, nth] = (made.reached, made.outcome, list(steps))

    done = (False, Outcome("done"), ["first"])
    assert all(seen[way, 9] == done for way in Way)
    assert all(seen[way, 1] == (True, None, []) for way in Way)
    assert seen[Way.WAITING, 2] == (True, None, ["first", "waiting"])
    assert seen[Way.WAKING, 2] == (True, None, ["first", "woken"])
    assert seen[Way.REPEATEDLY, 2] == (True, None, ["first", "waiting", "again"])


class Held:
    """What a driver answers with, such as a cursor, which holds a lock while it lives."""


def test_what_a_cancelled_call_let_go_is_not_kept_alive(runner: asyncio.Runner) -> None:
    async def call() -> None:
        answer = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(lambda: answer.set_result(Held()))
        answer.add_done_callback(lambda done: held.append(weakref.ref(done.result())))
        await answer

    held: list[weakref.ref[Held]] = []
    gc.disable()
    try:
        assert runner.run(cancel(call(), 1, Way.WAKING)).outcome is None
    finally:
        gc.enable()
    assert [each() for each in held] == [None]
