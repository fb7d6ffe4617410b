"""For `DatabaseProviderStorage`: leases, and the usage of a provider in each minute.

A row of usage counts the leases of one provider in one minute; leases refer to it, and
go with it. On PostgreSQL one statement checks the limits, counts and stores the lease:
it holds the provider's row, shared, so that its limits are those of that instant, and
waits for the row of usage, so that nobody counts from a stale number. SQLite can't
change two tables in one statement; there it is a transaction, which runs alone anyway.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict, replace
from sqlalchemy.dialects import postgresql, sqlite

from storeproof.reference.database import Database, Row, Transaction, UniqueViolated
from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.database.engine import ATTEMPTS
from storeproof.reference.database.entities import bind
from storeproof.reference.exceptions import Duplicate, NotFound, Unavailable
from storeproof.reference.providers.database.tables import LEASES, PROVIDERS, USAGE
from storeproof.reference.providers.entities import MINUTE, Lease, Usage, check_room, minute_of

__all__ = ["acquire", "purge_usage"]

_LEASE = {name: bind(LEASES.c[name]) for name in ("id", "provider", "tokens", "at", "minute")}


def _room(
    used: sa.ColumnElement[int],
    more: sa.ColumnElement[int] | int,
    limit: sa.ColumnElement[Any],
) -> sa.ColumnElement[bool]:
    return sa.or_(limit.is_(None), used + more <= limit)


def _acquire() -> sa.Insert:
    taken = sa.exists().where(LEASES.c.id == _LEASE["id"])
    ever = _room(_LEASE["tokens"], 0, PROVIDERS.c.tpm)
    limits = (
        sa.select(PROVIDERS.c.rpm, PROVIDERS.c.tpm)
        .where(PROVIDERS.c.id == _LEASE["provider"], sa.not_(PROVIDERS.c.deleted))
        .where(ever, sa.not_(taken))
        .with_for_update(read=True)
        .cte("limits")
    )
    one = sa.literal(1, sa.BigInteger())
    first = sa.select(_LEASE["minute"], _LEASE["provider"], one, _LEASE["tokens"])
    rpm, tpm = (sa.select(limits.c[name]).scalar_subquery() for name in ("rpm", "tpm"))
    new = postgresql.insert(USAGE).from_select(list(USAGE.c), first.select_from(limits))
    counted = (
        new.on_conflict_do_update(
            index_elements=[USAGE.c.minute, USAGE.c.provider],
            set_=_one_more(new),
            where=sa.and_(
                _room(USAGE.c.requests, 1, rpm), _room(USAGE.c.tokens, _LEASE["tokens"], tpm)
            ),
        )
        .returning(USAGE.c.minute)
        .cte("counted")
    )
    stored = sa.select(*_LEASE.values()).select_from(counted)
    return sa.insert(LEASES).from_select(list(_LEASE), stored).returning(LEASES.c.id)


def _one_more(new: Any) -> dict[Any, Any]:
    return {
        USAGE.c.requests: USAGE.c.requests + 1,
        USAGE.c.tokens: USAGE.c.tokens + new.excluded.tokens,
    }


def _state() -> sa.Select[Any]:
    asked = sa.select(_LEASE["provider"].label("provider")).subquery("asked")
    provider = sa.and_(PROVIDERS.c.id == asked.c.provider, sa.not_(PROVIDERS.c.deleted))
    usage = sa.and_(USAGE.c.provider == asked.c.provider, USAGE.c.minute == _LEASE["minute"])
    source = asked.outerjoin(PROVIDERS, provider).outerjoin(USAGE, usage)
    return sa.select(
        LEASES.c.provider,
        LEASES.c.tokens,
        LEASES.c.at,
        PROVIDERS.c.id,
        PROVIDERS.c.rpm,
        PROVIDERS.c.tpm,
        sa.func.coalesce(USAGE.c.requests, 0),
        sa.func.coalesce(USAGE.c.tokens, 0),
    ).select_from(source.outerjoin(LEASES, LEASES.c.id == _LEASE["id"]))


def _count() -> Any:
    new = sqlite.insert(USAGE).values(
        minute=_LEASE["minute"], provider=_LEASE["provider"], requests=1, tokens=_LEASE["tokens"]
    )
    return new.on_conflict_do_update(
        index_elements=[USAGE.c.minute, USAGE.c.provider], set_=_one_more(new)
    )


ACQUIRE = _acquire()
"""Returns no row where the lease is not given; STATE tells why."""

STATE = _state()
COUNT = _count()
STORE = sa.insert(LEASES).values(_LEASE)


def _purge() -> Any:
    last = bind(USAGE.c.minute, "last")
    key = (USAGE.c.minute, USAGE.c.provider)
    ended = (
        sa.select(*key)
        .where(USAGE.c.minute <= last)
        .order_by(*key)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
        .with_for_update()
        .cte("ended")
    )
    chosen = sa.tuple_(*key).in_(sa.select(ended.c.minute, ended.c.provider))
    return sa.delete(USAGE).where(chosen).returning(USAGE.c.provider)


PURGE = _purge()


async def acquire(database: Database, lease: Lease) -> Lease:
    """The lease, canonical, given now or earlier. Raises as `ProviderStorage.acquire` does."""
    given = {**asdict(lease), "minute": minute_of(lease.at)}
    if database.dialect == POSTGRES:
        return await _acquire_at_once(database, lease, given)

    async def work(transaction: Transaction) -> Lease:
        earlier = _earlier(lease, (await transaction.run(STATE, given))[0])
        if earlier is not None:
            return earlier
        await transaction.run(COUNT, given)
        await transaction.run(STORE, given)
        return lease

    return await database.transact(work)


async def _acquire_at_once(database: Database, lease: Lease, given: dict[str, Any]) -> Lease:
    for _ in range(ATTEMPTS):
        try:
            if await database.write(ACQUIRE, given):
                return lease
        except UniqueViolated:
            pass  # somebody else was given the same lease at the same time
        earlier = _earlier(lease, (await database.read(STATE, given))[0])
        if earlier is not None:
            return earlier
        # What refused it has gone since: a limit was raised, or a minute purged.
    raise Unavailable("the limits kept changing")


def _earlier(lease: Lease, state: Row) -> Lease | None:
    """The lease as it was given before; None where there is room for it now."""
    owner, tokens, at, provider, rpm, tpm, requests, used = state
    if owner is not None and (owner, tokens) != (lease.provider, lease.tokens):
        raise Duplicate("lease")
    if owner is not None:
        return replace(lease, at=at)
    if provider is None:
        raise NotFound("provider", lease.provider)
    minute = minute_of(lease.at)
    usage = Usage(provider=lease.provider, minute=minute, requests=requests, tokens=used)
    check_room(lease.provider, (rpm, tpm), usage, lease.tokens)
    return None


async def purge_usage(database: Database, before: datetime, limit: int) -> int:
    """As `ProviderStorage.purge_usage`, for canonical arguments."""
    return len(await database.write(PURGE, {"last": before - MINUTE, "limit": limit}))
