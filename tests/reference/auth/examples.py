"""For the tests of auth storages: short ways to make entities and to run operations."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from storeproof.reference.auth import (
    AuditEntry,
    Digest,
    LockOutPolicy,
    Permission,
    Role,
    RoleName,
    Session,
    User,
    UserId,
)
from storeproof.reference.exceptions import StorageError

Result = TypeVar("Result")

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANN, BOB, EVE = UserId("ann"), UserId("bob"), UserId("eve")
ADMIN, EDITOR, READER = RoleName("admin"), RoleName("editor"), RoleName("reader")
POLICY = LockOutPolicy(threshold=3, duration=HOUR)


def user(id: str, **fields: Any) -> User:
    named: dict[str, Any] = {"id": id, "email": f"{id}@example.org", "created_at": NOW}
    return User(**named | fields)


def digest(letter: str) -> Digest:
    return Digest(letter * 64)


def session(id: str, **fields: Any) -> Session:
    present: dict[str, Any] = {"id": id, "user": ANN, "digest": digest(id)}
    return Session(**present | {"created_at": NOW, "expires_at": NOW + HOUR} | fields)


def entry(id: str, **fields: Any) -> AuditEntry:
    plain: dict[str, Any] = {"id": id, "at": NOW, "action": "user.update", "subject": ANN}
    return AuditEntry(**plain | fields)


def role(name: str, permissions: str = "", parents: str = "", essential: bool = False) -> Role:
    return Role(
        name=RoleName(name),
        permissions=frozenset(map(Permission, permissions.split())),
        parents=frozenset(map(RoleName, parents.split())),
        essential=essential,
    )


def run(operation: Coroutine[Any, Any, Result]) -> Result:
    return asyncio.run(operation)


def refused(operation: Coroutine[Any, Any, object]) -> StorageError:
    with pytest.raises(StorageError) as caught:
        run(operation)
    return caught.value


def same(error: StorageError, expected: StorageError) -> bool:
    return type(error) is type(expected) and vars(error) == vars(expected)
