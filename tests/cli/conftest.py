"""For the tests of the command line: commands run in this process, or in one of their own."""

from __future__ import annotations

import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from storeproof.cli import app
from storeproof.harness.backends.postgres_connection import run_apart, session
from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.harness.backends.postgres_url import PostgresUrl


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


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresUrl]:
    home = embedded_home()
    assert home is not None, "pip install 'storeproof[embedded]'"
    server = start_embedded(home, tmp_path_factory.mktemp("server"))
    yield server.url
    server.stop()


@pytest.fixture
def postgres(postgres_server: PostgresUrl) -> Iterator[PostgresUrl]:
    """An empty database of the test's own."""
    name = f"cli_{secrets.token_hex(4)}"

    async def execute(statement: str) -> None:
        async with session(postgres_server) as connection:
            await connection.execute(statement)

    run_apart(execute(f"CREATE DATABASE {name} TEMPLATE template0"))
    yield postgres_server.to(name)
    run_apart(execute(f"DROP DATABASE {name} WITH (FORCE)"))
