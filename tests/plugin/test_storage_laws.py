"""`--storage-laws`: laws that are later than a version run, and change no verdict."""

from __future__ import annotations

import pytest
from plugin_project import Project

from storeproof.harness.exceptions import HarnessError
from storeproof.harness.law import MUST, law
from storeproof.harness.report import CheckResult, Report, Status
from storeproof.harness.requirements import is_later, version

pytest_plugins = ["pytester"]

LAWS = """
@law("TOY-001", MUST, since="1.0")
async def holds(storage):
    '''A text is kept.'''
    await storage.put("a", "b")
    assert await storage.get("a") == "b"

@law("TOY-002", MUST, since="1.2")
async def keeps_spaces(storage):
    '''White space is kept.'''
    await storage.put("a", " ")
    assert await storage.get("a") == " "

@law("TOY-003", MUST, since="1.10")
async def keeps_lines(storage):
    '''Ends of lines are kept.'''
    await storage.put("a", "b\\n")
    assert await storage.get("a") == "b\\n"

TestToy = toy.suite(laws=[holds, keeps_spaces, keeps_lines], stub=toy.Stripping)
"""


def laws(report: Report) -> dict[str, tuple[Status, bool]]:
    [judgement] = report.judgements
    results: list[CheckResult] = [each for each in judgement.checks if each.kind == "law"]
    return {each.check: (each.status, each.scored) for each in results}


def test_all_laws_count_unless_a_run_is_pinned(project: Project) -> None:
    project.write(LAWS)
    run, report = project.report("--storage=stub")

    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "non-conformant"
    assert report.laws == ""
    assert laws(report)["TOY-002"] == (Status.FAILED, True)
    run.stdout.no_fnmatch_line("*without scoring*")


@pytest.mark.parametrize("workers", [[], ["-n1"]])
def test_later_laws_run_without_scoring(project: Project, workers: list[str]) -> None:
    project.write(LAWS)
    run, report = project.report("--storage=stub", "--storage-laws=1.0", *workers)

    assert run.ret == pytest.ExitCode.OK
    assert report.judgements[0].verdict == "conformant"
    assert (report.laws, report.passed) == ("1.0", True)
    assert laws(report) == {
        "TOY-001": (Status.PASSED, True),
        "TOY-002": (Status.FAILED, False),
        "TOY-003": (Status.FAILED, False),
    }
    assert "--storage-laws=1.0" in report.command
    run.assert_outcomes(passed=4, xfailed=2)
    run.stdout.fnmatch_lines(
        [
            "notes * conformant *3/3 * 1/1 *",
            "notes on stub: 2 laws later than 1.0 ran without scoring; TOY-002, TOY-003 failed",
        ]
    )


def test_1_10_is_later_than_1_2(project: Project) -> None:
    project.write(LAWS)
    project.configure("storage_laws = 1.2")
    run, report = project.report("--storage=stub")

    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert laws(report) == {
        "TOY-001": (Status.PASSED, True),
        "TOY-002": (Status.FAILED, True),
        "TOY-003": (Status.FAILED, False),
    }


def test_the_command_line_goes_before_the_ini_file(project: Project) -> None:
    project.write(LAWS)
    project.configure("storage_laws = 1.10")

    assert project.run("--storage=stub", "--storage-laws=1.0").ret == pytest.ExitCode.OK
    assert project.run("--storage=stub").ret == pytest.ExitCode.TESTS_FAILED


def test_a_later_law_that_is_deselected_is_no_gap(project: Project) -> None:
    project.write(LAWS)
    run, report = project.report("--storage=stub", "--storage-laws=1.0", "-k", "not keeps")

    assert run.ret == pytest.ExitCode.OK
    assert laws(report)["TOY-003"] == (Status.DESELECTED, False)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            "2.0",
            "ERROR: --storage-laws: no law was introduced in version '2.0'. Give one of those that "
            "were collected (1.0, 1.2, 1.10), or leave the option out",
        ),
        ("new", "ERROR: --storage-laws: 'new' is no version. Give one such as 1.0"),
    ],
)
def test_an_unknown_version_is_told(project: Project, given: str, sentence: str) -> None:
    project.write(LAWS)
    run = project.run("--storage=stub", f"--storage-laws={given}")

    assert run.ret == pytest.ExitCode.USAGE_ERROR
    assert sentence in [line.strip() for line in run.errlines]
    assert project.notes == []


def test_an_unknown_version_fails_a_run_with_workers(project: Project) -> None:
    project.write(LAWS)
    run = project.run("--storage=stub", "--storage-laws=2.0", "-n1")

    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["--storage-laws: no law was introduced in version '2.0'. *"])


def test_a_suite_without_laws_is_not_asked_for_a_version(project: Project) -> None:
    project.write("TestToy = toy.suite(stub=toy.MemoryNotes)")
    assert project.run("--storage=stub", "--storage-laws=2.0").ret == pytest.ExitCode.OK


def test_versions_are_numbers() -> None:
    assert is_later("1.10", "1.9")
    assert not is_later("1.0", "1.0")
    assert not is_later("", "1.0")
    with pytest.raises(HarnessError, match=r"'1\.x' is no version"):
        version("1.x")
    with pytest.raises(ValueError, match="law X-1 is since 'soon'"):
        law("X-1", MUST, since="soon")(test_versions_are_numbers)  # type: ignore[arg-type]
