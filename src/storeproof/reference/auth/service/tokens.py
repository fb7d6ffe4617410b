"""For users of `AuthService`: lists of sessions, and API keys."""

from datetime import timedelta

from storeproof.reference.auth.entities import (
    ApiKey,
    ApiKeyId,
    Permission,
    SessionId,
    UserId,
)
from storeproof.reference.auth.service.access import Principal, limited
from storeproof.reference.auth.service.base import ServiceBase
from storeproof.reference.auth.service.views import (
    IssuedKey,
    KeyView,
    SessionView,
    view_key,
    view_session,
)
from storeproof.reference.storage import Cursor, Page
from storeproof.reference.values import later

__all__ = ["TokenManagement"]


class TokenManagement(ServiceBase):
    """A user manages its own sessions and keys when signed in; others need a permission.

    To change another user's they must hold all that the user holds. What the methods raise beside
    NotAllowed and NotAudited is what the operation of the same name in `AuthStorage` raises. The
    subject of their audit entries is the user.
    """

    async def list_sessions(
        self, by: Principal, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[SessionView]:
        await self._require_for("list_sessions", by, user)
        page = await self._storage.list_sessions(user, cursor, limit)
        return Page(items=tuple(map(view_session, page.items)), next_cursor=page.next_cursor)

    async def revoke_session(self, by: Principal, user: UserId, id: SessionId) -> SessionView:
        await self._require_over("revoke_session", by, user)
        ended = view_session(await self._storage.revoke_session(user, id, self._clock()))
        await self._audit(by.user, "revoke_session", user, after=ended)
        return ended

    async def revoke_sessions(self, by: Principal, user: UserId) -> int:
        """Ends all sessions of a user; how many were not ended before."""
        await self._require_over("revoke_sessions", by, user)
        count = await self._storage.revoke_sessions(user, None, self._clock())
        await self._audit(by.user, "revoke_sessions", user, after={"sessions": count})
        return count

    async def list_api_keys(
        self, by: Principal, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[KeyView]:
        await self._require_for("list_api_keys", by, user)
        page = await self._storage.list_api_keys(user, cursor, limit)
        return Page(items=tuple(map(view_key, page.items)), next_cursor=page.next_cursor)

    async def create_api_key(
        self,
        by: Principal,
        user: UserId,
        *,
        label: str = "",
        permissions: frozenset[Permission] | None = None,
        lifetime: timedelta | None = None,
        key: str | None = None,
    ) -> IssuedKey:
        """Makes a key that may do what its user may, at most `permissions`; without `lifetime`
        it works until it is revoked. The key of a limited key has no more than that.

        key: its id, new by default. Repeating it is a Duplicate("id"): nobody has the token again.
        """
        await self._require_over("create_api_key", by, user)
        key_id, at = ApiKeyId(self._new_id() if key is None else key), self._clock()
        token, digest = self._issue(self._hint(key_id))
        new = ApiKey(
            id=key_id,
            user=user,
            digest=digest,
            label=label,
            hint=self._hint(key_id),
            permissions=_within(permissions, by.permissions),
            created_at=at,
            expires_at=None if lifetime is None else later("lifetime", at, lifetime),
        )
        made = view_key(await self._storage.create_api_key(new))
        await self._audit(by.user, "create_api_key", user, after=made)
        return IssuedKey(token=token, key=made)

    async def rotate_api_key(
        self, by: Principal, user: UserId, id: ApiKeyId, *, grace: timedelta | None = None
    ) -> IssuedKey:
        """Replaces a key's token; the old one works for `grace` more, by default `key_grace`."""
        await self._require_over("rotate_api_key", by, user)
        token, digest = self._issue(self._hint(id))
        grace = self._policy.key_grace if grace is None else grace
        rotated = await self._storage.rotate_api_key(user, id, digest, self._clock(), grace)
        made = view_key(rotated)
        await self._audit(by.user, "rotate_api_key", user, after=made)
        return IssuedKey(token=token, key=made)

    async def revoke_api_key(self, by: Principal, user: UserId, id: ApiKeyId) -> KeyView:
        await self._require_over("revoke_api_key", by, user)
        ended = view_key(await self._storage.revoke_api_key(user, id, self._clock()))
        await self._audit(by.user, "revoke_api_key", user, after=ended)
        return ended

    async def revoke_api_keys(self, by: Principal, user: UserId) -> int:
        """Ends all keys of a user; how many were not ended before."""
        await self._require_over("revoke_api_keys", by, user)
        count = await self._storage.revoke_api_keys(user, None, self._clock())
        await self._audit(by.user, "revoke_api_keys", user, after={"keys": count})
        return count

    async def _require_over(self, operation: str, by: Principal, user: UserId) -> None:
        if not await self._require_for(operation, by, user):
            await self._require_rank(operation, by, user)

    def _hint(self, id: ApiKeyId) -> str:
        """How all tokens of this key begin: it may be shown, and outlasts rotations."""
        return f"{self._policy.key_prefix}{id[:8]}_"


def _within(
    wanted: frozenset[Permission] | None, limit: frozenset[Permission] | None
) -> frozenset[Permission] | None:
    return wanted if limit is None else limited(limit, wanted)
