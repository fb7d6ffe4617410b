"""For `InMemoryAuthStorage` only: what sessions and API keys have in common."""

from datetime import datetime, timedelta
from typing import Generic, TypeVar

from msgspec.structs import replace

from storeproof.reference.auth.entities import (
    ApiKey,
    Digest,
    Session,
    User,
    UserId,
    canonical,
    canonical_digest,
)
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.storage import canonical_limit
from storeproof.reference.values import canonical_id, canonical_time, later

__all__ = ["MemoryTokens"]

Token = TypeVar("Token", Session, ApiKey)


class MemoryTokens(Generic[Token]):
    """What sessions and API keys have in common."""

    def __init__(self, kind: str, users: dict[UserId, User]) -> None:
        self._kind = kind
        self._users = users
        self._tokens: dict[str, Token] = {}

    def create(self, token: Token) -> Token:
        token = canonical(token)
        if token.revoked_at is None and token.user not in self._users:
            raise NotFound("user", token.user)
        if token.id in self._tokens:
            raise Duplicate("id")
        self._check_digest(token.id, token.digest)
        self._tokens[token.id] = token
        return token

    def find(self, digest: Digest, at: datetime) -> Token:
        canonical_digest("digest", digest)
        at = canonical_time("at", at)
        live = [token for token in self._tokens.values() if self._live(token, at)]
        found = [token for token in live if _opens(token, digest, at)]
        if not found:
            raise NotFound(self._kind, digest)
        return min(found, key=lambda token: (token.digest != digest, token.id))

    def of(self, user: UserId) -> list[Token]:
        return [token for token in self._tokens.values() if token.user == user]

    def rotate(self, user: UserId, id: str, new: Digest, at: datetime, grace: timedelta) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        canonical_digest("new", new)
        at = canonical_time("at", at)
        until = later("grace", at, grace)
        token = self._get(user, id)
        if not self._live(token, at):
            raise NotFound(self._kind, id)
        if token.digest == new:
            return token
        self._check_digest(id, new)
        self._tokens[id] = replace(
            token, digest=new, previous_digest=token.digest, previous_until=until
        )
        return self._tokens[id]

    def revoke(self, user: UserId, id: str, at: datetime) -> Token:
        canonical_id("user", user)
        canonical_id("id", id)
        at = canonical_time("at", at)
        token = self._get(user, id)
        self._tokens[id] = replace(token, revoked_at=token.revoked_at or at)
        return self._tokens[id]

    def revoke_all(self, user: UserId, except_id: str | None, at: datetime) -> int:
        canonical_id("user", user)
        if except_id is not None:
            canonical_id("except_id", except_id)
        at = canonical_time("at", at)
        chosen = [t for t in self.of(user) if t.revoked_at is None and t.id != except_id]
        for token in chosen:
            self._tokens[token.id] = replace(token, revoked_at=at)
        return len(chosen)

    def purge(self, before: datetime, limit: int) -> int:
        before = canonical_time("before", before)
        canonical_limit(limit)
        ended = sorted(token.id for token in self._tokens.values() if _ended(token, before))
        for token_id in ended[:limit]:
            del self._tokens[token_id]
        return len(ended[:limit])

    def _get(self, user: UserId, id: str) -> Token:
        token = self._tokens.get(id)
        if token is None or token.user != user:
            raise NotFound(self._kind, id)
        return token

    def _check_digest(self, id: str, digest: Digest) -> None:
        if any(token.digest == digest and token.id != id for token in self._tokens.values()):
            raise Duplicate("digest")

    def _live(self, token: Token, at: datetime) -> bool:
        user = self._users.get(token.user)
        return (
            user is not None
            and user.enabled
            and token.revoked_at is None
            and (token.expires_at is None or at < token.expires_at)
        )


def _opens(token: Session | ApiKey, digest: Digest, at: datetime) -> bool:
    previous = token.previous_until is not None and at < token.previous_until
    return token.digest == digest or (previous and token.previous_digest == digest)


def _ended(token: Session | ApiKey, before: datetime) -> bool:
    ends = (token.expires_at, token.revoked_at)
    return any(end is not None and end < before for end in ends)
