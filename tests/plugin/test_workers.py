"""Under pytest-xdist: one server for all workers, one result."""

from __future__ import annotations

import pytest
from plugin_project import CLINGING, Project

from storeproof.harness.report import Report

pytest_plugins = ["pytester"]

SUITES = """
CHECK = toy.StubCheck("agreement", toy.Stage.AGREEMENT, toy.strips)
CHECKS = (CHECK, toy.SIGNATURE, toy.PAGES)
TestToy = toy.suite(*CHECKS, stub=toy.Stripping)
TestOther = toy.suite(*CHECKS, name="others", stub=toy.MemoryNotes)
"""


def summarized(report: Report) -> list[tuple[str, str, str, list[str]]]:
    return [
        (each.contract, each.backend, str(each.verdict), [str(c.status) for c in each.checks])
        for each in report.judgements
    ]


def test_the_result_is_the_same_as_without_workers(project: Project) -> None:
    project.write(SUITES)
    _, alone = project.report("--storage=memory,stub", "--storage-seed=3")
    result, report = project.report("--storage=memory,stub", "--storage-seed=3", "-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=10, failed=1, skipped=1)
    assert summarized(report) == summarized(alone)
    assert report.backends == alone.backends
    result.stdout.fnmatch_lines(["storeproof *: memory; stub = Stub 1.2 of stub; *; seed 3"])
    assert len([line for line in result.outlines if line.startswith("storeproof ")]) == 1


def test_one_server_for_all_workers_stops_after_their_stores_closed(project: Project) -> None:
    project.write(SUITES)
    project.run("--storage=stub,memory", "-n2")
    notes = [line for line in project.notes if " on " not in line]
    assert [line.split()[0] for line in notes].count("start") == 1
    assert notes[-1] == "stop stub"
    starter = notes[0].split()[-1]
    assert starter not in {line.split()[-1] for line in notes if line.startswith("store ")}


def test_the_nodes_of_a_contract_and_backend_stay_on_one_worker(project: Project) -> None:
    project.write(SUITES)
    project.run("--storage=stub", "-n2")
    stores = [line for line in project.notes if line.startswith("store ")]
    assert sorted(line.split()[1] for line in stores) == ["notes", "others"]


def test_a_distribution_that_was_asked_for_is_kept(project: Project) -> None:
    project.write(SUITES)
    result = project.run("--storage=stub", "-n1", "--dist=load", "-v")
    result.stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])


def test_a_project_without_storages_keeps_its_distribution(project: Project) -> None:
    project.write("def test_other(): pass")
    result = project.run("-n1", "-v")
    result.stdout.fnmatch_lines(["scheduling tests via LoadScheduling"])


def test_every_worker_has_the_run_s_seed(project: Project) -> None:
    project.write(SUITES)
    _, report = project.report("--storage=memory,stub", "-n2")
    seeds = {line.split("seed ")[1].split(",")[0] for line in project.notes if "seed " in line}
    assert seeds == {str(report.seed)}


def test_the_command_that_replays_names_the_node(project: Project) -> None:
    project.write(SUITES)
    result = project.run("--storage=stub", "-n1")
    result.stdout.fnmatch_lines(
        ["    pytest 'test_toy.py::TestToy::test_agreement[[]stub[]]' --storage=stub --storage-*"]
    )


def test_a_replay_uses_no_workers(project: Project) -> None:
    project.write(SUITES)
    project.run("--storage=stub")
    (saved,) = (project.path / ".storeproof" / "programs").iterdir()
    result = project.run("--storage-replay", str(saved), "-n2")
    result.assert_outcomes(failed=1, deselected=5)


def test_a_server_that_can_not_be_had(project: Project) -> None:
    project.extend_conftest("""
from storeproof.harness.exceptions import BackendUnavailable

class Lost(toy.StubBackend):
    def start(self, options):
        raise BackendUnavailable("lost", "no server answers", "Start one")

def pytest_storeproof_backends(config):
    return [Lost("lost")]
""")
    project.write(SUITES)
    result = project.run("--storage=lost", "-n1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    sentence = "notes, others on lost: incomplete: lost is not available: no server *"
    result.stdout.fnmatch_lines([sentence])


def test_a_worker_that_dies_makes_the_verdict_incomplete(project: Project) -> None:
    project.write("""
import os

def dies(context):
    os._exit(9)

TestToy = toy.suite(toy.StubCheck("pages", toy.Stage.PAGES, dies), toy.SIGNATURE)
""")
    result, report = project.report("--storage=memory", "-n1", "--max-worker-restart=0")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines(["notes on memory: incomplete: pages skipped: the run ended *"])


def test_no_suite(project: Project) -> None:
    project.write("def test_other(): pass")
    result = project.run("--storage=stub", "-n1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--storage=stub was given, but no suite was collected. *"])
    assert project.notes == []


def test_what_a_worker_can_not_close_fails_the_run(project: Project) -> None:
    project.extend_conftest(CLINGING)
    project.write("TestToy = toy.suite(clinging=toy.MemoryNotes)")
    result = project.run("--storage=clinging", "-n1")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["notes on clinging: the store could not be closed: *still open"])
