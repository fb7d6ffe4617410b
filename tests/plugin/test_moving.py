"""The suite of moving from end to end: what is told, saved and run again, and pairs of backends."""

from __future__ import annotations

import shlex

from plugin_project import Project

pytest_plugins = ["pytester"]

SOURCE = """
import json
from storeproof import Contract, Moves

async def take(storage):
    return {{"texts": [list(each) for each in storage.texts.items()]}}

async def put(storage, content):
    storage.texts = dict(content["texts"])

async def strip(storage, content):
    cut = isinstance(storage, Cutting)
    storage.texts = {{key: text[:1] if cut else text for key, text in content["texts"]}}

class Copy(toy.MemoryNotes):
    pass

class Cutting(toy.MemoryNotes):
    pass

contract = Contract(
    toy.Notes,
    model=toy.MemoryNotes,
    storages={{"stub": lambda _: Copy(), "other": lambda _: Cutting()}},
    errors=[toy.Missing],
    arguments={{"key": ["a", "b"], "text": ["x", "yz"]}},
    moves={moves},
    name="notes",
)
TestToy = contract.{suite}()
"""
BOTH = "--storage=stub,other"


def source(moves: str, suite: str = "migration_suite") -> str:
    return SOURCE.format(moves=moves, suite=suite)


def test_what_can_be_moved_is_proved_on_every_backend(project: Project) -> None:
    project.write(source("Moves.of_snapshots(take, put)"))
    result, report = project.report(BOTH)
    assert result.ret == 0, result.stdout.str()
    assert [each.verdict for each in report.judgements] == ["conformant"] * 2
    named = {check.check: check.status for each in report.judgements for check in each.checks}
    assert named == {
        "roundtrip": "passed",
        "planted_faults": "passed",
        "move_interference": "not applicable",  # the stubs declare no capability
        "move_crash": "not applicable",
    }
    result.stdout.fnmatch_lines(["*planted_faults left out *a changed microsecond*had a place*"])


def test_what_cannot_be_moved_is_told_and_no_gap(project: Project) -> None:
    project.write(source("None"))
    result, report = project.report("--storage=stub")
    (judgement,) = report.judgements
    (check,) = judgement.checks
    assert (check.check, check.status) == ("roundtrip", "not applicable")
    assert "Contract(moves=" in check.detail
    assert result.ret != 0  # nothing at all was checked


def test_a_pair_of_backends_is_broken_and_replayed(project: Project) -> None:
    project.write(source("Moves.of_snapshots(take, strip)"))
    result, report = project.report(BOTH)
    assert result.ret == 1
    for judgement, way in zip(report.judgements, ("stub -> other", "other"), strict=True):
        check = next(each for each in judgement.checks if each.check == "roundtrip")
        assert check.failure is not None
        assert f"-> {way}" in check.failure.message, check.failure.message
        assert 'check="roundtrip"' in check.failure.message
    _, *arguments = shlex.split(check.failure.replay)
    again = project.run(*arguments)
    again.stdout.fnmatch_lines(["*still fails*"])


def test_it_is_part_of_the_whole_suite(project: Project) -> None:
    project.write(source("Moves.of_snapshots(take, put)", "suite"))
    result = project.run("--storage=stub", "--collect-only", "-q")
    result.stdout.fnmatch_lines(["*test_agreement*", "*test_roundtrip*", "*test_move_crash*"])
