"""For users and authors of an auth storage: its entities, and their canonical forms.

Entities are frozen and hold nothing that can be changed, so a result never aliases what
a storage holds. Ids, digests and times come from the caller. `canonical` gives the form
in which every storage stores and returns an entity, a patch or a filter.
"""

import re
from datetime import datetime, timedelta
from typing import Final, NewType, TypeVar

import msgspec

from storeproof.reference import values
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import (
    Rule,
    Rules,
    by_rules,
    identifier,
    integer,
    names,
    optional,
    text,
)

__all__ = [
    "GLOBAL",
    "RULES",
    "ApiKey",
    "ApiKeyId",
    "Attempts",
    "AuditEntry",
    "AuditFilter",
    "AuditId",
    "Digest",
    "Email",
    "Grant",
    "GrantFilter",
    "JsonText",
    "LockOutPolicy",
    "PasswordHash",
    "Permission",
    "Role",
    "RoleName",
    "Scope",
    "Session",
    "SessionId",
    "User",
    "UserFilter",
    "UserId",
    "UserPatch",
    "canonical",
    "canonical_digest",
    "canonical_hash",
    "canonical_policy",
    "canonical_scope",
    "next_attempts",
    "scope_chain",
]

Entity = TypeVar("Entity", bound=msgspec.Struct)

UserId = NewType("UserId", str)
Email = NewType("Email", str)
PasswordHash = NewType("PasswordHash", str)
RoleName = NewType("RoleName", str)
Permission = NewType("Permission", str)
Scope = NewType("Scope", str)
SessionId = NewType("SessionId", str)
ApiKeyId = NewType("ApiKeyId", str)
Digest = NewType("Digest", str)
"""SHA-256 of a token: 64 lower-case hexadecimal digits. A raw token is refused."""
AuditId = NewType("AuditId", str)
JsonText = NewType("JsonText", str)
"""A JSON document as text; see `values.canonical_json`."""

GLOBAL: Final = Scope("")
"""The scope that covers every scope."""

MAX_TEXT = 1000
MAX_HASH = 1024
MAX_COUNT = 2**62
_HEXADECIMAL = re.compile(r"[0-9a-f]{64}")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in. `email` is kept as typed; its `email_key` is unique.

    `version` counts updates. `password_hash`, `failures` and `locked_until` change
    without it, each by its own atomic operation.
    """

    id: UserId
    email: Email
    display_name: str = ""
    password_hash: PasswordHash | None = None
    enabled: bool = True
    verified: bool = False
    created_at: datetime
    failures: int = 0
    locked_until: datetime | None = None
    version: int = 1


class UserPatch(msgspec.Struct, frozen=True, kw_only=True):
    """What `update` changes; None leaves a field as it is."""

    email: Email | None = None
    display_name: str | None = None
    enabled: bool | None = None
    verified: bool | None = None


class UserFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Users that match all that is given. `role`: granted it directly, in any scope.

    `email_contains`: its fold (`values.email_fold`) is a part of the user's e-mail key.
    """

    enabled: bool | None = None
    role: RoleName | None = None
    email_contains: str | None = None


class LockOutPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The `threshold`th failure in a row locks the user out for `duration`."""

    threshold: int
    duration: timedelta


class Attempts(msgspec.Struct, frozen=True, kw_only=True):
    """Failures in a row, and the instant until which (excluded) the user is locked out."""

    failures: int
    locked_until: datetime | None


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of permissions; it has those of its parents, and of theirs, as well.

    An `essential` role must not lose its last holder: see `AuthStorage`.
    """

    name: RoleName
    permissions: frozenset[Permission] = frozenset()
    parents: frozenset[RoleName] = frozenset()
    essential: bool = False


