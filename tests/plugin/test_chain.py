"""A broken stage stops the later ones of its contract and backend, and nothing else."""

from __future__ import annotations

import pytest
from plugin_project import Project

from storeproof.harness.report import Judgement

pytest_plugins = ["pytester"]

TWO_LAWS = """
@law("TOY-001", MUST)
async def first(storage):
    '''The first.'''
    assert type(storage) is toy.MemoryNotes

@law("TOY-002", MUST)
async def second_one(storage):
    '''The second.'''
    assert type(storage) is toy.MemoryNotes
"""


def statuses(judgement: Judgement) -> dict[str, str]:
    return {each.check: str(each.status) for each in judgement.checks}


def test_later_stages_are_not_run_but_every_law_is(project: Project) -> None:
    project.write(TWO_LAWS + "TestToy = toy.suite(laws=[first, second_one], stub=toy.Stripping)")
    result, report = project.report("--storage=stub", "-rs")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert statuses(report.judgements[0]) == {
        "signature": "passed",
        "TOY-001": "failed",
        "TOY-002": "failed",
        "agreement": "not run",
        "pages": "not run",
    }
    sentence = "not run: LAWS is broken (TOY-001, TOY-002)"
    assert report.judgements[0].why == (
        "TOY-001 failed: The first.",
        "TOY-002 failed: The second.",
        f"2 checks and laws {sentence}",
    )
    result.stdout.fnmatch_lines([f"SKIPPED [[]2] test_toy.py:1: {sentence}"])
    assert project.notes.count("agreement on stub") == 0


def test_other_backends_and_contracts_go_on(project: Project) -> None:
    project.write(
        TWO_LAWS
        + "TestToy = toy.suite(laws=[first], stub=toy.Stripping)\n"
        + "TestOther = toy.suite(name='others', stub=toy.MemoryNotes)"
    )
    _, report = project.report("--storage=stub,memory")
    verdicts = {(each.contract, each.backend): str(each.verdict) for each in report.judgements}
    assert verdicts == {
        ("notes", "stub"): "non-conformant",
        ("notes", "memory"): "conformant",
        ("others", "stub"): "conformant",
        ("others", "memory"): "conformant",
    }


def test_a_should_that_fails_breaks_nothing_and_is_told(project: Project) -> None:
    project.write(
        TWO_LAWS.replace("MUST", "SHOULD") + "TestToy = toy.suite(laws=[first], stub=toy.Stripping)"
    )
    result, report = project.report("--storage=stub")
    result.assert_outcomes(passed=3, xfailed=1)
    assert result.ret == pytest.ExitCode.OK
    assert report.judgements[0].verdict == "conformant"
    assert statuses(report.judgements[0])["TOY-001"] == "failed"
    result.stdout.fnmatch_lines(["notes on stub: conformant: TOY-001 (SHOULD) failed: The first."])


def test_nodes_out_of_order_know_only_what_ran_before(project: Project) -> None:
    project.write(
        "TestToy = toy.suite(toy.StubCheck('signature', toy.Stage.SIGNATURE, toy.fails), toy.PAGES)"
    )
    nodes = [f"test_toy.py::TestToy::test_{name}[memory]" for name in ("pages", "signature")]
    project.extend_conftest("""
@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session):
    session.items.reverse()
""")
    result = project.run(*nodes)
    result.assert_outcomes(passed=1, failed=1)


def test_a_check_that_could_not_be_carried_out_stops_nothing(project: Project) -> None:
    project.write("""
def bug(context):
    raise RuntimeError("unforeseen")

TestToy = toy.suite(toy.StubCheck("signature", toy.Stage.SIGNATURE, bug), toy.PAGES)
""")
    result, report = project.report()
    result.assert_outcomes(passed=1, failed=1)
    assert report.judgements[0].verdict == "incomplete"
    assert report.judgements[0].why == (
        "signature could not be carried out: RuntimeError: unforeseen",
    )
    result.stdout.fnmatch_lines(["E *RuntimeError: unforeseen"])


def test_a_check_that_shows_nothing_is_a_failure_with_its_sentence_only(project: Project) -> None:
    project.write("""
from storeproof.harness.exceptions import Inconclusive

def nothing(context):
    raise Inconclusive("pages", "no page was ever full", "Give arguments")

TestToy = toy.suite(toy.StubCheck("pages", toy.Stage.PAGES, nothing), toy.SIGNATURE)
""")
    result, report = project.report()
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines(["pages shows nothing: no page was ever full. Give arguments"])
    result.stdout.no_fnmatch_line("*proving.py*")
