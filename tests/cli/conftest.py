"""For the tests of the command line: commands run in this process, or in one of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from storeproof.cli import app


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `storeproof` in this process with these arguments."""
    monkeypatch.delenv("STOREPROOF_DATABASE_URL", raising=False)
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.fixture
def python() -> Callable[[str], str]:
    """Runs code in a process of its own; gives what it printed."""

    def execute(code: str) -> str:
        done = subprocess.run(  # noqa: S603 - the code is the test's own
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return execute


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/storage.db"
