"""API keys and sessions through `AuthService`; and that no secret is stored, shown or recorded."""

from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from storeproof.reference.auth import Permission, UserId, UserPatch
from storeproof.reference.auth.laws.given import content
from storeproof.reference.auth.service import AuthPolicy
from storeproof.reference.auth.service.access import Principal
from storeproof.reference.auth.service.exceptions import AuthError, NotAllowed, SignInRefused
from storeproof.reference.exceptions import InvalidValue, NotFound

from .examples import ANN, run
from .service_examples import OTHER, PASSWORD, Bench, CountingHasher

EMAIL = "ann@example.org"


@pytest.fixture(scope="module")
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def bench(hasher: CountingHasher) -> Bench:
    return Bench(hasher)


@pytest.fixture
def ann(bench: Bench) -> Principal:
    return run(bench.add_user(ANN, PASSWORD))


def refused(call: Coroutine[Any, Any, object]) -> None:
    with pytest.raises(SignInRefused):
        run(call)


def test_a_key_opens_until_it_is_revoked(bench: Bench, ann: Principal) -> None:
    issued = run(bench.service.create_api_key(ann, ANN, label="deploy"))
    assert issued.token.startswith(issued.key.hint)
    assert issued.key.hint.startswith("spk_")
    bench.later(days=10_000)
    by = run(bench.service.authenticate(issued.token))
    assert by == Principal(user=ANN, key=issued.key.id)
    assert run(bench.service.list_api_keys(ann, ANN)).items == (issued.key,)
    ended = run(bench.service.revoke_api_key(ann, ANN, issued.key.id))
    assert ended.revoked_at == bench.now
    refused(bench.service.authenticate(issued.token))


def test_a_key_may_expire(bench: Bench, ann: Principal) -> None:
    issued = run(bench.service.create_api_key(ann, ANN, lifetime=timedelta(hours=1)))
    bench.later(hours=1, microseconds=-1)
    run(bench.service.authenticate(issued.token))
    bench.later(microseconds=1)
    refused(bench.service.authenticate(issued.token))
    for lifetime in (-timedelta(hours=1), timedelta.max):
        with pytest.raises(InvalidValue):
            run(bench.service.create_api_key(ann, ANN, lifetime=lifetime))


def test_a_key_carries_its_limit(bench: Bench, ann: Principal) -> None:
    limit = frozenset({Permission("read")})
    issued = run(bench.service.create_api_key(ann, ANN, permissions=limit))
    assert run(bench.service.authenticate(issued.token)).permissions == limit
    nothing = run(bench.service.create_api_key(ann, ANN, permissions=frozenset()))
    assert run(bench.service.authenticate(nothing.token)).permissions == frozenset()


def test_a_limited_key_makes_no_stronger_key(bench: Bench) -> None:
    holder = run(bench.add_holder("holder", "tokens.write", "read"))
    limit = frozenset(map(Permission, ("tokens.write", "read")))
    key = run(bench.service.create_api_key(holder, holder.user, permissions=limit))
    by = run(bench.service.authenticate(key.token))
    for wanted, got in (
        (None, limit),
        (frozenset({Permission("*")}), limit),
        (frozenset({Permission("read"), Permission("more")}), {Permission("read")}),
    ):
        made = run(bench.service.create_api_key(by, holder.user, permissions=wanted))
        assert made.key.permissions == got


def test_rotation_keeps_the_key_and_the_old_token_for_a_while(bench: Bench, ann: Principal) -> None:
    issued = run(bench.service.create_api_key(ann, ANN))
    rotated = run(bench.service.rotate_api_key(ann, ANN, issued.key.id))
    assert rotated.token.startswith(issued.key.hint)
    assert rotated.token != issued.token
    bench.later(days=1, microseconds=-1)
    for token in (issued.token, rotated.token):
        assert run(bench.service.authenticate(token)).key == issued.key.id
    bench.later(microseconds=1)
    refused(bench.service.authenticate(issued.token))
    at_once = run(bench.service.rotate_api_key(ann, ANN, issued.key.id, grace=timedelta(0)))
    refused(bench.service.authenticate(rotated.token))
    run(bench.service.authenticate(at_once.token))


def test_revoking_all_keys(bench: Bench, ann: Principal) -> None:
    tokens = [run(bench.service.create_api_key(ann, ANN)).token for _ in range(2)]
    assert run(bench.service.revoke_api_keys(ann, ANN)) == 2
    for token in tokens:
        refused(bench.service.authenticate(token))


