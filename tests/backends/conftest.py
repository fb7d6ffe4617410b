"""A real PostgreSQL for the tests of the backends: the embedded server, once a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.harness.backends.postgres_url import PostgresUrl

from .examples import execute, run


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresUrl]:
    """The maintenance database of a server that plays the user's own; it must stay empty."""
    home = embedded_home()
    assert home is not None, "pip install 'storeproof[embedded]'"
    server = start_embedded(home, tmp_path_factory.mktemp("server"))
    yield server.url
    server.stop()


@pytest.fixture
def given(server_url: PostgresUrl) -> Iterator[PostgresUrl]:
    """An empty database of the user's, whose URL is given to storeproof."""
    run(execute(server_url, "CREATE DATABASE users_own"))
    yield server_url.to("users_own")
    run(execute(server_url, "DROP DATABASE users_own WITH (FORCE)"))


@pytest.fixture
def options(tmp_path: Path) -> RunOptions:
    return RunOptions(directory=tmp_path)


@pytest.fixture
def options_with_url(tmp_path: Path, given: PostgresUrl) -> RunOptions:
    return RunOptions(directory=tmp_path, postgres_url=given.render("postgresql"))


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without a Docker engine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
