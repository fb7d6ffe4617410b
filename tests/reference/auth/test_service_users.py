"""What administrators do through `AuthService`, what it records, and how the last one stays."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from storeproof.reference.auth import (
    GLOBAL,
    AuditFilter,
    Email,
    Grant,
    GrantFilter,
    JsonText,
    Permission,
    Role,
    RoleName,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.service.access import ADMINISTRATOR, BUILT_IN, Principal
from storeproof.reference.auth.service.exceptions import (
    NotAllowed,
    NotAudited,
    SignInRefused,
    WeakPassword,
)
from storeproof.reference.exceptions import Duplicate, InUse, NotFound, Unavailable, VersionConflict

from .examples import ANN, role, run
from .service_examples import OTHER, PASSWORD, Bench, CountingHasher

EDITOR, TEAM = RoleName("editor"), Scope("team")


@pytest.fixture(scope="module")
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def bench(hasher: CountingHasher) -> Bench:
    return Bench(hasher)


@pytest.fixture
def admin(bench: Bench) -> Principal:
    return run(bench.add_built_in("admin", "administrator"))


def forbidden(call: Coroutine[Any, Any, object]) -> str:
    with pytest.raises(NotAllowed) as caught:
        run(call)
    return caught.value.reason


def loads(text: JsonText | None) -> Any:
    return None if text is None else json.loads(text)


def test_created_users_have_no_password_unless_given(bench: Bench, admin: Principal) -> None:
    one = run(bench.service.create_user(admin, "one@example.org", display_name="One"))
    two = run(bench.service.create_user(admin, "two@example.org", password=PASSWORD))
    assert (one.has_password, two.has_password) == (False, True)
    assert (one.display_name, one.created_at, one.version) == ("One", bench.now, 1)
    run(bench.service.log_in("two@example.org", PASSWORD))
    with pytest.raises(SignInRefused):
        run(bench.service.log_in("one@example.org", PASSWORD))


def test_creating_refuses_weak_passwords_and_taken_addresses(
    bench: Bench, admin: Principal
) -> None:
    run(bench.service.create_user(admin, "one@example.org"))
    with pytest.raises(Duplicate):
        run(bench.service.create_user(admin, "ONE@example.org"))
    with pytest.raises(WeakPassword):
        run(bench.service.create_user(admin, "two@example.org", password="short"))
    assert run(bench.actions()) == ["create_user"]


def test_every_change_is_recorded_with_before_and_after(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org"))
    bench.later(seconds=1)
    patch = UserPatch(display_name="One")
    changed = run(bench.service.update_user(admin, user.id, patch, 1))
    bench.later(seconds=1)
    run(bench.service.delete_user(admin, user.id))
    made, updated, deleted = run(bench.trail(subject=user.id))
    assert [each.actor for each in (made, updated, deleted)] == [admin.user] * 3
    assert [each.action for each in (made, updated, deleted)] == [
        "create_user",
        "update_user",
        "delete_user",
    ]
    assert (loads(made.before), loads(made.after)["email"]) == (None, "one@example.org")
    assert loads(updated.before) == loads(made.after)
    assert loads(updated.after) == loads(made.after) | {"display_name": "One", "version": 2}
    assert (loads(deleted.before), loads(deleted.after)) == (loads(updated.after), None)
    assert changed.display_name == "One"


def test_updates_expect_a_version(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org"))
    with pytest.raises(VersionConflict):
        run(bench.service.update_user(admin, user.id, UserPatch(verified=True), 2))
    assert run(bench.actions()) == ["create_user"]


def test_a_new_address_is_not_verified(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org"))
    steps = (
        (UserPatch(verified=True), True),
        (UserPatch(email=Email("one@example.org")), True),
        (UserPatch(email=Email("ONE@example.org")), False),
        (UserPatch(email=Email("new@example.org"), verified=True), True),
    )
    for version, (patch, verified) in enumerate(steps, 1):
        changed = run(bench.service.update_user(admin, user.id, patch, version))
        assert changed.verified is verified


def test_disabling_ends_sessions_for_good(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org", password=PASSWORD))
    issued = run(bench.service.log_in("one@example.org", PASSWORD))
    run(bench.service.update_user(admin, user.id, UserPatch(display_name="One"), 1))
    run(bench.service.authenticate(issued.token))
    run(bench.service.update_user(admin, user.id, UserPatch(enabled=False), 2))
    run(bench.memory.update(user.id, UserPatch(enabled=True), 3))
    with pytest.raises(SignInRefused):
        run(bench.service.authenticate(issued.token))


def test_unlocking(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org", password=PASSWORD))
    for _ in range(3):
        with pytest.raises(SignInRefused):
            run(bench.service.log_in("one@example.org", OTHER))
    run(bench.service.unlock_user(admin, user.id))
    run(bench.service.log_in("one@example.org", PASSWORD))
    [entry] = run(bench.trail(action="unlock_user"))
    assert loads(entry.before)["failures"] == 3


def test_a_reset_does_not_depend_on_the_hash_it_read(bench: Bench, admin: Principal) -> None:
    user = run(bench.service.create_user(admin, "one@example.org", password=PASSWORD))
    bench.watched.before["replace_password_hash"] = lambda: bench.service.reset_password(
        admin, user.id
    )
    issued = run(bench.service.reset_password(admin, user.id))
    run(bench.service.redeem_reset(issued.token, OTHER))
    run(bench.service.log_in("one@example.org", OTHER))


def test_pages_of_users_carry_their_cursor(bench: Bench, admin: Principal) -> None:
    run(bench.service.create_user(admin, "one@example.org"))
    first = run(bench.service.list_users(admin, UserFilter(), None, 1))
    rest = run(bench.service.list_users(admin, UserFilter(), first.next_cursor, 5))
    assert [each.email for each in (*first.items, *rest.items)] == [
        "admin@example.org",
        "one@example.org",
    ]
    one = run(bench.service.get_user(admin, rest.items[0].id))
    assert one == rest.items[0]


def test_roles_and_grants_are_recorded(bench: Bench, admin: Principal) -> None:
    run(bench.add_user(ANN))
    for text in ("write", "write print"):
        run(bench.service.put_role(admin, role("editor", text)))
        bench.later(seconds=1)
    for _ in range(2):
        run(bench.service.grant(admin, ANN, EDITOR, TEAM))
        bench.later(seconds=1)
    run(bench.service.revoke(admin, ANN, EDITOR, TEAM))
    bench.later(seconds=1)
    run(bench.service.delete_role(admin, EDITOR))
    with pytest.raises(NotFound):
        run(bench.service.get_role(admin, EDITOR))
    entries = [(loads(each.before), loads(each.after)) for each in run(bench.trail())]
    grant = {"user": "ann", "role": "editor", "scope": "team"}
    first, second = entries[0][1], entries[1][1]
    assert second["permissions"] == ["print", "write"]
    assert entries == [
        (None, first),
        (first, second),
        (None, grant),
        (grant, grant),
        (grant, None),
        (second, None),
    ]


def test_who_grants_must_hold_it(bench: Bench) -> None:
    """Nobody can grant, or make a role of, permissions that they do not hold there."""
    by = run(bench.add_holder("by", "grants.write", "write", scope="team"))
    run(bench.add_user(ANN))
    run(bench.memory.put_role(role("writer", "write")))
    run(bench.memory.put_role(role("printer", "print")))
    run(bench.memory.put_role(role("both", "", "writer printer")))
    concerned = "it concerns permissions that you do not hold"
    run(bench.service.grant(by, ANN, RoleName("writer"), Scope("team/a")))
    for name in ("printer", "both"):
        assert forbidden(bench.service.grant(by, ANN, RoleName(name), TEAM)) == concerned
        assert forbidden(bench.service.revoke(by, ANN, RoleName(name), TEAM)) == concerned
    for scope in (GLOBAL, Scope("teams")):
        reason = forbidden(bench.service.grant(by, ANN, RoleName("writer"), scope))
        assert reason == "it needs the permission grants.write"
    with pytest.raises(NotFound):
        run(bench.service.grant(by, ANN, RoleName("none"), TEAM))
    assert len(run(bench.memory.list_grants(GrantFilter(user=ANN))).items) == 1


def test_each_role_is_read_once(bench: Bench, admin: Principal) -> None:
    run(bench.memory.put_role(role("base", "read")))
    for name in ("left", "right"):
        run(bench.memory.put_role(role(name, "", "base")))
    run(bench.memory.put_role(role("top", "", "left right")))
    run(bench.service.grant(admin, admin.user, RoleName("top"), TEAM))
    assert bench.watched.calls.count("get_role") == 4


def test_who_makes_roles_must_hold_what_they_give(bench: Bench) -> None:
    by = run(bench.add_holder("by", "roles.write", "write"))
    run(bench.memory.put_role(role("printer", "print")))
    run(bench.service.put_role(by, role("writer", "write")))
    for made in (
        role("new", "print"),
        role("new", "", "printer"),
        role("writer", "write *"),
        role("printer", "write"),
    ):
        forbidden(bench.service.put_role(by, made))
    forbidden(bench.service.delete_role(by, RoleName("printer")))
    with pytest.raises(NotFound):
        run(bench.service.put_role(by, role("new", "", "none")))
    with pytest.raises(NotFound):
        run(bench.service.delete_role(by, RoleName("none")))
    run(bench.service.delete_role(by, RoleName("writer")))


def test_built_in_roles_stay(bench: Bench, admin: Principal) -> None:
    for name in (each.name for each in BUILT_IN):
        emptied = Role(name=name)
        reason = "built-in roles can't be changed"
        assert forbidden(bench.service.put_role(admin, emptied)) == reason
        assert forbidden(bench.service.delete_role(admin, name)) == reason
    assert set(run(bench.service.list_roles(admin)).items) == set(BUILT_IN)


def test_scopes_of_lists(bench: Bench) -> None:
    by = run(bench.add_holder("by", "grants.read", scope="team"))
    grants = run(bench.service.list_grants(by, GrantFilter(scope=TEAM))).items
    assert grants == (Grant(user=by.user, role=RoleName("of by"), scope=TEAM),)
    forbidden(bench.service.list_grants(by, GrantFilter()))
    forbidden(bench.service.list_grants(by, GrantFilter(scope=Scope("teams"))))
    held = run(bench.service.list_permissions(by, by.user, Scope("team/a")))
    assert held == {Permission("grants.read")}


def test_own_permissions_are_those_of_the_key(bench: Bench, admin: Principal) -> None:
    limit = frozenset({Permission("users.read")})
    key = Principal(user=admin.user, key=None, permissions=limit)
    assert run(bench.service.own_permissions(key, GLOBAL)) == limit
    assert run(bench.service.own_permissions(admin, GLOBAL)) == {Permission("*")}


def removals(bench: Bench, by: Principal, id: UserId) -> list[Any]:
    service = bench.service
    return [
        lambda: service.delete_user(by, id),
        lambda: service.update_user(by, id, UserPatch(enabled=False), 1),
        lambda: service.revoke(by, id, ADMINISTRATOR, GLOBAL),
    ]


@pytest.mark.parametrize("way", range(3))
def test_the_last_administrator_stays(bench: Bench, admin: Principal, way: int) -> None:
    with pytest.raises(InUse):
        run(removals(bench, admin, admin.user)[way]())
    assert run(bench.service.own_permissions(admin, GLOBAL)) == {Permission("*")}
    assert run(bench.actions()) == []


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("other", range(3))
def test_two_administrators_cannot_remove_each_other_at_once(
    bench: Bench, admin: Principal, way: int, other: int
) -> None:
    """Both have passed every check of the service when the first of them is removed."""
    rival = run(bench.add_built_in("rival", "administrator"))
    operation = ("delete", "update", "revoke")[way]
    bench.watched.before[operation] = removals(bench, rival, admin.user)[other]
    with pytest.raises(InUse):
        run(removals(bench, admin, rival.user)[way]())
    administrators = UserFilter(role=ADMINISTRATOR, enabled=True)
    assert [each.id for each in run(bench.memory.list_users(administrators)).items] == ["rival"]


def test_bootstrap_makes_the_first_administrator(bench: Bench) -> None:
    user = run(bench.service.bootstrap("ann@example.org", PASSWORD, display_name="Ann"))
    issued = run(bench.service.log_in("ann@example.org", PASSWORD))
    by = run(bench.service.authenticate(issued.token))
    assert (by.user, user.display_name) == (user.id, "Ann")
    assert run(bench.service.list_roles(by)).items == tuple(
        sorted(BUILT_IN, key=lambda each: each.name)
    )
    run(bench.service.create_user(by, "bob@example.org"))
    forbidden(bench.service.bootstrap("eve@example.org", PASSWORD))
    entries = [(each.actor, each.action) for each in run(bench.trail())]
    assert entries[:4] == [(None, "install_roles")] * 3 + [(None, "bootstrap")]


def test_bootstrap_refuses_a_weak_password_first(bench: Bench) -> None:
    with pytest.raises(WeakPassword):
        run(bench.service.bootstrap("ann@example.org", "short"))
    assert bench.watched.calls == []


@pytest.mark.parametrize("operation", ["put_role", "create", "grant", "append_audit"])
def test_an_interrupted_bootstrap_is_repeated(bench: Bench, operation: str) -> None:
    bench.watched.failing.add(operation)
    with pytest.raises(Exception, match=r"was done|unavailable"):
        run(bench.service.bootstrap("ann@example.org", PASSWORD))
    bench.watched.failing.clear()
    run(bench.service.bootstrap("ann@example.org", OTHER))
    run(bench.service.log_in("ann@example.org", OTHER))


def test_bootstrap_adopts_a_disabled_user(bench: Bench) -> None:
    run(bench.add_user(ANN))
    run(bench.memory.update(ANN, UserPatch(enabled=False), 1))
    assert run(bench.service.bootstrap("ann@example.org", PASSWORD)).enabled
    run(bench.service.log_in("ann@example.org", PASSWORD))


def test_a_change_that_is_not_recorded_says_so(bench: Bench, admin: Principal) -> None:
    bench.watched.failing.add("append_audit")
    with pytest.raises(NotAudited) as caught:
        run(bench.service.create_user(admin, "one@example.org"))
    assert caught.value.action == "create_user"
    assert run(bench.memory.find_by_email(Email("one@example.org"))).id == caught.value.subject


def test_a_refusal_that_is_not_recorded_is_still_a_refusal(bench: Bench) -> None:
    by = run(bench.add_user(ANN))
    bench.watched.failing.add("append_audit")
    for refusal, call in (
        (NotAllowed, bench.service.list_audit(by, AuditFilter())),
        (SignInRefused, bench.service.log_in("ann@example.org", PASSWORD)),
    ):
        with pytest.raises(refusal) as caught:
            run(call)
        assert isinstance(caught.value.__cause__, Unavailable)


def test_what_is_too_large_to_record_is_left_out(bench: Bench, admin: Principal) -> None:
    large = frozenset(Permission(f"{number:0128}") for number in range(600))
    run(bench.service.put_role(admin, Role(name=EDITOR, permissions=large)))
    [entry] = run(bench.trail(action="put_role"))
    assert loads(entry.after) == {"omitted": "too large"}


def test_the_trail_is_listed(bench: Bench, admin: Principal) -> None:
    run(bench.service.create_user(admin, "one@example.org"))
    page = run(bench.service.list_audit(admin, AuditFilter(actor=admin.user)))
    assert [entry.action for entry in page.items] == ["create_user"]


def test_hashing_does_not_block_the_loop(bench: Bench, admin: Principal) -> None:
    """While a password is hashed other tasks go on."""

    async def both() -> list[str]:
        order: list[str] = []

        async def create() -> None:
            await bench.service.create_user(admin, "one@example.org", password=PASSWORD)
            order.append("created")

        async def other() -> None:
            order.append("other")

        await asyncio.gather(create(), other())
        return order

    assert run(both()) == ["other", "created"]
