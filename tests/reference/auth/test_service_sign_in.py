"""Signing in and out: what `AuthService` lets in, and what it does not tell those it refuses."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from storeproof.reference.auth import PasswordHash, UserPatch
from storeproof.reference.auth.service.access import Principal
from storeproof.reference.auth.service.exceptions import NotAllowed, SignInRefused, WeakPassword
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.passwords import MAX_PASSWORD

from .examples import ANN, run
from .service_examples import OTHER, PASSWORD, POLICY, Bench, CountingHasher

EMAIL = "ann@example.org"


@pytest.fixture(scope="module")
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def bench(hasher: CountingHasher) -> Bench:
    bench = Bench(hasher)
    run(bench.add_user(ANN, PASSWORD))
    hasher.verified.clear()
    hasher.hashed = 0
    return bench


def refused(call: Coroutine[Any, Any, object]) -> SignInRefused:
    with pytest.raises(SignInRefused) as caught:
        run(call)
    return caught.value


def test_a_password_opens_a_session(bench: Bench) -> None:
    issued = run(bench.service.log_in("ANN@example.org", PASSWORD, label="laptop"))
    assert issued.token.startswith("sps_")
    assert issued.session.label == "laptop"
    assert issued.session.expires_at == bench.now + POLICY.session_lifetime
    principal = run(bench.service.authenticate(issued.token))
    assert principal == Principal(user=ANN, session=issued.session.id)
    [entry] = run(bench.trail())
    assert (entry.actor, entry.action, entry.subject) == (ANN, "log_in", ANN)
    assert json.loads(entry.after)["label"] == "laptop"


async def disable(bench: Bench) -> None:
    await bench.memory.update(ANN, UserPatch(enabled=False), 1)


async def lock_out(bench: Bench) -> None:
    for _ in range(3):
        await bench.memory.record_attempt(ANN, False, bench.now, POLICY.lock_out)


async def nothing(_bench: Bench) -> None:
    pass


async def forget_password(bench: Bench) -> None:
    await bench.memory.delete(ANN, bench.now)
    await bench.add_user(ANN)


REFUSALS = {
    "wrong password": (nothing, EMAIL, OTHER, "wrong password", ANN),
    "another case": (nothing, EMAIL, PASSWORD.upper(), "wrong password", ANN),
    "trailing space": (nothing, EMAIL, PASSWORD + " ", "wrong password", ANN),
    "unknown": (nothing, "nobody@example.org", PASSWORD, "unknown user", "unknown"),
    "no address": (nothing, "ann", PASSWORD, "unknown user", "unknown"),
    "NUL": (nothing, "ann\0@example.org", PASSWORD, "unknown user", "unknown"),
    "surrogate": (nothing, EMAIL, "\ud800" * 20, "wrong password", ANN),
    "overlong": (nothing, EMAIL, "x" * (MAX_PASSWORD + 1), "wrong password", ANN),
    "no password": (forget_password, EMAIL, PASSWORD, "wrong password", ANN),
    "disabled": (disable, EMAIL, PASSWORD, "disabled", ANN),
    "disabled, wrong": (disable, EMAIL, OTHER, "disabled", ANN),
    "locked out": (lock_out, EMAIL, PASSWORD, "locked out", ANN),
    "locked out, wrong": (lock_out, EMAIL, OTHER, "locked out", ANN),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_refusals_look_and_cost_the_same(bench: Bench, case: str) -> None:
    prepare, email, password, reason, subject = REFUSALS[case]
    run(prepare(bench))
    error = refused(bench.service.log_in(email, password))
    assert (error.args, error.__dict__, error.__cause__) == ((), {}, None)
    assert str(error) == str(SignInRefused())
    assert len(bench.hasher.verified) == 1
    assert bench.hasher.hashed == 0
    assert bench.watched.calls == ["find_by_email", "record_attempt", "append_audit"]
    [entry] = run(bench.trail())
    assert (entry.actor, entry.action, entry.subject) == (None, "log_in.refused", subject)
    assert json.loads(entry.after) == {"reason": reason}


def test_what_was_typed_for_nobody_is_not_recorded(bench: Bench) -> None:
    refused(bench.service.log_in("hunter2hunter2@example.org", PASSWORD))
    assert "hunter2" not in repr(run(bench.trail()))


def test_the_third_failure_locks_out_for_a_while(bench: Bench) -> None:
    for _ in range(3):
        refused(bench.service.log_in(EMAIL, OTHER))
    bench.later(minutes=15, microseconds=-1)
    refused(bench.service.log_in(EMAIL, PASSWORD))
    bench.later(microseconds=1)
    run(bench.service.log_in(EMAIL, PASSWORD))
    assert run(bench.memory.get_by_id(ANN)).failures == 0


def test_guesses_at_the_same_time_gain_nothing(bench: Bench) -> None:
    """The right guess is refused when wrong ones were counted since it was compared."""
    bench.watched.before["record_attempt"] = lambda: lock_out(bench)
    refused(bench.service.log_in(EMAIL, PASSWORD))
    assert bench.hasher.verified == [True]


def test_a_label_is_checked_before_the_password(bench: Bench) -> None:
    with pytest.raises(InvalidValue):
        run(bench.service.log_in(EMAIL, PASSWORD, label="\0"))
    assert bench.watched.calls == []


def test_outdated_hashes_are_replaced(bench: Bench) -> None:
    before = run(bench.memory.get_by_id(ANN)).password_hash
    stronger = CountingHasher(time_cost=2)
    service = bench.another(hasher=stronger)
    run(service.log_in(EMAIL, PASSWORD))
    after = run(bench.memory.get_by_id(ANN)).password_hash
    assert (stronger.hashed, after == before) == (1, False)
    assert not stronger.needs_rehash(str(after))
    run(service.log_in(EMAIL, PASSWORD))
    assert stronger.hashed == 1
    assert run(bench.memory.get_by_id(ANN)).version == 1


def test_a_wrong_password_replaces_no_hash(bench: Bench) -> None:
    stronger = CountingHasher(time_cost=2)
    refused(bench.another(hasher=stronger).log_in(EMAIL, OTHER))
    assert stronger.hashed == 0


def test_a_rehash_elsewhere_does_not_refuse(bench: Bench) -> None:
    """Two sign-ins replace the outdated hash at once; both get in."""
    stronger = CountingHasher(time_cost=2)
    service = bench.another(hasher=stronger)
    bench.watched.before["replace_password_hash"] = lambda: service.log_in(EMAIL, PASSWORD)
    issued = run(service.log_in(EMAIL, PASSWORD))
    assert run(service.authenticate(issued.token)).user == ANN


async def set_password(bench: Bench) -> None:
    old = (await bench.memory.get_by_id(ANN)).password_hash
    await bench.memory.replace_password_hash(ANN, old, PasswordHash(await bench.hasher.hash(OTHER)))


async def delete(bench: Bench) -> None:
    await bench.memory.delete(ANN, bench.now)


@pytest.mark.parametrize("change", [set_password, disable, delete])
def test_a_change_while_signing_in_lets_nobody_in(
    bench: Bench, change: Callable[[Bench], Awaitable[None]]
) -> None:
    """Even if whoever made the change has ended all sessions before this one was stored."""
    bench.watched.before["get_by_id"] = lambda: change(bench)
    refused(bench.service.log_in(EMAIL, PASSWORD))
    [session] = run(bench.memory.list_sessions(ANN)).items
    assert session.revoked_at == bench.now


def test_tokens_of_other_kinds_are_refused(bench: Bench) -> None:
    issued = run(bench.service.log_in(EMAIL, PASSWORD))
    secret = issued.token.removeprefix("sps_")
    for token in (secret, f"spk_{secret}", f"spr_{secret}", "", "sps_", issued.token + "x"):
        refused(bench.service.authenticate(token))
    for token in ("sps_" + "x" * 10_000, "sps_\ud800", "spk_\0"):
        refused(bench.service.authenticate(token))


def test_what_the_storage_finds_is_compared_again(bench: Bench) -> None:
    """A storage whose collation finds another's session lets nobody in."""
    issued = run(bench.service.log_in(EMAIL, PASSWORD))
    session = run(bench.memory.list_sessions(ANN)).items[0]

    class Confused:
        async def find_session(self, *_: object) -> object:
            return session

    bench.watched.storage = Confused()  # type: ignore[assignment]  # only one operation is called
    assert run(bench.service.authenticate(issued.token)).user == ANN
    refused(bench.service.authenticate(issued.token.upper().replace("SPS_", "sps_")))


