"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from unittest.mock import patch

import aiosqlite
import pytest

from storeproof.reference.auth import (
    GLOBAL,
    ApiKey,
    ApiKeyId,
    AuditFilter,
    AuthStorage,
    GrantFilter,
    PasswordHash,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.database import Database
from storeproof.reference.exceptions import StorageError

from ..wire import wire_to
from .examples import (
    ADMIN,
    ANN,
    EDITOR,
    HOUR,
    NOW,
    POLICY,
    READER,
    digest,
    entry,
    role,
    session,
    user,
)

Case = tuple[int, Callable[[AuthStorage, UserId], Awaitable[object]]]
LOCKING = "BEGIN with the lock, the user's row, the roles last held, the change, COMMIT"


def key(name: str) -> ApiKey:
    return ApiKey(id=ApiKeyId(name), user=ANN, digest=digest(name), created_at=NOW)


CASES: dict[str, Case] = {
    "get_by_id": (1, lambda s, i: s.get_by_id(ANN)),
    "create": (1, lambda s, i: s.create(user(i))),
    "find_by_email": (1, lambda s, i: s.find_by_email(user(ANN).email)),
    "update": (1, lambda s, i: s.update(i, UserPatch(enabled=True), 1)),
    "update, disabling": (
        len(LOCKING.split(",")),
        lambda s, i: s.update(i, UserPatch(enabled=False), 1),
    ),
    "delete": (7, lambda s, i: s.delete(i, NOW)),
    "list_users": (1, lambda s, i: s.list_users(UserFilter(role=ADMIN))),
    "replace_password_hash": (
        1,
        lambda s, i: s.replace_password_hash(ANN, None, PasswordHash("$")),
    ),
    "replace_password_hash, refused": (
        1,
        lambda s, i: s.replace_password_hash(ANN, PasswordHash("$1"), PasswordHash("$2")),
    ),
    "record_attempt": (1, lambda s, i: s.record_attempt(ANN, False, NOW, POLICY)),
    "clear_attempts": (1, lambda s, i: s.clear_attempts(ANN)),
    "put_role": (4, lambda s, i: s.put_role(role(EDITOR, "edit", "reader"))),
    "get_role": (1, lambda s, i: s.get_role(ADMIN)),
    "delete_role": (4, lambda s, i: s.delete_role(role(i).name)),
    "list_roles": (1, lambda s, i: s.list_roles()),
    "grant": (1, lambda s, i: s.grant(i, ADMIN, GLOBAL)),
    "grant, again": (1, lambda s, i: s.grant(ANN, ADMIN, GLOBAL)),
    "revoke": (5, lambda s, i: s.revoke(i, ADMIN, GLOBAL)),
    "revoke, in a scope": (1, lambda s, i: s.revoke(ANN, ADMIN, Scope("a"))),
    "list_grants": (1, lambda s, i: s.list_grants(GrantFilter(user=ANN))),
    "permissions": (1, lambda s, i: s.permissions(ANN, Scope("a/b"))),
    "create_session": (1, lambda s, i: s.create_session(session(i))),
    "find_session": (1, lambda s, i: s.find_session(digest("a"), NOW)),
    "list_sessions": (1, lambda s, i: s.list_sessions(ANN)),
    "rotate_session": (
        1,
        lambda s, i: s.rotate_session(ANN, session("a").id, digest(i), NOW, HOUR),
    ),
    "revoke_session": (1, lambda s, i: s.revoke_session(ANN, session("b").id, NOW)),
    "revoke_sessions": (4, lambda s, i: s.revoke_sessions(ANN, None, NOW)),
    "purge_sessions": (1, lambda s, i: s.purge_sessions(NOW, 10)),
    "create_api_key": (1, lambda s, i: s.create_api_key(key(i))),
    "find_api_key": (1, lambda s, i: s.find_api_key(digest("a"), NOW)),
    "list_api_keys": (1, lambda s, i: s.list_api_keys(ANN)),
    "rotate_api_key": (
        1,
        lambda s, i: s.rotate_api_key(ANN, key("a").id, digest(i), NOW, HOUR),
    ),
    "revoke_api_key": (1, lambda s, i: s.revoke_api_key(ANN, key("b").id, NOW)),
    "revoke_api_keys": (4, lambda s, i: s.revoke_api_keys(ANN, None, NOW)),
    "purge_api_keys": (1, lambda s, i: s.purge_api_keys(NOW, 10)),
    "append_audit": (1, lambda s, i: s.append_audit(entry(i))),
    "append_audit, again": (2, lambda s, i: s.append_audit(entry("kept"))),
    "list_audit": (1, lambda s, i: s.list_audit(AuditFilter(actor=ANN))),
}


def test_every_operation_has_a_case() -> None:
    operations = {
        name for name, _ in inspect.getmembers(AuthStorage, inspect.isfunction) if name[0] != "_"
    }
    assert {name.partition(",")[0] for name in CASES} == operations


async def prepare(storage: AuthStorage, *ids: UserId) -> None:
    """Ann, with an essential role, sessions and keys; and what each run of a case takes away."""
    await storage.create(user(ANN))
    for each in (role(READER, "read"), role(ADMIN, "manage", "reader", essential=True)):
        await storage.put_role(each)
    await storage.grant(ANN, ADMIN, GLOBAL)
    for name in "ab":
        await storage.create_session(session(name))
        await storage.create_api_key(key(name))
    await storage.append_audit(entry("kept"))
    for who in ids:
        await storage.put_role(role(who))


async def prepare_user(storage: AuthStorage, name: str, id: UserId) -> None:
    if name.startswith(("update", "delete", "grant", "revoke")):
        await storage.create(user(id))
    if name == "revoke":
        await storage.grant(id, ADMIN, GLOBAL)


@asynccontextmanager
async def counted(url: str) -> AsyncIterator[tuple[DatabaseAuthStorage, Callable[[], int]]]:
    """A storage with one connection, and how many statements have been sent so far."""
    async with _wire_or_calls(url) as (address, sent), _database(address) as database:
        storage = DatabaseAuthStorage(database)
        await database.open()
        yield storage, sent


def _database(url: str) -> Database:
    return Database(url, create=True, pool_size=1)


@asynccontextmanager
async def _wire_or_calls(url: str) -> AsyncIterator[tuple[str, Callable[[], int]]]:
    if url.startswith("postgres"):
        async with wire_to(url) as wire:
            yield wire.url, lambda: wire.trips
    else:
        with patch.object(
            aiosqlite.Connection,
            "execute_fetchall",
            autospec=True,
            side_effect=aiosqlite.Connection.execute_fetchall,
        ) as calls:
            yield url, lambda: calls.call_count


async def run(call: Awaitable[object]) -> None:
    try:
        await call
    except StorageError as error:
        raise AssertionError("the case is of a call that succeeds") from error


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    expected, call = CASES[name]

    async def use() -> int:
        async with counted(url) as (storage, sent):
            ids = (UserId("c"), UserId("d"))
            await prepare(storage, *ids)
            for who in ids:
                await prepare_user(storage, name, who)
                before = sent()
                # The first run prepares the statements.
                await run(call(storage, who))
            return sent() - before

    assert asyncio.run(use()) == expected
