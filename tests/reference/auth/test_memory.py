"""The executable specification against its law: users, attempts, roles."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from storeproof.reference.auth import (
    GLOBAL,
    ApiKey,
    ApiKeyId,
    Attempts,
    AuthStorage,
    Email,
    Grant,
    GrantFilter,
    LockOutPolicy,
    PasswordHash,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    VersionConflict,
)
from storeproof.reference.storage import Cursor

from .examples import (
    ADMIN,
    ANN,
    BOB,
    EDITOR,
    EVE,
    HOUR,
    NOW,
    POLICY,
    READER,
    digest,
    refused,
    role,
    run,
    same,
    session,
    user,
)


def test_a_user_is_stored_as_given_in_canonical_form(storage: AuthStorage) -> None:
    local = NOW.astimezone(timezone(-5 * HOUR))
    stored = run(storage.create(user(EVE, email="Eve@Example.org", created_at=local, version=7)))
    assert stored == user(EVE, email="Eve@Example.org", version=7)
    assert stored.created_at.tzinfo is UTC
    assert run(storage.get_by_id(EVE)) == run(storage.find_by_email(Email("EVE@example.ORG")))


def test_create_refuses_a_taken_id_before_a_taken_email(storage: AuthStorage) -> None:
    assert same(refused(storage.create(user(ANN))), Duplicate("id"))
    assert same(refused(storage.create(user(ANN, email="bob@example.org"))), Duplicate("id"))
    assert same(refused(storage.create(user(EVE, email="BOB@example.org"))), Duplicate("email"))
    assert same(refused(storage.get_by_id(EVE)), NotFound("user", EVE))


def test_fields_are_checked_in_order_of_declaration(storage: AuthStorage) -> None:
    error = refused(storage.create(user(EVE, email="nobody", display_name="\0")))
    assert isinstance(error, InvalidValue)
    assert error.field == "email"


def test_update_changes_what_is_given_and_counts(storage: AuthStorage) -> None:
    changed = run(storage.update(ANN, UserPatch(email=Email("Ann@example.org")), 1))
    assert changed == user(ANN, email="Ann@example.org", version=2)
    assert run(storage.update(ANN, UserPatch(), 2)).version == 3
    run(storage.update(ANN, UserPatch(email=Email("new@example.org")), 3))
    assert same(
        refused(storage.find_by_email(Email("ann@example.org"))),
        NotFound("user", "ann@example.org"),
    )
    assert run(storage.create(user(EVE, email="ann@example.org"))).id == EVE


def test_update_errors_in_order_of_precedence(admins: AuthStorage) -> None:
    run(admins.revoke(BOB, ADMIN, GLOBAL))
    taken = UserPatch(email=Email("BOB@example.org"), enabled=False)
    assert same(refused(admins.update(EVE, taken, 9)), NotFound("user", EVE))
    assert same(refused(admins.update(ANN, taken, 9)), VersionConflict("user", ANN, 9))
    assert same(refused(admins.update(ANN, taken, 1)), Duplicate("email"))
    error = refused(admins.update(ANN, UserPatch(enabled=False), 1))
    assert same(error, InUse("role", ADMIN, "last holder"))
    assert run(admins.get_by_id(ANN)) == user(ANN)


def test_delete_takes_grants_and_revokes_sessions_and_keys(admins: AuthStorage) -> None:
    run(admins.create_session(session("a")))
    run(admins.create_session(session("b", revoked_at=NOW)))
    key = ApiKey(id=ApiKeyId("k"), user=ANN, digest=digest("c"), created_at=NOW)
    run(admins.create_api_key(key))
    run(admins.delete(ANN, NOW + HOUR))
    assert same(refused(admins.delete(ANN, NOW)), NotFound("user", ANN))
    assert run(admins.list_grants(GrantFilter(user=ANN))).items == ()
    ends = [item.revoked_at for item in run(admins.list_sessions(ANN)).items]
    assert ends == [NOW + HOUR, NOW]
    assert run(admins.list_api_keys(ANN)).items[0].revoked_at == NOW + HOUR
    run(admins.create(user(EVE, email="ann@example.org")))
    run(admins.create(user(ANN, email="new@example.org")))
    assert same(refused(admins.find_session(digest("a"), NOW)), NotFound("session", digest("a")))


def test_users_are_filtered_by_all_that_is_given(storage: AuthStorage) -> None:
    run(storage.create(user(EVE, email="STRASSE@example.org", enabled=False)))
    run(storage.put_role(role(READER)))
    run(storage.grant(BOB, READER, Scope("a")))

    def ids(**fields: Any) -> list[str]:
        return [item.id for item in run(storage.list_users(UserFilter(**fields))).items]

    assert ids() == [ANN, BOB, EVE]
    assert ids(enabled=False) == ids(email_contains="Stra\u00dfe") == [EVE]
    assert ids(role=READER) == [BOB]
    assert ids(role=READER, enabled=False) == ids(role="unknown") == []


def test_pages_join_to_the_whole_list_by_code_point(storage: AuthStorage) -> None:
    for number, name in enumerate(["\uffff", "\U0001f600", "B"]):
        run(storage.create(user(name, email=f"{number}@example.org")))
    found: list[str] = []
    cursor = None
    while True:
        page = run(storage.list_users(UserFilter(), cursor, 2))
        found += [item.id for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        run(storage.delete(page.items[-1].id, NOW))
    assert found == ["B", ANN, BOB, "\uffff", "\U0001f600"]


def test_a_page_that_is_exactly_full_is_the_last(storage: AuthStorage) -> None:
    assert run(storage.list_users(UserFilter(), None, 2)).next_cursor is None


def test_a_cursor_of_another_list_is_refused(storage: AuthStorage) -> None:
    cursor = run(storage.list_users(UserFilter(), None, 1)).next_cursor
    for other in (cursor, Cursor("x")):
        error = refused(storage.list_roles(other))
        assert isinstance(error, InvalidValue)
        assert error.field == "cursor"


def test_a_password_hash_is_replaced_only_from_the_expected_one(storage: AuthStorage) -> None:
    one, two = PasswordHash("$1"), PasswordHash("$2")
    assert not run(storage.replace_password_hash(ANN, two, one))
    assert run(storage.replace_password_hash(ANN, None, one))
    assert run(storage.replace_password_hash(ANN, None, one))
    assert not run(storage.replace_password_hash(ANN, None, two))
    assert run(storage.get_by_id(ANN)) == user(ANN, password_hash=one)
    assert same(refused(storage.replace_password_hash(EVE, one, two)), NotFound("user", EVE))


def test_failures_in_a_row_lock_out_and_time_unlocks(storage: AuthStorage) -> None:
    def attempt(ok: bool, at: datetime) -> Attempts:
        return run(storage.record_attempt(ANN, ok, at, POLICY))

    def attempts(failures: int, until: datetime | None = None) -> Attempts:
        return Attempts(failures=failures, locked_until=until)

    assert attempt(False, NOW) == attempts(1)
    assert attempt(True, NOW) == attempts(0)
    assert [attempt(False, NOW).failures for _ in range(2)] == [1, 2]
    assert attempt(False, NOW) == attempts(3, NOW + HOUR)
    last = NOW + HOUR - timedelta(microseconds=1)
    assert attempt(True, last) == attempt(False, last) == attempts(3, NOW + HOUR)
    assert run(storage.get_by_id(ANN)) == user(ANN, failures=3, locked_until=NOW + HOUR)
    assert attempt(False, NOW + HOUR) == attempts(1)
    assert [attempt(False, NOW + HOUR).failures for _ in range(2)] == [2, 3]
    run(storage.clear_attempts(ANN))
    assert run(storage.get_by_id(ANN)) == user(ANN)


@pytest.mark.parametrize(
    ("threshold", "duration", "field"),
    [
        (0, HOUR, "threshold"),
        (1, timedelta(0), "duration"),
        (1, -HOUR, "duration"),
        (1, timedelta.max, "duration"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused(
    storage: AuthStorage, threshold: int, duration: timedelta, field: str
) -> None:
    policy = LockOutPolicy(threshold=threshold, duration=duration)
    error = refused(storage.record_attempt(EVE, False, NOW, policy))
    assert isinstance(error, InvalidValue)
    assert error.field == field


def test_put_role_replaces_and_refuses_unknown_parents_and_cycles(storage: AuthStorage) -> None:
    run(storage.put_role(role(READER, "read")))
    run(storage.put_role(role(EDITOR, "write", READER)))
    error = refused(storage.put_role(role(READER, "", "zoe editor bert")))
    assert same(error, NotFound("role", "bert"))
    error = refused(storage.put_role(role(READER, "", EDITOR)))
    assert same(error, InvalidValue("parents", "must not make a cycle"))
    error = refused(storage.put_role(role("new", "", "new unknown")))
    assert same(error, InvalidValue("parents", "must not contain the role itself"))
    assert run(storage.get_role(READER)) == role(READER, "read")
    run(storage.put_role(role(EDITOR, "write")))
    assert run(storage.put_role(role(READER, "", EDITOR))) == role(READER, "", EDITOR)
    assert [item.name for item in run(storage.list_roles()).items] == [EDITOR, READER]


def test_delete_role_refuses_what_is_needed(storage: AuthStorage) -> None:
    run(storage.put_role(role(READER)))
    run(storage.put_role(role(EDITOR, "", READER)))
    run(storage.grant(ANN, READER, GLOBAL))
    assert same(refused(storage.delete_role(READER)), InUse("role", READER, "grant"))
    run(storage.revoke(ANN, READER, GLOBAL))
    assert same(refused(storage.delete_role(READER)), InUse("role", READER, "role"))
    run(storage.delete_role(EDITOR))
    run(storage.delete_role(READER))
    assert same(refused(storage.delete_role(READER)), NotFound("role", READER))


def test_grant_and_revoke_may_be_repeated(storage: AuthStorage) -> None:
    run(storage.put_role(role(READER)))
    scope = Scope("a/b")
    expected = Grant(user=ANN, role=READER, scope=scope)
    for _ in range(2):
        assert run(storage.grant(ANN, READER, scope)) == expected
    run(storage.revoke(ANN, READER, Scope("a")))
    run(storage.revoke(EVE, EDITOR, scope))
    assert run(storage.list_grants(GrantFilter())).items == (expected,)
    for _ in range(2):
        run(storage.revoke(ANN, READER, scope))
    assert run(storage.list_grants(GrantFilter())).items == ()
    assert same(refused(storage.grant(EVE, EDITOR, scope)), NotFound("user", EVE))
    assert same(refused(storage.grant(ANN, EDITOR, scope)), NotFound("role", EDITOR))


@pytest.mark.parametrize("scope", ["/", "a/", "/a", "a//b", "\0", "x" * 256])
def test_malformed_scopes_are_refused(storage: AuthStorage, scope: str) -> None:
    error = refused(storage.permissions(ANN, Scope(scope)))
    assert isinstance(error, InvalidValue)
    assert error.field == "scope"


def test_permissions_come_through_scopes_and_parents(storage: AuthStorage) -> None:
    run(storage.put_role(role(READER, "read")))
    run(storage.put_role(role(EDITOR, "write", READER)))
    run(storage.grant(ANN, EDITOR, Scope("a")))
    run(storage.grant(BOB, READER, GLOBAL))

    def permissions(id: UserId, scope: str) -> set[str]:
        return set(run(storage.permissions(id, Scope(scope))))

    assert permissions(ANN, "a") == permissions(ANN, "a/b/c") == {"read", "write"}
    assert permissions(ANN, "ab") == permissions(ANN, "") == permissions(EVE, "a") == set()
    assert permissions(BOB, "") == permissions(BOB, "z") == {"read"}
    run(storage.update(ANN, UserPatch(enabled=False), 1))
    assert permissions(ANN, "a") == set()


def test_the_last_holder_of_an_essential_role_stays(admins: AuthStorage) -> None:
    kept = InUse("role", ADMIN, "last holder")
    run(admins.create(user(EVE)))
    run(admins.grant(EVE, ADMIN, Scope("a")))
    run(admins.update(BOB, UserPatch(enabled=False), 1))
    assert same(refused(admins.revoke(ANN, ADMIN, GLOBAL)), kept)
    assert same(refused(admins.delete(ANN, NOW)), kept)
    assert same(refused(admins.update(ANN, UserPatch(enabled=False), 1)), kept)
    run(admins.delete(BOB, NOW))
    run(admins.grant(ANN, ADMIN, Scope("a")))
    run(admins.revoke(ANN, ADMIN, Scope("a")))
    run(admins.grant(EVE, ADMIN, GLOBAL))
    run(admins.revoke(ANN, ADMIN, GLOBAL))
    run(admins.delete(ANN, NOW))
    assert same(refused(admins.delete(EVE, NOW)), kept)
    run(admins.put_role(role(ADMIN, "manage")))
    run(admins.delete(EVE, NOW))
