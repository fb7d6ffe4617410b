"""For applications without a database, and for reading what the operations mean exactly.

The shortest correct code: other storages are compared with it. No operation awaits
anything, so each happens at one instant.
"""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound, VersionConflict
from storeproof.reference.lists import take_page
from storeproof.reference.providers.amounts import nanos_of
from storeproof.reference.providers.entities import (
    MINUTE,
    Change,
    Ciphertext,
    Cooling,
    Lease,
    LeaseId,
    Outcome,
    OutcomeId,
    Provider,
    ProviderFilter,
    ProviderId,
    Revision,
    Secret,
    SecretFilter,
    SecretName,
    Stats,
    Usage,
    canonical,
    canonical_ciphertext,
    canonical_tokens,
    check_room,
    make_stats,
    minute_of,
)
from storeproof.reference.providers.orders import (
    COOLING_ORDER,
    PROVIDER_ORDER,
    SECRET_ORDER,
    USAGE_ORDER,
)
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.providers.sketch import bucket_of
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import (
    MAX_INTEGER,
    canonical_id,
    canonical_integer,
    canonical_name,
    canonical_time,
)
from storeproof.reference.watching import Bell, Watch

__all__ = ["InMemoryProviderStorage"]

Item = TypeVar("Item", bound=msgspec.Struct)


