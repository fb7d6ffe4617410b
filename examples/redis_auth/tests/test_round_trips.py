"""An operation is one round trip, however much it reads or changes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conftest import RedisBackend

from storeproof import Contract, RunOptions
from storeproof.reference.auth import (
    Email,
    Role,
    RoleName,
    Scope,
    User,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.providers import LeaseId, Provider, ProviderFilter, ProviderId, Revision
from storeproof.reference.providers.laws import contract as providers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN, READER, SCOPE = UserId("ann"), RoleName("reader"), Scope("a/b/c")
HERE = ProviderId("here")

AUTH: Sequence[Callable[[Any], Awaitable[object]]] = (
    lambda storage: storage.create(User(id=ANN, email=Email("ann@b.c"), created_at=NOW)),
    lambda storage: storage.put_role(Role(name=READER, essential=False)),
    lambda storage: storage.grant(ANN, READER, Scope("a")),
    lambda storage: storage.permissions(ANN, SCOPE),
    lambda storage: storage.list_users(UserFilter(role=READER)),
    lambda storage: storage.update(ANN, UserPatch(enabled=False), 1),
    lambda storage: storage.delete(ANN, NOW),
)
PROVIDERS: Sequence[Callable[[Any], Awaitable[object]]] = (
    lambda storage: storage.create(Provider(id=HERE, kind="a", endpoint="https://a", rpm=1)),
    lambda storage: storage.acquire(LeaseId("a"), HERE, 5, NOW),
    lambda storage: storage.list_providers(ProviderFilter(kind="a")),
    lambda storage: storage.stats(HERE, NOW, NOW),
    lambda storage: storage.delete(HERE),
    lambda storage: storage.changes_since(Revision(0)),
)


async def trips(
    contract: Contract, calls: Sequence[Callable[[Any], Awaitable[object]]], folder: Path
) -> list[int]:
    backend = RedisBackend()
    store = await backend.create_store(contract, backend.start(RunOptions(directory=folder)))
    found = []
    async with store.counted() as counter:
        storage = await store.second()
        for call in calls:
            before = counter.total
            await call(storage)
            found.append(counter.total - before)
    await store.close()
    backend.stop()
    return found


def test_auth(tmp_path: Path) -> None:
    connecting, *others = asyncio.run(trips(auth, AUTH, tmp_path))

    assert connecting > 1
    assert set(others) == {1}


def test_providers(tmp_path: Path) -> None:
    connecting, *others = asyncio.run(trips(providers, PROVIDERS, tmp_path))

    assert connecting > 1
    assert set(others) == {1}
