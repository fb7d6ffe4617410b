"""`storeproof schema` on databases of both kinds, and on what is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.database.opening import open_storage
from storeproof.reference.database.revisions import HISTORY
from storeproof.reference.database.revisions.connecting import run as revise

Run = Callable[..., Result]
AUTH = HISTORY.versions(["auth"])["auth"]


async def change(url: str, statement: str) -> None:
    await revise(url, lambda connection: connection.exec_driver_sql(statement).close())


async def open_auth(url: str) -> None:
    async with open_storage(url, DatabaseAuthStorage):
        pass


def test_current_says_the_version_of_each_component(run: Run, sqlite_url: str) -> None:
    asyncio.run(open_auth(sqlite_url))
    assert run("schema", "current", sqlite_url).output == f"auth {AUTH}\n"


def test_the_url_may_stand_in_the_environment(
    run: Run, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(open_auth(sqlite_url))
    monkeypatch.setenv("STOREPROOF_DATABASE_URL", sqlite_url)
    assert run("schema", "current").output == f"auth {AUTH}\n"


def test_a_database_is_upgraded_checked_and_downgraded(run: Run, sqlite_url: str) -> None:
    upgraded = run("schema", "upgrade", sqlite_url)
    assert (upgraded.exit_code, "0001 auth" in upgraded.output) == (ExitCode.DONE, True)
    assert run("schema", "upgrade", sqlite_url).output == "nothing to do\n"
    assert run("schema", "check", sqlite_url).exit_code == ExitCode.DONE
    refused = run("schema", "downgrade", sqlite_url, "--to", "3")
    assert (refused.exit_code, "--accept-loss" in refused.stderr) == (ExitCode.REFUSED, True)
    assert run("schema", "check", sqlite_url).exit_code == ExitCode.DONE
    undone = run("schema", "downgrade", sqlite_url, "--to", "0", "--accept-loss")
    assert (undone.exit_code, undone.output.splitlines()[0]) == (
        ExitCode.DONE,
        f"{HISTORY.last:04} {HISTORY.revisions[-1].component}: undone",
    )
    assert run("schema", "current", sqlite_url).output == "no tables\n"
    assert run("schema", "check", sqlite_url).exit_code == ExitCode.FOUND


def test_only_the_components_that_are_there_or_asked_for(run: Run, sqlite_url: str) -> None:
    run("schema", "upgrade", sqlite_url, "--component", "costs")
    assert set(json.loads(run("schema", "current", "--json", sqlite_url).output)) == {"costs"}
    assert run("schema", "upgrade", sqlite_url).output == "nothing to do\n"
    run("schema", "upgrade", sqlite_url, "--component", "auth")
    assert set(json.loads(run("schema", "current", "--json", sqlite_url).output)) == {
        "auth",
        "costs",
    }
    assert run("schema", "upgrade", sqlite_url, "--component", "none").exit_code == ExitCode.USAGE


@pytest.mark.parametrize("to", ["-1", "99"])
def test_an_unknown_revision_is_told(run: Run, sqlite_url: str, to: str) -> None:
    told = run("schema", "upgrade", sqlite_url, "--to", to)
    assert (told.exit_code, told.stderr.count("\n")) == (ExitCode.UNUSABLE, 1)


def test_check_says_what_differs(run: Run, sqlite_url: str) -> None:
    run("schema", "upgrade", sqlite_url)
    asyncio.run(change(sqlite_url, "DROP INDEX auth_grants_role_index"))
    told = run("schema", "check", sqlite_url)
    assert told.exit_code == ExitCode.FOUND
    assert told.output.startswith("auth_grants index auth_grants_role_index is missing")
    assert len(json.loads(run("schema", "check", sqlite_url, "--json").output)) == 1


@pytest.mark.parametrize(("version", "words"), [(0, "upgrade URL"), (99, "later release")])
def test_current_says_what_to_do(run: Run, sqlite_url: str, version: int, words: str) -> None:
    asyncio.run(open_auth(sqlite_url))
    update = "UPDATE storeproof_schema_version SET version ="
    asyncio.run(change(sqlite_url, f"{update} {version}"))
    assert words in run("schema", "current", sqlite_url).output


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
