"""For applications and for the conformance suite: the auth storage in a database.

What the operations mean stands in `AuthStorage`. Most are one statement, which is atomic
by itself. The rules that span rows need more, and on PostgreSQL these locks, always
taken in this order, so that none waits for another in a circle:

1. The lock of the auth schema: by `put_role`, `delete_role`, and whatever may take the
   last holder of an essential role away. So these happen one after the other.
2. The row of the user (`LOCK_USER`): by those that disable or delete a user, revoke its
   global grants or all its tokens. Creating or rotating a token and granting hold it
   too, shared with each other, until they have ended.
3. Rows of roles, grants and tokens.

Where a single statement changes nothing and can't say why, the operation runs again as a
transaction, which can: that is the rare case.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import asdict

from storeproof.reference.auth.database import statements
from storeproof.reference.auth.database.lists import (
    API_KEY_LIST,
    AUDIT_LIST,
    GRANT_LIST,
    ROLE_LIST,
    SESSION_LIST,
    USER_LIST,
)
from storeproof.reference.auth.database.tables import SCHEMA
from storeproof.reference.auth.database.tokens import (
    API_KEY_STATEMENTS,
    SESSION_STATEMENTS,
    DatabaseTokens,
)
from storeproof.reference.auth.entities import (
    GLOBAL,
    ApiKey,
    ApiKeyId,
    Attempts,
    AuditEntry,
    AuditFilter,
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
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.database import (
    Database,
    ForeignKeyViolated,
    Row,
    Transaction,
    UniqueViolated,
)
from storeproof.reference.database.entities import entity, first, taken_field
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.opening import TIMEOUT, open_storage
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    VersionConflict,
)
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

__all__ = ["DatabaseAuthStorage", "open_auth_storage"]


def open_auth_storage(
    url: str, *, timeout: float = TIMEOUT
) -> AbstractAsyncContextManager["DatabaseAuthStorage"]:
    """The auth storage in the database at this URL; its tables are created if absent.

    timeout: seconds that it may wait for a statement, or for a connection.
    """
    return open_storage(url, DatabaseAuthStorage, timeout)


class DatabaseAuthStorage(AuthStorage):
    """Implements `AuthStorage` on PostgreSQL and SQLite. Whoever made the database closes it."""

    def __init__(self, database: Database) -> None:
        database.require(SCHEMA)
        self._database = database
        self._sessions = DatabaseTokens(database, Session, "session", SESSION_STATEMENTS)
        self._keys = DatabaseTokens(database, ApiKey, "api_key", API_KEY_STATEMENTS)

    async def get_by_id(self, id: UserId) -> User:
        canonical_id("id", id)
        rows = await self._database.read(statements.GET_USER, {"id": id})
        return entity(User, first(rows, "user", id))

    async def create(self, entity: User) -> User:
        user = canonical(entity)
        values = {**asdict(user), "email_key": email_key(user.email)}
        try:
            await self._database.write(statements.CREATE_USER, values)
        except UniqueViolated as error:
            field = await self._taken(values, error)
            if field is None:
                return await self.create(user)
            raise Duplicate(field) from error
        return user

    async def find_by_email(self, email: Email) -> User:
        canonical_email("email", email)
        rows = await self._database.read(statements.FIND_USER, {"email_key": email_key(email)})
        return entity(User, first(rows, "user", email))

    async def update(self, id: UserId, patch: UserPatch, expected_version: int) -> User:
        canonical_id("id", id)
        patch = canonical(patch)
        canonical_integer("expected_version", expected_version)
        key = None if patch.email is None else email_key(patch.email)
        given = {**asdict(patch), "email_key": key, "id": id, "expected_version": expected_version}
        disabling = patch.enabled is False
        try:
            rows = [] if disabling else await self._database.write(statements.UPDATE_USER, given)
            if not rows:
                rows = [await self._update_locked(given, disabling)]
        except UniqueViolated as error:
            raise Duplicate("email") from error
        return entity(User, rows[0])

    async def _update_locked(self, given: Mapping[str, Any], disabling: bool) -> Row:
        user, expected = given["id"], given["expected_version"]

        async def work(transaction: Transaction) -> Row:
            rows = await transaction.run(statements.LOCK_USER, {"id": user})
            if first(rows, "user", user)[0] != expected:
                raise VersionConflict("user", user, expected)
            held = await _last_held(transaction, user) if disabling else []
            rows = await transaction.run(statements.UPDATE_USER, given)
            _refuse(held)
            return rows[0]

        return await self._database.transact(work, lock=SCHEMA if disabling else None)

    async def delete(self, id: UserId, at: datetime) -> None:
        canonical_id("id", id)
        at = canonical_time("at", at)

        async def work(transaction: Transaction) -> None:
            first(await transaction.run(statements.LOCK_USER, {"id": id}), "user", id)
            _refuse(await _last_held(transaction, id))
            await self._sessions.revoke_within(transaction, id, None, at)
            await self._keys.revoke_within(transaction, id, None, at)
            await transaction.run(statements.DELETE_USER, {"id": id})

        await self._database.transact(work, lock=SCHEMA)

    async def list_users(
        self, filter: UserFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[User]:
        filters = asdict(canonical(filter))
        if filter.email_contains is not None:
            filters["email_contains"] = email_fold(filter.email_contains)
        return await read_page(self._database, USER_LIST, filters, cursor, limit)

    async def replace_password_hash(
        self, id: UserId, old: PasswordHash | None, new: PasswordHash
    ) -> bool:
        canonical_id("id", id)
        if old is not None:
            canonical_hash("old", old)
        canonical_hash("new", new)
        given = {"id": id, "old": old, "new": new}
        rows = await self._database.write(statements.REPLACE_HASH, given)
        return bool(first(rows, "user", id)[0] == new)

    async def record_attempt(
        self, id: UserId, ok: bool, at: datetime, policy: LockOutPolicy
    ) -> Attempts:
        canonical_id("id", id)
        canonical_flag("ok", ok)
        at = canonical_time("at", at)
        canonical_policy(policy, at)
        until = at + policy.duration
        given = {"id": id, "ok": ok, "at": at, "threshold": policy.threshold, "until": until}
        rows = await self._database.write(statements.RECORD_ATTEMPT, given)
        return entity(Attempts, first(rows, "user", id))

    async def clear_attempts(self, id: UserId) -> None:
        canonical_id("id", id)
        first(await self._database.write(statements.CLEAR_ATTEMPTS, {"id": id}), "user", id)

    async def put_role(self, role: Role) -> Role:
        role = canonical(role)

        async def work(transaction: Transaction) -> None:
            rows = await transaction.run(statements.ANCESTORS, {"parents": role.parents})
            above = {row[0] for row in rows}
            for parent in sorted(role.parents - above):
                raise NotFound("role", parent)
            if role.name in above:
                raise InvalidValue("parents", "must not make a cycle")
            await transaction.run(statements.PUT_ROLE, asdict(role))

        await self._database.transact(work, lock=SCHEMA)
        return role

    async def get_role(self, name: RoleName) -> Role:
        canonical_name("name", name)
        rows = await self._database.read(statements.GET_ROLE, {"name": name})
        return entity(Role, first(rows, "role", name))

    async def delete_role(self, name: RoleName) -> None:
        canonical_name("name", name)

        async def work(transaction: Transaction) -> None:
            rows = await transaction.run(statements.ROLE_USES, {"name": name})
            granted, is_parent = first(rows, "role", name)
            if granted:
                raise InUse("role", name, "grant")
            if is_parent:
                raise InUse("role", name, "role")
            await transaction.run(statements.DELETE_ROLE, {"name": name})

        try:
            await self._database.transact(work, lock=SCHEMA)
        except ForeignKeyViolated as error:  # granted since it was read
            raise InUse("role", name, "grant") from error

    async def list_roles(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Role]:
        return await read_page(self._database, ROLE_LIST, {}, cursor, limit)

    async def grant(self, user: UserId, role: RoleName, scope: Scope) -> Grant:
        grant = canonical(Grant(user=user, role=role, scope=scope))
        try:
            rows = await self._database.write(statements.GRANT, asdict(grant))
        except ForeignKeyViolated:  # the user or the role went away since it was read
            rows = []
        if not rows:
            await self._grant_locked(grant)
        return grant

    async def _grant_locked(self, grant: Grant) -> None:
        async def work(transaction: Transaction) -> None:
            users = await transaction.run(statements.KEEP_USER, {"id": grant.user})
            first(users, "user", grant.user)
            roles = await transaction.run(statements.KEEP_ROLE, {"name": grant.role})
            first(roles, "role", grant.role)
            await transaction.run(statements.GRANT, asdict(grant))

        await self._database.transact(work)

    async def revoke(self, user: UserId, role: RoleName, scope: Scope) -> None:
        grant = canonical(Grant(user=user, role=role, scope=scope))

        async def work(transaction: Transaction) -> None:
            await transaction.run(statements.LOCK_USER, {"id": user})
            held = await _last_held(transaction, user)
            _refuse([name for name in held if name == role])
            await transaction.run(statements.REVOKE, asdict(grant))

        if scope == GLOBAL:
            await self._database.transact(work, lock=SCHEMA)
        else:
            await self._database.write(statements.REVOKE, asdict(grant))

    async def list_grants(
        self, filter: GrantFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Grant]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, GRANT_LIST, filters, cursor, limit)

    async def permissions(self, user: UserId, scope: Scope) -> frozenset[Permission]:
        canonical_id("user", user)
        canonical_scope("scope", scope)
        given = {"user": user, "scope": scope}
        rows = await self._database.read(statements.PERMISSIONS, given)
        return frozenset(permission for row in rows for permission in row[0])

    async def create_session(self, session: Session) -> Session:
        return await self._sessions.create(session)

    async def find_session(self, digest: Digest, at: datetime) -> Session:
        return await self._sessions.find(digest, at)

    async def list_sessions(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Session]:
        filters = {"user": canonical_id("user", user)}
        return await read_page(self._database, SESSION_LIST, filters, cursor, limit)

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
        filters = {"user": canonical_id("user", user)}
        return await read_page(self._database, API_KEY_LIST, filters, cursor, limit)

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
        if await self._database.write(statements.APPEND_AUDIT, asdict(entry)):
            return entry
        rows = await self._database.read(statements.GET_AUDIT, {"id": entry.id})
        if [entity(AuditEntry, row) for row in rows] != [entry]:
            raise Duplicate("id")
        return entry

    async def list_audit(
        self, filter: AuditFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[AuditEntry]:
        filters = asdict(canonical(filter))
        return await read_page(self._database, AUDIT_LIST, filters, cursor, limit)

    async def _taken(self, values: Mapping[str, Any], error: UniqueViolated) -> str | None:
        """Which field is a duplicate; the id if both are, whatever the database noticed.

        None where the user that it was has been deleted, or renamed, meanwhile.
        """
        if error.constraint == "auth_users_id":
            return "id"
        rows = await self._database.read(statements.TAKEN_USER, values)
        return taken_field(values["id"], rows, "email")


async def _last_held(transaction: Transaction, user: UserId) -> list[RoleName]:
    return [row[0] for row in await transaction.run(statements.LAST_HELD, {"id": user})]


def _refuse(held: list[RoleName]) -> None:
    """Raises InUse for the first role that would lose its last holder, if there is one."""
    for name in held[:1]:
        raise InUse("role", name, "last holder")
