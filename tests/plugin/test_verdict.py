"""The verdict on a contract and a backend, and whether the run may pass with it."""

from __future__ import annotations

import msgspec
import pytest
from plugin_project import Project

from storeproof.harness.collected import Collected, serialized
from storeproof.harness.report import CheckResult, Status, Verdict
from storeproof.harness.verdict import accepted, judge

pytest_plugins = ["pytester"]

PASSED = CheckResult(
    suite="t.py::T",
    check="pages",
    kind="check",
    stage="PAGES",
    level="MUST",
    sentence="Pages.",
    status=Status.PASSED,
)


def with_(status: Status, level: str = "MUST", **fields: str) -> CheckResult:
    return msgspec.structs.replace(PASSED, check="x", status=status, level=level, **fields)


NOTHING_LESS = [Status.PASSED, Status.NOT_APPLICABLE]
GAPS = [
    Status.ERROR,
    Status.SKIPPED,
    Status.DESELECTED,
    Status.DROPPED,
    Status.NOT_RUN,
]


@pytest.mark.parametrize("status", NOTHING_LESS)
def test_conformant(status: Status) -> None:
    judgement = judge("c", "b", [PASSED, with_(status)])
    assert (judgement.verdict, judgement.why) == (Verdict.CONFORMANT, ())
    assert accepted(judgement, partial=False)


@pytest.mark.parametrize("status", GAPS)
def test_a_must_that_did_not_run_makes_it_incomplete(status: Status) -> None:
    judgement = judge("c", "b", [PASSED, with_(status)])
    assert judgement.verdict is Verdict.INCOMPLETE
    assert judgement.why
    assert not accepted(judgement, partial=False)
    assert accepted(judgement, partial=True) is (status is Status.DESELECTED)


@pytest.mark.parametrize("status", [*GAPS, Status.FAILED, Status.KNOWN_FAILURE])
def test_a_should_never_changes_it(status: Status) -> None:
    judgement = judge("c", "b", [PASSED, with_(status, "SHOULD")])
    assert judgement.verdict is Verdict.CONFORMANT
    assert not judgement.as_recorded


@pytest.mark.parametrize("status", [*GAPS, Status.KNOWN_FAILURE])
def test_a_failed_must_outweighs_everything(status: Status) -> None:
    judgement = judge("c", "b", [with_(Status.FAILED), with_(status)])
    assert judgement.verdict is Verdict.NON_CONFORMANT
    assert not accepted(judgement, partial=True)


def test_a_known_failure_is_accepted() -> None:
    judgement = judge("c", "b", [PASSED, with_(Status.KNOWN_FAILURE, detail="a bug of theirs")])
    assert judgement.verdict is Verdict.NON_CONFORMANT
    assert judgement.why == ("x is known to fail: a bug of theirs",)
    assert accepted(judgement, partial=False)


@pytest.mark.parametrize("status", GAPS)
def test_a_known_failure_does_not_excuse_a_gap(status: Status) -> None:
    judgement = judge("c", "b", [with_(Status.KNOWN_FAILURE), with_(status)])
    assert judgement.verdict is Verdict.INCOMPLETE
    assert not accepted(judgement, partial=False)


@pytest.mark.parametrize("status", [Status.PASSED, Status.DESELECTED])
def test_a_replacement_is_a_gap_that_a_partial_run_does_not_excuse(status: Status) -> None:
    judgement = judge("c", "b", [PASSED, with_(status, replaced="why")])
    assert judgement.verdict is Verdict.INCOMPLETE
    assert not accepted(judgement, partial=True)


def test_a_node_that_failed_once_stays_failed_when_it_is_run_again() -> None:
    collected = Collected()
    for status in (Status.PASSED, Status.FAILED, Status.PASSED):
        collected.add_serialized(serialized("b", with_(status)))
    ((backend, result),) = collected.results["t.py::T"]
    assert (backend, result.status) == ("b", Status.FAILED)


@pytest.mark.parametrize("results", [[], [with_(Status.NOT_APPLICABLE)]])
def test_zero_checks_are_incomplete(results: list[CheckResult]) -> None:
    judgement = judge("c", "b", results)
    assert (judgement.verdict, judgement.why) == (Verdict.INCOMPLETE, ("nothing was checked",))
    assert not accepted(judgement, partial=True)


def test_one_reason_for_everything_is_told_once_and_without_counts() -> None:
    skipped = with_(Status.SKIPPED, detail="no server")
    assert judge("c", "b", [skipped, skipped]).why == ("no server",)


