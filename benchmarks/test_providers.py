"""Maintainers run `pytest benchmarks --storage=postgres`: the provider storage's budgets."""

from __future__ import annotations

from typing import Any

from budgets import Budget, gates_of

from storeproof.harness.latency.workloads import stated
from storeproof.reference.providers import LeaseId, Revision, SecretFilter
from storeproof.reference.providers.laws import contract
from storeproof.reference.providers.laws.given import (
    ANY,
    EAST,
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    ciphertext,
    outcome,
    provider,
    secret,
)


async def new_provider(s: Any, n: int) -> None:
    await s.create(provider(f"p{n}", rpm=10**9, tpm=10**12))


async def new_secret(s: Any, n: int) -> None:
    await s.put_secret(secret("a", f"p{n}"))


async def leased(s: Any, n: int) -> None:
    await s.acquire(LeaseId(f"l{n}"), f"p{n}", 1, NOW)


async def new_outcome(s: Any, n: int) -> None:
    await s.record_outcome(outcome(f"o{n}", provider=f"p{n}"))


async def cooled(s: Any, n: int) -> None:
    await s.cool_down(f"p{n}", NOW + HOUR)


CALLS = {
    "get_by_id": stated(lambda s, n: s.get_by_id(f"p{n}"), new_provider),
    "create": stated(new_provider),
    "update": stated(lambda s, n: s.update(provider(f"p{n}", kind="x"), 1), new_provider),
    "delete": stated(lambda s, n: s.delete(f"p{n}"), new_provider),
    "list_providers": stated(lambda s, n: s.list_providers(ANY, limit=10), new_provider),
    "changes_since": stated(lambda s, n: s.changes_since(Revision(0), limit=10), new_provider),
    "put_secret": stated(new_secret, new_provider),
    "get_secret": stated(lambda s, n: s.get_secret(f"p{n}", TOKEN), new_provider, new_secret),
    "list_secrets": stated(
        lambda s, n: s.list_secrets(SecretFilter(), limit=10), new_provider, new_secret
    ),
    "rotate_secret": stated(
        lambda s, n: s.rotate_secret(secret("b", f"p{n}"), ciphertext("a")),
        new_provider,
        new_secret,
    ),
    "acquire": stated(leased, new_provider),
    "list_usage": stated(lambda s, n: s.list_usage(NOW, limit=10), new_provider, leased),
    "purge_usage": stated(lambda s, n: s.purge_usage(NOW + HOUR, 1), new_provider, leased),
    "record_outcome": stated(new_outcome, new_provider),
    "stats": stated(lambda s, n: s.stats(EAST, NOW - HOUR, NOW + MINUTE), new_provider),
    "purge_outcomes": stated(
        lambda s, n: s.purge_outcomes(NOW + HOUR, 1), new_provider, new_outcome
    ),
    "cool_down": stated(cooled, new_provider),
    "end_cooling": stated(lambda s, n: s.end_cooling(f"p{n}", NOW + MINUTE), new_provider, cooled),
    "list_cooling": stated(lambda s, n: s.list_cooling(NOW, limit=10), new_provider, cooled),
}
BUDGETS = {
    "get_by_id": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "create": Budget("insert", sqlite=5.5, postgres=2, round_trips=3),
    "update": Budget("insert", sqlite=5.5, postgres=2.5, round_trips=3),
    "delete": Budget("insert", sqlite=5.5, postgres=2.5, round_trips=4),
    "list_providers": Budget("read", sqlite=4.5, postgres=1.25, round_trips=1),
    "changes_since": Budget("read", sqlite=4.5, postgres=1.25, round_trips=1),
    "put_secret": Budget("insert", sqlite=2.5, postgres=1.25, round_trips=1),
    "get_secret": Budget("read", sqlite=1.75, postgres=1.25, round_trips=1),
    "list_secrets": Budget("read", sqlite=3.25, postgres=1.25, round_trips=1),
    "rotate_secret": Budget("insert", sqlite=2.25, postgres=1.25, round_trips=1),
    "acquire": Budget("insert", sqlite=7.5, postgres=1.25, round_trips=1),
    "list_usage": Budget("read", sqlite=3.25, postgres=1.25, round_trips=1),
    "purge_usage": Budget("insert", sqlite=3, postgres=1.75, round_trips=1),
    "record_outcome": Budget("insert", sqlite=8.5, postgres=1.75, round_trips=1),
    "stats": Budget("read", sqlite=3, postgres=1.25, round_trips=1),
    "purge_outcomes": Budget("insert", sqlite=8.25, postgres=3, round_trips=4),
    "cool_down": Budget("insert", sqlite=2, postgres=1.25, round_trips=1),
    "end_cooling": Budget("insert", sqlite=2, postgres=1.25, round_trips=1),
    "list_cooling": Budget("read", sqlite=3.25, postgres=1.25, round_trips=1),
}

TestProviders = contract.benchmarks(gates=gates_of(BUDGETS), calls=CALLS)
