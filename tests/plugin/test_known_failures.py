"""Known failures are strict: what an entry records must still fail."""

from __future__ import annotations

import json

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]

SUITE = """
@law("TOY-001", MUST)
async def spaces_are_kept(storage):
    '''White space is kept.'''
    await storage.put("a", " b ")
    assert await storage.get("a") == " b "

CHECK = toy.StubCheck("agreement", toy.Stage.AGREEMENT, toy.strips)
TestToy = toy.suite(CHECK, toy.SIGNATURE, toy.PAGES, laws=[{laws}], stub=toy.{storage})
"""
CHECK_ONLY = SUITE.replace("{laws}", "")
WITH_LAW = SUITE.replace("{laws}", "spaces_are_kept")


def program(text: str) -> str:
    call = {"operation": "put", "arguments": {"key": "a", "text": text}}
    data = {"format": "storeproof-program/1", "scribbling": False, "steps": [{"call": call}]}
    return json.dumps(data)


def record(project: Project, *entries: dict[str, str | list[str]]) -> None:
    """Write an ini option and a file with these entries, of the backend stub unless they say."""
    lines = []
    for entry in entries:
        whole = {"contract": "notes", "backend": "stub", "reason": "they strip", **entry}
        lines += ["[[known]]", *(f"{key} = {json.dumps(value)}" for key, value in whole.items())]
    (project.path / "known").mkdir(exist_ok=True)
    (project.path / "known" / "toy.toml").write_text("\n".join(lines))
    (project.path / "known" / "spaces.json").write_text(program(" b "))
    (project.path / "known" / "plain.json").write_text(program("b"))
    project.configure("storage_known_failures = known/toy.toml")


