"""Walks of lists whose order follows what can change; a seed of the soak found the first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from msgspec.structs import replace

from storeproof import assert_walk
from storeproof.reference.providers import InMemoryProviderStorage, ProviderFilter
from storeproof.reference.providers.laws import contract
from storeproof.reference.providers.laws.given import EAST, WEST, provider


def test_a_provider_whose_priority_changes_may_come_twice() -> None:
    async def walk() -> None:
        storage = InMemoryProviderStorage()
        await storage.create(provider(EAST, priority=1))
        first = await storage.create(provider(WEST, priority=0))

        async def between() -> AsyncIterator[None]:
            await storage.update(replace(first, priority=2), first.version)
            yield

        await assert_walk(
            storage.list_providers,
            {"filter": ProviderFilter()},
            limit=1,
            largest=1000,
            between=between(),
            moving="list_providers" in contract.moving,
        )

    asyncio.run(walk())
