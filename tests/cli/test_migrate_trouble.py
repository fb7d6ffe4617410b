"""`storeproof migrate` in trouble: one sentence, an exit code, and a target that is as before."""

from __future__ import annotations

import errno
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from storeproof.cli.errors import ExitCode
from storeproof.harness.backends.postgres_connection import run_apart, session
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.wire import Fault, Postgres, Wire
from storeproof.reference.archive.files import PartFile

Run = Callable[..., Result]
FULL = "max_page_count = 1"  # no more pages than there are
USERS = 300
"""Enough of them for a database to need more pages."""


@pytest.fixture
def users(tmp_path: Path) -> Path:
    path = tmp_path / "users.csv"
    lines = [f"u{number},u{number}@example.org,{'x' * 100}" for number in range(USERS)]
    path.write_text("\n".join(["id,email,display_name", *lines]), "utf-8")
    return path


class Target:
    """A database that holds one user, and commands that try to move others there."""

    def __init__(self, run: Run, url: str, users: Path, folder: Path) -> None:
        self._run, self.url, self.users, self._folder = run, url, users, folder
        first = folder / "first.csv"
        first.write_text("id,email\nann,ann@example.org\n", "utf-8")
        self.moved(source=first)
        done = run("export", "--from", url, "--to", str(folder / "before"))
        assert done.exit_code == ExitCode.DONE, done.stderr

    @property
    def arguments(self) -> tuple[str, ...]:
        return "migrate", "--from", str(self.users), "--folder", str(self._folder / "backups")

    def move(self, *more: str, url: str | None = None) -> Result:
        return self._run(*self.arguments, "--json", "--to", url or self.url, *more)

    def moved(self, source: Path | None = None) -> None:
        """Moves users, which works."""
        done = self.move(*(("--from", str(source)) if source else ()))
        assert done.exit_code == ExitCode.DONE, done.stderr

    def is_as_before(self) -> bool:
        done = self._run("verify", str(self._folder / "before"), "--against", self.url)
        return done.exit_code == ExitCode.DONE


@pytest.fixture
def sqlite_target(run: Run, sqlite_url: str, users: Path, tmp_path: Path) -> Target:
    return Target(run, sqlite_url, users, tmp_path)


