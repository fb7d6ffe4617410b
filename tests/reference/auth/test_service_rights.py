"""Who may call what of `AuthService`: every public method, against the table in `access`."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from storeproof.reference.auth import (
    GLOBAL,
    ApiKeyId,
    AuditFilter,
    GrantFilter,
    Permission,
    RoleName,
    Scope,
    SessionId,
    UserFilter,
    UserPatch,
)
from storeproof.reference.auth.laws.given import api_key, content
from storeproof.reference.auth.service import AuthService
from storeproof.reference.auth.service.access import (
    BUILT_IN,
    EVERYTHING,
    NEEDS,
    Access,
    Principal,
    covers,
    limited,
)
from storeproof.reference.auth.service.exceptions import NotAllowed

from .examples import EVE, role, run, session
from .service_examples import OTHER, PASSWORD, Bench, CountingHasher

Call = Callable[[AuthService, Principal], Coroutine[Any, Any, object]]

CALLS: dict[str, Call] = {
    "log_out": lambda service, by: service.log_out(by),
    "log_out_everywhere": lambda service, by: service.log_out_everywhere(by),
    "change_password": lambda service, by: service.change_password(by, PASSWORD, OTHER),
    "own_permissions": lambda service, by: service.own_permissions(by, GLOBAL),
    "own_user": lambda service, by: service.own_user(by),
    "require": lambda service, by: service.require(by, Permission("app.act")),
    "get_user": lambda service, by: service.get_user(by, EVE),
    "list_users": lambda service, by: service.list_users(by, UserFilter()),
    "create_user": lambda service, by: service.create_user(by, "new@example.org"),
    "update_user": lambda service, by: service.update_user(by, EVE, UserPatch(), 1),
    "delete_user": lambda service, by: service.delete_user(by, EVE),
    "reset_password": lambda service, by: service.reset_password(by, EVE),
    "unlock_user": lambda service, by: service.unlock_user(by, EVE),
    "get_role": lambda service, by: service.get_role(by, RoleName("idle")),
    "list_roles": lambda service, by: service.list_roles(by),
    "put_role": lambda service, by: service.put_role(by, role("new")),
    "delete_role": lambda service, by: service.delete_role(by, RoleName("idle")),
    "list_grants": lambda service, by: service.list_grants(by, GrantFilter()),
    "list_permissions": lambda service, by: service.list_permissions(by, EVE, GLOBAL),
    "grant": lambda service, by: service.grant(by, EVE, RoleName("idle"), GLOBAL),
    "revoke": lambda service, by: service.revoke(by, EVE, RoleName("idle"), GLOBAL),
    "list_sessions": lambda service, by: service.list_sessions(by, EVE),
    "revoke_session": lambda service, by: service.revoke_session(by, EVE, SessionId("e")),
    "revoke_sessions": lambda service, by: service.revoke_sessions(by, EVE),
    "list_api_keys": lambda service, by: service.list_api_keys(by, EVE),
    "create_api_key": lambda service, by: service.create_api_key(by, EVE),
    "rotate_api_key": lambda service, by: service.rotate_api_key(by, EVE, ApiKeyId("e")),
    "revoke_api_key": lambda service, by: service.revoke_api_key(by, EVE, ApiKeyId("e")),
    "revoke_api_keys": lambda service, by: service.revoke_api_keys(by, EVE),
    "list_audit": lambda service, by: service.list_audit(by, AuditFilter()),
}
WITHOUT_PRINCIPAL = {
    name for name, need in NEEDS.items() if need in (Access.ANYONE, Access.OPERATOR)
}
PERMITTED = [name for name, need in NEEDS.items() if not isinstance(need, Access)]
OWN = [name for name, need in NEEDS.items() if need is Access.OWN]
FOR_OWNERS = [name for name in PERMITTED if "session" in name or "api_key" in name] + ["get_user"]
ALL = frozenset(need for need in NEEDS.values() if not isinstance(need, Access))


@pytest.fixture(scope="module")
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
def bench(hasher: CountingHasher) -> Bench:
    """Eve holds nothing, and has a session and a key; nobody holds the role `idle`."""
    bench = Bench(hasher)

    async def fill() -> None:
        await bench.add_user(EVE, PASSWORD)
        await bench.memory.put_role(role("idle"))
        await bench.memory.create_session(session("e", user=EVE))
        await bench.memory.create_api_key(
            api_key("e", user=EVE, created_at=bench.now, expires_at=None)
        )

    run(fill())
    return bench


def public_methods() -> dict[str, Any]:
    """All but `on`, which does nothing on its own."""
    members = inspect.getmembers(AuthService, inspect.isfunction)
    return {name: each for name, each in members if not name.startswith("_") and name != "on"}


def test_every_public_method_has_its_entry_and_every_entry_its_method() -> None:
    assert set(public_methods()) == set(NEEDS)
    assert set(CALLS) == set(NEEDS) - WITHOUT_PRINCIPAL


def test_methods_that_take_no_principal_say_so_in_the_table() -> None:
    for name, method in public_methods().items():
        takes = "by" in inspect.signature(method).parameters
        assert takes == (name not in WITHOUT_PRINCIPAL), name


def denied(bench: Bench, operation: str, by: Principal) -> NotAllowed:
    before = run(content(bench.memory))[:-1]
    with pytest.raises(NotAllowed) as caught:
        run(CALLS[operation](bench.service, by))
    assert caught.value.operation == operation
    assert run(content(bench.memory))[:-1] == before
    return caught.value


@pytest.mark.parametrize("operation", PERMITTED)
def test_without_its_permission_nothing_is_done(bench: Bench, operation: str) -> None:
    others = sorted(ALL - {NEEDS[operation]})
    by = run(bench.add_holder("other", *others))
    error = denied(bench, operation, by)
    assert error.reason == f"it needs the permission {NEEDS[operation]}"
    [entry] = run(bench.trail())
    assert (entry.actor, entry.action) == ("other", f"{operation}.refused")


@pytest.mark.parametrize("operation", PERMITTED)
def test_its_permission_is_enough_and_changes_are_recorded(bench: Bench, operation: str) -> None:
    by = run(bench.add_holder("holder", str(NEEDS[operation])))
    run(CALLS[operation](bench.service, by))
    recorded = [(entry.actor, entry.action) for entry in run(bench.trail())]
    reads = str(NEEDS[operation]).endswith(".read")
    assert recorded == ([] if reads else [(by.user, operation)])


@pytest.mark.parametrize("operation", PERMITTED)
def test_everything_is_enough(bench: Bench, operation: str) -> None:
    by = run(bench.add_holder("holder", EVERYTHING))
    run(CALLS[operation](bench.service, by))


@pytest.mark.parametrize("operation", PERMITTED)
def test_a_permission_in_another_scope_is_not_enough(bench: Bench, operation: str) -> None:
    denied(bench, operation, run(bench.add_holder("scoped", EVERYTHING, scope="team")))


@pytest.mark.parametrize("operation", PERMITTED)
def test_a_key_does_no_more_than_it_says(bench: Bench, operation: str) -> None:
    holder = run(bench.add_holder("holder", EVERYTHING)).user
    wanted = frozenset({Permission(str(NEEDS[operation]))})
    key = ApiKeyId("k")
    denied(bench, operation, Principal(user=holder, key=key, permissions=ALL - wanted))
    by = Principal(user=holder, key=key, permissions=wanted)
    run(CALLS[operation](bench.service, by))


@pytest.mark.parametrize("operation", PERMITTED)
def test_a_disabled_user_does_nothing(bench: Bench, operation: str) -> None:
    by = run(bench.add_holder("holder", EVERYTHING))
    run(bench.memory.update(by.user, UserPatch(enabled=False), 1))
    denied(bench, operation, by)


@pytest.mark.parametrize("operation", PERMITTED)
def test_viewers_only_read(bench: Bench, operation: str) -> None:
    by = run(bench.add_built_in("viewer", "viewer"))
    if str(NEEDS[operation]).endswith(".read"):
        before = run(content(bench.memory))
        run(CALLS[operation](bench.service, by))
        assert run(content(bench.memory)) == before
    else:
        denied(bench, operation, by)


@pytest.mark.parametrize("operation", FOR_OWNERS)
def test_owners_manage_their_own_when_signed_in(bench: Bench, operation: str) -> None:
    run(CALLS[operation](bench.service, Principal(user=EVE, session=SessionId("e"))))


@pytest.mark.parametrize("operation", FOR_OWNERS)
def test_a_key_does_not_manage_its_owner(bench: Bench, operation: str) -> None:
    denied(bench, operation, Principal(user=EVE, key=ApiKeyId("e")))


@pytest.mark.parametrize("operation", OWN)
def test_what_owners_do_is_recorded(bench: Bench, operation: str) -> None:
    run(CALLS[operation](bench.service, Principal(user=EVE, session=SessionId("e"))))
    [entry] = run(bench.trail())
    assert (entry.actor, entry.action, entry.subject) == (EVE, operation, EVE)


@pytest.mark.parametrize("operation", OWN)
def test_a_key_is_no_session(bench: Bench, operation: str) -> None:
    error = denied(bench, operation, Principal(user=EVE, key=ApiKeyId("e")))
    assert error.reason == "an API key can't do this; sign in"


RANKED = [
    "update_user",
    "delete_user",
    "reset_password",
    "unlock_user",
    "revoke_session",
    "revoke_sessions",
    "create_api_key",
    "rotate_api_key",
    "revoke_api_key",
    "revoke_api_keys",
]


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("operation", RANKED)
def test_nobody_acts_on_who_holds_more(bench: Bench, operation: str, enabled: bool) -> None:
    """A manager who could reset an administrator's password would be one."""
    run(bench.add_built_in("admin", "administrator"))
    by = run(bench.add_built_in("manager", "manager"))
    run(bench.memory.put_role(role("extra", "extra")))
    run(bench.memory.grant(EVE, RoleName("extra"), Scope("team")))
    if not enabled:
        run(bench.memory.update(EVE, UserPatch(enabled=False), 1))
    denied(bench, operation, by)
    run(bench.memory.revoke(EVE, RoleName("extra"), Scope("team")))
    run(bench.memory.grant(EVE, RoleName("viewer"), Scope("team")))
    if enabled:
        run(CALLS[operation](bench.service, by))


def test_every_page_of_grants_counts(bench: Bench) -> None:
    by = run(bench.add_built_in("manager", "manager"))

    async def fill() -> None:
        for number in range(100):
            await bench.memory.grant(EVE, RoleName("idle"), Scope(f"team{number}"))
        await bench.memory.put_role(role("last", "extra"))
        await bench.memory.grant(EVE, RoleName("last"), Scope("team"))

    run(fill())
    denied(bench, "reset_password", by)


def test_covering_and_limiting() -> None:
    p: Any = frozenset({"p"})
    pq: Any = frozenset({"p", "q"})
    all_: Any = frozenset({"*"})
    none: Any = frozenset()
    assert [covers(*each) for each in ((pq, p), (all_, pq), (none, none))] == [True] * 3
    assert [covers(*each) for each in ((p, pq), (pq, all_), (none, p))] == [False] * 3
    assert limited(pq, None) == limited(pq, all_) == pq
    assert limited(pq, p) == limited(all_, p) == limited(p, pq) == p
    assert limited(pq, none) == none


def test_built_in_roles_come_after_their_parents() -> None:
    names = [each.name for each in BUILT_IN]
    for number, each in enumerate(BUILT_IN):
        assert each.parents <= set(names[:number])
