"""Storages that are not async are tried by threads: races are found, nothing else is accused."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness import running
from storeproof.harness.backends.base import Store
from storeproof.harness.checks.base import Check, CheckContext, Profile
from storeproof.harness.checks.bursts import BurstsCheck
from storeproof.harness.checks.linearizability import LinearizabilityCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive, NotApplicable
from storeproof.harness.pasted import Pasted
from storeproof.harness.program import Program

from .counters import (
    RACY,
    SOUND,
    BoundToItsThread,
    ChecksThenCreates,
    InMemoryCounters,
    KeepsTheLock,
    LockedCounters,
    counter_store,
    counters,
)
from .toys import ToyStore, context, executed, failure, printed_test

FEW = Profile("few", programs=20, steps=20, bursts=1, histories=20)
APART = (Capability.CONCURRENT_CLIENTS,)
plain = counters()
safe = counters(thread_safe=True)


def given(
    make: Any, runner: asyncio.Runner, contract: Contract = plain, **options: Any
) -> CheckContext:
    store = counter_store(make)
    return context(contract, store, runner, profile=FEW, capabilities=APART, **options)


def checks() -> list[Check]:
    return [BurstsCheck(), LinearizabilityCheck()]


def failed_on(make: Any, runner: asyncio.Runner, **options: Any) -> CheckFailed | None:
    found = (failure(check, given(make, runner, **options)) for check in checks())
    return next((each for each in found if each is not None), None)


@pytest.mark.parametrize("make", RACY)
def test_races_of_threads_are_found_and_their_programs_are_short(
    make: Any, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, runner)

    assert failed is not None
    assert failed.program is not None
    assert len(failed.program.calls) <= 5, failed.message
    assert "client 1" in failed.message


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("contract", [plain, safe])
@pytest.mark.parametrize("make", SOUND)
def test_what_holds_a_lock_is_never_accused(
    make: Any, contract: Contract, seed: int, runner: asyncio.Runner
) -> None:
    before, others = sys.getswitchinterval(), set(threading.enumerate())
    for check in checks():
        checked = given(make, runner, contract, seed=seed)

        check.run(checked)

        assert checked.tally.programs > 0
    assert sys.getswitchinterval() == before
    for each in threading.enumerate():
        if each.name.startswith("storeproof-client") and each not in others:
            each.join(10)
            assert not each.is_alive()


def test_the_printed_race_passes_on_what_is_correct_and_fails_on_the_mutant(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_on(ChecksThenCreates, runner)
    assert failed is not None
    source = printed_test(failed)
    assert "await gather(" in source
    assert "to_thread(client_1)" in source

    on_correct = run_printed(source, counter_store(LockedCounters), monkeypatch, runner)
    on_mutant = run_printed(source, counter_store(ChecksThenCreates), monkeypatch, runner)

    assert on_correct is None, source
    assert isinstance(on_mutant, AssertionError), source
    assert "client 1" in str(on_mutant)


def run_printed(
    source: str, store: Store, monkeypatch: pytest.MonkeyPatch, runner: asyncio.Runner
) -> BaseException | None:
    def race(self: Contract, program: Any, *, backend: str, clients: int, **rest: Any) -> None:
        assert backend == "toy"
        pasted = Pasted(plain, program, clients=clients, shared=False, times=50)
        runner.run(pasted.run(store))

    monkeypatch.setattr(Contract, "race", race)
    return executed(source, contract=plain)


def test_the_saved_race_is_replayed(runner: asyncio.Runner) -> None:
    failed = failed_on(ChecksThenCreates, runner)
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(plain, json.loads(json.dumps(failed.program.to_json())))

    assert failed_on(ChecksThenCreates, runner, replay=again) is not None
    assert failed_on(LockedCounters, runner, replay=again) is None


def test_one_storage_is_given_to_threads_only_if_it_is_declared_to_be_safe(
    runner: asyncio.Runner,
) -> None:
    for check in checks():
        with pytest.raises(NotApplicable, match="not declared to be thread-safe"):
            check.run(context(plain, InMemoryCounters, runner, profile=FEW, capabilities=APART))
        with pytest.raises(NotApplicable, match="not declared to be thread-safe"):
            check.run(context(plain, counter_store(LockedCounters), runner, profile=FEW))
        shared = context(safe, counter_store(LockedCounters), runner, profile=FEW)
        check.run(shared)
        assert shared.tally.programs > 0
    racy = context(safe, counter_store(ChecksThenCreates), runner, profile=FEW)
    failed = failure(BurstsCheck(), racy)
    assert failed is not None
    assert "one handle" in failed.message


def test_what_blocks_for_ever_is_told(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.2)

    failed = failed_on(KeepsTheLock, runner)

    assert failed is not None
    assert "TimeoutError" in failed.message


def test_what_is_bound_to_its_thread_shows_nothing(runner: asyncio.Runner) -> None:
    store = ToyStore(BoundToItsThread, lambda _: BoundToItsThread())
    checked = context(plain, store, runner, profile=FEW, capabilities=APART)

    with pytest.raises(Inconclusive, match="only be used in the thread that opened it"):
        BurstsCheck().run(checked)