@pytest.fixture
def postgres_target(run: Run, postgres: PostgresUrl, users: Path, tmp_path: Path) -> Target:
    return Target(run, postgres.render("postgresql"), users, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def target(request: pytest.FixtureRequest) -> Target:
    found: Target = request.getfixturevalue(f"{request.param}_target")
    return found


def refused(target: Target, done: Result, code: ExitCode, words: str) -> None:
    """The exit code, one sentence with these words, and a target that is as before."""
    assert done.exit_code == code, done.stderr
    assert words in done.stderr.replace("\n", " ")
    assert done.stderr.startswith("storeproof: ")
    assert len(re.findall("^storeproof: ", done.stderr, re.MULTILINE)) == 1
    assert "Traceback" not in done.stderr
    assert target.is_as_before()


def beginning_with(monkeypatch: pytest.MonkeyPatch, name: str, pragma: str) -> None:
    """Has every connection to a file of this name begin so."""
    connect = sqlite3.connect

    def connected(path: Any, *given: Any, **options: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = connect(path, *given, **options)
        if name in str(path):
            made.execute(f"PRAGMA {pragma}")
        return made

    monkeypatch.setattr(sqlite3, "connect", connected)


def test_a_full_disk_below_sqlite(sqlite_target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as full:
        beginning_with(full, "storage.db", FULL)
        done = sqlite_target.move()
    refused(sqlite_target, done, ExitCode.UNAVAILABLE, "the disk is full")
    sqlite_target.moved()


def test_a_full_disk_where_users_are_sorted(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        beginning_with(full, "users.db", FULL)
        done = target.move()
    refused(target, done, ExitCode.UNUSABLE, "where users are sorted, can't be written")


def execute(server: PostgresUrl, *statements: str) -> None:
    async def work() -> None:
        async with session(server) as connection:
            for each in statements:
                await connection.execute(each)

    run_apart(work())


FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id = 'u250' THEN
        RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
    END IF;
    RETURN NEW;
END $$
"""


def test_a_full_disk_below_postgres(postgres_target: Target, postgres: PostgresUrl) -> None:
    made = "CREATE TRIGGER full_disk BEFORE INSERT ON auth_users FOR EACH ROW"
    execute(postgres, FULL_DISK, f"{made} EXECUTE FUNCTION full_disk()")
    done = postgres_target.move()
    refused(postgres_target, done, ExitCode.UNAVAILABLE, "disk is full")
    execute(postgres, "DROP TRIGGER full_disk ON auth_users")
    postgres_target.moved()


def test_a_full_disk_below_the_backups(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(PartFile, "write", write)
        done = target.move()
    refused(target, done, ExitCode.UNUSABLE, "No space left on device")
    target.moved()


def test_backups_that_can_t_be_written(target: Target, tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("", "utf-8")
    done = target.move("--folder", str(tmp_path / "a file"))
    refused(target, done, ExitCode.UNUSABLE, "a file")


def test_sqlite_that_is_read_only(sqlite_target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as only_read:
        beginning_with(only_read, "storage.db", "query_only = ON")
        done = sqlite_target.move()
    refused(sqlite_target, done, ExitCode.UNAVAILABLE, "can't be written to")


def test_a_role_that_may_only_read(postgres_target: Target, postgres: PostgresUrl) -> None:
    execute(
        postgres,
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN PASSWORD 'secret'",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    url = as_user(postgres_target.url, "reader")
    try:
        refused(postgres_target, postgres_target.move(url=url), ExitCode.UNAVAILABLE, "may not")
    finally:
        execute(postgres, "DROP OWNED BY reader", "DROP ROLE reader")


def as_user(url: str, name: str) -> str:
    from sqlalchemy.engine import make_url

    changed = make_url(url).set(username=name, password="secret")
    return changed.render_as_string(hide_password=False)


def test_wrong_credentials(postgres_target: Target) -> None:
    done = postgres_target.move(url=as_user(postgres_target.url, "nobody"))
    refused(postgres_target, done, ExitCode.UNAVAILABLE, "the server refuses the")
    assert "secret" not in done.stderr


def test_a_server_that_goes_away(postgres_target: Target, postgres: PostgresUrl) -> None:
    with Wire(postgres.host, postgres.port, Postgres) as wire:
        url = postgres.at(wire.host, wire.port).render("postgresql")
        before = wire.messages
        assert postgres_target.move("--dry-run", url=url).exit_code == ExitCode.DONE
        planned = wire.messages - before
        refusals = 0
        for nth in count(1, planned // 7):
            wire.plan(Fault.CUT, nth)
            done = postgres_target.move(url=url)
            if done.exit_code in (ExitCode.DONE, ExitCode.UNKNOWN):
                break
            refused(postgres_target, done, ExitCode.UNAVAILABLE, "")
            refusals += 1
    assert refusals > 3


def test_a_source_that_is_still_being_written(target: Target, tmp_path: Path) -> None:
    file = tmp_path / "half.jsonl"
    file.write_bytes(b'{"email":"bob@example.org"}\n{"email":"eve')
    unfinished = tmp_path / ".backup-x.unfinished"
    unfinished.mkdir()
    done = target.move("--from", str(file))
    assert (done.exit_code, "can't be read" in done.stdout) == (ExitCode.FOUND, True)
    assert target.is_as_before()
    done = target.move("--replace", "--from", str(unfinished))
    refused(target, done, ExitCode.UNUSABLE, "is no archive")


ENDING = """
import os, signal
from storeproof.cli import main, progress
told = []
def tell(part, done, total):
    told.append(part)
    if len(told) == 12:
        os.kill(os.getpid(), signal.{name})
progress._lines = tell
main()
"""


def heed_signals() -> None:
    """Undo what a process in a shell's background inherits: it ignores Ctrl-C."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_DFL)


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGTERM"])
def test_a_signal_half_way(target: Target, name: str) -> None:
    code = ENDING.format(name=name)
    command = [sys.executable, "-c", code, *target.arguments, "--to", target.url]
    done = subprocess.run(  # noqa: S603 - ours
        command, capture_output=True, text=True, check=False, preexec_fn=heed_signals
    )
    sentence = "Interrupted." if name == "SIGINT" else f"Ended by {name}."
    assert done.stderr == f"storeproof: {sentence}\n"
    assert done.returncode == 128 + getattr(signal, name)
    assert target.is_as_before()
    target.moved()
