"""What is broken in the ways of storages on Redis is found, by the check that is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from broken_suites import FOUND_BY

SUITES = Path(__file__).with_name("broken_suites.py")


@pytest.fixture(scope="module")
def told() -> str:
    """What one run of all broken suites printed."""
    nodes = [f"{SUITES}::Test{name}::test_{check}" for name, check in FOUND_BY.items()]
    command = [sys.executable, "-m", "pytest", *nodes, "--storage-profile=light", "-q"]
    outer = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    found = subprocess.run(  # noqa: S603 - this interpreter
        command, cwd=SUITES.parent.parent, env=outer, capture_output=True, text=True, check=False
    )
    return found.stdout + found.stderr


@pytest.mark.parametrize(("name", "check"), FOUND_BY.items())
def test_it_is_found(told: str, name: str, check: str) -> None:
    assert f"FAILED tests/broken_suites.py::Test{name}::test_{check}" in told, told
