"""For applications that keep their providers in Redis: `ProviderStorage`, one script a call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from msgspec.structs import replace

from redis_auth.connections import Connections
from redis_auth.executor import Executor, Library
from redis_auth.providers.outcomes import row_of, tally_of
from redis_auth.records import entity_of, fields_of, json_of, stamp, time_of, wanted
from redis_auth.spans import after, all_of, joined
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.providers import (
    Change,
    Ciphertext,
    Cooling,
    Lease,
    LeaseId,
    Outcome,
    Provider,
    ProviderFilter,
    ProviderId,
    ProviderStorage,
    Revision,
    Secret,
    SecretFilter,
    SecretName,
    Stats,
    Usage,
)
from storeproof.reference.providers.entities import (
    MINUTE,
    canonical,
    canonical_ciphertext,
    canonical_tokens,
    make_stats,
    minute_of,
)
from storeproof.reference.providers.orders import (
    COOLING_ORDER,
    PROVIDER_ORDER,
    SECRET_ORDER,
    USAGE_ORDER,
)
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import (
    MAX_INTEGER,
    canonical_id,
    canonical_integer,
    canonical_name,
    canonical_time,
)

__all__ = ["RedisProviderStorage", "open_provider_storage"]


class RedisProviderStorage(ProviderStorage):
    """Implements `ProviderStorage` on Redis 7 or later."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def get_by_id(self, id: ProviderId) -> Provider:
        canonical_id("id", id)
        (found,) = await self._executor.read("get_by_id", id)
        return entity_of(Provider, found)

    async def create(self, entity: Provider) -> Provider:
        provider = canonical(entity)
        await self._executor.write("create", provider.id, *fields_of(provider))
        return provider

    async def update(self, entity: Provider, expected_version: int) -> Provider:
        given = canonical(entity)
        canonical_integer("expected_version", expected_version)
        provider = replace(given, version=expected_version + 1)
        await self._executor.write("update", provider.id, expected_version, *fields_of(provider))
        return provider

    async def delete(self, id: ProviderId) -> None:
        canonical_id("id", id)
        await self._executor.write("delete", id)

    async def list_providers(
        self, filter: ProviderFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Provider]:
        asked = canonical(filter)
        position = PROVIDER_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_providers",
            after(None if position is None else "{:07d}{}".format(*position).encode()),
            limit,
            wanted(asked.kind),
            wanted(asked.enabled),
            asked.model or "",
        )
        return PROVIDER_ORDER.page([entity_of(Provider, each) for each in found], more=bool(more))

    async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
        canonical_integer("revision", revision, 0, MAX_INTEGER)
        canonical_limit(limit)
        (found,) = await self._executor.read("changes_since", revision, limit)
        return tuple(
            Change(
                revision=Revision(int(number)),
                id=ProviderId(provider.decode()),
                provider=entity_of(Provider, fields) if fields else None,
            )
            for provider, number, fields in found
        )

    async def put_secret(self, secret: Secret) -> Secret:
        secret = canonical(secret)
        await self._executor.write("put_secret", secret.provider, secret.name, *fields_of(secret))
        return secret

    async def get_secret(self, provider: ProviderId, name: SecretName) -> Secret:
        canonical_id("provider", provider)
        canonical_name("name", name)
        (found,) = await self._executor.read("get_secret", provider, name)
        return entity_of(Secret, found)

    async def list_secrets(
        self, filter: SecretFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Secret]:
        asked = canonical(filter)
        position = SECRET_ORDER.position(cursor)
        canonical_limit(limit)
        start = b"" if asked.provider is None else asked.provider.encode() + b"\0"
        found, more = await self._executor.read(
            "list_secrets",
            *all_of(start, joined(position)),
            limit,
            wanted(asked.other_than),
        )
        return SECRET_ORDER.page([entity_of(Secret, each) for each in found], more=bool(more))

    async def rotate_secret(self, secret: Secret, old: Ciphertext) -> bool:
        secret = canonical(secret)
        canonical_ciphertext("old", old)
        (done,) = await self._executor.write(
            "rotate_secret",
            secret.provider,
            secret.name,
            json_of(old),
            json_of(secret.ciphertext),
            *fields_of(secret),
        )
        return bool(done)

    async def acquire(
        self, lease: LeaseId, provider: ProviderId, tokens: int, now: datetime
    ) -> Lease:
        canonical_id("lease", lease)
        canonical_id("provider", provider)
        canonical_tokens("tokens", tokens)
        now = canonical_time("now", now)
        (found,) = await self._executor.write(
            "acquire",
            lease,
            provider,
            stamp(minute_of(now)),
            json_of(provider),
            json_of(tokens),
            *fields_of(Lease(id=lease, provider=provider, tokens=tokens, at=now)),
        )
        return entity_of(Lease, found)

    async def list_usage(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Usage]:
        minute = minute_of(canonical_time("now", now))
        position = USAGE_ORDER.position(cursor)
        canonical_limit(limit)
        start = stamp(minute).encode()
        last = None if position is None else start + position[0].encode()
        found, more = await self._executor.read("list_usage", *all_of(start, last), limit)
        usage = [
            Usage(
                provider=ProviderId(member.removeprefix(start).decode()),
                minute=minute,
                requests=int(requests),
                tokens=int(tokens),
            )
            for member, requests, tokens in found
        ]
        return USAGE_ORDER.page(usage, more=bool(more))

    async def purge_usage(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        _, to = all_of(stamp(before - MINUTE).encode())
        (count,) = await self._executor.write("purge_usage", to, limit)
        return int(count)

    async def record_outcome(self, outcome: Outcome) -> Outcome:
        outcome = canonical(outcome)
        await self._executor.write(
            "record_outcome",
            outcome.id,
            outcome.provider,
            stamp(outcome.at),
            json_of(outcome),
            row_of(outcome),
        )
        return outcome

    async def stats(self, provider: ProviderId, start: datetime, end: datetime) -> Stats:
        canonical_id("provider", provider)
        start, end = canonical_time("start", start), canonical_time("end", end)
        if end < start:
            raise InvalidValue("end", "must not be before start")
        limits = f"[{stamp(start)}", f"({stamp(end)}"
        (found,) = await self._executor.read("stats", provider, *limits)
        return make_stats(provider, start, end, [tally_of(*each) for each in found])

    async def purge_outcomes(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        (count,) = await self._executor.write("purge_outcomes", f"({stamp(before)}", limit)
        return int(count)

    async def cool_down(self, id: ProviderId, until: datetime) -> datetime:
        canonical_id("id", id)
        until = canonical_time("until", until)
        (found,) = await self._executor.write("cool_down", id, stamp(until))
        return time_of(found)

    async def end_cooling(self, id: ProviderId, at: datetime) -> datetime | None:
        canonical_id("id", id)
        at = canonical_time("at", at)
        (found,) = await self._executor.write("end_cooling", id, stamp(at))
        return None if found is None else time_of(found)

    async def list_cooling(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Cooling]:
        now = canonical_time("now", now)
        position = COOLING_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_cooling", stamp(now), after(joined(position)), limit
        )
        cooling = [
            Cooling(provider=ProviderId(provider.decode()), until=time_of(until))
            for provider, until in found
        ]
        return COOLING_ORDER.page(cooling, more=bool(more))


@asynccontextmanager
async def open_provider_storage(
    url: str, *, prefix: str = "providers", timeout: float = 5.0
) -> AsyncIterator[RedisProviderStorage]:
    """A storage at a URL such as `redis://localhost:6379/0`; its keys begin with `{prefix}:`.

    `timeout`: seconds that a call waits for a connection, and then for the server. Nothing is
    connected before the first call.
    """
    connections = Connections(url, timeout=timeout)
    try:
        yield RedisProviderStorage(Executor(connections, Library("providers"), prefix))
    finally:
        await connections.close()
