"""For applications that keep their users in Redis: `AuthStorage`, one script a call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import msgspec

from redis_auth.auth.spans import audit_span, grant_span
from redis_auth.auth.tokens import RedisTokens
from redis_auth.connections import Connections
from redis_auth.executor import Executor, Library
from redis_auth.records import entity_of, fields_of, given_fields_of, json_of, stamp, wanted
from redis_auth.spans import after, joined
from storeproof.reference.auth import (
    ApiKey,
    ApiKeyId,
    Attempts,
    AuditEntry,
    AuditFilter,
    AuthStorage,
    Digest,
    Email,
    Grant,
    GrantFilter,
    LockOutPolicy,
    PasswordHash,
    Permission,
    Role,
    RoleName,
    Scope,
    Session,
    SessionId,
    User,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.entities import (
    canonical,
    canonical_hash,
    canonical_policy,
    canonical_scope,
    scope_chain,
)
from storeproof.reference.auth.orders import (
    API_KEY_ORDER,
    AUDIT_ORDER,
    GRANT_ORDER,
    ROLE_ORDER,
    SESSION_ORDER,
    USER_ORDER,
)
from storeproof.reference.storage import Cursor, Page, canonical_limit
from storeproof.reference.values import (
    canonical_email,
    canonical_flag,
    canonical_id,
    canonical_integer,
    canonical_name,
    canonical_time,
    email_fold,
    email_key,
)

__all__ = ["RedisAuthStorage", "open_auth_storage"]


class RedisAuthStorage(AuthStorage):
    """Implements `AuthStorage` on Redis 7 or later."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._sessions = RedisTokens(executor, "session", SESSION_ORDER)
        self._keys = RedisTokens(executor, "api_key", API_KEY_ORDER)

    async def get_by_id(self, id: UserId) -> User:
        canonical_id("id", id)
        (found,) = await self._executor.read("get_by_id", id)
        return entity_of(User, found)

    async def create(self, entity: User) -> User:
        user = canonical(entity)
        await self._executor.write("create", user.id, email_key(user.email), *fields_of(user))
        return user

    async def find_by_email(self, email: Email) -> User:
        canonical_email("email", email)
        (found,) = await self._executor.read("find_by_email", email_key(email), email)
        return entity_of(User, found)

    async def update(self, id: UserId, patch: UserPatch, expected_version: int) -> User:
        canonical_id("id", id)
        patch = canonical(patch)
        canonical_integer("expected_version", expected_version)
        (found,) = await self._executor.write(
            "update",
            id,
            expected_version,
            "" if patch.email is None else email_key(patch.email),
            int(patch.enabled is False),
            *given_fields_of(patch),
        )
        return entity_of(User, found)

    async def delete(self, id: UserId, at: datetime) -> None:
        canonical_id("id", id)
        at = canonical_time("at", at)
        await self._executor.write("delete", id, json_of(at))

    async def list_users(
        self, filter: UserFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[User]:
        asked = canonical(filter)
        position = USER_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_users",
            position[0] if position else "",
            limit,
            wanted(asked.enabled),
            asked.role or "",
            email_fold(asked.email_contains or ""),
        )
        return USER_ORDER.page([entity_of(User, each) for each in found], more=bool(more))

    async def replace_password_hash(
        self, id: UserId, old: PasswordHash | None, new: PasswordHash
    ) -> bool:
        canonical_id("id", id)
        if old is not None:
            canonical_hash("old", old)
        canonical_hash("new", new)
        (done,) = await self._executor.write(
            "replace_password_hash", id, json_of(old), json_of(new)
        )
        return bool(done)

    async def record_attempt(
        self, id: UserId, ok: bool, at: datetime, policy: LockOutPolicy
    ) -> Attempts:
        canonical_id("id", id)
        canonical_flag("ok", ok)
        at = canonical_time("at", at)
        canonical_policy(policy, at)
        until = json_of(at + policy.duration)
        failures, locked_until = await self._executor.write(
            "record_attempt", id, json_of(ok), json_of(at), policy.threshold, until
        )
        locked = msgspec.json.decode(locked_until, type=datetime | None)
        return Attempts(failures=int(failures), locked_until=locked)

    async def clear_attempts(self, id: UserId) -> None:
        canonical_id("id", id)
        await self._executor.write("clear_attempts", id)

    async def put_role(self, role: Role) -> Role:
        role = canonical(role)
        await self._executor.write("put_role", role.name, json_of(role.parents), *fields_of(role))
        return role

    async def get_role(self, name: RoleName) -> Role:
        canonical_name("name", name)
        (found,) = await self._executor.read("get_role", name)
        return entity_of(Role, found)

    async def delete_role(self, name: RoleName) -> None:
        canonical_name("name", name)
        await self._executor.write("delete_role", name)

    async def list_roles(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Role]:
        position = ROLE_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read("list_roles", after(joined(position)), limit)
        return ROLE_ORDER.page([entity_of(Role, each) for each in found], more=bool(more))

    async def grant(self, user: UserId, role: RoleName, scope: Scope) -> Grant:
        grant = canonical(Grant(user=user, role=role, scope=scope))
        await self._executor.write("grant", user, role, scope)
        return grant

    async def revoke(self, user: UserId, role: RoleName, scope: Scope) -> None:
        canonical(Grant(user=user, role=role, scope=scope))
        await self._executor.write("revoke", user, role, scope)

    async def list_grants(
        self, filter: GrantFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Grant]:
        asked = canonical(filter)
        position = GRANT_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_grants",
            *grant_span(asked, position),
            limit,
            asked.role or "",
            "" if asked.scope is None else f"={asked.scope}",
        )
        grants = [
            Grant(user=UserId(user), role=RoleName(role), scope=Scope(scope))
            for user, role, scope in (map(bytes.decode, each) for each in found)
        ]
        return GRANT_ORDER.page(grants, more=bool(more))

    async def permissions(self, user: UserId, scope: Scope) -> frozenset[Permission]:
        canonical_id("user", user)
        canonical_scope("scope", scope)
        (found,) = await self._executor.read("permissions", user, *scope_chain(scope))
        sets = [msgspec.json.decode(each, type=frozenset[Permission]) for each in found]
        return frozenset[Permission]().union(*sets)

    async def create_session(self, session: Session) -> Session:
        return await self._sessions.create(session)

    async def find_session(self, digest: Digest, at: datetime) -> Session:
        return await self._sessions.find(digest, at)

    async def list_sessions(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Session]:
        return await self._sessions.list_of(user, cursor, limit)

    async def rotate_session(
        self, user: UserId, id: SessionId, new: Digest, at: datetime, grace: timedelta
    ) -> Session:
        return await self._sessions.rotate(user, id, new, at, grace)

    async def revoke_session(self, user: UserId, id: SessionId, at: datetime) -> Session:
        return await self._sessions.revoke(user, id, at)

    async def revoke_sessions(self, user: UserId, except_id: SessionId | None, at: datetime) -> int:
        return await self._sessions.revoke_all(user, except_id, at)

    async def purge_sessions(self, before: datetime, limit: int) -> int:
        return await self._sessions.purge(before, limit)

    async def create_api_key(self, key: ApiKey) -> ApiKey:
        return await self._keys.create(key)

    async def find_api_key(self, digest: Digest, at: datetime) -> ApiKey:
        return await self._keys.find(digest, at)

    async def list_api_keys(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ApiKey]:
        return await self._keys.list_of(user, cursor, limit)

    async def rotate_api_key(
        self, user: UserId, id: ApiKeyId, new: Digest, at: datetime, grace: timedelta
    ) -> ApiKey:
        return await self._keys.rotate(user, id, new, at, grace)

    async def revoke_api_key(self, user: UserId, id: ApiKeyId, at: datetime) -> ApiKey:
        return await self._keys.revoke(user, id, at)

    async def revoke_api_keys(self, user: UserId, except_id: ApiKeyId | None, at: datetime) -> int:
        return await self._keys.revoke_all(user, except_id, at)

    async def purge_api_keys(self, before: datetime, limit: int) -> int:
        return await self._keys.purge(before, limit)

    async def append_audit(self, entry: AuditEntry) -> AuditEntry:
        entry = canonical(entry)
        await self._executor.write("append_audit", entry.id, stamp(entry.at), *fields_of(entry))
        return entry

    async def list_audit(
        self, filter: AuditFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[AuditEntry]:
        asked = canonical(filter)
        position = AUDIT_ORDER.position(cursor)
        canonical_limit(limit)
        found, more = await self._executor.read(
            "list_audit",
            *audit_span(asked, position),
            limit,
            wanted(asked.actor),
            wanted(asked.action),
            wanted(asked.subject),
        )
        return AUDIT_ORDER.page([entity_of(AuditEntry, each) for each in found], more=bool(more))


@asynccontextmanager
async def open_auth_storage(
    url: str, *, prefix: str = "auth", timeout: float = 5.0
) -> AsyncIterator[RedisAuthStorage]:
    """A storage at a URL such as `redis://localhost:6379/0`; its keys begin with `{prefix}:`.

    `timeout`: seconds that a call waits for a connection, and then for the server. Nothing is
    connected before the first call.
    """
    connections = Connections(url, timeout=timeout)
    try:
        yield RedisAuthStorage(Executor(connections, Library("auth", "tokens"), prefix))
    finally:
        await connections.close()
