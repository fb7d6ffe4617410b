"""Maintainers run `pytest benchmarks --storage=postgres`: the auth storage's latency budgets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from budgets import Budget, gates_of

from storeproof.harness.latency.workloads import stated
from storeproof.reference.auth import (
    AuditFilter,
    GrantFilter,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws import contract
from storeproof.reference.auth.laws.given import (
    HOUR,
    NOW,
    POLICY,
    api_key,
    entry,
    hash_of,
    role,
    session,
    user,
)

SCOPE, NO_GRACE = Scope("team/one"), timedelta(0)


def name(number: int) -> Any:
    return UserId(f"u{number}")


def digest(number: int, kind: str = "0") -> Any:
    return f"{kind}{number:063x}"


async def new_user(s: Any, n: int) -> None:
    await s.create(user(name(n)))


async def new_role(s: Any, n: int) -> None:
    await s.put_role(role(f"r{n}", "read write"))


async def new_grant(s: Any, n: int) -> None:
    await s.grant(name(n), f"r{n}", SCOPE)


async def new_session(s: Any, n: int) -> None:
    await s.create_session(session(f"s{n}", user=name(n), digest=digest(n)))


async def new_key(s: Any, n: int) -> None:
    await s.create_api_key(api_key(f"k{n}", user=name(n), digest=digest(n)))


async def new_entry(s: Any, n: int) -> None:
    await s.append_audit(entry(f"e{n}"))


CALLS = {
    "get_by_id": stated(lambda s, n: s.get_by_id(name(n)), new_user),
    "create": stated(new_user),
    "find_by_email": stated(lambda s, n: s.find_by_email(f"u{n}@example.org"), new_user),
    "update": stated(lambda s, n: s.update(name(n), UserPatch(display_name="x"), 1), new_user),
    "delete": stated(lambda s, n: s.delete(name(n), NOW), new_user),
    "list_users": stated(lambda s, n: s.list_users(UserFilter(), limit=10)),
    "replace_password_hash": stated(
        lambda s, n: s.replace_password_hash(name(n), None, hash_of("a")), new_user
    ),
    "record_attempt": stated(lambda s, n: s.record_attempt(name(n), False, NOW, POLICY), new_user),
    "clear_attempts": stated(lambda s, n: s.clear_attempts(name(n)), new_user),
    "put_role": stated(new_role),
    "get_role": stated(lambda s, n: s.get_role(f"r{n}"), new_role),
    "delete_role": stated(lambda s, n: s.delete_role(f"r{n}"), new_role),
    "list_roles": stated(lambda s, n: s.list_roles(limit=10), new_role),
    "grant": stated(new_grant, new_user, new_role),
    "revoke": stated(lambda s, n: s.revoke(name(n), f"r{n}", SCOPE), new_user, new_role, new_grant),
    "list_grants": stated(
        lambda s, n: s.list_grants(GrantFilter(user=name(n))), new_user, new_role, new_grant
    ),
    "permissions": stated(
        lambda s, n: s.permissions(name(n), SCOPE), new_user, new_role, new_grant
    ),
    "create_session": stated(new_session, new_user),
    "find_session": stated(lambda s, n: s.find_session(digest(n), NOW), new_user, new_session),
    "list_sessions": stated(lambda s, n: s.list_sessions(name(n), limit=10), new_user, new_session),
    "rotate_session": stated(
        lambda s, n: s.rotate_session(name(n), f"s{n}", digest(n, "1"), NOW, NO_GRACE),
        new_user,
        new_session,
    ),
    "revoke_session": stated(
        lambda s, n: s.revoke_session(name(n), f"s{n}", NOW), new_user, new_session
    ),
    "revoke_sessions": stated(
        lambda s, n: s.revoke_sessions(name(n), None, NOW), new_user, new_session
    ),
    "purge_sessions": stated(
        lambda s, n: s.purge_sessions(NOW + 2 * HOUR, 1), new_user, new_session
    ),
    "create_api_key": stated(new_key, new_user),
    "find_api_key": stated(lambda s, n: s.find_api_key(digest(n), NOW), new_user, new_key),
    "list_api_keys": stated(lambda s, n: s.list_api_keys(name(n), limit=10), new_user, new_key),
    "rotate_api_key": stated(
        lambda s, n: s.rotate_api_key(name(n), f"k{n}", digest(n, "1"), NOW, NO_GRACE),
        new_user,
        new_key,
    ),
    "revoke_api_key": stated(
        lambda s, n: s.revoke_api_key(name(n), f"k{n}", NOW), new_user, new_key
    ),
    "revoke_api_keys": stated(
        lambda s, n: s.revoke_api_keys(name(n), None, NOW), new_user, new_key
    ),
    "purge_api_keys": stated(lambda s, n: s.purge_api_keys(NOW + 2 * HOUR, 1), new_user, new_key),
    "append_audit": stated(new_entry),
    "list_audit": stated(lambda s, n: s.list_audit(AuditFilter(), limit=10), new_entry),
}
BUDGETS = {
    "get_by_id": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "create": Budget("insert", sqlite=2.75, postgres=1.25, round_trips=1),
    "find_by_email": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "update": Budget("insert", sqlite=2.75, postgres=1.25, round_trips=1),
    "delete": Budget("insert", sqlite=9, postgres=4, round_trips=7),
    "list_users": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "replace_password_hash": Budget("insert", sqlite=2, postgres=1.25, round_trips=1),
    "record_attempt": Budget("insert", sqlite=2.25, postgres=1.25, round_trips=1),
    "clear_attempts": Budget("insert", sqlite=1.75, postgres=1.25, round_trips=1),
    "put_role": Budget("insert", sqlite=6, postgres=7.75, round_trips=4),
    "get_role": Budget("read", sqlite=2, postgres=1.25, round_trips=1),
    "delete_role": Budget("insert", sqlite=5.75, postgres=3.5, round_trips=4),
    "list_roles": Budget("read", sqlite=3.25, postgres=1.25, round_trips=1),
    "grant": Budget("insert", sqlite=2.5, postgres=1.25, round_trips=1),
    "revoke": Budget("insert", sqlite=2.25, postgres=1.25, round_trips=1),
    "list_grants": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "permissions": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "create_session": Budget("insert", sqlite=3.25, postgres=1.25, round_trips=1),
    "find_session": Budget("read", sqlite=2.5, postgres=1.25, round_trips=1),
    "list_sessions": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "rotate_session": Budget("insert", sqlite=3.25, postgres=1.25, round_trips=1),
    "revoke_session": Budget("insert", sqlite=2.25, postgres=1.25, round_trips=1),
    "revoke_sessions": Budget("insert", sqlite=5.25, postgres=2.25, round_trips=4),
    "purge_sessions": Budget("insert", sqlite=2.75, postgres=1.5, round_trips=1),
    "create_api_key": Budget("insert", sqlite=3.25, postgres=1.25, round_trips=1),
    "find_api_key": Budget("read", sqlite=2.5, postgres=1.25, round_trips=1),
    "list_api_keys": Budget("read", sqlite=2.25, postgres=1.25, round_trips=1),
    "rotate_api_key": Budget("insert", sqlite=3.25, postgres=1.25, round_trips=1),
    "revoke_api_key": Budget("insert", sqlite=2.25, postgres=1.25, round_trips=1),
    "revoke_api_keys": Budget("insert", sqlite=5.5, postgres=2.25, round_trips=4),
    "purge_api_keys": Budget("insert", sqlite=2.75, postgres=1.25, round_trips=1),
    "append_audit": Budget("insert", sqlite=2.75, postgres=1.25, round_trips=1),
    "list_audit": Budget("read", sqlite=3.75, postgres=1.25, round_trips=1),
}

TestAuth = contract.benchmarks(gates=gates_of(BUDGETS), calls=CALLS)
