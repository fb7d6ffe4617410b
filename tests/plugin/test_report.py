"""The report: written and read again, and what it says of a run."""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec
import pytest
from plugin_project import Project

from storeproof.harness.exceptions import ReportError
from storeproof.harness.profiles import PROFILES
from storeproof.harness.report import (
    BackendInfo,
    CheckResult,
    Failure,
    Judgement,
    Report,
    Status,
    Verdict,
    load,
    save,
)
from storeproof.harness.summary import lines

pytest_plugins = ["pytester"]

FULL = PROFILES["full"]

REPORT = Report(
    started_at=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    seconds=1.25,
    passed=False,
    partial=True,
    profile="quick",
    programs=60,
    steps=12,
    seed=2**40,
    versions={"python": "3.11.7"},
    backends={"b": BackendInfo(description="B 1", version="1", capabilities=("networked",))},
    problems=("a sentence",),
    judgements=(
        Judgement(
            contract="notes",
            backend="b",
            verdict=Verdict.NON_CONFORMANT,
            as_recorded=False,
            only_deselected=False,
            why=("x failed",),
            checks=(
                CheckResult(
                    suite="t.py::T",
                    check="x",
                    kind="check",
                    stage="PAGES",
                    level="MUST",
                    sentence="X.",
                    status=Status.FAILED,
                    programs=3,
                    operations=9,
                    seconds=0.5,
                    failure=Failure(message="lone \ud800, é", program={"steps": [1, "\ud800"]}),
                ),
            ),
        ),
    ),
)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    save(REPORT, tmp_path / "r.json")
    assert load(tmp_path / "r.json") == REPORT


def test_a_report_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="the report can't be written"):
        save(REPORT, tmp_path / "lost" / "r.json")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read"),
        ("{", "is not a report"),
        ("{}", "is not a report"),
        ("format", "its format is 'storeproof-report/2'"),
    ],
)
def test_a_report_that_can_not_be_read(tmp_path: Path, content: str | None, problem: str) -> None:
    path = tmp_path / "r.json"
    if content == "format":
        save(REPORT, path)
        path.write_text(path.read_text().replace("storeproof-report/1", "storeproof-report/2"))
    elif content is not None:
        path.write_text(content)
    with pytest.raises(ReportError, match=problem):
        load(path)


SUITE = """
CHECK = toy.StubCheck("agreement", toy.Stage.AGREEMENT, toy.strips)
TestToy = toy.suite(CHECK, toy.SIGNATURE, toy.PAGES, stub=toy.Stripping)
"""