@pytest.mark.parametrize(
    "selection",
    [
        ["-k", "not pages"],
        ["--deselect", "test_toy.py::TestToy::test_pages"],
        ["test_toy.py::TestToy::test_signature", "test_toy.py::TestToy::test_agreement"],
    ],
)
def test_deselection_makes_it_incomplete_and_only_partial_runs_accept_that(
    project: Project, selection: list[str]
) -> None:
    project.write("TestToy = toy.suite()")
    result, report = project.report(*selection)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines(
        [
            "notes on memory: incomplete: pages deselected",
            "Pass --storage-partial to accept *",
        ]
    )
    result, report = project.report(*selection, "--storage-partial")
    assert (result.ret, report.judgements[0].verdict) == (pytest.ExitCode.OK, "incomplete")


def test_a_mark_deselects_too(project: Project) -> None:
    project.write("""
import pytest

class TestToy(toy.suite()):
    @pytest.mark.skipif(False, reason="marked")
    def test_own(self):
        pass
""")
    result = project.run("-m", "skipif")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["notes on memory: incomplete: 3 checks and laws deselected"])


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("skip(reason='not today')", "not today"),
        ("usefixtures('broken')", "its setup failed: ZeroDivisionError: division by zero"),
        ("xfail(reason='sure', run=False)", "*[[]NOTRUN] sure"),
    ],
)
def test_a_mark_or_a_fixture_that_keeps_a_node_from_running_makes_it_incomplete(
    project: Project, mark: str, why: str
) -> None:
    project.write(f"""
import pytest

@pytest.fixture
def broken():
    1 / 0

@pytest.mark.{mark}
class TestToy(toy.suite(toy.PAGES)):
    pass
""")
    result, report = project.report("--storage-partial")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines([f"notes on memory: incomplete: {why}"])


def test_an_xfail_mark_hides_no_failure(project: Project) -> None:
    project.write("""
import pytest

@pytest.mark.xfail(reason="sure")
class TestToy(toy.suite(toy.StubCheck("pages", toy.Stage.PAGES, toy.fails))):
    pass
""")
    result, report = project.report()
    result.assert_outcomes(xfailed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].verdict == "non-conformant"


def test_a_run_that_stops_is_incomplete(project: Project) -> None:
    project.write("""
class TestToy(toy.suite()):
    pass

def test_before():
    assert False
""")
    first = "test_toy.py::test_before"
    result, report = project.report("-x", "--storage-partial", first, "test_toy.py::TestToy")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert report.judgements[0].why == ("the run ended before it",)


def test_no_suite_for_an_explicit_storage_is_a_failure(project: Project) -> None:
    project.write("def test_other(): pass")
    result = project.run("--storage=stub")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["--storage=stub was given, but no suite was collected. *"])
    result.assert_outcomes(passed=1)


def test_no_suite_for_a_storage_of_the_ini_file_is_none(project: Project) -> None:
    project.configure("storage = stub")
    project.write("def test_other(): pass")
    result = project.run()
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*storeproof*seed*")


def test_a_suite_without_nodes_is_a_failure(project: Project) -> None:
    project.configure("python_functions = check_*")
    project.write("TestToy = toy.suite()\ndef check_other(): pass")
    result = project.run()
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_suite_beside_a_test_that_was_named_is_left_alone(project: Project) -> None:
    project.write("TestToy = toy.suite()\ndef test_other(): pass")
    result = project.run("test_toy.py::test_other")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*incomplete*")


def test_two_contracts_of_one_name_fail_the_run(project: Project) -> None:
    project.write("""
class Others(toy.Notes, toy.Protocol):
    pass

TestToy = toy.suite()
TestOther = toy.suite_class(toy.Contract(Others, model=toy.MemoryNotes, name="notes"), toy.ALL)
""")
    result = project.run()
    result.assert_outcomes(passed=6)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        ["2 contracts are called 'notes' (of plugin_toy.Notes, test_toy.Others)*"]
    )


def test_a_law_that_needs_what_the_backend_does_not_declare_is_not_applicable(
    project: Project,
) -> None:
    project.write("""
from storeproof.harness.backends.base import Capability

@law("TOY-001", MUST, needs=frozenset({Capability.SURVIVES_RESTART}))
async def it_stays(storage):
    '''It stays.'''
    assert False

TestToy = toy.suite(laws=[it_stays])
""")
    result, report = project.report()
    assert (result.ret, report.judgements[0].verdict) == (pytest.ExitCode.OK, "conformant")
    law = next(each for each in report.judgements[0].checks if each.kind == "law")
    assert (law.status, law.detail) == (
        "not applicable",
        "memory does not declare survives_restart",
    )
