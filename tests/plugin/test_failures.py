"""How a failure is shown, and that its program is saved and replayed."""

from __future__ import annotations

import json
import shlex

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

STRIPS = """
CHECK = toy.StubCheck("agreement", toy.Stage.AGREEMENT, toy.strips)
TestToy = toy.suite(CHECK, toy.SIGNATURE, stub=toy.{}, other=toy.MemoryNotes)
"""


def test_a_check_shows_its_message_and_nothing_of_ours(project: Project) -> None:
    project.write("TestToy = toy.suite(toy.StubCheck('pages', toy.Stage.PAGES, toy.fails))")
    result = project.run("-ra")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*TestToy.test_pages[[]memory]*", "it is broken", "FAILED * - Failed: it is broken"]
    )
    for ours in ("*suite.py*", "*proving.py*", "*raceback*", "*raise *"):
        result.stdout.no_fnmatch_line(ours)


LAW = """
async def kept(storage, text):
    await storage.put("a", text)
    assert await storage.get("a") == text

@law("TOY-001", MUST)
async def spaces_are_kept(storage):
    '''White space
    is kept.'''
    {}

TestToy = toy.suite(toy.SIGNATURE, laws=[spaces_are_kept], stub=toy.Stripping)
"""


def test_a_law_shows_its_sentence_and_its_rewritten_assertion(project: Project) -> None:
    project.write(LAW.format("await kept(storage, ' b ')"))
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "TOY-001 (MUST) on stub: White space is kept.",
            ">   *await kept(storage, ' b ')",
            "E * assert 'b' == ' b '",
            "test_toy.py:*: AssertionError",
        ]
    )
    for ours in ("*law_check.py*", "*proving.py*", "*runners.py*"):
        result.stdout.no_fnmatch_line(ours)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("await storage.lost()", "E *AttributeError: 'Stripping' object has no attribute 'lost'*"),
        ("import pytest; pytest.fail('not so')", "E *Failed: not so"),
        ("import asyncio; raise asyncio.CancelledError", "E *asyncio.exceptions.CancelledError"),
        ("raise toy.CheckFailed('plainly')", "plainly"),
    ],
)
def test_whatever_a_law_raises_is_its_failure(project: Project, body: str, line: str) -> None:
    project.write(LAW.format(body))
    result, report = project.report("--storage=stub")
    assert report.judgements[0].verdict == "non-conformant"
    result.stdout.fnmatch_lines(["TOY-001 (MUST) on stub: White space is kept.", line])


def test_a_law_that_skips_itself_is_not_passed(project: Project) -> None:
    project.write(LAW.format("import pytest; pytest.skip('not here')"))
    result, report = project.report("--storage=stub")
    result.assert_outcomes(passed=1, skipped=1)
    assert report.judgements[0].why == ("TOY-001 skipped: not here",)


def test_each_law_gets_a_fresh_storage(project: Project) -> None:
    project.write("""
@law("TOY-001", MUST)
async def first(storage):
    '''Nothing is there before.'''
    assert storage.texts == {}
    await storage.put("a", "b")

@law("TOY-002", MUST)
async def second_one(storage):
    '''Nothing is there before.'''
    assert storage.texts == {}
    await storage.put("a", "b")

TestToy = toy.suite(laws=[first, second_one])
""")
    project.run().assert_outcomes(passed=5)


def test_the_program_is_saved_and_the_command_replays_it(project: Project) -> None:
    project.write(STRIPS.format("Stripping"))
    result, report = project.report("--storage=stub")
    result.stdout.fnmatch_lines(["white space is dropped", "The program is saved. *"])
    (line,) = [each.strip() for each in result.outlines if each.startswith("    pytest ")]
    (saved,) = (project.path / ".storeproof" / "programs").iterdir()
    assert saved.name.startswith("notes-stub-agreement-")
    failure = report.judgements[0].checks[1].failure
    assert failure is not None
    assert failure.saved == f".storeproof/programs/{saved.name}"
    assert failure.program == json.loads(saved.read_text())
    again = project.run(*shlex.split(line)[1:])
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines([f"*{saved.name} on stub: the program still fails"])
    again.stdout.no_fnmatch_line("The program is saved*")
    again.stdout.no_fnmatch_line("*incomplete*")


def test_the_summary_holds_one_line_a_failure_on_ci_too(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    project.write(STRIPS.format("Stripping"))
    result, _ = project.report("--storage=stub")
    result.stdout.fnmatch_lines(
        [
            "The program is saved. To run it again:",
            "*short test summary*",
            "FAILED *test_agreement* - Failed: white space is dropped",
            "=*1 failed, 1 passed*",
        ],
    )
    assert result.stdout.str().count("The program is saved") == 1


def saved_program(project: Project) -> str:
    project.write(STRIPS.format("Stripping"))
    project.run("--storage=stub")
    (saved,) = (project.path / ".storeproof" / "programs").iterdir()
    return str(saved.relative_to(project.path))


def test_a_replay_takes_the_backend_of_the_file_and_deselects_the_rest(project: Project) -> None:
    saved = saved_program(project)
    project.configure("storage = memory")
    project.write("def test_other(): assert False", "test_other")
    result = project.run("--storage-replay", saved)
    result.assert_outcomes(failed=1, deselected=2)
    result.stdout.fnmatch_lines(["*::test_agreement[[]stub]*"])


def test_a_replay_of_a_mended_storage_passes(project: Project) -> None:
    saved = saved_program(project)
    project.write(STRIPS.format("MemoryNotes"))
    result = project.run("--storage-replay", saved)
    result.assert_outcomes(passed=1, deselected=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"*{saved} on stub: the program passes"])


def test_a_replay_on_another_backend(project: Project) -> None:
    saved = saved_program(project)
    result = project.run("--storage-replay", saved, "--storage=other,stub")
    result.assert_outcomes(passed=1, failed=1, deselected=2)


def test_a_replay_that_matches_no_suite_fails(project: Project) -> None:
    saved = saved_program(project)
    project.write("def test_other(): pass")
    result = project.run("--storage-replay", saved)
    assert result.ret != pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*was not replayed: no suite that was collected has a contract *"])


def test_a_replay_that_can_not_run_fails(project: Project) -> None:
    saved = saved_program(project)
    project.write(STRIPS.format("Stripping").replace(", other=toy.MemoryNotes", ""))
    result = project.run("--storage-replay", saved, "--storage=other")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*was not replayed on other: Contract(notes): nothing says*"])


def test_a_replay_that_does_not_fit_the_contract_is_refused(project: Project) -> None:
    saved = saved_program(project)
    file = project.path / saved
    file.write_text(file.read_text().replace('"put"', '"push"'))
    result = project.run("--storage-replay", saved)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: *can't be replayed: notes has no operation 'push'"])
    result.assert_outcomes()


def test_a_replay_runs_after_a_broken_stage_too(project: Project) -> None:
    saved = saved_program(project)
    project.write(
        STRIPS.format("Stripping").replace(
            "toy.SIGNATURE", "toy.StubCheck('signature', toy.Stage.SIGNATURE, toy.fails)"
        )
    )
    project.run("--storage-replay", saved).assert_outcomes(failed=1, deselected=1)


def test_a_program_that_can_not_be_saved_is_told_of(project: Project) -> None:
    (project.path / ".storeproof").write_text("a file is in the way")
    project.write(STRIPS.format("Stripping"))
    result = project.run("--storage=stub")
    result.stdout.fnmatch_lines(["white space is dropped", "The program was not saved: *"])
