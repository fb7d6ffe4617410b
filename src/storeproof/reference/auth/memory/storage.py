"""For tests and single processes: the auth storage in memory, the executable specification.

No operation awaits anything, so each is atomic under asyncio. What the operations mean
stands in `AuthStorage`.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from storeproof.reference.auth.entities import (
    GLOBAL,
    ApiKey,
    ApiKeyId,
    Attempts,
    AuditEntry,
    AuditFilter,
    AuditId,
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
    canonical,
    canonical_hash,
    canonical_policy,
    canonical_scope,
    next_attempts,
    scope_chain,
)
from storeproof.reference.auth.memory.tokens import MemoryTokens
from storeproof.reference.auth.orders import (
    API_KEY_ORDER,
    AUDIT_ORDER,
    GRANT_ORDER,
    ROLE_ORDER,
    SESSION_ORDER,
    USER_ORDER,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    VersionConflict,
)
from storeproof.reference.lists import take_page
from storeproof.reference.storage import Cursor, Page
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

__all__ = ["InMemoryAuthStorage"]

Key: TypeAlias = tuple[Any, ...]
Item = TypeVar("Item", User, Role, Grant, Session, ApiKey, AuditEntry)


class InMemoryAuthStorage(AuthStorage):
    """Implements `AuthStorage`. Starts empty; its content ends with the process."""

    def __init__(self) -> None:
        self._users: dict[UserId, User] = {}
        self._emails: dict[str, UserId] = {}
        self._roles: dict[RoleName, Role] = {}
        self._grants: set[Grant] = set()
        self._sessions = MemoryTokens[Session]("session", self._users)
        self._keys = MemoryTokens[ApiKey]("api_key", self._users)
        self._audit: dict[AuditId, AuditEntry] = {}

    async def get_by_id(self, id: UserId) -> User:
        canonical_id("id", id)
        return self._user(id)

    async def create(self, entity: User) -> User:
        user = canonical(entity)
        if user.id in self._users:
            raise Duplicate("id")
        self._claim_email(user.id, user.email)
        self._users[user.id] = user
        return user

    async def find_by_email(self, email: Email) -> User:
        canonical_email("email", email)
        key = email_key(email)
        if key not in self._emails:
            raise NotFound("user", email)
        return self._users[self._emails[key]]

    async def update(self, id: UserId, patch: UserPatch, expected_version: int) -> User:
        canonical_id("id", id)
        patch = canonical(patch)
        canonical_integer("expected_version", expected_version)
        user = self._user(id)
        if user.version != expected_version:
            raise VersionConflict("user", id, expected_version)
        email = user.email if patch.email is None else patch.email
        self._check_email(id, email)
        if patch.enabled is False:
            self._keep_holders(id, self._global_roles(id))
        del self._emails[email_key(user.email)]
        self._claim_email(id, email)
        changes = {name: getattr(patch, name) for name in patch.__struct_fields__}
        given = {name: value for name, value in changes.items() if value is not None}
        self._users[id] = replace(user, **given, version=user.version + 1)
        return self._users[id]

    async def delete(self, id: UserId, at: datetime) -> None:
        canonical_id("id", id)
        at = canonical_time("at", at)
        user = self._user(id)
        self._keep_holders(id, self._global_roles(id))
        self._grants = {grant for grant in self._grants if grant.user != id}
        self._sessions.revoke_all(id, None, at)
        self._keys.revoke_all(id, None, at)
        del self._emails[email_key(user.email)]
        del self._users[id]

    async def list_users(
        self, filter: UserFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[User]:
        wanted = canonical(filter)
        holders = {grant.user for grant in self._grants if grant.role == wanted.role}
        part = email_fold(wanted.email_contains or "")
        users = [
            user
            for user in self._users.values()
            if wanted.enabled in (None, user.enabled)
            and (wanted.role is None or user.id in holders)
            and part in email_key(user.email)
        ]
        return take_page(USER_ORDER, users, cursor, limit)

    async def replace_password_hash(
        self, id: UserId, old: PasswordHash | None, new: PasswordHash
    ) -> bool:
        canonical_id("id", id)
        if old is not None:
            canonical_hash("old", old)
        canonical_hash("new", new)
        user = self._user(id)
        if user.password_hash not in (old, new):
            return False
        self._users[id] = replace(user, password_hash=new)
        return True

    async def record_attempt(
        self, id: UserId, ok: bool, at: datetime, policy: LockOutPolicy
    ) -> Attempts:
        canonical_id("id", id)
        canonical_flag("ok", ok)
        at = canonical_time("at", at)
        canonical_policy(policy, at)
        user = self._user(id)
        attempts = next_attempts(user, ok, at, policy)
        self._users[id] = replace(
            user, failures=attempts.failures, locked_until=attempts.locked_until
        )
        return attempts

    async def clear_attempts(self, id: UserId) -> None:
        canonical_id("id", id)
        self._users[id] = replace(self._user(id), failures=0, locked_until=None)

    async def put_role(self, role: Role) -> Role:
        role = canonical(role)
        for parent in sorted(role.parents):
            self._role(parent)
        if role.name in self._with_ancestors(role.parents):
            raise InvalidValue("parents", "must not make a cycle")
        self._roles[role.name] = role
        return role

    async def get_role(self, name: RoleName) -> Role:
        canonical_name("name", name)
        return self._role(name)

    async def delete_role(self, name: RoleName) -> None:
        canonical_name("name", name)
        self._role(name)
        if any(grant.role == name for grant in self._grants):
            raise InUse("role", name, "grant")
        if any(name in role.parents for role in self._roles.values()):
            raise InUse("role", name, "role")
        del self._roles[name]

    async def list_roles(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Role]:
        return take_page(ROLE_ORDER, self._roles.values(), cursor, limit)

    async def grant(self, user: UserId, role: RoleName, scope: Scope) -> Grant:
        grant = canonical(Grant(user=user, role=role, scope=scope))
        self._user(user)
        self._role(role)
        self._grants.add(grant)
        return grant

    async def revoke(self, user: UserId, role: RoleName, scope: Scope) -> None:
        grant = canonical(Grant(user=user, role=role, scope=scope))
        if grant in self._grants and scope == GLOBAL:
            self._keep_holders(user, [role])
        self._grants.discard(grant)

    async def list_grants(
        self, filter: GrantFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Grant]:
        wanted = canonical(filter)
        grants = [
            grant
            for grant in self._grants
            if wanted.user in (None, grant.user)
            and wanted.role in (None, grant.role)
            and wanted.scope in (None, grant.scope)
        ]
        return take_page(GRANT_ORDER, grants, cursor, limit)

    async def permissions(self, user: UserId, scope: Scope) -> frozenset[Permission]:
        canonical_id("user", user)
        canonical_scope("scope", scope)
        if user not in self._users or not self._users[user].enabled:
            return frozenset()
        chain = scope_chain(scope)
        granted = {
            grant.role for grant in self._grants if grant.user == user and grant.scope in chain
        }
        roles = [self._roles[name] for name in self._with_ancestors(granted)]
        return frozenset(permission for role in roles for permission in role.permissions)

    async def create_session(self, session: Session) -> Session:
        return self._sessions.create(session)

    async def find_session(self, digest: Digest, at: datetime) -> Session:
        return self._sessions.find(digest, at)

    async def list_sessions(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Session]:
        canonical_id("user", user)
        return take_page(SESSION_ORDER, self._sessions.of(user), cursor, limit)

    async def rotate_session(
        self, user: UserId, id: SessionId, new: Digest, at: datetime, grace: timedelta
    ) -> Session:
        return self._sessions.rotate(user, id, new, at, grace)

    async def revoke_session(self, user: UserId, id: SessionId, at: datetime) -> Session:
        return self._sessions.revoke(user, id, at)

    async def revoke_sessions(self, user: UserId, except_id: SessionId | None, at: datetime) -> int:
        return self._sessions.revoke_all(user, except_id, at)

    async def purge_sessions(self, before: datetime, limit: int) -> int:
        return self._sessions.purge(before, limit)

    async def create_api_key(self, key: ApiKey) -> ApiKey:
        return self._keys.create(key)

    async def find_api_key(self, digest: Digest, at: datetime) -> ApiKey:
        return self._keys.find(digest, at)

    async def list_api_keys(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ApiKey]:
        canonical_id("user", user)
        return take_page(API_KEY_ORDER, self._keys.of(user), cursor, limit)

    async def rotate_api_key(
        self, user: UserId, id: ApiKeyId, new: Digest, at: datetime, grace: timedelta
    ) -> ApiKey:
        return self._keys.rotate(user, id, new, at, grace)

    async def revoke_api_key(self, user: UserId, id: ApiKeyId, at: datetime) -> ApiKey:
        return self._keys.revoke(user, id, at)

    async def revoke_api_keys(self, user: UserId, except_id: ApiKeyId | None, at: datetime) -> int:
        return self._keys.revoke_all(user, except_id, at)

    async def purge_api_keys(self, before: datetime, limit: int) -> int:
        return self._keys.purge(before, limit)

    async def append_audit(self, entry: AuditEntry) -> AuditEntry:
        entry = canonical(entry)
        if self._audit.setdefault(entry.id, entry) != entry:
            raise Duplicate("id")
        return entry

    async def list_audit(
        self, filter: AuditFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[AuditEntry]:
        wanted = canonical(filter)
        entries = [
            entry
            for entry in self._audit.values()
            if wanted.actor in (None, entry.actor)
            and wanted.action in (None, entry.action)
            and wanted.subject in (None, entry.subject)
            and (wanted.since is None or wanted.since <= entry.at)
            and (wanted.until is None or entry.at < wanted.until)
        ]
        return take_page(AUDIT_ORDER, entries, cursor, limit)

    def _user(self, id: UserId) -> User:
        if id not in self._users:
            raise NotFound("user", id)
        return self._users[id]

    def _role(self, name: RoleName) -> Role:
        if name not in self._roles:
            raise NotFound("role", name)
        return self._roles[name]

    def _check_email(self, id: UserId, email: Email) -> None:
        if self._emails.get(email_key(email), id) != id:
            raise Duplicate("email")

    def _claim_email(self, id: UserId, email: Email) -> None:
        self._check_email(id, email)
        self._emails[email_key(email)] = id

    def _with_ancestors(self, names: Iterable[RoleName]) -> set[RoleName]:
        found: set[RoleName] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self._roles[name].parents)
        return found

    def _global_roles(self, user: UserId) -> list[RoleName]:
        return [
            grant.role for grant in self._grants if grant.user == user and grant.scope == GLOBAL
        ]

    def _keep_holders(self, user: UserId, roles: Iterable[RoleName]) -> None:
        """Raises InUse if this user is the last holder of one of these roles."""
        for name in sorted(roles):
            holders = {
                grant.user
                for grant in self._grants
                if grant.role == name and grant.scope == GLOBAL and self._users[grant.user].enabled
            }
            if self._roles[name].essential and holders == {user}:
                raise InUse("role", name, "last holder")
