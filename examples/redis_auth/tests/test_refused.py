"""What the server refuses is told as what certainly had no effect, and then works again."""

import asyncio
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from conftest import RedisBackend
from redis import Redis
from redis_auth import RedisAuthStorage, open_auth_storage

from storeproof import RunOptions
from storeproof.reference.auth import Email, User, UserId
from storeproof.reference.exceptions import NotFound, Unavailable

ANN = User(id=UserId("ann"), email=Email("ann@b.c"), created_at=datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    backend = RedisBackend()
    yield backend.start(RunOptions(directory=tmp_path_factory.mktemp("redis"))).address
    backend.stop()


@pytest.fixture
def redis(address: str) -> Iterator[Redis]:
    with Redis.from_url(address) as redis:
        yield redis
        redis.config_set("maxmemory", "0")
        redis.replicaof("NO", "ONE")
        redis.flushdb()


def run(body: Coroutine[Any, Any, None]) -> None:
    asyncio.run(body)


async def refused(storage: RedisAuthStorage) -> None:
    with pytest.raises(Unavailable):
        await storage.create(ANN)


async def works(storage: RedisAuthStorage) -> None:
    with pytest.raises(NotFound):
        await storage.get_by_id(ANN.id)
    assert await storage.create(ANN) == ANN


def test_a_full_server(address: str, redis: Redis) -> None:
    async def body() -> None:
        async with open_auth_storage(address) as storage:
            redis.config_set("maxmemory", "1")
            await refused(storage)
            redis.config_set("maxmemory", "0")
            await works(storage)

    run(body())


def test_a_replica(address: str, redis: Redis) -> None:
    async def body() -> None:
        async with open_auth_storage(address) as storage:
            redis.replicaof("127.0.0.1", "1")
            await refused(storage)
            redis.replicaof("NO", "ONE")
            await works(storage)

    run(body())


def test_a_server_that_has_forgotten_the_scripts(address: str, redis: Redis) -> None:
    async def body() -> None:
        async with open_auth_storage(address) as storage:
            await works(storage)
            redis.script_flush()
            await storage.clear_attempts(ANN.id)
            assert await storage.get_by_id(ANN.id) == ANN

    run(body())


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    backend = RedisBackend()
    gone = backend.start(RunOptions(directory=tmp_path)).address
    backend.stop()

    async def body() -> None:
        async with open_auth_storage(gone) as storage:
            await refused(storage)
            with pytest.raises(Unavailable):
                await storage.get_by_id(ANN.id)

    run(body())
