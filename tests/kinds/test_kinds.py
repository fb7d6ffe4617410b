"""Entities of every kind, and Protocols without async: what is right holds, the rest is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from storeproof.harness import report as reports
from storeproof.harness.report import Judgement, Status, Verdict

pytest_plugins = ["pytester"]

PROJECTS = Path(__file__).parent / "projects"
KINDS = sorted(each.stem.removeprefix("of_") for each in PROJECTS.glob("of_*.py"))
INI = """
[pytest]
addopts = -p no:asyncio -p no:benchmark -p no:cacheprovider -p no:randomly
filterwarnings = error
"""
FIRST = "TestTasks or signature or capabilities or agreement"


def run(pytester: pytest.Pytester, kind: str) -> dict[tuple[str, str], Judgement]:
    """Run a project; gives the judgement of each contract on each backend."""
    for name in ("keeping.py", "tasks_pb2.py"):
        shutil.copy(PROJECTS / name, pytester.path)
    shutil.copy(PROJECTS / f"of_{kind}.py", pytester.path / "test_tasks.py")
    pytester.makeini(INI)
    pytester.runpytest_subprocess(
        *("--storage=memory,sqlite", "--storage-profile=light", "--storage-report=r.json"),
        *("-k", FIRST),
    )
    report = reports.load(pytester.path / "r.json")
    return {(each.contract, each.backend): each for each in report.judgements}


def test_there_is_a_project_for_each_kind() -> None:
    libraries = ["attrs", "dataclasses", "msgspec", "protobuf", "pydantic", "sqlmodel"]
    assert sorted([*libraries, "sync", "typed_dict"]) == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_a_storage_of_such_entities_is_proved_and_a_broken_one_is_shown(
    pytester: pytest.Pytester, kind: str
) -> None:
    judged = run(pytester, kind)

    verdicts = {backend: judged["Tasks", backend] for backend in ("memory", "sqlite")}
    assert {each.verdict for each in verdicts.values()} == {Verdict.CONFORMANT}, verdicts
    found = {each.check: each for each in judged["Careless", "sqlite"].checks}
    assert found["agreement"].status is Status.FAILED
    failure = found["agreement"].failure
    assert failure is not None
    assert failure.account is not None
    source = failure.account.source
    assert "title" in source.partition("storage.put(")[2].partition("\n")[0], source

    pytester.makepyfile(test_pasted=source, test_model=source.replace('"sqlite"', '"memory"'))
    pasted = pytester.runpytest_subprocess("test_pasted.py", "test_model.py", "-v")
    pasted.assert_outcomes(passed=1, failed=1)
    pasted.stdout.fnmatch_lines(["test_pasted.py::test_program FAILED*"])
    pasted.stdout.fnmatch_lines(["test_pasted.py:*: AssertionError"])
