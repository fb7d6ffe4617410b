"""The service: the same over every storage, and discreet with secrets."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Coroutine
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from storeproof.reference.config import Config
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict
from storeproof.reference.providers import (
    DatabaseProviderStorage,
    InMemoryProviderStorage,
    KeyId,
    Lease,
    LeaseId,
    ModelName,
    ProviderId,
    ProviderStorage,
    Revision,
    SecretName,
)
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    MINUTE,
    NOW,
    TOKEN,
    WEST,
    provider,
    used,
)
from storeproof.reference.providers.selection import Strategy
from storeproof.reference.providers.service import (
    KeyRing,
    NoProviderAvailable,
    ProviderPolicy,
    ProviderService,
    RotationIncomplete,
    SecretText,
    Undecryptable,
)
from storeproof.reference.selection import get_provider_storage, open_storages

MODEL = ModelName("m")
PLAIN = "sk-very-secret"
TEXT = SecretText(PLAIN)
KEYS = {KeyId("k1"): b"1" * 32, KeyId("k2"): b"2" * 32}
FREE = Decimal(0)


def ring(*keys: str, current: str | None = None) -> KeyRing:
    chosen = {KeyId(name): KEYS[KeyId(name)] for name in keys}
    return KeyRing(chosen, KeyId(current or keys[0]))


def service(
    storage: ProviderStorage, cipher: KeyRing | None = None, **policy: Any
) -> ProviderService:
    ids = iter(range(1000))
    return ProviderService(
        storage,
        cipher=cipher or ring("k1"),
        clock=lambda: NOW,
        new_id=lambda: f"lease {next(ids)}",
        new_draw=lambda: 0,
        policy=ProviderPolicy(**policy),
    )


def run(call: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(call)


async def fill(made: ProviderService, *names: str, **fields: Any) -> None:
    for name in names:
        await made.add(provider(name, models=frozenset({MODEL}), **fields))


def test_the_service_is_the_same_over_a_database(url: str) -> None:
    async def use() -> None:
        async with open_storages(Config(database_url=url, create_schema=True)) as storages:
            assert isinstance(storages.providers, DatabaseProviderStorage)
            await whole_story(storages.providers)

    run(use())


def test_the_service_in_memory() -> None:
    storage = get_provider_storage(Config())
    assert isinstance(storage, InMemoryProviderStorage)
    run(whole_story(storage))


async def whole_story(storage: ProviderStorage) -> None:
    made = service(storage)
    await fill(made, EAST, WEST, rpm=1)
    await made.put_secret(EAST, TOKEN, TEXT)
    assert await made.secret(EAST, TOKEN) == TEXT
    first, lease = await made.choose(MODEL, 5)
    second, other = await made.choose(MODEL, 5)
    assert [first.id, second.id] == [EAST, WEST]
    with pytest.raises(NoProviderAvailable) as caught:
        await made.choose(MODEL)
    assert caught.value.retry_at == NOW + MINUTE
    await made.record(lease, ok=True, latency=timedelta(milliseconds=1), cost=FREE)
    await made.record(other, ok=False, latency=timedelta(0), cost=FREE)
    found = await made.stats(EAST, NOW, NOW + HOUR)
    assert (found.count, found.errors, found.p50) == (1, 0, 1002)
    await made.remove(WEST)
    with pytest.raises(NotFound):
        await made.get(WEST)


def test_a_change_is_of_the_version_that_was_read() -> None:
    async def use() -> None:
        made = service(InMemoryProviderStorage())
        await fill(made, EAST)
        read = await made.get(EAST)
        changed = await made.change(replace(read, enabled=False))
        assert (changed.version, changed.enabled) == (2, False)
        with pytest.raises(VersionConflict):
            await made.change(replace(read, weight=5))

    run(use())


def test_cooling_that_an_operator_ends_makes_the_provider_available_again() -> None:
    async def use() -> None:
        storage = InMemoryProviderStorage()
        made = service(storage)
        await fill(made, EAST)
        await storage.cool_down(EAST, NOW + HOUR)
        with pytest.raises(NoProviderAvailable):
            await made.choose(MODEL)
        await made.end_cooling(EAST)
        assert (await made.choose(MODEL))[0].id == EAST
        with pytest.raises(NotFound):
            await made.end_cooling(WEST)

    run(use())


def test_a_failure_cools_its_provider_down_and_is_counted_once() -> None:
    async def use() -> None:
        storage = InMemoryProviderStorage()
        made = service(storage, cool_down=timedelta(seconds=10))
        await fill(made, EAST)
        _, lease = await made.choose(MODEL)
        for _ in range(2):
            await made.record(lease, ok=False, latency=timedelta(seconds=2), cost=FREE)
        with pytest.raises(NoProviderAvailable) as caught:
            await made.choose(MODEL)
        assert caught.value.retry_at == NOW + timedelta(seconds=12)
        assert (await made.stats(EAST, NOW, NOW + HOUR)).errors == 1
        with pytest.raises(Duplicate):
            await made.record(lease, ok=True, latency=timedelta(seconds=2), cost=FREE)

    run(use())


def test_a_deleted_providers_failure_is_recorded() -> None:
    async def use() -> None:
        made = service(InMemoryProviderStorage())
        await fill(made, EAST)
        _, lease = await made.choose(MODEL)
        await made.remove(EAST)
        await made.record(lease, ok=False, latency=timedelta(0), cost=FREE)
        assert (await made.stats(EAST, NOW, NOW + HOUR)).errors == 1

    run(use())


class Crowded(InMemoryProviderStorage):
    """Somebody else takes the last room of EAST, and deletes CENTRE, behind each snapshot."""

    async def acquire(self, lease: LeaseId, provider: ProviderId, tokens: int, now: Any) -> Lease:
        if provider == EAST:
            await super().acquire(LeaseId("somebody else's"), provider, 0, now)
        if provider == "centre":
            await self.delete(provider)
        return await super().acquire(lease, provider, tokens, now)


def test_who_was_too_late_gets_the_next_one() -> None:
    async def use() -> None:
        storage = Crowded()
        made = service(storage)
        await fill(made, EAST, WEST, "centre", rpm=1)
        chosen, lease = await made.choose(MODEL)
        assert (chosen.id, lease.provider) == (WEST, WEST)
        assert await used(storage) == [(1, 0), (1, 0)]

    run(use())


def test_unknown_models_and_disabled_providers_are_not_available() -> None:
    async def use() -> None:
        made = service(InMemoryProviderStorage())
        await fill(made, EAST, enabled=False)
        for model in (MODEL, ModelName("unknown")):
            with pytest.raises(NoProviderAvailable, match="Add or enable") as caught:
                await made.choose(model)
            assert caught.value.retry_at is None

    run(use())


def test_the_strategy_is_the_policys() -> None:
    async def use() -> None:
        storage = InMemoryProviderStorage()
        made = service(storage, strategy=Strategy.LATENCY)
        await fill(made, EAST, WEST)
        for name, latency in ((EAST, 9), (WEST, 3)):
            lease = await storage.acquire(LeaseId(name), name, 0, NOW - MINUTE)
            await made.record(lease, ok=True, latency=timedelta(seconds=latency), cost=FREE)
        chosen, _ = await made.choose(MODEL)
        assert chosen.id == WEST

    run(use())


def test_a_choice_reads_statistics_of_whole_minutes() -> None:
    async def use() -> None:
        made = ProviderService(
            InMemoryProviderStorage(),
            cipher=ring("k1"),
            clock=lambda: NOW + MINUTE / 2,
            policy=ProviderPolicy(strategy=Strategy.LATENCY, window=MINUTE * 3 / 4),
        )
        await fill(made, EAST)
        (candidate,) = (await made.snapshot(MODEL)).candidates
        assert candidate.stats is not None
        assert (candidate.stats.start, candidate.stats.end) == (NOW - MINUTE, NOW + MINUTE)

    run(use())


def test_changes_come_whole_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storeproof.reference.providers.service.service.MAX_LIMIT", 2)

    async def use() -> None:
        made = service(InMemoryProviderStorage())
        await fill(made, "a", "b", "c")
        await made.remove(ProviderId("b"))
        seen = await made.changes(Revision(0))
        assert [(each.id, each.provider is None) for each in seen] == [
            ("a", False),
            ("c", False),
            ("b", True),
        ]
        assert await made.changes(seen[-1].revision) == ()

    run(use())


def test_rotation_reaches_every_secret_on_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storeproof.reference.providers.service.service.MAX_LIMIT", 2)

    async def use() -> None:
        storage = InMemoryProviderStorage()
        old, both = service(storage, ring("k1")), service(storage, ring("k2", "k1"))
        await fill(old, EAST, WEST)
        names = [SecretName(f"s{number}") for number in range(5)]
        for name in names:
            for owner in (EAST, WEST):
                await old.put_secret(owner, name, SecretText(f"{owner} {name}"))
        assert await both.rotate_secrets() == 10
        assert await both.rotate_secrets() == 0
        new = service(storage, ring("k2"))
        for name in names:
            assert (await new.secret(WEST, name)).reveal() == f"{WEST} {name}"

    run(use())


def test_rotation_names_what_it_could_not_do_and_does_the_rest() -> None:
    async def use() -> None:
        storage = InMemoryProviderStorage()
        await fill(service(storage), EAST, WEST)
        lost = KeyRing({KeyId("lost"): b"0" * 32}, KeyId("lost"))
        await service(storage, lost).put_secret(EAST, TOKEN, TEXT)
        await service(storage, ring("k1")).put_secret(WEST, TOKEN, TEXT)
        both = service(storage, ring("k2", "k1"))
        with pytest.raises(RotationIncomplete, match="'token' of 'east'") as caught:
            await both.rotate_secrets()
        assert caught.value.left == ((EAST, TOKEN),)
        assert await service(storage, ring("k2")).secret(WEST, TOKEN) == TEXT

    run(use())


def test_exports_redact_unless_asked() -> None:
    async def use() -> None:
        made = service(InMemoryProviderStorage())
        await fill(made, EAST, WEST)
        await made.put_secret(EAST, TOKEN, TEXT)
        redacted = json.dumps(await made.export())
        assert (PLAIN in redacted, "v1." in redacted, "(redacted)" in redacted) == (
            False,
            False,
            True,
        )
        whole = await made.export(reveal_secrets=True)
        assert [each["secrets"] for each in whole] == [{TOKEN: PLAIN}, {}]

    run(use())


def test_a_ciphertext_is_bound_to_its_place() -> None:
    cipher = ring("k1")
    sealed = cipher.seal(EAST, TOKEN, TEXT)
    assert cipher.open(sealed) == TEXT
    flipped = sealed.ciphertext[:-2] + ("AA" if sealed.ciphertext[-2:] != "AA" else "BB")
    moved = (
        {"provider": WEST},
        {"name": "other"},
        {"key": "k2"},
        {"ciphertext": flipped},
        {"ciphertext": "v1." + "a" * 41},
    )
    for change in moved:
        with pytest.raises(Undecryptable):
            ring("k1", "k2").open(replace(sealed, **change))


def test_no_secret_is_encrypted_alike_twice() -> None:
    cipher = ring("k1")
    sealed = {cipher.seal(EAST, TOKEN, TEXT).ciphertext for _ in range(10)}
    assert len(sealed) == 10
    assert not any(PLAIN in each for each in sealed)


def test_secrets_are_in_no_text() -> None:
    cipher = ring("k1", "k2")
    shown = [repr(TEXT), str(TEXT), f"{TEXT}", repr(cipher), str(vars(cipher))]
    sealed = cipher.seal(EAST, TOKEN, TEXT)
    with pytest.raises(Undecryptable) as caught:
        cipher.open(replace(sealed, key=KeyId("gone")))
    shown += [str(caught.value), repr(caught.value), repr(caught.value.__context__)]
    for each in shown:
        assert PLAIN not in each
        assert "1" * 32 not in each
        assert sealed.ciphertext not in each
    for write in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="reveal"):
            write(TEXT)


def test_key_rings_are_checked() -> None:
    with pytest.raises(ValueError, match="no key 'k2'"):
        ring("k1", current="k2")
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing({KeyId("short"): b"1" * 16}, KeyId("short"))