class Grant(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """`user` has `role` in `scope` and in every scope below it."""

    user: UserId
    role: RoleName
    scope: Scope


class GrantFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Grants that match all that is given; `scope` is compared exactly."""

    user: UserId | None = None
    role: RoleName | None = None
    scope: Scope | None = None


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in browser or device; its token is known only by `digest`.

    After a rotation the earlier token works until `previous_until` (excluded).
    """

    id: SessionId
    user: UserId
    digest: Digest
    label: str = ""
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    previous_digest: Digest | None = None
    previous_until: datetime | None = None


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A token for programs. `hint` is what may be shown of it, such as its first letters.

    `permissions` limits what it may do; None means all that its user may.
    """

    id: ApiKeyId
    user: UserId
    digest: Digest
    label: str = ""
    hint: str = ""
    permissions: frozenset[Permission] | None = None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    previous_digest: Digest | None = None
    previous_until: datetime | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Who (`actor`, None: the system) did what (`action`) to what (`subject`), and when."""

    id: AuditId
    at: datetime
    actor: UserId | None = None
    action: str
    subject: str
    before: JsonText | None = None
    after: JsonText | None = None


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Entries that match all that is given; `since` is included, `until` is not."""

    actor: UserId | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def scope_chain(scope: Scope) -> tuple[Scope, ...]:
    """The scopes whose grants count in `scope`: GLOBAL, "a", "a/b" for "a/b"."""
    parts = scope.split("/") if scope else []
    return (GLOBAL, *(Scope("/".join(parts[: end + 1])) for end in range(len(parts))))


def next_attempts(user: User, ok: bool, at: datetime, policy: LockOutPolicy) -> Attempts:
    """The rule of `record_attempt`, for canonical arguments."""
    if user.locked_until is not None and user.locked_until > at:
        return Attempts(failures=user.failures, locked_until=user.locked_until)
    if ok:
        return Attempts(failures=0, locked_until=None)
    failures = 1 if user.locked_until is not None else user.failures + 1
    locked = failures >= policy.threshold
    return Attempts(failures=failures, locked_until=at + policy.duration if locked else None)


def canonical_scope(field: str, scope: Scope) -> Scope:
    """GLOBAL, or at most 255 characters of non-empty parts joined by "/"."""
    values.canonical_text(field, scope, values.MAX_ID)
    if scope and not all(scope.split("/")):
        raise InvalidValue(field, "must be parts joined by single slashes")
    return scope


def canonical_digest(field: str, digest: Digest) -> Digest:
    """A digest as the NewType says; the value itself is never quoted."""
    if not isinstance(digest, str) or not _HEXADECIMAL.fullmatch(digest):
        raise InvalidValue(field, "must be 64 lower-case hexadecimal digits")
    return digest


def canonical_policy(policy: LockOutPolicy, at: datetime) -> LockOutPolicy:
    """Threshold 1 or more; a positive duration whose end, from `at`, is in range."""
    values.canonical_integer("threshold", policy.threshold, 1, MAX_COUNT)
    if values.later("duration", at, policy.duration) == at:
        raise InvalidValue("duration", "must be positive")
    return policy


canonical_hash: Final = identifier(MAX_HASH)
"""A password hash: opaque, non-empty, at most 1024 characters."""


_ID, _NAME = values.canonical_id, values.canonical_name
_TIME, _FLAG = values.canonical_time, values.canonical_flag
_CREDENTIAL: dict[str, Rule] = {
    "id": _ID,
    "user": _ID,
    "digest": canonical_digest,
    "label": text(MAX_TEXT),
    "created_at": _TIME,
    "expires_at": optional(_TIME),
    "revoked_at": optional(_TIME),
    "previous_digest": optional(canonical_digest),
    "previous_until": optional(_TIME),
}
_API_KEY = _CREDENTIAL | {"hint": text(MAX_TEXT), "permissions": optional(names)}
_USER: dict[str, Rule] = {
    "id": _ID,
    "email": values.canonical_email,
    "display_name": text(MAX_TEXT),
    "password_hash": optional(canonical_hash),
    "enabled": _FLAG,
    "verified": _FLAG,
    "created_at": _TIME,
    "failures": integer(0, MAX_COUNT),
    "locked_until": optional(_TIME),
    "version": integer(1, MAX_COUNT),
}
_GRANT: dict[str, Rule] = {"user": _ID, "role": _NAME, "scope": canonical_scope}
RULES: Final[Rules] = {
    User: _USER,
    UserPatch: {name: optional(rule) for name, rule in _USER.items()},
    UserFilter: {
        "enabled": optional(_FLAG),
        "role": optional(_NAME),
        "email_contains": optional(text(values.MAX_EMAIL)),
    },
    Role: {"name": _NAME, "permissions": names, "parents": names, "essential": _FLAG},
    Grant: _GRANT,
    GrantFilter: {name: optional(rule) for name, rule in _GRANT.items()},
    Session: _CREDENTIAL | {"expires_at": _TIME},
    ApiKey: _API_KEY,
    AuditEntry: {
        "id": _ID,
        "at": _TIME,
        "actor": optional(_ID),
        "action": _NAME,
        "subject": _ID,
        "before": optional(values.canonical_json),
        "after": optional(values.canonical_json),
    },
    AuditFilter: {
        "actor": optional(_ID),
        "action": optional(_NAME),
        "subject": optional(_ID),
        "since": optional(_TIME),
        "until": optional(_TIME),
    },
}


def canonical(entity: Entity) -> Entity:
    """The entity, patch or filter in the form in which every storage stores and returns it.

    Raises InvalidValue for the first bad field, in the order of declaration; then for a
    role that is its own parent ("parents"), and for a session or key with only one of
    `previous_digest` and `previous_until` ("previous_until").
    """
    made = by_rules(RULES, entity)
    if isinstance(entity, Role) and entity.name in entity.parents:
        raise InvalidValue("parents", "must not contain the role itself")
    if isinstance(entity, Session | ApiKey) and (entity.previous_digest is None) != (
        entity.previous_until is None
    ):
        raise InvalidValue("previous_until", "must come with previous_digest, or neither")
    return made
