"""Reopening and killing from end to end: what other processes import, and what can't be killed."""

from __future__ import annotations

import shlex

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

CONFTEST = """
from storeproof import Capability
from storeproof.harness.backends.directory import DirectoryBackend

def pytest_storeproof_backends(config):
    return [DirectoryBackend("disk", capabilities=CAPABILITIES)]
"""
DISK = "CAPABILITIES = [Capability.SURVIVES_RESTART]"
NETWORKED = "CAPABILITIES = [Capability.SURVIVES_RESTART, Capability.NETWORKED]"
SOURCE = """
import json
import os
import pathlib
from storeproof import Contract
from storeproof.harness.checks.kill import KillCheck
from storeproof.harness.checks.reopen import ReopenCheck
from storeproof.harness.suite import suite_class

class FileNotes(toy.MemoryNotes):
    def __init__(self, folder):
        super().__init__()
        self.path = pathlib.Path(folder) / "notes.json"
        if self.path.exists():
            self.texts = json.loads(self.path.read_text())

    async def put(self, key: str, text: str) -> None:
        await super().put(key, text)
        {written}

def make_suite():
    contract = Contract(
        toy.Notes,
        model=toy.MemoryNotes,
        storages={{"disk": lambda folder: FileNotes(folder)}},
        errors=[toy.Missing],
        arguments={{"key": ["a", "b"], "text": ["x", "y"]}},
        name="notes",
    )
    return suite_class(contract, [ReopenCheck(), KillCheck()])

TestToy = make_suite()
"""
WHOLE = """
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.texts))
        os.replace(new, self.path)
"""
CORRECT = SOURCE.format(written=WHOLE)
BROKEN = CORRECT.replace("dumps(self.texts)", "dumps({key: 'z' for key in self.texts})")


@pytest.fixture
def disk(project: Project) -> Project:
    """A project whose backend `disk` is a folder; its contract has no name of its own."""
    project.extend_conftest(CONFTEST + DISK)
    project.write(CORRECT)
    return project


@pytest.mark.parametrize(
    "arguments", [[], ["-n1"], ["--import-mode=importlib", "-p", "no:cacheprovider"]]
)
def test_another_process_finds_a_nameless_contract_and_its_closures(
    disk: Project, arguments: list[str]
) -> None:
    disk.configure("pythonpath = .")

    result = disk.run_apart("--storage=disk", *arguments)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["notes*disk*conformant*2/2*"])


def test_a_subclass_in_a_folder_of_its_own_is_found_too(disk: Project) -> None:
    folder = disk.path / "deeper"
    folder.mkdir()
    (disk.path / "test_toy.py").rename(folder / "test_toy.py")
    disk.configure("pythonpath = .")
    source = (folder / "test_toy.py").read_text()
    wrapped = "SUITES = [make_suite()]\nclass TestMine(SUITES[0]):\n    pass\n"
    (folder / "test_toy.py").write_text(source.replace("TestToy = make_suite()", wrapped))

    disk.run_apart("--storage=disk").assert_outcomes(passed=2)


def test_a_failure_is_shown_saved_and_replayed(disk: Project) -> None:
    disk.write(BROKEN)

    result, report = disk.report("--storage=disk", "--storage-seed=1")

    result.assert_outcomes(failed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "notes on disk: reopen is broken in Notes.get",
            "Client 1, `before` in the test, closed all its handles; client 2, which *",
            "client 1 *├*1*┤*",
            "No order of these calls gives these outcomes on the model.*",
            "*The shortest program found (* as a test to paste:",
            "*await before.put(*)",
            "*not run: REOPEN is broken (reopen)*",
        ]
    )
    failed = report.judgements[0].checks[0].failure
    assert failed is not None
    (command,) = [line for line in failed.message.splitlines() if "--storage-replay" in line]
    arguments = shlex.split(command.strip())[1:]

    again = disk.run(*arguments)
    disk.write(CORRECT)
    mended = disk.run(*arguments)

    again.stdout.fnmatch_lines(["*: the program still fails"])
    mended.stdout.fnmatch_lines(["*: the program passes"])


def test_a_server_that_nobody_can_kill_makes_the_verdict_incomplete(disk: Project) -> None:
    disk.extend_conftest(CONFTEST + NETWORKED)

    result, report = disk.report("--storage=disk")

    result.assert_outcomes(passed=1, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    (judgement,) = report.judgements
    assert judgement.verdict == "incomplete"
    sentence = (
        "kill skipped: no server of disk was killed: nothing says how a server of it is killed and "
        "started again. Override Backend.start_killable"
    )
    result.stdout.fnmatch_lines([f"notes on disk: incomplete: {sentence}"])
    assert not report.backends["disk"].problem, "the backend itself is still there"


def test_what_does_not_survive_a_restart_is_not_asked_to(disk: Project) -> None:
    disk.extend_conftest(CONFTEST + "CAPABILITIES = []")

    result, report = disk.report("--storage=disk")

    result.assert_outcomes(skipped=2)
    assert {each.status for each in report.judgements[0].checks} == {"not applicable"}


def test_a_module_that_only_pytest_can_import_is_told_of(disk: Project) -> None:
    disk.write(
        CORRECT
        + "\nimport __main__\nwhere = getattr(__main__, '__file__', '')"
        + "\nassert 'launcher' not in where, 'only pytest'"
    )

    result, report = disk.report("--storage=disk")

    result.assert_outcomes(failed=2)
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines(
        [
            "*another process shows nothing: another process can't import *test_toy.py "
            "(AssertionError: only pytest). Let the module be imported outside of pytest too"
        ]
    )
