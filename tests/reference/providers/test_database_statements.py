"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from storeproof.reference.providers import (
    DatabaseProviderStorage,
    LeaseId,
    ProviderFilter,
    ProviderStorage,
    RateLimited,
    Revision,
    SecretFilter,
)
from storeproof.reference.providers.laws.given import (
    ANY,
    EAST,
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    WEST,
    acquire,
    ciphertext,
    outcome,
    provider,
    secret,
)

from ..counting import operations_in, operations_of, statements_of

Case = tuple[int, Callable[[ProviderStorage, str], Awaitable[object]]]
CHANGE = 3  # BEGIN with the lock, the change, COMMIT
LEASE_ON_SQLITE = 5  # BEGIN, the state, the count, the lease, COMMIT; there is no network

OUTCOME_ON_SQLITE = 4  # BEGIN, the outcome, its counts, COMMIT; or the one that is there
PURGE = 4  # BEGIN, the outcomes and their counts, the counts of nothing, COMMIT


async def purge(storage: ProviderStorage, name: str) -> None:
    await storage.purge_outcomes(NOW + HOUR, 1)


async def refused(storage: ProviderStorage, name: str) -> None:
    with pytest.raises(RateLimited):
        await storage.acquire(LeaseId(name), WEST, 2, NOW)


CASES: dict[str, Case] = {
    "get_by_id": (1, lambda s, i: s.get_by_id(EAST)),
    "create": (CHANGE, lambda s, i: s.create(provider(f"new {i}", endpoint="e"))),
    "update": (CHANGE, lambda s, i: s.update(provider(i), 1)),
    "delete": (CHANGE + 1, lambda s, i: s.delete(provider(i).id)),
    "list_providers": (1, lambda s, i: s.list_providers(ANY)),
    "list_providers, filtered": (1, lambda s, i: s.list_providers(ProviderFilter(kind="open"))),
    "changes_since": (1, lambda s, i: s.changes_since(Revision(0))),
    "put_secret": (1, lambda s, i: s.put_secret(secret("c"))),
    "get_secret": (1, lambda s, i: s.get_secret(EAST, TOKEN)),
    "list_secrets": (1, lambda s, i: s.list_secrets(SecretFilter())),
    "rotate_secret": (1, lambda s, i: s.rotate_secret(secret("b"), ciphertext("a"))),
    "acquire": (1, acquire),
    "acquire, again": (2, lambda s, i: acquire(s, "kept")),
    "acquire, refused": (2, refused),
    "list_usage": (1, lambda s, i: s.list_usage(NOW)),
    "purge_usage": (1, lambda s, i: s.purge_usage(NOW, 10)),
    "record_outcome": (1, lambda s, i: s.record_outcome(outcome(i))),
    "record_outcome, again": (2, lambda s, i: s.record_outcome(outcome("kept", at=NOW + MINUTE))),
    "stats": (1, lambda s, i: s.stats(EAST, NOW, NOW + HOUR)),
    "purge_outcomes": (PURGE, purge),
    "purge_outcomes, of none": (PURGE - 1, lambda s, i: s.purge_outcomes(NOW, 10)),
    "cool_down": (1, lambda s, i: s.cool_down(EAST, NOW)),
    "end_cooling": (1, lambda s, i: s.end_cooling(EAST, NOW)),
    "list_cooling": (1, lambda s, i: s.list_cooling(NOW)),
}
ON_SQLITE = {
    "record_outcome": OUTCOME_ON_SQLITE,
    "record_outcome, again": OUTCOME_ON_SQLITE,
    "purge_outcomes": PURGE + 1,
    "purge_outcomes, of none": PURGE,
    "acquire": LEASE_ON_SQLITE,
    "acquire, again": LEASE_ON_SQLITE - 2,
}


def test_every_operation_has_a_case() -> None:
    assert operations_in(CASES) == operations_of(ProviderStorage)


async def prepare(storage: ProviderStorage, *names: str) -> None:
    for name in (EAST, *names):
        await storage.create(provider(name))
    await storage.create(provider(WEST, tpm=1))
    await storage.put_secret(secret("a"))
    await acquire(storage, "kept")
    for each in ("kept", "old", "older"):
        await storage.record_outcome(outcome(each, at=NOW + (each == "kept") * MINUTE))


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    expected, call = CASES[name]
    if url.startswith("sqlite"):
        expected = ON_SQLITE.get(name, expected)
    assert statements_of(url, DatabaseProviderStorage, prepare, call) == expected
