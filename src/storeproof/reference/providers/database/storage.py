"""For applications and for the conformance suite: the provider storage in a database.

What the operations mean stands in `ProviderStorage`. Most are one statement, which is
atomic by itself. Changes of configuration are transactions that hold the lock of the
schema, so that their revisions become visible in their order. On PostgreSQL what must
not meet a deletion (a lease, a new secret) holds the provider's row, shared.
"""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any

from msgspec.structs import asdict, replace

from storeproof.reference.database import (
    Database,
    Row,
    Transaction,
    UniqueViolated,
)
from storeproof.reference.database.combining import Combined
from storeproof.reference.database.entities import entity, first
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.opening import TIMEOUT, open_storage
from storeproof.reference.exceptions import (
    Duplicate,
    InvalidValue,
    VersionConflict,
)
from storeproof.reference.providers.database import leases, outcomes, statements
from storeproof.reference.providers.database.counting import STATS, bounds
from storeproof.reference.providers.database.lists import (
    COOLING_LIST,
    PROVIDER_LIST,
    SECRET_LIST,
    USAGE_LIST,
)
from storeproof.reference.providers.database.tables import CHANNEL, SCHEMA
from storeproof.reference.providers.entities import (
    Change,
    Ciphertext,
    Cooling,
    Lease,
    LeaseId,
    Outcome,
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
    make_stats,
    minute_of,
)
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import (
    MAX_INTEGER,
    canonical_id,
    canonical_integer,
    canonical_name,
    canonical_time,
)
from storeproof.reference.watching import Watch

__all__ = ["DatabaseProviderStorage", "open_provider_storage"]


