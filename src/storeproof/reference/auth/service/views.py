"""For callers of `AuthService`: what it shows of users, sessions and keys. Nothing here is secret.

The audit trail stores these forms too, so that no password hash or digest can get into it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import structs

from storeproof.reference.auth.entities import (
    ApiKey,
    ApiKeyId,
    Email,
    Permission,
    Session,
    SessionId,
    User,
    UserId,
)

__all__ = [
    "IssuedKey",
    "IssuedSession",
    "KeyView",
    "SessionView",
    "UserView",
    "view_key",
    "view_session",
    "view_user",
]

View = TypeVar("View", "UserView", "SessionView", "KeyView")


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A user without the password hash; `has_password` says whether there is one."""

    id: UserId
    email: Email
    display_name: str
    enabled: bool
    verified: bool
    created_at: datetime
    failures: int
    locked_until: datetime | None
    version: int
    has_password: bool


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session without its digests."""

    id: SessionId
    user: UserId
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its digests; `previous_until` is when an earlier token stops working."""

    id: ApiKeyId
    user: UserId
    label: str
    hint: str
    permissions: frozenset[Permission] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None


@dataclass(frozen=True, kw_only=True)
class IssuedSession:
    """A new token, shown this once, and its session. The token is not part of the repr."""

    token: str = field(repr=False)
    session: SessionView


@dataclass(frozen=True, kw_only=True)
class IssuedKey:
    """A new token, shown this once, and its key. The token is not part of the repr."""

    token: str = field(repr=False)
    key: KeyView


def view_user(user: User) -> UserView:
    return _view(UserView, user, has_password=user.password_hash is not None)


def view_session(session: Session) -> SessionView:
    return _view(SessionView, session)


def view_key(key: ApiKey) -> KeyView:
    return _view(KeyView, key)


def _view(kind: type[View], entity: msgspec.Struct, **more: object) -> View:
    fields = {**structs.asdict(entity), **more}
    return kind(**{name: fields[name] for name in kind.__struct_fields__})
