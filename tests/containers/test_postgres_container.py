"""Only `tox -e container` runs this: the PostgreSQL backend on a real Docker engine."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import docker
import pytest

from storeproof.harness.backends import postgres_container
from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.postgres_container import PostgresContainer, start_container
from storeproof.harness.exceptions import BackendUnavailable

IMAGE = os.environ.get("STOREPROOF_POSTGRES_IMAGE", "postgres:17")


@pytest.fixture(scope="module")
def container() -> Iterator[PostgresContainer]:
    container = start_container(IMAGE)
    yield container
    container.stop()


@pytest.fixture
def engine() -> Iterator[docker.DockerClient]:
    engine = docker.from_env()
    yield engine
    engine.close()


def test_the_port_is_published_on_the_loopback_address_only(container: PostgresContainer) -> None:
    wrapped = container.container.get_wrapped_container()
    wrapped.reload()
    published = wrapped.attrs["NetworkSettings"]["Ports"]["5432/tcp"]
    assert [each["HostIp"] for each in published] == ["127.0.0.1"]
    assert container.url.host == "127.0.0.1"


@pytest.mark.parametrize("setting", ["fsync", "synchronous_commit", "full_page_writes"])
def test_nothing_waits_for_the_disk(container: PostgresContainer, setting: str) -> None:
    async def show() -> str:
        connection = await asyncpg.connect(**container.url.arguments())
        try:
            return str(await connection.fetchval(f"SHOW {setting}"))
        finally:
            await connection.close()

    assert asyncio.run(show()) == "off"


def test_the_description_names_the_image_and_the_container_goes_with_the_run(
    tmp_path: Path, engine: docker.DockerClient
) -> None:
    before = {each.id for each in engine.containers.list(all=True)}
    backend = PostgresBackend()
    server = backend.start(RunOptions(directory=tmp_path, postgres_image=IMAGE))
    try:
        assert server.description == f"PostgreSQL {server.version}, container {IMAGE}"
        assert {each.id for each in engine.containers.list()} > before
    finally:
        backend.stop()
    assert {each.id for each in engine.containers.list(all=True)} == before


def test_an_image_that_can_not_be_had_is_one_sentence(tmp_path: Path) -> None:
    options = RunOptions(directory=tmp_path, postgres_image="storeproof.invalid/none:1")
    with pytest.raises(BackendUnavailable, match=r"docker pull storeproof\.invalid/none:1"):
        PostgresBackend().start(options)


def test_a_container_that_does_not_serve_says_its_last_words_and_goes(
    monkeypatch: pytest.MonkeyPatch, engine: docker.DockerClient
) -> None:
    before = {each.id for each in engine.containers.list(all=True)}
    monkeypatch.setattr(postgres_container, "SPEED_SETTINGS", ("no_such_setting=on",))
    with pytest.raises(BackendUnavailable, match=r"does not serve .*no_such_setting"):
        start_container(IMAGE)
    assert {each.id for each in engine.containers.list(all=True)} == before


def test_a_container_of_a_check_s_own_is_killed_and_comes_back_on_its_port() -> None:
    async def run(statement: str) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(**container.url.arguments())
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    container = start_container(IMAGE, durable=True)
    try:
        asyncio.run(run("CREATE TABLE kept AS SELECT 1 AS number"))
        container.kill()
        container.restart()
        assert len(asyncio.run(run("SELECT * FROM kept"))) == 1
    finally:
        container.stop()
