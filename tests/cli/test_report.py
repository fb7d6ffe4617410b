"""`storeproof report` and `storeproof compare`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result
from views.reports import EVERYTHING, NOTHING, report_of, result

from storeproof.cli.errors import ExitCode
from storeproof.harness.report import CheckResult, Report, Status, save
from storeproof.harness.verdict import judge

Run = Callable[..., Result]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Report], str]:
    """Writes a report; gives its path."""

    def write(name: str, report: Report) -> str:
        save(report, tmp_path / name)
        return str(tmp_path / name)

    return write


def test_a_report_is_shown_in_the_terminal(run: Run, written: Any) -> None:
    shown = run("report", written("r.json", EVERYTHING))

    assert shown.exit_code == ExitCode.DONE
    assert shown.output.startswith("storeproof: profile quick, seed 7\ncontract  backend  verdict")


def test_views_of_a_report_are_written(run: Run, written: Any, tmp_path: Path) -> None:
    path = written("r.json", EVERYTHING)
    page, text, badge = (tmp_path / name for name in ("r.html", "r.md", "r.svg"))

    shown = run("report", path, f"--html={page}", f"--markdown={text}", f"--badge={badge}")

    assert (shown.exit_code, shown.output) == (ExitCode.DONE, "")
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert text.read_text("utf-8").startswith("## storeproof")
    assert badge.read_text("utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    "arguments", [("report", "lost.json"), ("compare", "lost.json", "no.json")]
)
def test_a_file_that_is_no_report_is_told(run: Run, arguments: tuple[str, ...]) -> None:
    shown = run(*arguments)

    assert shown.exit_code == ExitCode.UNUSABLE
    assert shown.output == (
        "storeproof: lost.json: the report can't be read: No such file or directory\n"
    )


def names(*results: CheckResult, backend: str = "sqlite", **given: Any) -> Report:
    return report_of(judge("names", backend, list(results)), **given)


def checked(status: Status, **given: Any) -> CheckResult:
    return result("pages", status, **given)


PASSED, FAILED = checked(Status.PASSED), checked(Status.FAILED)


@pytest.mark.parametrize(
    ("old", "new", "code", "told"),
    [
        (PASSED, PASSED, 0, "nothing changed"),
        (FAILED, FAILED, 0, "nothing changed"),
        (PASSED, FAILED, 1, "broke: names on sqlite: pages (passed -> failed)"),
        (FAILED, PASSED, 0, "mended: names on sqlite: pages (failed -> passed)"),
        (
            PASSED,
            checked(Status.KNOWN_FAILURE),
            1,
            "broke: names on sqlite: pages (passed -> known failure)",
        ),
        (FAILED, checked(Status.KNOWN_FAILURE), 0, None),
        (
            PASSED,
            checked(Status.SKIPPED),
            1,
            "no longer tried: names on sqlite: pages (passed -> skipped)",
        ),
        (
            FAILED,
            checked(Status.DROPPED),
            1,
            "no longer tried: names on sqlite: pages (failed -> dropped)",
        ),
        (
            PASSED,
            checked(Status.PASSED, replaced="slow"),
            1,
            "no longer tried: names on sqlite: pages (passed -> replaced)",
        ),
        (checked(Status.NOT_RUN), FAILED, 0, "new: names on sqlite: pages (not run -> failed)"),
        (
            checked(Status.PASSED, level="SHOULD"),
            checked(Status.FAILED, level="SHOULD"),
            0,
            "broke: names on sqlite: pages (SHOULD) (passed -> failed)",
        ),
    ],
)
def test_what_became_of_a_check(  # noqa: PLR0917 - the table's columns
    run: Run, written: Any, old: CheckResult, new: CheckResult, code: int, told: str | None
) -> None:
    shown = run("compare", written("old.json", names(old)), written("new.json", names(new)))

    assert shown.exit_code == code
    if told is not None:
        assert shown.output.splitlines()[-1] == told


def test_what_is_new_and_what_is_gone(run: Run, written: Any) -> None:
    old = names(PASSED, result("NAM-001", Status.PASSED))
    new = report_of(
        judge("names", "sqlite", [PASSED, result("NAM-002", Status.FAILED)]),
        judge("names", "redis", [PASSED]),
    )

    shown = run("compare", written("old.json", old), written("new.json", new))

    assert shown.exit_code == ExitCode.DONE
    assert shown.output.splitlines() == [
        "verdict: names on sqlite (conformant -> non-conformant)",
        "new: names on sqlite: NAM-002 (failed)",
        "new: names on redis (conformant)",
        "gone: names on sqlite: NAM-001 (passed)",
    ]
    assert run("compare", "--help").exit_code == ExitCode.DONE


def test_a_backend_that_is_gone_and_another_profile_are_told(run: Run, written: Any) -> None:
    old, new = (
        written("old.json", names(PASSED)),
        written("new.json", names(PASSED, backend="redis", profile="full")),
    )

    assert run("compare", old, new).output.splitlines() == [
        "profile: quick -> full: not as much was tried in both",
        "new: names on redis (conformant)",
        "gone: names on sqlite (conformant)",
    ]


def test_of_several_suites_the_worst_counts(run: Run, written: Any) -> None:
    other = checked(Status.FAILED, suite="test_names.py::TestOther")
    old, new = written("old.json", names(PASSED, PASSED)), written("new.json", names(PASSED, other))

    for pair, code in (((old, new), 1), ((new, old), 0)):
        assert run("compare", *pair).exit_code == code


def test_nothing_is_compared_with_nothing(run: Run, written: Any) -> None:
    path = written("r.json", NOTHING)

    assert run("compare", path, path).output == "nothing changed\n"
