"""A project that has no suites pays nothing; one that has may leave out other plugins."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugin_project import Project

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("workers", ["-n0", "-n1"])
def test_an_unrelated_project_imports_nothing_heavy_and_sees_nothing(
    project: Project, workers: str
) -> None:
    project.pytester.makeconftest("""
import sys

def pytest_sessionfinish():
    heavy = {"hypothesis", "sqlalchemy", "msgspec", "storeproof.harness.run"}
    assert not heavy & set(sys.modules), heavy & set(sys.modules)
""")
    project.pytester.makepyfile("def test_other(): pass")
    result = project.run_apart(workers, "-p", "no:hypothesispytest")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*seed*")


@pytest.mark.parametrize(
    "arguments",
    [
        ["-p", "no:cacheprovider"],
        ["-p", "no:terminal"],
        ["-p", "no:xdist"],
        ["-p", "no:hypothesispytest"],
        ["-p", "randomly"],
        ["-p", "no:assertion"],
        ["-q"],
        ["-qq"],
        ["-W", "error"],
        ["--import-mode=importlib"],
        ["-n1"],
    ],
)
def test_suites_run_without_or_with_other_plugins(project: Project, arguments: list[str]) -> None:
    project.write("TestToy = toy.suite(stub=toy.MemoryNotes)")
    project.configure("pythonpath = .")
    result = project.run("--storage=stub", *arguments)
    assert result.ret == pytest.ExitCode.OK
    assert len([line for line in project.notes if " on stub" in line]) == 3


def test_laws_of_the_wheel_are_rewritten_even_if_a_conftest_imports_them(project: Project) -> None:
    project.extend_conftest("import storeproof.reference.auth.laws as laws")
    project.pytester.makepyfile("""
from conftest import laws

def test_loader():
    assert type(laws.__loader__).__name__ == "AssertionRewritingHook"
""")
    project.run_apart().assert_outcomes(passed=1)


def test_a_missing_postgres_option_is_read_from_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.extend_conftest("""
class Telling(toy.StubBackend):
    def start(self, options):
        toy.note(f"{options.postgres_url} {options.postgres_image} {options.directory.is_dir()}")
        return super().start(options)

def pytest_storeproof_backends(config):
    return [Telling("telling")]
""")
    project.write("TestToy = toy.suite(telling=toy.MemoryNotes)")
    monkeypatch.setenv("STOREPROOF_POSTGRES_URL", "postgresql://one")
    monkeypatch.setenv("STOREPROOF_POSTGRES_IMAGE", "image:1")
    project.run("--storage=telling")
    assert project.notes[0] == "postgresql://one image:1 True"
    project.run(
        "--storage=telling",
        "--storage-postgres-url=postgresql://two",
        "--storage-postgres-image=image:2",
    )
    assert "postgresql://two image:2 True" in project.notes


def test_the_run_s_directory_is_removed(project: Project) -> None:
    project.extend_conftest("""
class Telling(toy.StubBackend):
    def start(self, options):
        toy.note(str(options.directory))
        (options.directory / "data").write_text("left over")
        return super().start(options)

def pytest_storeproof_backends(config):
    return [Telling("telling")]
""")
    project.write("TestToy = toy.suite(telling=toy.MemoryNotes)")
    project.run("--storage=telling")
    directory = Path(project.notes[0])
    assert directory.name.startswith("storeproof-")
    assert not directory.exists()
