"""Proves the RedisStorage of aiogram against its MemoryStorage."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StorageKey
from aiogram.fsm.storage.memory import MemoryStorage
from aiogram.fsm.storage.redis import RedisStorage
from redis.exceptions import RedisError

from storeproof import Contract

EVERYTHING = ("with_bot_id", "with_business_connection_id", "with_destiny")
NAMES = DefaultKeyBuilder(**dict.fromkeys(EVERYTHING, True))


@asynccontextmanager
async def open_redis(url: str, timeout: float | None = None) -> AsyncIterator[BaseStorage]:
    # With a timeout, redis-py waits by wait_for, which swallows cancellations in Python 3.11.
    waits = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    storage = RedisStorage.from_url(url, connection_kwargs=waits, key_builder=NAMES)
    yield storage
    await storage.close()


def contract(name: str, *left_out: str) -> Contract:
    return Contract(
        BaseStorage,
        name=name,
        model=MemoryStorage,
        storages={"redis": open_redis},
        ignore={"close": "the opener closes"} | dict.fromkeys(left_out, "see known_failures.toml"),
        arguments={"key": KEYS, "storage_key": KEYS, "data": DATA, "dict_key": ["a", "b", "c"]}
        | {"state": [None, "a", "é", ""], "default": [None, 0]},
        uncertain=[RedisError, OSError],  # BaseStorage says nothing of errors
    )


USERS = [StorageKey(1, 2, 3), StorageKey(1, 2, 4), StorageKey(4, 2, 3)]
KEYS = [*USERS, StorageKey(1, 2, 3, 5), StorageKey(1, 2, 3, destiny="a")]
DATA: list[Any] = [{}, {"a": 1}, {"a": None, "b": "é"}, {"c": 2.5}]
TestStorage = (storage := contract("BaseStorage")).suite()

# Beside what known_failures.toml tells of, the storages agree.
TestPlainStorage = (plain := contract("PlainStorage", "update_data")).suite()