def test_what_a_run_reports(project: Project) -> None:
    project.write(SUITE)
    result, report = project.report(
        "--storage=memory,stub", "--storage-seed=7", "--storage-profile=full"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not report.passed
    assert (report.seed, report.profile) == (7, "full")
    assert (report.programs, report.steps) == (FULL.programs, FULL.steps)
    assert report.versions["pytest"] == metadata.version("pytest")
    assert {"storeproof", "python", "hypothesis", "sqlalchemy"} <= set(report.versions)
    assert report.backends["stub"] == BackendInfo(description="Stub 1.2 of stub", version="1.2")
    memory, stub = report.judgements
    assert (memory.contract, memory.backend, memory.verdict) == ("notes", "memory", "conformant")
    assert (stub.backend, stub.verdict) == ("stub", "non-conformant")
    assert [(each.check, str(each.status)) for each in stub.checks] == [
        ("signature", "passed"),
        ("agreement", "failed"),
        ("pages", "not run"),
    ]
    agreement = stub.checks[1]
    assert agreement.suite == "test_toy.py::TestToy"
    assert (agreement.kind, agreement.level, agreement.stage) == ("check", "MUST", "AGREEMENT")
    assert (agreement.programs, agreement.operations) == (1, 2)
    assert agreement.seconds > 0
    assert agreement.failure is not None
    assert agreement.failure.message.startswith("white space is dropped")
    assert "seed 7" in project.notes[1]
    assert "'full'" in project.notes[1]


def test_a_report_gives_the_command_that_repeats_the_run(project: Project) -> None:
    project.write(SUITE)
    url = "--storage-postgres-url=postgresql://me:secret-password@nowhere/it"
    _, report = project.report("test_toy.py", "-k", "toy and not x", "--storage=memory,stub", url)

    words = shlex.split(report.command)
    assert words == [
        "pytest",
        "test_toy.py",
        "-k",
        "toy and not x",
        "--storage=memory,stub",
        "--storage-profile=quick",
        f"--storage-seed={report.seed}",
    ]
    _, again = project.report(*words[1:])
    assert [each.verdict for each in again.judgements] == ["conformant", "non-conformant"]
    assert again.command == report.command


def test_a_report_holds_no_password(project: Project) -> None:
    project.write(SUITE)
    result = project.run("--storage=stub", "--storage-report=report.json")
    text = (project.path / "report.json").read_text() + result.stdout.str()
    assert "secret-password" not in text


def test_the_summary(project: Project) -> None:
    project.write(SUITE)
    result = project.run("--storage=memory,stub", "--storage-seed=7")
    result.stdout.re_match_lines(
        [
            r"=+ storeproof: profile quick, seed 7 =+",
            r"contract  backend  verdict         checks  laws  programs  operations  seconds$",
            r"notes     memory   conformant         3/3   0/0         3           6     \d\.\d\d$",
            r"notes     stub     non-conformant     1/3   0/0         2           4     \d\.\d\d$",
            r"notes on stub: non-conformant: agreement failed: The sentence of agreement\.; "
            r"pages not run: AGREEMENT is broken \(agreement\)$",
        ],
        consecutive=True,
    )


def test_a_random_seed_is_printed_and_reported(project: Project) -> None:
    project.write("TestToy = toy.suite()")
    result, report = project.report()
    assert f"seed {report.seed}" in result.stdout.str()
    _, other = project.report()
    assert other.seed != report.seed


def test_a_report_of_a_run_without_suites_says_so(project: Project) -> None:
    project.write("def test_other(): pass")
    result, report = project.report()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert not report.passed
    assert report.judgements == ()
    assert "no suite was collected" in report.problems[0]


def test_a_report_that_can_not_be_written_in_the_end_fails_the_run(project: Project) -> None:
    project.write("""
import pathlib

TestToy = toy.suite()

def test_in_the_way():
    pathlib.Path("report.json").mkdir()
""")
    result = project.run("--storage-report=report.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*report.json: the report can't be written: Is a directory"])


def test_the_report_is_plain_json(project: Project) -> None:
    project.write(SUITE)
    project.run("--storage-report=report.json")
    data = json.loads((project.path / "report.json").read_text("ascii"))
    assert data["format"] == "storeproof-report/1"


@pytest.mark.parametrize(("status", "told"), [(Status.PASSED, True), (Status.FAILED, False)])
def test_operations_that_never_succeeded_are_named(status: Status, told: bool) -> None:
    judgement = REPORT.judgements[0]
    check = msgspec.structs.replace(
        judgement.checks[0], status=status, calls={"get": (3, 0), "put": (2, 2), "drop": (0, 0)}
    )
    judged = msgspec.structs.replace(judgement, checks=(check,))
    found = lines(msgspec.structs.replace(REPORT, judgements=(judged,)))
    sentence = "notes on b: only errors were compared of get, drop: no call succeeded"
    assert (sentence in found) is told


@pytest.mark.parametrize(
    ("check", "untried", "told"),
    [
        (
            "cancellation",
            ("get",),
            "cancellation left out get: no call was found that succeeds and waits for anything",
        ),
        (
            "cancellation",
            ("get", "put"),
            "cancellation had nothing to cancel: no call waits for anything",
        ),
        ("kill", ("get", "put"), "kill left out every operation: no call was found that succeeds"),
    ],
)
def test_operations_that_a_check_left_out_are_named(
    check: str, untried: tuple[str, ...], told: str
) -> None:
    judgement = REPORT.judgements[0]
    passed = msgspec.structs.replace(judgement.checks[0], status=Status.PASSED)
    checks = (
        msgspec.structs.replace(passed, check="agreement", calls={"get": (3, 3), "put": (2, 2)}),
        msgspec.structs.replace(passed, check=check, untried=untried),
    )
    judged = msgspec.structs.replace(judgement, checks=checks)
    found = lines(msgspec.structs.replace(REPORT, judgements=(judged,)))
    assert f"notes on b: {told}" in found
