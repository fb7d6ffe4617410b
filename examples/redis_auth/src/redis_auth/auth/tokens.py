"""For `RedisAuthStorage` only: what sessions and API keys have in common."""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

from redis_auth.executor import Executor
from redis_auth.records import entity_of, fields_of, json_of
from redis_auth.spans import after, joined
from storeproof.reference.auth import ApiKey, Digest, Session, UserId
from storeproof.reference.auth.entities import canonical, canonical_digest
from storeproof.reference.lists import Order
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import canonical_id, canonical_time, later

__all__ = ["RedisTokens"]

Token = TypeVar("Token", Session, ApiKey)


class RedisTokens(Generic[Token]):
    """Tokens of one kind: "session" or "api_key"."""

    def __init__(self, executor: Executor, kind: str, order: Order[Token]) -> None:
        self._executor = executor
        self._kind = kind
        self._order: Order[Token] = order

    async def create(self, token: Token) -> Token:
        token = canonical(token)
        await self._executor.write(
            "create_token",
            self._kind,
            token.id,
            token.user,
            token.digest,
            token.previous_digest or "",
            json_of(token.revoked_at),
            *fields_of(token),
        )
        return token

    async def find(self, digest: Digest, at: datetime) -> Token:
        canonical_digest("digest", digest)
        at = canonical_time("at", at)
        (found,) = await self._executor.read("find_token", self._kind, digest, json_of(at))
        return self._token(found)

    async def list_of(self, user: UserId, cursor: Cursor | None, limit: int) -> Page[Token]:
        canonical_id("user", user)
        position = self._order.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_tokens", self._kind, user, after(joined(position)), limit
        )
        return self._order.page(map(self._token, found), more=bool(more))

    async def rotate(
        self, user: UserId, id: str, new: Digest, at: datetime, grace: timedelta
    ) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        canonical_digest("new", new)
        at = canonical_time("at", at)
        until = later("grace", at, grace)
        times = json_of(at), json_of(until)
        (found,) = await self._executor.write(
            "rotate_token", self._kind, user, id, new, json_of(new), *times
        )
        return self._token(found)

    async def revoke(self, user: UserId, id: str, at: datetime) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        at = canonical_time("at", at)
        (found,) = await self._executor.write("revoke_token", self._kind, user, id, json_of(at))
        return self._token(found)

    async def revoke_all(self, user: UserId, except_id: str | None, at: datetime) -> int:
        canonical_id("user", user)
        if except_id is not None:
            canonical_id("except_id", except_id)
        at = canonical_time("at", at)
        (count,) = await self._executor.write(
            "revoke_tokens", self._kind, user, except_id or "", json_of(at)
        )
        return int(count)

    async def purge(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        (count,) = await self._executor.write("purge_tokens", self._kind, json_of(before), limit)
        return int(count)

    def _token(self, flat: list[bytes]) -> Token:
        return entity_of(self._order.kind, flat)