def open_provider_storage(
    url: str, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager["DatabaseProviderStorage"]:
    """The provider storage in the database at this URL; its tables are created if absent.

    timeout: seconds that it may wait for a statement, or for a connection.
    """
    return open_storage(url, DatabaseProviderStorage, timeout)


class DatabaseProviderStorage(ProviderStorage):
    """Implements `ProviderStorage` on PostgreSQL and SQLite, and `Watchable`.

    Whoever made the database closes it.
    """

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self._database = database
        self._recorded = Combined(partial(outcomes.record, database), key=attrgetter("id"))

    def watch(self) -> AbstractAsyncContextManager[Watch]:
        """A watch on providers and secrets; what it hears is said at `Database.watch`."""
        return self._database.watch(CHANNEL)

    async def get_by_id(self, id: ProviderId) -> Provider:
        canonical_id("id", id)
        rows = await self._database.read(statements.GET_PROVIDER, {"id": id})
        return entity(Provider, first(rows, "provider", id))

    async def create(self, entity: Provider) -> Provider:
        provider = canonical(entity)

        async def work(transaction: Transaction) -> None:
            await transaction.run(statements.CREATE_PROVIDER, asdict(provider))

        try:
            await self._database.transact(work, lock=SCHEMA)
        except UniqueViolated as error:
            raise Duplicate("id") from error
        return provider

    async def update(self, entity: Provider, expected_version: int) -> Provider:
        provider = canonical(entity)
        canonical_integer("expected_version", expected_version)

        given = {**asdict(provider), "expected_version": expected_version}

        async def work(transaction: Transaction) -> Provider:
            if not await transaction.run(statements.UPDATE_PROVIDER, given):
                rows = await transaction.run(statements.GET_PROVIDER, {"id": provider.id})
                first(rows, "provider", provider.id)
                raise VersionConflict("provider", provider.id, expected_version)
            return replace(provider, version=expected_version + 1)

        return await self._database.transact(work, lock=SCHEMA)

    async def delete(self, id: ProviderId) -> None:
        canonical_id("id", id)

        async def work(transaction: Transaction) -> None:
            first(await transaction.run(statements.DELETE_PROVIDER, {"id": id}), "provider", id)
            await transaction.run(statements.DELETE_SECRETS, {"provider": id})

        await self._database.transact(work, lock=SCHEMA)

    async def list_providers(
        self, filter: ProviderFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Provider]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, PROVIDER_LIST, filters, cursor, limit)

    async def changes_since(self, revision: Revision, limit: int = 100) -> tuple[Change, ...]:
        canonical_integer("revision", revision, 0, MAX_INTEGER)
        given = {"revision": revision, "limit": canonical_limit(limit)}
        rows = await self._database.read(statements.CHANGES_SINCE, given)
        return tuple(_change(row) for row in rows)

    async def put_secret(self, secret: Secret) -> Secret:
        secret = canonical(secret)
        rows = await self._database.write(statements.PUT_SECRET, asdict(secret))
        first(rows, "provider", secret.provider)
        return secret

    async def get_secret(self, provider: ProviderId, name: SecretName) -> Secret:
        canonical_id("provider", provider)
        canonical_name("name", name)
        given = {"provider": provider, "name": name}
        rows = await self._database.read(statements.GET_SECRET, given)
        return entity(Secret, first(rows, "secret", name))

    async def list_secrets(
        self, filter: SecretFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Secret]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, SECRET_LIST, filters, cursor, limit)

    async def rotate_secret(self, secret: Secret, old: Ciphertext) -> bool:
        secret = canonical(secret)
        given = {**asdict(secret), "old": canonical_ciphertext("old", old)}
        rows = await self._database.write(statements.ROTATE_SECRET, given)
        return bool(first(rows, "secret", secret.name)[0] == secret.ciphertext)

    async def acquire(
        self, lease: LeaseId, provider: ProviderId, tokens: int, now: datetime
    ) -> Lease:
        canonical_id("lease", lease)
        canonical_id("provider", provider)
        canonical_tokens("tokens", tokens)
        now = canonical_time("now", now)
        asked = Lease(id=lease, provider=provider, tokens=tokens, at=now)
        return await leases.acquire(self._database, asked)

    async def list_usage(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Usage]:
        filters = {"minute": minute_of(canonical_time("now", now))}
        return await read_page(self._database, USAGE_LIST, filters, cursor, limit)

    async def purge_usage(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        return await leases.purge_usage(self._database, before, canonical_limit(limit))

    async def record_outcome(self, outcome: Outcome) -> Outcome:
        made = canonical(outcome)
        return await outcomes.record_outcome(self._database, self._recorded, made)

    async def stats(self, provider: ProviderId, start: datetime, end: datetime) -> Stats:
        canonical_id("provider", provider)
        start, end = canonical_time("start", start), canonical_time("end", end)
        if end < start:
            raise InvalidValue("end", "must not be before start")
        given = {"provider": provider, **bounds(start, end)}
        rows: list[Any] = await self._database.read(STATS, given)
        return make_stats(provider, start, end, rows)

    async def purge_outcomes(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        return await outcomes.purge_outcomes(self._database, before, canonical_limit(limit))

    async def cool_down(self, id: ProviderId, until: datetime) -> datetime:
        canonical_id("id", id)
        given = {"id": id, "until": canonical_time("until", until)}
        rows = await self._database.write(statements.COOL_DOWN, given)
        ends: datetime = first(rows, "provider", id)[0]
        return ends

    async def end_cooling(self, id: ProviderId, at: datetime) -> datetime | None:
        canonical_id("id", id)
        given = {"id": id, "at": canonical_time("at", at)}
        rows = await self._database.write(statements.END_COOLING, given)
        ends: datetime | None = first(rows, "provider", id)[0]
        return ends

    async def list_cooling(
        self, now: datetime, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Cooling]:
        filters = {"now": canonical_time("now", now)}
        return await read_page(self._database, COOLING_LIST, filters, cursor, limit)


def _change(row: Row) -> Change:
    revision, deleted, *fields = row
    provider = entity(Provider, tuple(fields))
    return Change(revision=revision, id=provider.id, provider=None if deleted else provider)
