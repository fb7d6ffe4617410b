"""Broken variants of the storages, each with its suite; `test_broken.py` has them found."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from redis.exceptions import ConnectionError as ConnectionLost
from redis_auth import RedisAuthStorage, RedisProviderStorage
from redis_auth.connections import Connections
from redis_auth.executor import Executor, Library

from storeproof import Contract
from storeproof.reference.auth import User
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.exceptions import VersionConflict
from storeproof.reference.providers import Provider
from storeproof.reference.providers.entities import canonical
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.values import canonical_integer, email_key

FOUND_BY = {
    "GetThenSet": "bursts",
    "TombstoneForgotten": "agreement",
    "PurgedDigestIsTaken": "auth_087_ended_tokens_are_purged",
    "RedisForgetsByItself": "agreement",
    "CreatedByHalves": "cancellation",
    "WrittenAgain": "faults",
}
"""The check, or the law, that each is found by."""


class GetsThenSets(RedisProviderStorage):
    """Compares the version here and sets there, without WATCH."""

    async def update(self, entity: Provider, expected_version: int) -> Provider:
        provider = canonical(entity)
        canonical_integer("expected_version", expected_version)
        if (await self.get_by_id(provider.id)).version != expected_version:
            raise VersionConflict("provider", provider.id, expected_version)
        return await super().update(entity, expected_version)


class CreatesByHalves(RedisAuthStorage):
    """One script for the record, another one for the indexes."""

    async def create(self, entity: User) -> User:
        user = await super().create(entity)
        await self._executor.write("index", user.id, email_key(user.email))
        return user


class WritesAgain(Executor):
    """Makes again what is lost, as redis-py does unless it is told not to."""

    async def write(self, operation: str, *arguments: Any) -> list[Any]:
        try:
            return await self._run("", operation, arguments)
        except ConnectionLost:
            return await super().write(operation, *arguments)


def changed(library: Library, old: str, new: str) -> Library:
    """The library with other words in one place."""
    assert library.text.count(old) == 1, old
    library.text = library.text.replace(old, new)
    library.digest = library.digest_of(library.text)
    return library


def opener(
    make: Callable[[Executor], Any],
    library: Library,
    execute: Callable[[Connections, Library, str], Executor] = Executor,
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    @asynccontextmanager
    async def opened(url: str, *, timeout: float = 5.0) -> AsyncIterator[Any]:
        connections = Connections(url, timeout=timeout)
        try:
            yield make(execute(connections, library, "broken"))
        finally:
            await connections.close()

    return opened


def suite(name: str, contract: Contract, *how: Any) -> type:
    return contract.stored_by(opener(*how), "redis", name=name).suite()


TestGetThenSet = suite(
    "GetThenSet",
    providers,
    GetsThenSets,
    changed(
        Library("providers"), "if call('HGET', name, 'version') ~= expected then", "if false then"
    ),
)
TestTombstoneForgotten = suite(
    "TombstoneForgotten",
    providers,
    RedisProviderStorage,
    changed(
        Library("providers"),
        "  changed(id)\n  return {'ok'}\nend\n\nlocal function has_model",
        "  call('ZREM', key('changes'), id)\n  return {'ok'}\nend\n\nlocal function has_model",
    ),
)
TestPurgedDigestIsTaken = suite(
    "PurgedDigestIsTaken",
    auth,
    RedisAuthStorage,
    changed(Library("auth", "tokens"), "call('HDEL', key(kind, 'digests'), plain(found[1]))", ""),
)
TestRedisForgetsByItself = suite(
    "RedisForgetsByItself",
    auth,
    RedisAuthStorage,
    changed(
        Library("auth", "tokens"),
        "call('HSET', key(kind, 'digests'), digest, id)",
        "call('HSET', key(kind, 'digests'), digest, id) call('PEXPIRE', name, 1)",
    ),
)
TestCreatedByHalves = suite(
    "CreatedByHalves",
    auth,
    CreatesByHalves,
    changed(
        Library("auth", "tokens"),
        "  call('ZADD', key('users'), 0, id)",
        "  return {'ok'}\nend\n\nfunction operations.index(id, email_key)\n"
        "  call('ZADD', key('users'), 0, id)",
    ),
)
TestWrittenAgain = suite(
    "WrittenAgain", auth, RedisAuthStorage, Library("auth", "tokens"), WritesAgain
)
