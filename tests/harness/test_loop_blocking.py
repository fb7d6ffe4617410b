"""The check of blocked loops finds what blocks and shows where; a busy machine is no proof."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness.blocking import LongStep, Place, Watch, common, usual
from storeproof.harness.checks import loop_blocking
from storeproof.harness.checks.base import Profile
from storeproof.harness.checks.loop_blocking import LoopBlockingCheck
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.program import Program

from .blockers import BLOCKED, BLOCKING, LONGEST, SPARED, ComputesOnce, LocksAFile, Sleeps
from .toys import context, failure, jobs, printed_test, run_proving
from .vaults import InMemoryVault, LockedVault, Vault, VaultError, vault, vault_store

QUICK = Profile("quick", programs=20, steps=20)
APART = (Capability.CONCURRENT_CLIENTS,)
strict = Contract(
    Vault,
    model=InMemoryVault,
    errors=[VaultError],
    longest_step=LONGEST,
    arguments={"label": ["a", "b"]},
)


@pytest.fixture(autouse=True)
def unused(tmp_path: Path) -> None:
    LocksAFile.path = tmp_path / "vault.db"
    ComputesOnce.warm = False


def failed_on(make: Any, runner: asyncio.Runner, **options: Any) -> CheckFailed | None:
    store = vault_store(make)
    given = context(strict, store, runner, profile=QUICK, capabilities=APART, **options)
    return failure(LoopBlockingCheck(), given)


@pytest.mark.parametrize("make", BLOCKING, ids=lambda each: each.__name__)
def test_what_blocks_is_found_and_its_line_is_shown(make: Any, runner: asyncio.Runner) -> None:
    failed = failed_on(make, runner)

    assert failed is not None
    assert f": {BLOCKING[make]}\n" in failed.message
    assert "in each of 4 runs" in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) <= 2


@pytest.mark.parametrize("make", SPARED, ids=lambda each: each.__name__)
def test_what_gives_the_loop_its_turn_is_never_accused(make: Any, runner: asyncio.Runner) -> None:
    given = context(strict, vault_store(make), runner, profile=QUICK, capabilities=APART)

    LoopBlockingCheck().run(given)

    assert given.tally.programs == len(strict.operations)


def test_the_printed_test_passes_on_what_is_correct_and_fails_on_the_mutant(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_on(Sleeps, runner)
    assert failed is not None
    source = printed_test(failed)

    for make, expected in ((LockedVault, type(None)), (Sleeps, CheckFailed)):
        given = context(strict, vault_store(make), runner, capabilities=APART)
        raised = run_proving(source, given, monkeypatch)
        assert isinstance(raised, expected), source


def test_the_saved_program_is_replayed(runner: asyncio.Runner) -> None:
    failed = failed_on(Sleeps, runner)
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(strict, json.loads(json.dumps(failed.program.to_json())))

    assert failed_on(Sleeps, runner, replay=again) is not None
    assert failed_on(LockedVault, runner, replay=again) is None


def test_the_contract_says_what_is_too_long(runner: asyncio.Runner) -> None:
    patient = Contract(Vault, model=InMemoryVault, errors=[VaultError], longest_step=100 * BLOCKED)
    given = context(patient, vault_store(Sleeps), runner, profile=QUICK, capabilities=APART)

    LoopBlockingCheck().run(given)
    assert vault.longest_step == 0.1
    assert not LoopBlockingCheck().applies(jobs)


HERE = Place(__file__, 1, "here")
THERE = Place(__file__, 2, "there")


def step(
    computing: float = 0.0, waiting: float = 0.0, stack: tuple[Place, ...] = (HERE,)
) -> list[LongStep]:
    return [LongStep(2.0, computing, waiting, stack)]


UNSURE = step()
GUILTY = step(waiting=1.0)
RUNS: dict[str, tuple[bool, list[list[LongStep]]]] = {
    "four times in the same place": (True, [GUILTY] * 4),
    "three times": (False, [*[GUILTY] * 3, []]),
    "never when it is sure": (False, [UNSURE] * 10),
    "sometimes unsure": (True, [GUILTY, UNSURE, GUILTY, UNSURE, UNSURE, GUILTY, GUILTY]),
    "too seldom": (False, [*[GUILTY] * 3, *[UNSURE] * 7]),
    "once short": (False, [GUILTY, GUILTY, [], GUILTY, GUILTY]),
    "elsewhere each time": (False, [GUILTY, step(waiting=1.0, stack=(THERE,))] * 5),
    "computing, where nobody can look": (True, [step(computing=1.0, stack=())] * 4),
    "waiting, where nobody can look": (False, [step(waiting=1.0, stack=())] * 10),
    "computing, then waiting": (False, [step(computing=1.0), GUILTY, GUILTY, GUILTY, []]),
}


@pytest.mark.parametrize("name", RUNS)
def test_only_the_same_in_every_run_is_a_proof(
    name: str, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, runs = RUNS[name]
    left = iter(runs)

    async def long_steps(*_: Any) -> list[LongStep]:
        return next(left, [])

    monkeypatch.setattr(loop_blocking, "_long_steps", long_steps)

    assert (failed_on(LockedVault, runner) is not None) is expected


def test_what_waited_for_the_processor_is_not_counted(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine is busy: all the time of the step, the thread was ready to run."""
    from storeproof.harness import blocking

    from .blockers import hashed

    queued = iter([0.0, 100.0])
    monkeypatch.setattr(blocking, "_queued", lambda: next(queued))

    async def call() -> None:
        hashed("", 2 * LONGEST)

    async def watched() -> list[LongStep]:
        with Watch(LONGEST) as watch:
            return (await watch.make(call()))[1]

    (found,) = runner.run(watched())

    assert found.seconds > LONGEST
    assert found.waiting < 0


def test_stacks_have_their_beginning_in_common() -> None:
    assert common([(HERE, HERE), (HERE, THERE)]) == (HERE,)
    assert common([(HERE,), (THERE,)]) == ()
    assert common([]) == ()
    assert usual([(HERE, HERE), (THERE,), (HERE, THERE)]) == (HERE,)
    assert usual([(HERE, THERE), (HERE, HERE), (HERE, HERE)]) == (HERE, HERE)
    assert usual([(HERE,), (THERE,)]) == ()
    assert usual([]) == ()