def test_keys_of_others_are_not_found_under_ones_own_name(bench: Bench, ann: Principal) -> None:
    bob = run(bench.add_user(UserId("bob")))
    issued = run(bench.service.create_api_key(ann, ANN))
    for call in (
        bench.service.revoke_api_key(bob, bob.user, issued.key.id),
        bench.service.rotate_api_key(bob, bob.user, issued.key.id),
    ):
        with pytest.raises(NotFound):
            run(call)
    with pytest.raises(NotAllowed):
        run(bench.service.revoke_api_key(bob, ANN, issued.key.id))


def test_keys_of_disabled_users_wait(bench: Bench, ann: Principal) -> None:
    issued = run(bench.service.create_api_key(ann, ANN))
    run(bench.memory.update(ANN, UserPatch(enabled=False), 1))
    refused(bench.service.authenticate(issued.token))
    run(bench.memory.update(ANN, UserPatch(enabled=True), 2))
    run(bench.service.authenticate(issued.token))


def test_sessions_are_listed_and_ended(bench: Bench, ann: Principal) -> None:
    one, two, three = (run(bench.service.log_in(EMAIL, PASSWORD)) for _ in range(3))
    assert len(run(bench.service.list_sessions(ann, ANN)).items) == 3
    ended = run(bench.service.revoke_session(ann, ANN, one.session.id))
    assert ended.revoked_at == bench.now
    refused(bench.service.authenticate(one.token))
    run(bench.service.authenticate(two.token))
    assert run(bench.service.revoke_sessions(ann, ANN)) == 2
    refused(bench.service.authenticate(three.token))


@pytest.mark.parametrize("prefixes", [("a", "ab", "c"), ("a", "b", "b"), ("", "b", "c")])
def test_prefixes_must_tell_tokens_apart(prefixes: tuple[str, str, str]) -> None:
    session, key, reset = prefixes
    with pytest.raises(ValueError, match="does not tell"):
        AuthPolicy(session_prefix=session, key_prefix=key, reset_prefix=reset)


async def everything(bench: Bench) -> tuple[list[object], list[str]]:
    """Runs whatever issues or takes a secret; gives all results and errors, and all secrets."""
    service = bench.service
    shown: list[object] = [await service.bootstrap(EMAIL, PASSWORD)]
    issued = await service.log_in(EMAIL, PASSWORD)
    by = await service.authenticate(issued.token)
    rotated = await service.rotate_session(issued.token)
    user = await service.create_user(by, "bob@example.org", password=OTHER)
    reset = await service.reset_password(by, user.id)
    await service.redeem_reset(reset.token, "the third long password")
    key = await service.create_api_key(by, user.id)
    renewed = await service.rotate_api_key(by, user.id, key.key.id)
    await service.change_password(by, PASSWORD, "the fourth long password")
    for call in (
        service.log_in(EMAIL, "a wrong long password"),
        service.log_in("wrong@example.org", "a wrong long password"),
        service.change_password(by, "a wrong long password", OTHER),
        service.create_user(by, "eve@example.org", password="weakling"),
        service.create_user(await service.authenticate(key.token), "eve@example.org"),
    ):
        try:
            await call
        except AuthError as error:
            shown += [error, str(error), error.__dict__, error.__cause__]
    patch = UserPatch(display_name="Bob")
    shown += [by, issued, rotated, user, reset, key, renewed]
    shown += [await service.update_user(by, user.id, patch, user.version)]
    shown += [await service.list_sessions(by, by.user), await service.list_api_keys(by, user.id)]
    shown += await bench.trail()
    tokens = [each.token for each in (issued, rotated, reset, key, renewed)]
    words = ["the third", "the fourth", "a wrong long", "weakling", PASSWORD, OTHER]
    return shown, [*tokens, *words, "secretid"]


def test_secrets_are_shown_once_and_stored_nowhere(bench: Bench) -> None:
    shown, secrets = run(everything(bench))
    stored = repr(bench.memory.__dict__) + repr(run(content(bench.memory)))
    assert len(secrets) == len(set(secrets))
    assert "$argon2id$" in stored
    for secret in secrets:
        assert secret not in repr(shown)
        assert secret not in stored


def test_hashes_and_digests_are_never_shown(bench: Bench) -> None:
    shown, _ = run(everything(bench))
    hashes = [user.password_hash for user in bench.memory._users.values()]
    kept: list[Any] = [
        *bench.memory._sessions._tokens.values(),
        *bench.memory._keys._tokens.values(),
    ]
    digests = [each.digest for each in kept] + [each.previous_digest for each in kept]
    assert len(kept) >= 3
    for hidden in filter(None, [*hashes, *digests, "$argon2", "digest", "password_hash"]):
        assert hidden not in repr(shown)
