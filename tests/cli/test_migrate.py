"""`storeproof migrate`: what it moves, tells and exits with."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
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
    assert not file_of(sqlite_url).exists()
    assert not (tmp_path / "backups").exists()
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


def file_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def test_a_plan_is_told_in_the_order_of_loading_and_for_programs(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str
) -> None:
    to = ("--to", sqlite_url, *folder)
    done = run("migrate", "--from", str(users), *to)
    plan = done.stderr[: done.stderr.index(" s.\n")].splitlines()
    assert plan[-2:] == ["auth.users 2", "2 rows, about 0"]
    users.write_text("email\nnew@example.org\n", "utf-8")
    shown = run("migrate", "--from", str(users), *to, "--dry-run")
    assert shown.stdout == "auth.users 3 (now 2)\n3 rows, about 0 s.\nNothing was changed.\n"
    plan = json.loads(run("migrate", "--from", str(users), *to, "--dry-run", "--json").stdout)
    assert list(plan) == ["source", "rows", "present", "rejected", "seconds"]
    assert next(iter(plan["rows"].items())) == ("auth.users", 3)


def test_progress_is_a_line_for_each_stage_that_has_rows(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str
) -> None:
    to = ("--to", sqlite_url, *folder)
    run("migrate", "--from", str(users), *to)
    users.write_text("email\nnew@example.org\n", "utf-8")
    done = run("migrate", "--from", str(users), *to)
    assert [line for line in done.stderr.splitlines() if "users" in line] == [
        "back up auth.users 2",
        "read users 1",
        "check auth.users 3",
        "auth.users 3 (now 2)",
        "compare auth.users 2",
        "auth.users 3",
        "read back auth.users 3",
    ]
    assert not [line for line in done.stderr.splitlines() if line.endswith(" 0")]
    assert run("migrate", "--from", str(users), *to, "--json").stderr == ""


def test_all_that_does_not_fit_is_told_for_people_and_for_programs(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str
) -> None:
    to = ("--to", sqlite_url, *folder)
    users.write_text("id,email\n" + "x,nobody\n" * 1500, "utf-8")
    done = run("migrate", "--from", str(users), *to)
    assert (done.exit_code, done.output) == (ExitCode.FOUND, done.stderr)
    lines = done.stderr.splitlines()
    assert lines[-1501] == "storeproof: 1500 rows do not fit. Nothing was written:"
    assert lines[-1] == "  user 1500, email: must have the form name@domain"
    told = json.loads(run("migrate", "--from", str(users), *to, "--json").stdout)
    assert [each["number"] for each in told["problems"]] == list(range(1, 1501))
    assert not file_of(sqlite_url).exists()


def test_rows_of_an_archive_are_written_apart_and_counted(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    to = ("--to", sqlite_url, *folder)
    run("migrate", "--from", str(users), *to)
    with closing(sqlite3.connect(file_of(sqlite_url))) as connection, connection:
        connection.execute("UPDATE auth_users SET failures = -1 WHERE id = 'ann'")
        connection.execute("INSERT INTO auth_roles VALUES ('r', '[]', '[]', 0)")
        connection.execute("INSERT INTO auth_grants VALUES ('ann', 'r', '')")
    other = ("--to", f"sqlite:///{tmp_path}/b.db", *folder)
    refused = run("migrate", "--from", sqlite_url, *other)
    assert "auth.users 1 ('ann'), failures: must be from 0" in refused.stderr
    apart = str(tmp_path / "apart")
    done = run("migrate", "--from", sqlite_url, *other, "--reject-file", apart)
    assert done.exit_code == ExitCode.DONE, done.stderr
    assert "auth.users: 1 rows do not fit and were written apart." in done.stdout
    assert "auth.grants: 1 rows name one of these and were written apart." in done.stdout
    assert "holds 2 rows" in done.stdout
    again = run("migrate", "--from", sqlite_url, *other, "--replace", "--reject-file", apart)
    assert (again.exit_code, "apart" in again.stderr) == (ExitCode.UNUSABLE, True)


def test_what_can_t_be_moved_is_said(
    run: Run, users: Path, folder: tuple[str, str], sqlite_url: str
) -> None:
    run("schema", "upgrade", sqlite_url)
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
