"""The executable specification against its law: sessions, API keys, the audit trail."""

from collections.abc import Coroutine
from datetime import datetime, timedelta
from typing import Any

import pytest

from storeproof.reference.auth import (
    ApiKey,
    ApiKeyId,
    AuditFilter,
    AuthStorage,
    Digest,
    JsonText,
    Permission,
    Session,
    SessionId,
    UserId,
    UserPatch,
)
from storeproof.reference.exceptions import Duplicate, InvalidValue, NotFound

from .examples import ANN, BOB, EVE, HOUR, NOW, digest, entry, refused, run, same, session


def test_sessions_and_keys_need_a_user_unless_revoked(storage: AuthStorage) -> None:
    error = refused(storage.create_session(session("a", user=EVE)))
    assert same(error, NotFound("user", EVE))
    assert run(storage.create_session(session("a", user=EVE, revoked_at=NOW))).user == EVE
    assert same(refused(storage.create_session(session("a"))), Duplicate("id"))
    error = refused(storage.create_session(session("b", digest=digest("a"))))
    assert same(error, Duplicate("digest"))
    error = refused(storage.create_session(session("c", previous_digest=digest("d"))))
    assert isinstance(error, InvalidValue)
    assert error.field == "previous_until"


@pytest.mark.parametrize("bad", ["secret-token", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_digests_are_accepted(storage: AuthStorage, bad: str) -> None:
    for operation in (
        storage.create_session(session("a", digest=bad)),
        storage.find_session(Digest(bad), NOW),
    ):
        error = refused(operation)
        assert isinstance(error, InvalidValue)
        assert error.field == "digest"
        assert "secret" not in str(error)


def test_a_session_is_found_only_while_it_is_live(storage: AuthStorage) -> None:
    missing = NotFound("session", digest("a"))
    stored = run(storage.create_session(session("a")))
    assert run(storage.find_session(digest("a"), NOW + HOUR - timedelta(seconds=1))) == stored
    assert same(refused(storage.find_session(digest("a"), NOW + HOUR)), missing)
    run(storage.update(ANN, UserPatch(enabled=False), 1))
    assert same(refused(storage.find_session(digest("a"), NOW)), missing)
    run(storage.update(ANN, UserPatch(enabled=True), 2))
    run(storage.revoke_session(ANN, SessionId("a"), NOW + HOUR))
    assert same(refused(storage.find_session(digest("a"), NOW)), missing)


def test_rotation_leaves_a_grace_period(storage: AuthStorage) -> None:
    run(storage.create_session(session("a")))
    run(storage.create_session(session("b")))

    def rotate(new: str, user: UserId = ANN, at: datetime = NOW) -> Coroutine[Any, Any, Session]:
        return storage.rotate_session(user, SessionId("a"), digest(new), at, HOUR / 2)

    assert same(refused(rotate("b")), Duplicate("digest"))
    assert same(refused(rotate("c", BOB)), NotFound("session", "a"))
    assert same(refused(rotate("c", at=NOW + HOUR)), NotFound("session", "a"))
    rotated = run(rotate("c"))
    assert rotated == session(
        "a", digest=digest("c"), previous_digest=digest("a"), previous_until=NOW + HOUR / 2
    )
    assert run(rotate("c", at=NOW + HOUR / 4)) == rotated
    for letter in "ac":
        assert run(storage.find_session(digest(letter), NOW + HOUR / 4)) == rotated
    error = refused(storage.find_session(digest("a"), NOW + HOUR / 2))
    assert same(error, NotFound("session", digest("a")))
    present = run(storage.create_session(session("d", digest=digest("a"))))
    assert run(storage.find_session(digest("a"), NOW)) == present


def test_revoking_one_and_all_but_one(storage: AuthStorage) -> None:
    for letter in "abc":
        run(storage.create_session(session(letter)))
    one = SessionId("a")
    assert same(refused(storage.revoke_session(BOB, one, NOW)), NotFound("session", "a"))
    for at in (NOW, NOW + HOUR):
        assert run(storage.revoke_session(ANN, one, at)) == session("a", revoked_at=NOW)
    kept = SessionId("b")
    assert [run(storage.revoke_sessions(ANN, kept, NOW + HOUR)) for _ in range(2)] == [1, 0]
    ends = [item.revoked_at for item in run(storage.list_sessions(ANN)).items]
    assert ends == [NOW, None, NOW + HOUR]
    assert run(storage.revoke_sessions(ANN, None, NOW)) == 1


def test_purging_deletes_the_first_that_ended(storage: AuthStorage) -> None:
    ends: dict[str, dict[str, Any]] = {
        "d": {},
        "c": {"revoked_at": NOW + HOUR},
        "b": {"expires_at": NOW},
        "a": {"revoked_at": NOW},
    }
    for letter, fields in ends.items():
        run(storage.create_session(session(letter, **{"expires_at": NOW + 2 * HOUR} | fields)))
    assert run(storage.purge_sessions(NOW, 1000)) == 0
    assert run(storage.purge_sessions(NOW + HOUR, 1)) == 1
    assert [item.id for item in run(storage.list_sessions(ANN)).items] == ["b", "c", "d"]
    assert [run(storage.purge_sessions(NOW + HOUR, 9)) for _ in range(2)] == [1, 0]
    assert [item.id for item in run(storage.list_sessions(ANN)).items] == ["c", "d"]


def test_api_keys_follow_the_rules_of_sessions(storage: AuthStorage) -> None:
    limited = frozenset({Permission("read")})
    key = ApiKey(
        id=ApiKeyId("k"), user=ANN, digest=digest("a"), created_at=NOW, permissions=limited
    )
    assert run(storage.create_api_key(key)) == key
    run(storage.create_session(session("a")))
    assert run(storage.find_api_key(digest("a"), NOW + 1000 * HOUR)) == key
    rotated = run(storage.rotate_api_key(ANN, key.id, digest("b"), NOW, timedelta(0)))
    assert (rotated.digest, rotated.previous_until) == (digest("b"), NOW)
    error = refused(storage.find_api_key(digest("a"), NOW))
    assert same(error, NotFound("api_key", digest("a")))
    assert run(storage.revoke_api_keys(ANN, key.id, NOW)) == 0
    assert run(storage.revoke_api_key(ANN, key.id, NOW)).revoked_at == NOW
    assert run(storage.purge_api_keys(NOW + HOUR, 10)) == 1
    assert run(storage.list_api_keys(ANN)).items == ()


def test_an_audit_entry_is_stored_once(storage: AuthStorage) -> None:
    stored = run(storage.append_audit(entry("1", after=JsonText('{"b": 1, "a": 2}'))))
    assert stored.after == '{"a":2,"b":1}'
    assert run(storage.append_audit(stored)) == stored
    assert same(refused(storage.append_audit(entry("1"))), Duplicate("id"))
    assert run(storage.list_audit(AuditFilter())).items == (stored,)


def test_the_audit_trail_is_newest_first(storage: AuthStorage) -> None:
    for name, at in {"b": NOW, "a": NOW, "c": NOW - HOUR, "d": NOW + HOUR}.items():
        run(storage.append_audit(entry(name, at=at, actor=BOB if name == "a" else None)))
    found: list[str] = []
    cursor = None
    for _ in range(4):
        page = run(storage.list_audit(AuditFilter(), cursor, 1))
        found += [item.id for item in page.items]
        cursor = page.next_cursor
    assert found == ["d", "b", "a", "c"]
    assert cursor is None

    def ids(**fields: Any) -> list[str]:
        return [item.id for item in run(storage.list_audit(AuditFilter(**fields))).items]

    assert ids(since=NOW, until=NOW + HOUR) == ["b", "a"]
    assert ids(actor=BOB, action="user.update", subject=ANN) == ["a"]
    assert ids(action="user") == ids(subject=BOB) == []
