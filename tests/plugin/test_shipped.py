"""`pytest --pyargs storeproof.reference.auth --storage=mine`: the shipped suites are collected."""

from __future__ import annotations

from pathlib import Path

import pytest

from storeproof.harness import report as reports
from storeproof.reference.auth.conformance import TestAuth
from storeproof.reference.costs.conformance import TestCosts
from storeproof.reference.errors.conformance import TestErrors
from storeproof.reference.providers.conformance import TestProviders

pytest_plugins = ["pytester"]

SUITES = {
    "auth": TestAuth.storeproof_plan,
    "costs": TestCosts.storeproof_plan,
    "errors": TestErrors.storeproof_plan,
    "providers": TestProviders.storeproof_plan,
}
del TestAuth, TestCosts, TestErrors, TestProviders  # this module's tests are not they
CONFTEST = """
from storeproof import FactoryBackend
from storeproof.reference.providers import InMemoryProviderStorage


class Forgetful(InMemoryProviderStorage):
    async def create(self, entity):
        return entity


def pytest_storeproof_backends(config):
    return [
        FactoryBackend("mine", InMemoryProviderStorage),
        FactoryBackend("forgetful", Forgetful),
    ]
"""
SOME = "signature or capabilities or prov_001 or prov_002 or agreement"


@pytest.fixture
def folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """The folder of somebody who has a conftest and nothing else."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\naddopts = -p no:randomly -p no:benchmark\nfilterwarnings = error\n")
    return pytester


@pytest.mark.parametrize("component", SUITES)
def test_each_component_s_suite_is_collected_whole(folder: pytest.Pytester, component: str) -> None:
    shown = folder.runpytest_subprocess(
        "--pyargs", f"storeproof.reference.{component}", "--storage=mine", "--collect-only", "-q"
    )

    assert shown.ret == pytest.ExitCode.OK
    names = [line.rpartition("::")[2] for line in shown.outlines if "[mine]" in line]
    assert sorted(names) == sorted(f"{name}[mine]" for name in SUITES[component])


def test_the_suite_judges_a_storage_of_somebody_else_s_conftest(folder: pytest.Pytester) -> None:
    shown = folder.runpytest_subprocess(
        *("--pyargs", "storeproof.reference.providers", "--storage=mine,forgetful"),
        *("--storage-profile=light", "-k", SOME, "--storage-partial", "--storage-report=r.json"),
    )

    assert shown.ret == pytest.ExitCode.TESTS_FAILED
    verdicts = {
        each.backend: (str(each.verdict), each.only_deselected)
        for each in reports.load(folder.path / "r.json").judgements
    }
    assert verdicts == {"mine": ("incomplete", True), "forgetful": ("non-conformant", False)}


@pytest.mark.parametrize("patterns", ["check_*.py", "*.py"])
def test_other_patterns_for_files_change_nothing(folder: pytest.Pytester, patterns: str) -> None:
    shown = folder.runpytest_subprocess(
        *("--pyargs", "storeproof.reference.providers", "--storage=mine", "--collect-only", "-q"),
        f"--override-ini=python_files={patterns}",
    )

    assert len([line for line in shown.outlines if "[mine]" in line]) == len(SUITES["providers"])


def test_a_file_of_that_name_elsewhere_is_nobody_s_suite(folder: pytest.Pytester) -> None:
    Path(folder.path / "conformance.py").write_text("def test_never(): pass\n", "utf-8")

    assert folder.runpytest_subprocess("--collect-only").ret == pytest.ExitCode.NO_TESTS_COLLECTED
