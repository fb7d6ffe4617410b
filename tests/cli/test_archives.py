"""`storeproof export`, `import` and `verify`: what they write, tell and exit with."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import Result

from storeproof.cli import progress
from storeproof.cli.errors import ExitCode
from storeproof.cli.progress import telling
from storeproof.reference.auth import User
from storeproof.reference.config import Config
from storeproof.reference.selection import open_storages

Run = Callable[..., Result]


async def add(url: str, name: str) -> None:
    async with open_storages(Config(database_url=url, create_schema=True)) as storages:
        created = datetime(2026, 3, 11, tzinfo=UTC)
        user = User(id=name, email=f"{name}@example.org", created_at=created)
        await storages.auth.create(user)
        for other in (storages.costs, storages.errors, storages.providers):
            assert other is not None
        assert storages.database is not None
        await storages.database.open()


@pytest.fixture
def archive(run: Run, sqlite_url: str, tmp_path: Path) -> Path:
    asyncio.run(add(sqlite_url, "ann"))
    done = run("export", "--from", sqlite_url, "--to", str(tmp_path / "backup"))
    assert done.exit_code == ExitCode.DONE, done.stderr
    assert done.output.splitlines()[-1].startswith("Exported 1 rows of ")
    assert "auth.users 1\n" in done.stderr
    return tmp_path / "backup"


def test_what_was_exported_is_imported_and_the_same(
    run: Run, archive: Path, sqlite_url: str, tmp_path: Path
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    loaded = run("import", str(archive), "--to", other)
    assert (loaded.exit_code, "Imported 1 rows" in loaded.output) == (ExitCode.DONE, True)
    for url in (sqlite_url, other):
        same = run("verify", str(archive), "--against", url)
        assert (same.exit_code, "holds the same" in same.output) == (ExitCode.DONE, True)


def test_an_answer_in_json_is_nothing_else(run: Run, archive: Path, sqlite_url: str) -> None:
    asyncio.run(add(sqlite_url, "bob"))
    found = run("verify", str(archive), "--against", sqlite_url, "--json")
    assert (found.exit_code, found.stderr) == (ExitCode.FOUND, "")
    told = json.loads(found.output)
    assert told["rows"]["auth.users"] == 1
    assert (told["equal"], told["differing"]) == (False, ["auth.users"])
    assert [(each["key"], each["kind"]) for each in told["differences"]] == [
        (["bob"], "unexpected")
    ]
    alone = json.loads(run("verify", str(archive), "--json").output)
    assert (alone["equal"], alone["differences"]) == (None, [])


def test_a_database_that_differs_is_found(run: Run, archive: Path, sqlite_url: str) -> None:
    asyncio.run(add(sqlite_url, "bob"))
    found = run("verify", str(archive), "--against", sqlite_url)
    assert found.exit_code == ExitCode.FOUND
    assert found.output.splitlines()[-1] == "  auth.users 'bob': unexpected"


def test_a_damaged_archive_is_found_and_not_imported(
    run: Run, archive: Path, tmp_path: Path
) -> None:
    file = archive / "auth.users.ndjson"
    file.write_bytes(file.read_bytes().replace(b"ann@", b"eve@"))
    other = f"sqlite:///{tmp_path}/other.db"
    for arguments in (("verify", str(archive)), ("import", str(archive), "--to", other)):
        found = run(*arguments)
        assert (found.exit_code, "auth.users.ndjson" in found.stderr) == (ExitCode.FOUND, True)
        assert "Traceback" not in found.stderr


def test_what_can_t_be_used_is_said_in_a_sentence(
    run: Run, archive: Path, sqlite_url: str, tmp_path: Path
) -> None:
    nowhere = str(tmp_path / "nowhere")
    cases = [
        (("import", nowhere, "--to", sqlite_url), ExitCode.UNUSABLE, "no archive"),
        (("verify", nowhere), ExitCode.UNUSABLE, "no archive"),
        (("import", str(archive), "--to", sqlite_url), ExitCode.REFUSED, "holds auth.users"),
        (("export", "--from", sqlite_url, "--to", str(archive)), ExitCode.UNUSABLE, "already"),
        (("export", "--from", f"sqlite:///{nowhere}", "--to", "x"), ExitCode.UNUSABLE, "no file"),
        (("export", "--from", sqlite_url, "--to", f"{nowhere}/x"), ExitCode.UNUSABLE, "nowhere"),
        (("export", "--from", sqlite_url), ExitCode.USAGE, "--to"),
    ]
    for arguments, code, words in cases:
        done = run(*arguments)
        assert (done.exit_code, words in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr


def test_progress_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    monkeypatch.setattr(progress, "err", console)
    with telling(quiet=False) as tell:
        tell("auth.users", 1000, None)
        tell("auth.users", 2000, 2000)
    assert "2000/2000" in screen.getvalue()


def test_an_export_whose_terminal_is_closed_leaves_nothing(
    archive: Path, sqlite_url: str, tmp_path: Path
) -> None:
    code = (
        "import os, signal\nfrom storeproof.cli import progress, main\n"
        "progress._lines = lambda *told: os.kill(os.getpid(), signal.SIGHUP)\nmain()"
    )
    command = [sys.executable, "-c", code, "export", "--from", sqlite_url]
    command += ["--to", str(tmp_path / "again")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (done.returncode, done.stderr) == (129, "storeproof: Ended by SIGHUP.\n")
    assert [each.name for each in tmp_path.iterdir() if "again" in each.name] == []
