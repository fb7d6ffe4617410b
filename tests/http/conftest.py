"""For the tests of the whole API: it is served as `storeproof serve` does, on a real socket."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from reference.web.sites import EMAIL, PASSWORD, SETTINGS, Time, services_over

from storeproof.cli.server import listen, url_of
from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.reference.config import Config
from storeproof.reference.selection import open_storages
from storeproof.reference.web import ROLES, create_app


@dataclass(frozen=True)
class Live:
    """Where the API is, and an administrator's token."""

    url: str
    token: str


@pytest.fixture(scope="session", params=["memory", "postgres"])
def live(request: pytest.FixtureRequest) -> Iterator[Live]:
    if request.param == "memory":
        with serving(None) as site:
            yield site
        return
    home = embedded_home()
    assert home is not None, "pip install 'storeproof[embedded]'"
    server = start_embedded(home, request.getfixturevalue("tmp_path_factory").mktemp("server"))
    try:
        with serving(server.url.render()) as site:
            yield site
    finally:
        server.stop()


@contextmanager
def serving(database: str | None) -> Iterator[Live]:
    """The API in a thread with a loop of its own; each request has a connection of its own."""
    logging.getLogger("storeproof.web.requests").setLevel(logging.WARNING)
    made: list[uvicorn.Server] = []
    tokens: list[str] = []
    ready = threading.Event()
    with listen("127.0.0.1", 0) as listening:

        async def run() -> None:
            config = Config(database_url=database, create_schema=True)
            async with open_storages(config) as storages:
                services = services_over(storages, Time())
                await services.auth.bootstrap(EMAIL, PASSWORD)
                await services.auth.install_roles(ROLES)
                tokens.append((await services.auth.log_in(EMAIL, PASSWORD)).token)
                app = create_app(services, SETTINGS)
                made.append(uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off")))
                ready.set()
                await made[0].serve([listening])

        thread = threading.Thread(target=asyncio.run, args=[run()])
        thread.start()
        assert ready.wait(60)
        try:
            yield Live(url_of(listening), tokens[0])
        finally:
            made[0].should_exit = True
            thread.join(60)
