"""Every operation costs a fixed number of round trips: one where one statement can do it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

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

from ..counting import operations_in, operations_of, statements_of
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

Case = tuple[int, Callable[[AuthStorage, str], Awaitable[object]]]
LOCKING = "BEGIN with the lock, the user's row, the roles last held, the change, COMMIT"


def key(name: str) -> ApiKey:
    return ApiKey(id=ApiKeyId(name), user=ANN, digest=digest(name), created_at=NOW)


CASES: dict[str, Case] = {
    "get_by_id": (1, lambda s, i: s.get_by_id(ANN)),
    "create": (1, lambda s, i: s.create(user(i))),
    "find_by_email": (1, lambda s, i: s.find_by_email(user(ANN).email)),
    "update": (1, lambda s, i: s.update(UserId(i), UserPatch(enabled=True), 1)),
    "update, disabling": (
        len(LOCKING.split(",")),
        lambda s, i: s.update(UserId(i), UserPatch(enabled=False), 1),
    ),
    "delete": (7, lambda s, i: s.delete(UserId(i), NOW)),
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
    "grant": (1, lambda s, i: s.grant(UserId(i), ADMIN, GLOBAL)),
    "grant, again": (1, lambda s, i: s.grant(ANN, ADMIN, GLOBAL)),
    "revoke": (5, lambda s, i: s.revoke(UserId(i), ADMIN, GLOBAL)),
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
    assert operations_in(CASES) == operations_of(AuthStorage)


async def prepare(case: str, storage: AuthStorage, *runs: str) -> None:
    """Ann, with an essential role, sessions and keys; and what each run of a case takes away."""
    await storage.create(user(ANN))
    for each in (role(READER, "read"), role(ADMIN, "manage", "reader", essential=True)):
        await storage.put_role(each)
    await storage.grant(ANN, ADMIN, GLOBAL)
    for name in "ab":
        await storage.create_session(session(name))
        await storage.create_api_key(key(name))
    await storage.append_audit(entry("kept"))
    for run in runs:
        await storage.put_role(role(run))
        await prepare_user(storage, case, UserId(run))


async def prepare_user(storage: AuthStorage, case: str, id: UserId) -> None:
    if case.startswith(("update", "delete", "grant", "revoke")):
        await storage.create(user(id))
    if case == "revoke":
        await storage.grant(id, ADMIN, GLOBAL)


@pytest.mark.parametrize("name", CASES)
def test_the_number_of_statements(url: str, name: str) -> None:
    expected, call = CASES[name]
    assert statements_of(url, DatabaseAuthStorage, partial(prepare, name), call) == expected
