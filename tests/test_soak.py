"""The soak counts failures, tells how each is repeated, and takes no part for the whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import soak

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
    assert "s a round: 0 failures" in said
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


def test_what_can_not_be_run_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--tests=no_such_folder", "--rounds=1", "--workers=1"]) == 1
    assert "pytest ended with" in capsys.readouterr().out