def test_sessions_end(bench: Bench) -> None:
    issued = run(bench.service.log_in(EMAIL, PASSWORD))
    bench.later(hours=12, microseconds=-1)
    run(bench.service.authenticate(issued.token))
    bench.later(microseconds=1)
    refused(bench.service.authenticate(issued.token))


def test_rotation_gives_a_new_token_and_a_grace(bench: Bench) -> None:
    issued = run(bench.service.log_in(EMAIL, PASSWORD))
    rotated = run(bench.service.rotate_session(issued.token))
    assert rotated.token != issued.token
    assert rotated.session.id == issued.session.id
    bench.later(seconds=29)
    for token in (issued.token, rotated.token):
        assert run(bench.service.authenticate(token)).session == issued.session.id
    refused(bench.service.rotate_session(issued.token))
    bench.later(seconds=1)
    refused(bench.service.authenticate(issued.token))
    run(bench.service.authenticate(rotated.token))
    assert run(bench.actions()) == ["log_in", "rotate_session"]
    refused(bench.service.rotate_session("spk_" + "x" * 43))


def test_a_session_revoked_meanwhile_is_not_rotated(bench: Bench) -> None:
    issued = run(bench.service.log_in(EMAIL, PASSWORD))
    bench.watched.before["rotate_session"] = lambda: bench.memory.revoke_sessions(
        ANN, None, bench.now
    )
    refused(bench.service.rotate_session(issued.token))