def test_a_known_failure_is_xfailed_and_the_run_passes(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": "agreement", "program": "spaces.json"})
    result, report = project.report("--storage=stub", "-rx")
    result.assert_outcomes(passed=2, xfailed=1)
    assert result.ret == pytest.ExitCode.OK
    judgement = report.judgements[0]
    assert (judgement.verdict, judgement.as_recorded) == ("non-conformant", True)
    assert judgement.why == ("agreement is known to fail: they strip",)
    result.stdout.fnmatch_lines(
        [
            "notes * stub * non-conformant, as recorded *",
            "XFAIL *::test_agreement[[]stub[]]*they strip",
        ]
    )
    assert not (project.path / ".storeproof").exists()


def test_how_each_known_failure_failed_again_is_reported(project: Project) -> None:
    project.write(WITH_LAW.format(storage="Stripping"))
    record(project, {"check": "TOY-001"}, {"check": "agreement", "program": "spaces.json"})
    _, report = project.report("--storage=stub")
    known = {each.check: each.known for each in report.judgements[0].checks}
    ((law,), (agreement,)) = known["TOY-001"], known["agreement"]
    assert law.failure.message.startswith("TOY-001 (MUST) on stub: White space is kept.")
    assert (agreement.reason, agreement.failure.message) == ("they strip", "white space is dropped")
    replay = "--storage=stub --storage-replay known/spaces.json"
    assert agreement.failure.replay.endswith(replay)
    assert not law.failure.replay


def test_an_entry_of_several_checks_holds_for_each(project: Project) -> None:
    other = "toy.StubCheck('reopen', toy.Stage.BURSTS, toy.strips)"
    source = CHECK_ONLY.replace("toy.PAGES", other)
    project.write(source.format(storage="Stripping"))
    record(project, {"check": ["agreement", "reopen"], "program": "spaces.json"})
    project.run("--storage=stub").assert_outcomes(passed=1, xfailed=2)


def test_an_entry_names_a_check_at_least(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": []})
    assert project.run("--storage=stub").ret == pytest.ExitCode.USAGE_ERROR


def test_the_check_is_not_explored_beside_its_known_programs(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": "agreement", "program": "spaces.json"})
    project.run("--storage=stub")
    assert len([line for line in project.notes if line.startswith("agreement")]) == 1


def test_later_stages_run_after_a_known_failure(project: Project) -> None:
    project.write(WITH_LAW.format(storage="Stripping"))
    record(project, {"check": "TOY-001"}, {"check": "agreement", "program": "spaces.json"})
    project.run("--storage=stub").assert_outcomes(passed=2, xfailed=2)


@pytest.mark.parametrize(
    ("storage", "file"), [("MemoryNotes", "spaces.json"), ("Stripping", "plain.json")]
)
def test_a_stale_program_fails(project: Project, storage: str, file: str) -> None:
    project.write(CHECK_ONLY.format(storage=storage))
    record(project, {"check": "agreement", "program": file})
    result, report = project.report("--storage=stub")
    result.assert_outcomes(passed=2, failed=1)
    assert report.judgements[0].verdict == "incomplete"
    result.stdout.fnmatch_lines(
        ["stale entry in toy.toml: notes, stub, agreement (they strip): it passes now. Remove *"]
    )


def test_a_stale_law_fails(project: Project) -> None:
    project.write(WITH_LAW.format(storage="MemoryNotes"))
    record(project, {"check": "TOY-001"})
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["stale entry in toy.toml: notes, stub, TOY-001 *"])


def test_every_entry_of_a_check_is_replayed(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    entries = [{"check": "agreement", "program": f"{name}.json"} for name in ("spaces", "plain")]
    record(project, *entries)
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=2, failed=1)


def test_an_entry_of_a_check_that_gives_programs_needs_one(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": "agreement"})
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["toy.toml: *agreement* needs program = …*. One is .storeproof/programs/notes-stub-*.json"]
    )


def test_an_entry_of_a_check_without_programs_needs_none(project: Project) -> None:
    project.write("TestToy = toy.suite(toy.StubCheck('pages', toy.Stage.PAGES, toy.fails))")
    record(project, {"check": "pages", "backend": "memory"})
    result = project.run()
    result.assert_outcomes(xfailed=1)
    assert result.ret == pytest.ExitCode.OK


def test_a_program_that_does_not_fit_the_contract_fails_with_a_sentence(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": "agreement", "program": "spaces.json"})
    file = project.path / "known" / "spaces.json"
    file.write_text(file.read_text().replace("put", "push"))
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*spaces.json can't be replayed: notes has no operation 'push'"])


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ({"backend": "mysql"}, "no backend is called 'mysql'; known: memory, other, *"),
        ({"contract": "note"}, "no contract called 'note' was collected (but: notes). *"),
        ({"check": ["TOY-9"]}, "notes has no check or law 'TOY-9'; it has: *"),
        ({"check": "TOY-9"}, "notes has no check or law 'TOY-9'; it has: agreement, pages, *"),
    ],
)
def test_an_entry_that_names_something_unknown_fails_the_run(
    project: Project, entry: dict[str, str | list[str]], sentence: str
) -> None:
    project.write(CHECK_ONLY.format(storage="MemoryNotes"))
    record(project, {"check": "agreement", **entry})
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=3)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"toy.toml: *: {sentence}"])


def test_an_entry_for_what_is_not_applicable_fails_the_run(project: Project) -> None:
    law = WITH_LAW.replace("(storage)", "(storage, second)")
    project.write(law.format(storage="MemoryNotes"))
    record(project, {"check": "TOY-001"})
    result = project.run("--storage=stub")
    result.assert_outcomes(passed=3, skipped=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["toy.toml: *: TOY-001 is not applicable there. Remove the entry"])


def test_an_entry_for_a_backend_that_was_not_chosen_is_let_be(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    record(project, {"check": "agreement", "backend": "other"})
    assert project.run("--storage=memory").ret == pytest.ExitCode.OK


def test_a_partial_run_lets_entries_of_other_contracts_be(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="MemoryNotes"))
    record(project, {"check": "agreement", "contract": "errors"})
    assert project.run("--storage=stub", "--storage-partial").ret == pytest.ExitCode.OK


def test_a_replay_lets_known_failures_be(project: Project) -> None:
    project.write(CHECK_ONLY.format(storage="Stripping"))
    project.run("--storage=stub")
    (saved,) = (project.path / ".storeproof" / "programs").iterdir()
    record(project, {"check": "agreement", "program": "spaces.json"})
    result = project.run("--storage-replay", str(saved))
    result.assert_outcomes(failed=1, deselected=2)
