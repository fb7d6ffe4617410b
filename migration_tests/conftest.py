"""For the suites of schemas and migrations: empty databases, of each kind."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres_connection import run_apart, session
from storeproof.harness.backends.postgres_servers import find_server
from storeproof.harness.backends.postgres_url import PostgresUrl

Make = Callable[[], str]


@pytest.fixture(scope="session")
def postgres_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgresUrl]:
    """A server that the options name, or that is found or started as for `--storage=postgres`."""
    server = find_server(
        RunOptions(
            directory=tmp_path_factory.mktemp("server"),
            postgres_url=request.config.getoption("--storage-postgres-url"),
            postgres_image=request.config.getoption("--storage-postgres-image"),
        )
    )
    yield server.url
    server.stop()


@pytest.fixture
def make_sqlite(tmp_path: Path) -> Make:
    return lambda: f"sqlite:///{tmp_path}/{secrets.token_hex(4)}.db"


@pytest.fixture
def make_postgres(postgres_server: PostgresUrl) -> Iterator[Make]:
    made: list[str] = []

    async def execute(statement: str) -> None:
        async with session(postgres_server) as connection:
            await connection.execute(statement)

    def make() -> str:
        made.append(f"migration_{secrets.token_hex(4)}")
        run_apart(execute(f"CREATE DATABASE {made[-1]} TEMPLATE template0"))
        return postgres_server.to(made[-1]).render("postgresql")

    yield make
    for name in made:
        run_apart(execute(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(params=["sqlite", "postgres"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes an empty database and gives its URL."""
    found: Make = request.getfixturevalue(f"make_{request.param}")
    return found
