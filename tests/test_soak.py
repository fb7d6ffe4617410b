"""The soak counts failures, tells how each is repeated, and takes no part for the whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import soak

from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.profiles import PROFILES
from storeproof.harness.session import session_of_its_own
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.errors.laws import contract as errors
from storeproof.reference.providers.laws import contract as providers

CONTRACTS = {"Auth": auth, "Costs": costs, "Errors": errors, "Providers": providers}

SUITE = """
from storeproof import Contract
from typing import Protocol

class Numbers(Protocol):
    async def put(self, number: int) -> None: ...
    async def get(self) -> int: ...

class Kept:
    number = 0

    async def put(self, number):
        self.number = number{defect}

    async def get(self):
        return self.number

contract = Contract(Numbers, model=Kept)
TestNumbers = contract.suite()
"""


def run(folder: Path, *options: str, defect: str = "") -> int:
    suite = folder / "test_numbers.py"
    suite.write_text(SUITE.format(defect=defect))
    return soak.main(["--storage=memory", "--workers=1", f"--tests={suite}", *options])


def test_green_rounds_are_counted_and_too_few_are_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--minutes=0", "--rounds=3") == 1
    said = capsys.readouterr().out
    assert said.count("green") == 1
    assert "1 rounds with profile light, each with a seed of its own" in said
    assert "s for each round, 1 at once: 0 failures" in said
    assert "only 1 of 3 rounds" in said


def test_a_failure_is_told_with_its_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    forgets = (
        "\n        type(self).number = type(self).number + 1; self.number += type(self).number"
    )
    assert run(tmp_path, "--rounds=1", defect=forgets) == 1
    said = capsys.readouterr().out
    assert "agreement of Numbers on memory: failed" in said
    assert "--storage-seed=" in said


def test_rounds_run_at_once_and_no_more_than_wanted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--rounds=3", "--workers=2") == 0
    said = capsys.readouterr().out
    assert said.count("green") == 3
    assert "round 3: seed" in said
    assert "2 at once: 0 failures" in said


def test_every_round_has_every_check_and_law_of_every_component_on_every_backend() -> None:
    given = soak._parser().parse_args([])
    collected = subprocess.run(  # noqa: S603 - this interpreter, no shell
        [sys.executable, *soak._command(1, given), "--collect-only", "-q"],
        cwd=soak.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    nodes = {line.partition("::")[2] for line in collected.splitlines()}
    assert {
        f"Test{name}::{node}[{backend}]"
        for name, contract in CONTRACTS.items()
        for node in contract.suite().storeproof_plan
        for backend in ("memory", "sqlite", "postgres")
    } <= nodes


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_round_calls_every_operation(name: str) -> None:
    contract = CONTRACTS[name]
    profile = PROFILES[soak._parser().parse_args([]).profile]
    with session_of_its_own({"memory": MemoryBackend()}) as session:
        context = session.context(contract, "memory", profile=profile, seed=1)
        AgreementCheck().run(context)
    assert context.tally.calls.keys() == contract.operations.keys()


def test_what_can_not_be_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--tests=no_such_folder", "--rounds=1", "--workers=1"]) == 1
    assert "pytest ended with" in capsys.readouterr().out
