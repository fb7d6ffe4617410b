"""The plugin's tests run pytest on a `Project`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import hypothesis
import plugin_toy
import pytest

import storeproof.harness.checks
import storeproof.harness.run
from storeproof.harness import report as reports

# What is imported here is not imported again by every run of pytest in this process.
_IMPORTED = (hypothesis, storeproof.harness.checks, storeproof.harness.run, plugin_toy)
CONFTEST = """
import pytest
import plugin_toy as toy

def pytest_storeproof_backends(config):
    return [toy.StubBackend("stub"), toy.StubBackend("other")]
"""
INI = """
[pytest]
addopts = --strict-markers --strict-config -p no:randomly -p no:benchmark
xfail_strict = true
filterwarnings = error
"""
CLINGING = """
class Clinging(toy.StubBackend):
    def stop(self):
        raise OSError("busy")

    async def create_store(self, contract, server):
        store = await super().create_store(contract, server)
        store.close = self.close
        return store

    async def close(self):
        raise OSError("still open")

def pytest_storeproof_backends(config):
    return [Clinging("clinging")]
"""
"""A conftest with a backend `clinging`, which closes and stops nothing."""
_HEAD = """
import plugin_toy as toy
from storeproof.harness.law import MUST, SHOULD, law
from storeproof.harness.suite import replaces
"""


@dataclass
class Project:
    """A folder with the toy, an ini file, and a conftest with the backends `stub` and `other`."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write(self, source: str, name: str = "test_toy") -> None:
        """Write a test module; toy, law, MUST, SHOULD and replaces are imported."""
        self.pytester.makepyfile(**{name: _HEAD + source})

    def configure(self, line: str) -> None:
        """Add a line to the ini file."""
        with (self.path / "tox.ini").open("a") as ini:
            ini.write(f"\n{line}\n")

    def extend_conftest(self, source: str) -> None:
        """Add to the conftest; pytest and toy are imported."""
        with (self.path / "conftest.py").open("a") as conftest:
            conftest.write(f"\n\n{source}\n")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess(*arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own."""
        return self.pytester.runpytest_subprocess(*arguments)

    def report(self, *arguments: str) -> tuple[pytest.RunResult, reports.Report]:
        """Run pytest in this process and read its report."""
        result = self.run(*arguments, "--storage-report=report.json")
        return result, reports.load(self.path / "report.json")

    @property
    def notes(self) -> list[str]:
        """What the toys noted while they ran."""
        file = self.path / "notes.txt"
        return file.read_text().splitlines() if file.exists() else []