def test_logging_out(bench: Bench) -> None:
    one, two, three = (run(bench.service.log_in(EMAIL, PASSWORD)) for _ in range(3))
    by = run(bench.service.authenticate(one.token))
    assert run(bench.service.log_out_everywhere(by)) == 2
    for issued in (two, three):
        refused(bench.service.authenticate(issued.token))
    run(bench.service.log_out(by))
    refused(bench.service.authenticate(one.token))
    assert (run(bench.actions()))[3:] == ["log_out_everywhere", "log_out"]


def test_changing_the_password(bench: Bench) -> None:
    mine, other = (run(bench.service.log_in(EMAIL, PASSWORD)) for _ in range(2))
    by = run(bench.service.authenticate(mine.token))
    run(bench.service.change_password(by, PASSWORD, OTHER))
    run(bench.service.authenticate(mine.token))
    refused(bench.service.authenticate(other.token))
    refused(bench.service.log_in(EMAIL, PASSWORD))
    run(bench.service.log_in(EMAIL, OTHER))


def test_a_wrong_old_password_counts_and_changes_nothing(bench: Bench) -> None:
    by = run(bench.service.authenticate(run(bench.service.log_in(EMAIL, PASSWORD)).token))
    for _ in range(3):
        refused(bench.service.change_password(by, OTHER, "yet another password"))
    refused(bench.service.change_password(by, PASSWORD, "yet another password"))
    assert run(bench.memory.get_by_id(ANN)).failures == 3
    assert (run(bench.actions()))[1:] == ["change_password.refused"] * 4


def test_a_password_changed_meanwhile_is_not_overwritten(bench: Bench) -> None:
    by = run(bench.service.authenticate(run(bench.service.log_in(EMAIL, PASSWORD)).token))
    bench.watched.before["replace_password_hash"] = lambda: set_password(bench)
    refused(bench.service.change_password(by, PASSWORD, "yet another password"))
    run(bench.service.log_in(EMAIL, OTHER))


