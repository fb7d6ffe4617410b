"""`storeproof serve` serves, ends when it is told to, and says in a sentence what it lacks."""

from __future__ import annotations

import re
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from typer.testing import CliRunner, Result

from storeproof.cli import app
from storeproof.cli.errors import ExitCode
from storeproof.harness.backends.postgres_url import PostgresUrl

from .served import Served, served

EMAIL, PASSWORD = "ann@example.org", "correct horse battery"
Run = Callable[..., Result]


@pytest.fixture
def keys(tmp_path: Path) -> str:
    path = tmp_path / "keys.txt"
    path.write_text(CliRunner().invoke(app, ["serve", "--new-key"]).output, "utf-8")
    return str(path)


def begin(url: str) -> None:
    arguments = ["init", EMAIL, "--url", url, "--password-stdin"]
    assert CliRunner().invoke(app, arguments, input=f"{PASSWORD}\n").exit_code == 0


def log_in(site: Served, email: str = EMAIL, password: str = PASSWORD) -> httpx.Client:
    body = {"email": email, "password": password}
    answer = httpx.post(f"{site.url}/api/v1/sessions", json=body)
    assert answer.status_code == 201, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['token']}"}
    return httpx.Client(base_url=f"{site.url}/api/v1", headers=headers)


def test_in_memory_it_says_so_and_who_can_sign_in() -> None:
    with served("serve") as site:
        assert httpx.get(f"{site.url}/health/ready").status_code == 200
        code, errors = site.stop()
    assert code == ExitCode.DONE
    assert "gone when this process ends" in errors
    assert "Traceback" not in errors
    assert re.search(r"Sign in as admin@localhost with the password \S{16}", errors)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_database_outlives_it(kind: str, keys: str, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("sqlite_url" if kind == "sqlite" else "postgres")
    address = url.render() if isinstance(url, PostgresUrl) else url
    begin(address)
    environ = {"STOREPROOF_DATABASE_URL": address, "STOREPROOF_KEYS_FILE": keys}
    provider = {"id": "p", "kind": "k", "endpoint": "https://p.example"}
    with served("serve", environ=environ) as first, log_in(first) as client:
        assert client.post("/providers", json=provider).status_code == 201
        put = client.put("/providers/p/secrets/key", json={"secret": "hush-hush"})
        assert put.status_code == 204
        code, errors = first.stop()
        assert (code, "Traceback" in errors) == (ExitCode.DONE, False)
    with served("serve", "--database", address, "--keys", keys) as second, log_in(second) as client:
        assert client.get("/providers/p").json()["id"] == "p"
        roles = {each["name"] for each in client.get("/roles").json()["items"]}
    assert roles >= {"administrator", "observer", "engineer", "program"}


def test_a_role_that_was_changed_stays_changed(keys: str, sqlite_url: str) -> None:
    begin(sqlite_url)
    arguments = ("serve", "--database", sqlite_url, "--keys", keys)
    with served(*arguments) as site, log_in(site) as client:
        changed = client.put("/roles/observer", json={"permissions": ["costs.read"]})
        assert changed.status_code == 200
    with served(*arguments) as site, log_in(site) as client:
        assert client.get("/roles/observer").json()["permissions"] == ["costs.read"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_has_begun_is_answered_before_it_ends(number: int) -> None:
    body = b'{"email":"nobody@example.org","password":"wrong"}'
    head = (
        "POST /api/v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    )
    with served("serve", "--quiet") as site:
        place = (str(urlsplit(site.url).hostname), int(urlsplit(site.url).port or 0))
        with socket.create_connection(place, timeout=30) as connection:
            connection.sendall(head.encode())
            assert b"100 Continue" in connection.recv(1000)
            site.process.send_signal(number)
            while _accepts(place):
                pass
            connection.sendall(body)
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 401")
        assert site.process.wait(30) == ExitCode.DONE


def _accepts(place: tuple[str, int]) -> bool:
    try:
        socket.create_connection(place, timeout=30).close()
    except OSError:
        return False
    return True


def test_requests_are_logged_without_secrets() -> None:
    with served("serve") as site:
        httpx.get(f"{site.url}/api/v1/users?email_contains=private")
        code, errors = site.stop()
    assert code == 0
    assert '"status": 401' in errors
    assert "private" not in errors


@pytest.mark.parametrize("missing", ["litestar", "prometheus_client", "uvicorn"])
def test_without_its_extra_it_says_how_to_install_it(
    missing: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    refused = run("serve", "--port=0")
    assert refused.exit_code == ExitCode.UNUSABLE
    assert "pip install 'storeproof[web]'" in refused.stderr


def test_a_port_that_is_taken_is_told(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = run("serve", f"--port={taken.getsockname()[1]}")
    assert refused.exit_code == ExitCode.UNUSABLE
    assert "Give another --port" in refused.stderr


def test_a_database_needs_keys(run: Run, sqlite_url: str) -> None:
    begin(sqlite_url)
    refused = run("serve", "--database", sqlite_url)
    assert refused.exit_code == ExitCode.UNUSABLE
    assert "storeproof serve --new-key" in refused.stderr


@pytest.mark.parametrize(
    "text", ["", "# nothing", "short:YWJj", "name", ":" + "A" * 43 + "=", "a:" + "A" * 43 + "!"]
)
def test_keys_that_cannot_be_read_are_not_quoted(
    text: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOREPROOF_KEYS", text)
    refused = run("serve", "--port=0")
    assert refused.exit_code == ExitCode.UNUSABLE
    assert "STOREPROOF_KEYS" in refused.stderr
    assert not text or text not in refused.stderr.replace("NAME:BASE64", "")


def test_a_database_without_tables_is_told(run: Run, keys: str, sqlite_url: str) -> None:
    refused = run("serve", "--database", sqlite_url, "--keys", keys)
    assert refused.exit_code == ExitCode.UNUSABLE
    assert refused.stderr.count("\n") == 1


def test_a_database_without_administrator_says_what_to_do(keys: str, sqlite_url: str) -> None:
    begin_tables = CliRunner().invoke(app, ["schema", "upgrade", sqlite_url])
    assert begin_tables.exit_code == 0
    with served("serve", "--database", sqlite_url, "--keys", keys) as site:
        _, errors = site.stop()
    assert "storeproof init" in errors
