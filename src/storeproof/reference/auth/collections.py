"""For archives and migrations: the collections of auth. Passwords and tokens stay hashed."""

from collections.abc import Iterable
from typing import Any

from storeproof.reference.auth.database.tables import (
    API_KEYS,
    AUDIT,
    GRANTS,
    ROLES,
    SCHEMA,
    SESSIONS,
    USERS,
)
from storeproof.reference.auth.entities import (
    RULES,
    ApiKey,
    AuditEntry,
    Grant,
    Role,
    Session,
    User,
    canonical,
)
from storeproof.reference.auth.memory import InMemoryAuthStorage
from storeproof.reference.collections import Collection, Content, Reference, by_id, kept_in
from storeproof.reference.values import email_key

__all__ = ["CONTENT"]


def _email_key(user: User) -> str:
    return email_key(user.email)


def _take_users(storage: InMemoryAuthStorage, users: Iterable[User]) -> None:
    for user in users:
        storage._users[user.id] = user
        storage._emails[_email_key(user)] = user.id


_ID = ("id",)
_DIGESTS = {"digest": lambda token: token.digest}

_COLLECTIONS: tuple[Collection[Any], ...] = (
    Collection(
        name="auth.users",
        item=User,
        key=_ID,
        canonical=canonical,
        rules=RULES[User],
        secret=frozenset({"password_hash"}),
        unique={"email": _email_key},
        give=lambda storage: storage._users.values(),
        take=_take_users,
        kept=kept_in(USERS, User, _ID, derived={"email_key": ("email", email_key)}),
    ),
    Collection(
        name="auth.roles",
        item=Role,
        key=("name",),
        canonical=canonical,
        references=(Reference(fields=("parents",), to=("auth.roles",), each=True),),
        give=lambda storage: storage._roles.values(),
        take=lambda storage, roles: storage._roles.update({each.name: each for each in roles}),
        kept=kept_in(ROLES, Role, ("name",)),
    ),
    Collection(
        name="auth.grants",
        item=Grant,
        key=("user", "role", "scope"),
        canonical=canonical,
        rules=RULES[Grant],
        references=(
            Reference(fields=("user",), to=("auth.users",)),
            Reference(fields=("role",), to=("auth.roles",)),
        ),
        give=lambda storage: storage._grants,
        take=lambda storage, grants: storage._grants.update(grants),
        kept=kept_in(GRANTS, Grant, ("user", "role", "scope")),
    ),
    Collection(
        name="auth.sessions",
        item=Session,
        key=_ID,
        canonical=canonical,
        secret=frozenset({"digest", "previous_digest"}),
        unique=_DIGESTS,
        give=lambda storage: storage._sessions._tokens.values(),
        take=lambda storage, tokens: storage._sessions._tokens.update(by_id(tokens)),
        kept=kept_in(SESSIONS, Session, _ID),
    ),
    Collection(
        name="auth.api_keys",
        item=ApiKey,
        key=_ID,
        canonical=canonical,
        secret=frozenset({"digest", "previous_digest"}),
        unique=_DIGESTS,
        give=lambda storage: storage._keys._tokens.values(),
        take=lambda storage, tokens: storage._keys._tokens.update(by_id(tokens)),
        kept=kept_in(API_KEYS, ApiKey, _ID),
    ),
    Collection(
        name="auth.audit",
        item=AuditEntry,
        key=_ID,
        canonical=canonical,
        give=lambda storage: storage._audit.values(),
        take=lambda storage, entries: storage._audit.update(by_id(entries)),
        kept=kept_in(AUDIT, AuditEntry, _ID),
    ),
)


CONTENT = Content(schema=SCHEMA, collections=_COLLECTIONS)
