"""Tests of the plugin take `project`: a folder with a toy contract, and pytest to run on it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from plugin_project import CONFTEST, INI, Project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copy(Path(__file__).with_name("plugin_toy.py"), pytester.path / "plugin_toy.py")
    pytester.makeconftest(CONFTEST)
    pytester.makeini(INI)
    monkeypatch.setenv("TOY_NOTES", str(pytester.path / "notes.txt"))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return Project(pytester)
