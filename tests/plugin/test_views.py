"""`--storage-html`, `--storage-markdown`, `--storage-badge`: files that a run writes."""

from __future__ import annotations

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

SUITE = "TestToy = toy.suite(stub=toy.MemoryNotes)"
ALL = ("--storage-html=out/page.html", "--storage-markdown=out/it.md", "--storage-badge=out/it.svg")
BEGINNINGS = {"page.html": "<!doctype html>", "it.md": "## storeproof: 1 of", "it.svg": "<svg "}


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_each_view_is_written(project: Project, workers: str) -> None:
    project.write(SUITE)
    project.configure("pythonpath = .")
    result = project.run("--storage=stub", workers, *ALL)
    assert result.ret == pytest.ExitCode.OK
    for name, beginning in BEGINNINGS.items():
        assert (project.path / "out" / name).read_text("utf-8").startswith(beginning)


def test_a_view_is_written_when_checks_fail(project: Project) -> None:
    project.write("TestToy = toy.suite(toy.StubCheck('pages', toy.Stage.PAGES, toy.fails))")
    assert project.run(*ALL).ret == pytest.ExitCode.TESTS_FAILED
    assert "it is broken" in (project.path / "out" / "page.html").read_text("utf-8")


def test_a_view_is_written_anew_but_added_to_a_job_s_summary(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write(SUITE)
    file = project.path / "summary.md"
    file.write_text("before\n", "utf-8")
    project.run("--storage=stub", f"--storage-markdown={file}")
    assert file.read_text("utf-8").startswith("## storeproof")
    file.write_text("before\n", "utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
    project.run("--storage=stub", f"--storage-markdown={file}")
    assert file.read_text("utf-8").startswith("before\n## storeproof")


@pytest.mark.parametrize("option", ["html", "markdown", "badge"])
def test_a_path_that_can_not_be_written_is_told_before_the_run(
    project: Project, option: str
) -> None:
    project.write(SUITE)
    (project.path / "taken").mkdir()
    result = project.run("--storage=stub", f"--storage-{option}=taken")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*taken: the report can't be written there: Is a directory*"])
    assert project.notes == []


def test_a_view_that_can_not_be_written_in_the_end_fails_the_run(project: Project) -> None:
    project.write("""
import pathlib

TestToy = toy.suite()

def test_in_the_way():
    pathlib.Path("page.html").mkdir()
""")
    result, report = project.report("--storage-html=page.html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*page.html: the html view can't be written: Is a directory"])
    assert report.judgements


def test_a_view_of_a_run_without_suites_says_so(project: Project) -> None:
    project.write("def test_other(): pass")
    result = project.run("--storage-html=page.html")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--storage-html=page.html was given, but no suite *"])
    assert "no suite was collected" in (project.path / "page.html").read_text("utf-8")


def test_a_replay_writes_no_view(project: Project) -> None:
    check = "toy.StubCheck('agreement', toy.Stage.AGREEMENT, toy.strips)"
    project.write(f"TestToy = toy.suite({check}, stub=toy.Stripping)")
    project.run("--storage=stub")
    (saved,) = (project.path / ".storeproof" / "programs").iterdir()
    project.run("--storage-replay", str(saved), "--storage-html=page.html")
    assert not (project.path / "page.html").exists()
