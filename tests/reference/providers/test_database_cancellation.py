"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

from storeproof.reference.providers import (
    LeaseId,
    ProviderId,
    ProviderStorage,
    Revision,
    SecretFilter,
    open_provider_storage,
)
from storeproof.reference.providers.laws.given import NOW, provider, secret

from ..cancelling import Cancelling


def name(nth: int) -> ProviderId:
    return ProviderId(f"p{nth}")


async def prepare(storage: ProviderStorage, nth: int) -> None:
    await storage.create(provider(name(nth)))
    await storage.put_secret(secret("a", name(nth)))


async def state(storage: ProviderStorage, nth: int) -> tuple[object, ...]:
    """All that the operations below change of a provider, and what a lease would count."""
    changes = await storage.changes_since(Revision(0), 1000)
    usage = (await storage.list_usage(NOW, None, 1000)).items
    secrets = (await storage.list_secrets(SecretFilter(provider=name(nth)))).items
    return (
        [each.provider and each.provider.version for each in changes if each.id == name(nth)],
        len(secrets),
        [each.requests for each in usage if each.provider == name(nth)],
    )


async def work(storage: ProviderStorage, nth: int) -> None:
    free = f"free {nth} {id(storage)}"
    await storage.create(provider(free, endpoint="e"))
    await storage.acquire(LeaseId(free), ProviderId(free), 1, NOW)


CANCELLING = Cancelling[ProviderStorage](
    opened=open_provider_storage,
    prepare=prepare,
    state=state,
    before=([1], 1, []),
    work=work,
)


def test_a_cancelled_update(url: str) -> None:
    after: object = ([2], 1, [])
    assert CANCELLING.everywhere(url, lambda s, n: s.update(provider(name(n)), 1), after) >= 3


def test_a_cancelled_deletion(url: str) -> None:
    after: object = ([None], 0, [])
    assert CANCELLING.everywhere(url, lambda s, n: s.delete(name(n)), after) >= 4


async def acquire(storage: ProviderStorage, nth: int) -> None:
    await storage.acquire(LeaseId(name(nth)), name(nth), 1, NOW)


def test_a_cancelled_lease(url: str) -> None:
    assert CANCELLING.everywhere(url, acquire, ([1], 1, [1])) >= 1
