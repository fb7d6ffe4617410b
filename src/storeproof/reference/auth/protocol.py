"""For users and authors of an auth storage: what each operation does, exactly.

These docstrings are the law. Every implementation agrees with them, call by call.
"""

from datetime import datetime, timedelta
from typing import Protocol

from storeproof.reference.auth.entities import (
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
)
from storeproof.reference.storage import ComponentStorage, Cursor, Page

__all__ = ["AuthStorage"]


class AuthStorage(ComponentStorage[User], Protocol):
    """Users, their credentials, roles, sessions and API keys, and the audit trail.

    **Values.** Arguments are made canonical first (`entities.canonical`); results are
    canonical. Raises InvalidValue, from every operation, for an argument that has no
    canonical form: the first one, in the order of the parameters and of the fields. An
    entity is what is stored: no id, time or default is made by a storage.

    **Precedence of errors.** InvalidValue, then NotFound, VersionConflict, Duplicate,
    InUse. Within one class: in the order in which the operation names them. An operation
    that raises has changed nothing.

    **Atomicity.** Every operation happens at one instant, as a whole, also while others
    run: no call sees a part of another.

    **Repeating.** Where nothing else is said, repeating a call that succeeded returns
    the same and changes nothing more. Creating again what exists is a Duplicate("id"),
    even if it is equal: who retries after OutcomeUnknown reads that as "done".

    **Lists** are ordered by the sort key that each names, by code point; a cursor is the
    key of the last item of a page. `limit` is 1 to 1000. `next_cursor` is None exactly
    when no item follows. A cursor may outlive its item. A filter that matches nothing,
    or names what does not exist, gives an empty page.

    **Live.** A session or key is live at an instant when its user exists and is enabled,
    it is not revoked, and the instant is before `expires_at` (None: for ever).

    **Scopes** are paths: a grant in "a" counts in "a" and in "a/b", not in "ab"; a grant
    in GLOBAL ("") counts everywhere.

    **Essential roles.** A holder of an essential role is an enabled user with a direct
    grant of it in GLOBAL. `update`, `delete` and `revoke` refuse to take the last
    holder away, also when several of them run at once. They raise
    InUse("role", name, "last holder"), naming the first such role by code point.
    """

    async def get_by_id(self, id: UserId) -> User:
        """The user with this id.

        Raises NotFound("user", id) when there is none.
        """
        ...

    async def create(self, entity: User) -> User:
        """Stores a new user and returns it, every field as given.

        Raises Duplicate("id") when the id is taken. Raises Duplicate("email") when
        another user's e-mail has the same key.
        """
        ...

    async def find_by_email(self, email: Email) -> User:
        """The user whose e-mail has the same key (`values.email_key`).

        Raises NotFound("user", email) when there is none.
        """
        ...

    async def update(self, id: UserId, patch: UserPatch, expected_version: int) -> User:
        """Changes the given fields of a user, adds 1 to its version, and returns it.

        An empty patch counts as an update. Repeating it is a VersionConflict.

        Raises NotFound("user", id) for an unknown user. Raises VersionConflict("user", id,
        expected_version) when the stored version differs. Raises Duplicate("email") when
        another user's e-mail has the same key. Raises InUse when it would disable the
        last holder of an essential role.
        """
        ...

    async def delete(self, id: UserId, at: datetime) -> None:
        """Deletes a user and its grants, and revokes its sessions and keys at `at`.

        Sessions and keys stay listed until purged; those already revoked keep their time.
        The id and the e-mail are free again. Repeating it is a NotFound.

        Raises NotFound("user", id) for an unknown user. Raises InUse when the user is the
        last holder of an essential role.
        """
        ...

    async def list_users(
        self, filter: UserFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[User]:
        """The users that match, by id."""
        ...

    async def replace_password_hash(
        self, id: UserId, old: PasswordHash | None, new: PasswordHash
    ) -> bool:
        """Stores `new` if the stored hash is `old` or already `new`; whether it did.

        `old` None means that the user has none. The version stays.

        Raises NotFound("user", id) for an unknown user.
        """
        ...

    async def record_attempt(
        self, id: UserId, ok: bool, at: datetime, policy: LockOutPolicy
    ) -> Attempts:
        """Counts an attempt to sign in, and returns the failures in a row and the lock-out.

        While `at` is before `locked_until` nothing changes, and the attempt must be
        refused even if `ok`. Otherwise success sets 0 failures and no lock-out; a failure
        adds 1, or starts at 1 after a lock-out that has ended. At `policy.threshold`
        failures or more the user is locked out until `at + policy.duration`. The version
        stays. Repeating a call counts again.

        Raises InvalidValue("threshold") below 1, and InvalidValue("duration") when it is
        not positive or ends out of range. Raises NotFound("user", id) for an unknown user.
        """
        ...

    async def clear_attempts(self, id: UserId) -> None:
        """Sets 0 failures and no lock-out. The version stays.

        Raises NotFound("user", id) for an unknown user.
        """
        ...

    async def put_role(self, role: Role) -> Role:
        """Creates a role, or replaces all of it, and returns it. Grants of it stay.

        Raises InvalidValue("parents") when the role is its own parent. Raises
        NotFound("role", name) for the first unknown parent by code point. Then, and only
        then, raises InvalidValue("parents", "must not make a cycle") when the role would
        become its own ancestor.
        """
        ...

    async def get_role(self, name: RoleName) -> Role:
        """The role with this name.

        Raises NotFound("role", name) when there is none.
        """
        ...

    async def delete_role(self, name: RoleName) -> None:
        """Deletes a role that nothing needs. Repeating it is a NotFound.

        Raises NotFound("role", name) for an unknown role. Raises InUse("role", name,
        "grant") while somebody has it. Raises InUse("role", name, "role") while it is the
        parent of another.
        """
        ...

    async def list_roles(self, cursor: Cursor | None = None, limit: int = 100) -> Page[Role]:
        """All roles, by name."""
        ...

    async def grant(self, user: UserId, role: RoleName, scope: Scope) -> Grant:
        """Gives a user a role in a scope, and returns the grant; there may be one already.

        Raises NotFound("user", user) for an unknown user. Raises NotFound("role", role)
        for an unknown role.
        """
        ...

    async def revoke(self, user: UserId, role: RoleName, scope: Scope) -> None:
        """Takes away the grant with exactly this user, role and scope, if there is one.

        Raises InUse when it would take away the last holder of an essential role.
        """
        ...

    async def list_grants(
        self, filter: GrantFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Grant]:
        """The grants that match, by user, then role, then scope."""
        ...

    async def permissions(self, user: UserId, scope: Scope) -> frozenset[Permission]:
        """The permissions that a user has in a scope, through grants and parent roles.

        Empty for an unknown or disabled user.
        """
        ...

    async def create_session(self, session: Session) -> Session:
        """Stores a new session and returns it, every field as given.

        Raises NotFound("user", session.user) when its user is unknown, unless it is
        revoked. Raises Duplicate("id") when the id is taken. Raises Duplicate("digest")
        when another session has this digest as its present one.
        """
        ...

    async def find_session(self, digest: Digest, at: datetime) -> Session:
        """The session, live at `at`, with this digest.

        Its present digest counts, and its previous one while `at` is before
        `previous_until`. Of several a present digest comes first, then the smallest id.

        Raises NotFound("session", digest) when there is none.
        """
        ...

    async def list_sessions(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[Session]:
        """All sessions of a user, live or not, by id."""
        ...

    async def rotate_session(
        self, user: UserId, id: SessionId, new: Digest, at: datetime, grace: timedelta
    ) -> Session:
        """Gives a session of this user, live at `at`, a new digest, and returns it.

        Its present digest becomes its previous one until `at + grace`; an earlier
        previous one stops working. When `new` is its present digest nothing changes.

        Raises InvalidValue("grace") when it is negative or ends out of range. Raises
        NotFound("session", id) when it is unknown, another user's, or not live. Raises
        Duplicate("digest") when another session has this digest as its present one.
        """
        ...

    async def revoke_session(self, user: UserId, id: SessionId, at: datetime) -> Session:
        """Revokes a session of this user, and returns it; the first time given stays.

        Raises NotFound("session", id) when it is unknown or another user's.
        """
        ...

    async def revoke_sessions(self, user: UserId, except_id: SessionId | None, at: datetime) -> int:
        """Revokes a user's sessions except one; how many were not revoked before.

        Expired ones count. Repeating it gives 0, as does an unknown user.
        """
        ...

    async def purge_sessions(self, before: datetime, limit: int) -> int:
        """Deletes sessions that expired or were revoked before this instant; how many.

        The first `limit` (1 to 1000) of them by id. Repeating it deletes the next ones. Their
        ids and digests are free again.
        """
        ...

    async def create_api_key(self, key: ApiKey) -> ApiKey:
        """Stores a new key and returns it, every field as given.

        Raises NotFound("user", key.user) when its user is unknown, unless it is revoked.
        Raises Duplicate("id") when the id is taken. Raises Duplicate("digest") when
        another key has this digest as its present one.
        """
        ...

    async def find_api_key(self, digest: Digest, at: datetime) -> ApiKey:
        """The key, live at `at`, with this digest; previous ones as in `find_session`.

        Raises NotFound("api_key", digest) when there is none.
        """
        ...

    async def list_api_keys(
        self, user: UserId, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[ApiKey]:
        """All keys of a user, live or not, by id."""
        ...

    async def rotate_api_key(
        self, user: UserId, id: ApiKeyId, new: Digest, at: datetime, grace: timedelta
    ) -> ApiKey:
        """Gives a key of this user, live at `at`, a new digest, as `rotate_session` does.

        Raises InvalidValue("grace") when it is negative or ends out of range. Raises
        NotFound("api_key", id) when it is unknown, another user's, or not live. Raises
        Duplicate("digest") when another key has this digest as its present one.
        """
        ...

    async def revoke_api_key(self, user: UserId, id: ApiKeyId, at: datetime) -> ApiKey:
        """Revokes a key of this user, and returns it; the first time given stays.

        Raises NotFound("api_key", id) when it is unknown or another user's.
        """
        ...

    async def revoke_api_keys(self, user: UserId, except_id: ApiKeyId | None, at: datetime) -> int:
        """Revokes a user's keys except one; how many were not revoked before.

        Expired ones count. Repeating it gives 0, as does an unknown user.
        """
        ...

    async def purge_api_keys(self, before: datetime, limit: int) -> int:
        """Deletes keys that expired or were revoked before this instant; how many.

        The first `limit` (1 to 1000) of them by id. Repeating it deletes the next ones. Their
        ids and digests are free again.
        """
        ...

    async def append_audit(self, entry: AuditEntry) -> AuditEntry:
        """Stores an entry and returns it. An equal one with the same id stays as it is.

        Raises Duplicate("id") when the id is taken by a different entry.
        """
        ...

    async def list_audit(
        self, filter: AuditFilter, cursor: Cursor | None = None, limit: int = 100
    ) -> Page[AuditEntry]:
        """The entries that match, newest first: by `at`, then by id, both descending."""
        ...
