"""`storeproof migrate`: what it moves, tells and exits with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode

Run = Callable[..., Result]


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.csv"
    path.write_text("id,email\nann,ann@example.org\nbob,bob@example.org\n", "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> tuple[str, str]:
    return "--folder", str(tmp_path / "backups")


def test_users_are_moved_and_taken_back(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    to = ("--to", sqlite_url, *folder)
    shown = run("migrate", "--from", str(users), *to, "--dry-run")
    assert (shown.exit_code, "auth.users 2" in shown.output) == (ExitCode.DONE, True)
    assert run("migrate", "--status", *to).output == "no migrations\n"
    done = run("migrate", "--from", str(users), *to, "--json")
    assert done.exit_code == ExitCode.DONE, done.stderr
    entry = json.loads(done.output)
    assert (entry["source"], entry["rows"]["auth.users"]) == (str(users), 2)
    assert entry["id"] in run("migrate", "--status", *to).output
    copied = run("migrate", "--from", sqlite_url, "--to", f"sqlite:///{tmp_path}/b.db", *folder)
    assert "holds 2 rows" in copied.output
    undone = run("migrate", "--rollback", entry["id"], *to)
    assert (undone.exit_code, "was taken back" in undone.output) == (ExitCode.DONE, True)
    assert "taken back at" in run("migrate", "--status", *to).output
    backup = run("verify", entry["backup"], "--against", sqlite_url)
    assert backup.exit_code == ExitCode.DONE


def test_what_can_t_be_moved_is_said(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str
) -> None:
    to = ("--to", sqlite_url, *folder)
    users.write_text("id,email\nann,ann@example.org\nann,nobody\n,ANN@example.org\n", "utf-8")
    cases = [
        (("--from", str(users)), ExitCode.FOUND, "2 rows do not fit"),
        (("--from", str(users), "--rollback", "x"), ExitCode.UNUSABLE, "Give one of"),
        ((), ExitCode.UNUSABLE, "Give one of"),
        (("--rollback", "x"), ExitCode.REFUSED, "no migration x"),
        (("--from", "nowhere"), ExitCode.UNUSABLE, "no archive"),
        (("--from", "nowhere.csv"), ExitCode.UNUSABLE, "nowhere.csv"),
        (("--from", "sqlite:///nowhere.db"), ExitCode.UNUSABLE, "nowhere.db"),
    ]
    for arguments, code, words in cases:
        done = run("migrate", *arguments, *to)
        assert (done.exit_code, words in done.stderr) == (code, True), done.stderr
        assert "Traceback" not in done.stderr


def test_a_password_in_a_url_is_not_written_down(run: Run, tmp_path: Path) -> None:
    url = "postgresql://ann:secret@127.0.0.1:1/app?password=secret"
    done = run("migrate", "--from", url, "--to", f"sqlite:///{tmp_path}/b.db", "--dry-run")
    assert done.exit_code == ExitCode.UNAVAILABLE
    assert "secret" not in done.output + done.stderr
