"""Bad input ends the run with one sentence before any test, and with exit code 4."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

TOY = """
toy.note("collected")
TestToy = toy.suite(stub=toy.MemoryNotes)
"""
ENTRY = {"contract": "notes", "backend": "memory", "check": "pages", "reason": "why"}


def toml(**entry: str) -> str:
    return "[[known]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in entry.items())


def refused(project: Project, sentence: str, *arguments: str) -> None:
    project.write(TOY)
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert "Traceback" not in result.stderr.str()
    assert "test session starts" not in result.stdout.str()
    assert project.notes == []


def test_an_unknown_backend(project: Project) -> None:
    sentence = "no backend is called 'mysql'; known: memory, other, postgres, sqlite, stub. *"
    refused(project, sentence, "--storage=memory,mysql")


def test_an_unknown_backend_in_the_ini_file(project: Project) -> None:
    project.configure("storage = mysql")
    refused(project, "no backend is called 'mysql'*")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "it can't be read: No such file or directory"),
        ("known = 1 2", "it is not TOML: *"),
        ("[[knwon]]", "Object contains unknown field `knwon`. *"),
        (toml(**{**ENTRY, "reason": " "}), "Expected `str` matching regex *known[[]0].reason`. *"),
        (toml(contract="notes", backend="b", check="c"), "*missing required field `reason`*"),
        (toml(**ENTRY, extra="x"), "*unknown field `extra`*"),
        (toml(**ENTRY, program="p.json"), "*p.json can't be replayed: No such file *"),
    ],
)
@pytest.mark.parametrize("ini", [True, False])
def test_a_bad_file_of_known_failures(
    project: Project, content: str | None, problem: str, ini: bool
) -> None:
    if content is not None:
        (project.path / "known.toml").write_text(content)
    if ini:
        project.configure("storage_known_failures = known.toml")
    arguments = [] if ini else ["--storage-known-failures=known.toml"]
    refused(project, f"*known.toml: {problem}", *arguments)


@pytest.mark.parametrize("given", ["toy.StubBackend('one')", "['one']"])
def test_a_hook_that_gives_no_backends(project: Project, given: str) -> None:
    project.extend_conftest(f"def pytest_storeproof_backends(config):\n    return {given}")
    refused(
        project,
        "pytest_storeproof_backends gave *. The hook gives a list of backends",
        "--storage=all",
    )


CONTRACT = """
from storeproof.harness.contract import Contract

contract = Contract(toy.Notes, model=toy.MemoryNotes, refs={"lost": "Note.id"})
"""


@pytest.mark.parametrize("arguments", [[], ["-n1"]])
def test_a_contract_that_can_not_be_derived(project: Project, arguments: list[str]) -> None:
    project.write(CONTRACT, "contracts")
    project.write("from contracts import contract")
    result = project.run(*arguments)
    assert result.ret in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.TESTS_FAILED)
    result.stdout.fnmatch_lines(
        [
            "test_toy.py:*: in <module>",
            "    from contracts import contract",
            "contracts.py:*: in <module>",
            "    contract = Contract(toy.Notes, *",
            "E *ContractError: Contract(Notes): there is no parameter 'lost'. *",
        ]
    )
    result.stdout.no_fnmatch_line("*contract.py:*: in *")


@pytest.mark.parametrize("path", [".", "plugin_toy.py/report.json", "/proc/report.json"])
def test_a_report_that_can_not_be_written(project: Project, path: str) -> None:
    refused(project, "*: the report can't be written there: *", f"--storage-report={path}")


def test_probing_the_report_leaves_nothing_behind(project: Project) -> None:
    project.write(TOY)
    project.run("--storage-report=new/report.json", "--collect-only")
    assert not (project.path / "new" / "report.json").exists()


def test_probing_keeps_an_older_report(project: Project) -> None:
    project.write(TOY)
    (project.path / "report.json").write_text("old")
    project.run("--storage-report=report.json", "--collect-only")
    assert (project.path / "report.json").read_text() == "old"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"{", "it is not JSON (*)"),
        (b"\xff\x00", "it is not JSON (*)"),
        (b"[]", "it is not a program that storeproof saved"),
        (b'{"contract": "notes"}', "it is not a program that storeproof saved"),
        (b'{"steps": []}', "it does not say which contract, backend and check it breaks"),
    ],
)
def test_a_corrupt_replay_file(project: Project, content: bytes | None, problem: str) -> None:
    if content is not None:
        Path(project.path, "replay.json").write_bytes(content)
    sentence = f"*replay.json can't be replayed: {problem}"
    refused(project, sentence, "--storage-replay=replay.json")


@pytest.mark.parametrize("arguments", [["--storage-profile=huge"], ["--storage-seed=x"]])
def test_options_of_the_wrong_kind(project: Project, arguments: list[str]) -> None:
    project.write(TOY)
    result = project.run(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