WEAK = ("short", "x" * 257, "annexampleorg!", "ANN@example.org1234", "\ud800" * 20)


@pytest.mark.parametrize("weak", WEAK)
def test_weak_passwords_are_refused_before_the_old_one_is_looked_at(
    bench: Bench, weak: str
) -> None:
    by = run(bench.service.authenticate(run(bench.service.log_in(EMAIL, PASSWORD)).token))
    bench.hasher.verified.clear()
    with pytest.raises(WeakPassword) as caught:
        run(bench.service.change_password(by, PASSWORD, weak))
    assert weak not in str(caught.value)
    assert bench.hasher.verified == []


def test_spaces_and_composition_are_kept(bench: Bench) -> None:
    """Nothing is trimmed, cut or normalised: each of these is another password."""
    by = run(bench.service.authenticate(run(bench.service.log_in(EMAIL, PASSWORD)).token))
    chosen = " caf\u00e9 \U0001f40e " + "y" * 200
    run(bench.service.change_password(by, PASSWORD, chosen))
    for other in (chosen.strip(), chosen.replace("\u00e9", "e\u0301"), chosen[:-1]):
        bench.later(hours=1)
        refused(bench.service.log_in(EMAIL, other))
    bench.later(hours=1)
    run(bench.service.log_in(EMAIL, chosen))


def test_an_api_key_is_no_session(bench: Bench) -> None:
    by = run(bench.service.authenticate(run(bench.service.log_in(EMAIL, PASSWORD)).token))
    key = run(bench.service.create_api_key(by, ANN))
    principal = run(bench.service.authenticate(key.token))
    assert principal == Principal(user=ANN, key=key.key.id)
    for call in (
        bench.service.log_out(principal),
        bench.service.log_out_everywhere(principal),
        bench.service.change_password(principal, PASSWORD, OTHER),
    ):
        with pytest.raises(NotAllowed):
            run(call)


def test_a_reset_token_works_once_and_for_a_while(bench: Bench) -> None:
    admin = run(bench.add_built_in("admin", "administrator"))
    session = run(bench.service.log_in(EMAIL, PASSWORD))
    refused(bench.service.redeem_reset(session.token, OTHER))
    issued = run(bench.service.reset_password(admin, ANN))
    refused(bench.service.authenticate(session.token))
    refused(bench.service.log_in(EMAIL, PASSWORD))
    refused(bench.service.authenticate(issued.token))
    refused(bench.service.rotate_session(issued.token))
    with pytest.raises(WeakPassword):
        run(bench.service.redeem_reset(issued.token, "short"))
    run(bench.service.redeem_reset(issued.token, OTHER))
    [entry] = run(bench.trail(action="redeem_reset"))
    assert (entry.actor, entry.subject) == (ANN, ANN)
    refused(bench.service.redeem_reset(issued.token, PASSWORD))
    run(bench.service.log_in(EMAIL, OTHER))
    again = run(bench.service.reset_password(admin, ANN))
    bench.later(hours=1)
    refused(bench.service.redeem_reset(again.token, PASSWORD))


def test_two_redemptions_at_once_set_one_password(bench: Bench) -> None:
    admin = run(bench.add_built_in("admin", "administrator"))
    issued = run(bench.service.reset_password(admin, ANN))
    bench.watched.before["replace_password_hash"] = lambda: bench.service.redeem_reset(
        issued.token, OTHER
    )
    refused(bench.service.redeem_reset(issued.token, PASSWORD))
    run(bench.service.log_in(EMAIL, OTHER))


def test_a_reset_ends_the_lock_out(bench: Bench) -> None:
    admin = run(bench.add_built_in("admin", "administrator"))
    run(lock_out(bench))
    issued = run(bench.service.reset_password(admin, ANN))
    run(bench.service.redeem_reset(issued.token, OTHER))
    run(bench.service.log_in(EMAIL, OTHER))
