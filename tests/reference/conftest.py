"""For the tests of database storages: a fresh database of each kind, and a real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.harness.backends.postgres_url import PostgresUrl

NUMBERS = itertools.count(1)

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresUrl]:
    home = embedded_home()
    assert home is not None, "pip install 'storeproof[embedded]'"
    server = start_embedded(home, tmp_path_factory.mktemp("server"))
    yield server.url
    server.stop()


async def _execute(server: PostgresUrl, statement: str) -> None:
    # A failed test may have left a lock behind; it must not keep the others from running.
    patience = {"lock_timeout": "10s"}
    connection = await asyncpg.connect(**server.arguments(), server_settings=patience)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def postgres_url(postgres_server: PostgresUrl) -> Iterator[str]:
    """An empty schema of the test's own; a database would take a hundred times as long."""
    name = f"reference_{next(NUMBERS)}"
    asyncio.run(_execute(postgres_server, f"CREATE SCHEMA {name}"))
    yield f"{postgres_server.render('postgresql')}?search_path={name}"
    asyncio.run(_execute(postgres_server, f"DROP SCHEMA {name} CASCADE"))


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/storage.db"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest) -> str:
    """An empty database, once of each kind."""
    value: str = request.getfixturevalue(f"{request.param}_url")
    return value
