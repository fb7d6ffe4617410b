"""Authors of auth laws build what a law starts from here, and state what it ends with."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from storeproof.harness.paging import walk
from storeproof.reference.auth.entities import (
    ApiKey,
    AuditEntry,
    AuditFilter,
    AuditId,
    Digest,
    GrantFilter,
    LockOutPolicy,
    PasswordHash,
    Permission,
    Role,
    RoleName,
    Scope,
    Session,
    User,
    UserFilter,
    UserId,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.law_words import is_invalid, is_refused
from storeproof.reference.storage import Page

__all__ = [
    "ANN",
    "BOB",
    "CAT",
    "CHIEF",
    "DAY",
    "HOUR",
    "NOBODY",
    "NOW",
    "POLICY",
    "TEAM",
    "TICK",
    "Tokens",
    "add_chiefs",
    "add_role",
    "add_users",
    "api_key",
    "both_kinds",
    "content",
    "digest",
    "entry",
    "every_list",
    "hash_of",
    "is_invalid",
    "is_refused",
    "permission_set",
    "role",
    "session",
    "user",
    "walk",
]

Item = TypeVar("Item")

NOW: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK: Final = timedelta(microseconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
ANN, BOB, CAT, NOBODY = UserId("ann"), UserId("bob"), UserId("cat"), UserId("nobody")
CHIEF: Final = RoleName("chief")
TEAM: Final = Scope("team")
POLICY: Final = LockOutPolicy(threshold=3, duration=HOUR)


def user(id: str, **fields: Any) -> User:
    plain: dict[str, Any] = {"id": id, "email": f"{id}@example.org", "created_at": NOW}
    return User(**plain | fields)


def role(name: str, permissions: str = "", parents: str = "", *, essential: bool = False) -> Role:
    """A role; permissions and parents are separated by spaces."""
    return Role(
        name=RoleName(name),
        permissions=permission_set(permissions),
        parents=frozenset(map(RoleName, parents.split())),
        essential=essential,
    )


def permission_set(names: str) -> frozenset[Permission]:
    return frozenset(map(Permission, names.split()))


def digest(letter: str) -> Digest:
    return Digest(letter * 64)


def hash_of(word: str) -> PasswordHash:
    return PasswordHash(f"$hash${word}")


def session(letter: str, **fields: Any) -> Session:
    """A session of Ann's, for an hour, whose id is the letter that its digest repeats."""
    plain: dict[str, Any] = {"id": letter, "user": ANN, "digest": digest(letter)}
    return Session(**plain | {"created_at": NOW, "expires_at": NOW + HOUR} | fields)


def api_key(letter: str, **fields: Any) -> ApiKey:
    """As `session`."""
    plain: dict[str, Any] = {"id": letter, "user": ANN, "digest": digest(letter)}
    return ApiKey(**plain | {"created_at": NOW, "expires_at": NOW + HOUR} | fields)


def entry(id: str, **fields: Any) -> AuditEntry:
    plain: dict[str, Any] = {"id": AuditId(id), "at": NOW, "action": "change", "subject": ANN}
    return AuditEntry(**plain | fields)


async def add_users(storage: AuthStorage, *ids: UserId) -> None:
    for each in ids:
        await storage.create(user(each))


async def add_role(storage: AuthStorage, made: Role, *holders: UserId, scope: str = "") -> None:
    """Puts the role, and grants it to users who exist."""
    await storage.put_role(made)
    for holder in holders:
        await storage.grant(holder, made.name, Scope(scope))


async def add_chiefs(storage: AuthStorage, *ids: UserId) -> None:
    """Creates users who hold the essential role CHIEF."""
    await add_users(storage, *ids)
    await add_role(storage, role(CHIEF, "rule", essential=True), *ids)


@dataclass(frozen=True)
class Tokens:
    """The operations of sessions, or those of API keys, under the same names."""

    kind: str
    make: Callable[..., Any]
    create: Callable[..., Awaitable[Any]]
    find: Callable[..., Awaitable[Any]]
    list: Callable[..., Awaitable[Page[Any]]]
    rotate: Callable[..., Awaitable[Any]]
    revoke: Callable[..., Awaitable[Any]]
    revoke_all: Callable[..., Awaitable[int]]
    purge: Callable[..., Awaitable[int]]

    async def add(self, *letters: str, **fields: Any) -> None:
        for letter in letters:
            await self.create(self.make(letter, **fields))

    async def ids(self, user: UserId = ANN) -> tuple[str, ...]:
        return tuple(each.id for each in (await self.list(user)).items)


def both_kinds(storage: AuthStorage) -> tuple[Tokens, Tokens]:
    """What holds for sessions holds for API keys."""
    return (
        Tokens(
            "session",
            session,
            storage.create_session,
            storage.find_session,
            storage.list_sessions,
            storage.rotate_session,
            storage.revoke_session,
            storage.revoke_sessions,
            storage.purge_sessions,
        ),
        Tokens(
            "api_key",
            api_key,
            storage.create_api_key,
            storage.find_api_key,
            storage.list_api_keys,
            storage.rotate_api_key,
            storage.revoke_api_key,
            storage.revoke_api_keys,
            storage.purge_api_keys,
        ),
    )


def every_list(
    storage: AuthStorage,
) -> Iterable[tuple[Callable[..., Awaitable[Page[Any]]], tuple[object, ...]]]:
    """Every list operation, with arguments that leave out nothing of Ann's."""
    yield storage.list_users, (UserFilter(),)
    yield storage.list_roles, ()
    yield storage.list_grants, (GrantFilter(),)
    yield storage.list_sessions, (ANN,)
    yield storage.list_api_keys, (ANN,)
    yield storage.list_audit, (AuditFilter(),)


async def content(storage: AuthStorage) -> list[Any]:
    """Everything that the lists show: all, and of the sessions and keys Ann's."""
    return [
        await walk(operation, *arguments, limit=1000)
        for operation, arguments in every_list(storage)
    ]