class InMemoryProviderStorage(ProviderStorage):
    """Implements `ProviderStorage` in the memory of this process, and `Watchable`."""

    def __init__(self) -> None:
        self._providers: dict[ProviderId, Provider] = {}
        self._changes: dict[ProviderId, Change] = {}
        self._revision = 0
        self._secrets: dict[tuple[ProviderId, SecretName], Secret] = {}
        self._leases: dict[LeaseId, Lease] = {}
        self._usage: dict[tuple[datetime, ProviderId], Usage] = {}
        self._outcomes: dict[OutcomeId, Outcome] = {}
        self._cooling: dict[ProviderId, datetime] = {}
        self._bell, self._news = Bell(), 0

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """A watch on providers and secrets."""
        return self._bell.watch(lambda: self._news)

    async def get_by_id(self, id: ProviderId) -> Provider:
        canonical_id("id", id)
        return self._provider(id)

    async def create(self, entity: Provider) -> Provider:
        provider = canonical(entity)
        if provider.id in self._changes:
            raise Duplicate("id")
        self._providers[provider.id] = provider
        self._changed(provider.id)
        return provider

    async def update(self, entity: Provider, expected_version: int) -> Provider:
        provider = canonical(entity)
        canonical_integer("expected_version", expected_version)
        if self._provider(provider.id).version != expected_version:
            raise VersionConflict("provider", provider.id, expected_version)
        self._providers[provider.id] = replace(provider, version=expected_version + 1)
        self._changed(provider.id)
        return self._providers[provider.id]

    async def delete(self, id: ProviderId) -> None:
        canonical_id("id", id)
        self._provider(id)
        del self._providers[id]
        self._cooling.pop(id, None)
        self._secrets = {key: each for key, each in self._secrets.items() if key[0] != id}
        self._changed(id)

    async def list_providers(
        self, filter: ProviderFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Provider]:
        wanted = canonical(filter)
        found = [
            each
            for each in self._providers.values()
            if wanted.kind in (None, each.kind)
            and (wanted.model is None or wanted.model in each.models)
            and wanted.enabled in (None, each.enabled)
        ]
        return take_page(PROVIDER_ORDER, found, cursor, limit)

    async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
        canonical_integer("revision", revision, 0, MAX_INTEGER)
        canonical_limit(limit)
        later = [each for each in self._changes.values() if each.revision > revision]
        return tuple(sorted(later, key=lambda change: change.revision)[:limit])

    async def put_secret(self, secret: Secret) -> Secret:
        secret = canonical(secret)
        self._provider(secret.provider)
        self._secrets[secret.provider, secret.name] = secret
        self._tell()
        return secret

    async def get_secret(self, provider: ProviderId, name: SecretName) -> Secret:
        canonical_id("provider", provider)
        canonical_name("name", name)
        return self._secret(provider, name)

    async def list_secrets(
        self, filter: SecretFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Secret]:
        wanted = canonical(filter)
        found = [
            each
            for each in self._secrets.values()
            if wanted.provider in (None, each.provider) and wanted.other_than != each.key
        ]
        return take_page(SECRET_ORDER, found, cursor, limit)

    async def rotate_secret(self, secret: Secret, old: Ciphertext) -> bool:
        secret = canonical(secret)
        canonical_ciphertext("old", old)
        stored = self._secret(secret.provider, secret.name)
        if stored.ciphertext not in (old, secret.ciphertext):
            return False
        self._secrets[secret.provider, secret.name] = secret
        self._tell()
        return True

    async def acquire(
        self, lease: LeaseId, provider: ProviderId, tokens: int, now: datetime
    ) -> Lease:
        canonical_id("lease", lease)
        canonical_id("provider", provider)
        canonical_tokens("tokens", tokens)
        now = canonical_time("now", now)
        given = self._leases.get(lease)
        if given is not None and (given.provider, given.tokens) != (provider, tokens):
            raise Duplicate("lease")
        if given is not None:
            return given
        found, minute = self._provider(provider), minute_of(now)
        unused = Usage(provider=provider, minute=minute, requests=0, tokens=0)
        used = self._usage.get((minute, provider), unused)
        check_room(provider, (found.rpm, found.tpm), used, tokens)
        self._usage[minute, provider] = replace(
            used, requests=used.requests + 1, tokens=used.tokens + tokens
        )
        self._leases[lease] = Lease(id=lease, provider=provider, tokens=tokens, at=now)
        return self._leases[lease]

    async def list_usage(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Usage]:
        minute = minute_of(canonical_time("now", now))
        return take_page(
            USAGE_ORDER,
            [each for each in self._usage.values() if each.minute == minute],
            cursor,
            limit,
        )

    async def purge_usage(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        ended = sorted(key for key in self._usage if key[0] + MINUTE <= before)[:limit]
        for key in ended:
            del self._usage[key]
        self._leases = {
            lease: each
            for lease, each in self._leases.items()
            if (minute_of(each.at), each.provider) not in ended
        }
        return len(ended)

    async def record_outcome(self, outcome: Outcome) -> Outcome:
        outcome = canonical(outcome)
        if self._outcomes.get(outcome.id, outcome) != outcome:
            raise Duplicate("id")
        if outcome.provider not in self._changes:
            raise NotFound("provider", outcome.provider)
        self._outcomes[outcome.id] = outcome
        return outcome

    async def stats(self, provider: ProviderId, start: datetime, end: datetime) -> Stats:
        canonical_id("provider", provider)
        start, end = canonical_time("start", start), canonical_time("end", end)
        if end < start:
            raise InvalidValue("end", "must not be before start")
        tallies = [
            (each.ok, bucket_of(each.latency), 1, each.tokens, nanos_of(each.cost))
            for each in self._outcomes.values()
            if each.provider == provider and start <= each.at < end
        ]
        return make_stats(provider, start, end, tallies)

    async def purge_outcomes(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        old = sorted((each.at, each.id) for each in self._outcomes.values() if each.at < before)
        for _, outcome in old[:limit]:
            del self._outcomes[outcome]
        return len(old[:limit])

    async def cool_down(self, id: ProviderId, until: datetime) -> datetime:
        canonical_id("id", id)
        until = canonical_time("until", until)
        self._provider(id)
        self._cooling[id] = max(until, self._cooling.get(id, until))
        return self._cooling[id]

    async def end_cooling(self, id: ProviderId, at: datetime) -> datetime | None:
        canonical_id("id", id)
        at = canonical_time("at", at)
        self._provider(id)
        if id in self._cooling:
            self._cooling[id] = min(at, self._cooling[id])
        return self._cooling.get(id)

    async def list_cooling(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Cooling]:
        now = canonical_time("now", now)
        cooling = [
            Cooling(provider=provider, until=until)
            for provider, until in self._cooling.items()
            if until > now
        ]
        return take_page(COOLING_ORDER, cooling, cursor, limit)

    def _provider(self, id: ProviderId) -> Provider:
        if id not in self._providers:
            raise NotFound("provider", id)
        return self._providers[id]

    def _secret(self, provider: ProviderId, name: SecretName) -> Secret:
        if (provider, name) not in self._secrets:
            raise NotFound("secret", name)
        return self._secrets[provider, name]

    def _changed(self, id: ProviderId) -> None:
        self._revision += 1
        revision = Revision(self._revision)
        self._changes[id] = Change(revision=revision, id=id, provider=self._providers.get(id))
        self._tell()

    def _tell(self) -> None:
        self._news += 1
        self._bell.ring()
