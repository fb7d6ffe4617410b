"""`storeproof schema` on databases of both kinds, and on what is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.database.opening import open_storage

Run = Callable[..., Result]


async def open_auth(url: str) -> None:
    async with open_storage(url, DatabaseAuthStorage):
        pass


def test_current_says_the_version_of_each_component(run: Run, sqlite_url: str) -> None:
    asyncio.run(open_auth(sqlite_url))
    assert run("schema", "current", sqlite_url).output == "auth 1\n"


def test_the_url_may_stand_in_the_environment(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(open_auth(sqlite_url))
    monkeypatch.setenv("STOREPROOF_DATABASE_URL", sqlite_url)
    assert run("schema", "current").output == "auth 1\n"


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/database", "sqlite:///:memory:"])
def test_a_url_that_can_not_be_used_is_told(run: Run, url: str) -> None:
    told = run("schema", "current", url)
    assert (told.exit_code, told.stdout) == (ExitCode.UNUSABLE, "")
    assert told.stderr.startswith("storeproof: ")


def test_a_missing_file_is_told_and_not_made(run: Run, tmp_path: Path, sqlite_url: str) -> None:
    told = run("schema", "current", sqlite_url)
    assert (told.exit_code, told.stdout) == (ExitCode.UNUSABLE, "")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_something_else_is_told(run: Run, tmp_path: Path, sqlite_url: str) -> None:
    (tmp_path / "storage.db").write_text("no database " * 100)
    told = run("schema", "current", sqlite_url)
    assert (told.exit_code, told.stdout) == (ExitCode.UNAVAILABLE, "")
    assert "not a SQLite database" in told.stderr


def test_a_server_that_is_not_there_is_told(run: Run) -> None:
    told = run("schema", "current", "postgresql://user:secret@127.0.0.1:1/none")
    assert told.exit_code == ExitCode.UNAVAILABLE
    assert "secret" not in told.output
