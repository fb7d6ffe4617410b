"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from storeproof.reference.providers import (
    LeaseId,
    ProviderId,
    ProviderStorage,
    Revision,
    SecretFilter,
    open_provider_storage,
)
from storeproof.reference.providers.laws.given import NOW, provider, secret

from ..cancelling import cancel_everywhere

Act = Callable[[ProviderStorage, ProviderId], Coroutine[Any, Any, object]]


async def state(storage: ProviderStorage, id: ProviderId) -> tuple[object, ...]:
    """All that the operations below change of a provider, and what a lease would count."""
    changes = [each for each in await storage.changes_since(Revision(0), 1000) if each.id == id]
    usage = (await storage.list_usage(NOW, None, 1000)).items
    secrets = (await storage.list_secrets(SecretFilter(provider=id))).items
    return (
        [each.provider and each.provider.version for each in changes],
        len(secrets),
        [each.requests for each in usage if each.provider == id],
    )


def everywhere(url: str, act: Act, after: object) -> int:
    """Cancels the act at each of its suspensions, on a new provider each time."""
    before = ([1], 1, [])

    async def use() -> int:
        async with open_provider_storage(url) as storage, open_provider_storage(url) as other:

            async def call(nth: int) -> None:
                made = await other.create(provider(f"p{nth}"))
                await other.put_secret(secret("a", made.id))
                ready.set()
                await act(storage, made.id)

            async def check(nth: int) -> None:
                if not ready.is_set():
                    return
                ready.clear()
                made = ProviderId(f"p{nth}")
                found = await state(other, made)
                assert found in (before, after)
                async with asyncio.timeout(5):
                    for number, each in enumerate((other, storage)):
                        await each.create(provider(f"free {nth} {number}", endpoint="e"))
                        lease = LeaseId(f"free {nth} {number}")
                        await each.acquire(lease, ProviderId(lease), 1, NOW)
                assert await state(other, made) == found

            ready = asyncio.Event()
            return await cancel_everywhere(call, check)

    return asyncio.run(use())


def test_a_cancelled_update(url: str) -> None:
    after = ([2], 1, [])
    assert everywhere(url, lambda storage, who: storage.update(provider(who), 1), after) >= 3


def test_a_cancelled_deletion(url: str) -> None:
    after: object = ([None], 0, [])
    assert everywhere(url, lambda storage, who: storage.delete(who), after) >= 4


def test_a_cancelled_lease(url: str) -> None:
    after = ([1], 1, [1])

    async def acquire(storage: ProviderStorage, id: ProviderId) -> None:
        await storage.acquire(LeaseId(id), id, 1, NOW)

    assert everywhere(url, acquire, after) >= 1
