"""For authors of an auth storage: the laws of roles, grants and permissions."""

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import (
    GLOBAL,
    Grant,
    GrantFilter,
    RoleName,
    Scope,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    CAT,
    CHIEF,
    NOBODY,
    NOW,
    TEAM,
    add_chiefs,
    add_role,
    add_users,
    is_invalid,
    is_refused,
    permission_set,
    role,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    VersionConflict,
)

__all__: list[str] = []

READER, WRITER, EDITOR = RoleName("reader"), RoleName("writer"), RoleName("editor")
LAST = InUse("role", CHIEF, "last holder")
DISABLE = UserPatch(enabled=False)


@law("AUTH-037", MUST)
async def role_is_stored_as_given(storage: AuthStorage) -> None:
    """`put_role` returns the role as given, repeating it as well, and so do later reads."""
    await storage.put_role(role("reader"))
    made = role("editor", "read write", "reader", essential=True)
    for _ in range(2):
        assert await storage.put_role(made) == made
    assert await storage.get_role(EDITOR) == made
    assert (await storage.list_roles()).items == (made, role("reader"))


@law("AUTH-038", MUST)
async def put_role_replaces_all_of_a_role(storage: AuthStorage) -> None:
    """`put_role` of a name that exists replaces everything but the grants of it."""
    await add_users(storage, ANN)
    await storage.put_role(role("reader", "read"))
    await add_role(storage, role("editor", "write", "reader", essential=True), ANN)
    await storage.put_role(role("editor", "print"))
    assert await storage.get_role(EDITOR) == role("editor", "print")
    assert await storage.permissions(ANN, GLOBAL) == permission_set("print")


@law("AUTH-039", MUST)
async def unknown_parent_is_not_found(storage: AuthStorage) -> None:
    """`put_role` names the first unknown parent by code point, and stores nothing."""
    await storage.put_role(role("reader"))
    refused = storage.put_role(role("editor", parents="a reader Z"))
    await is_refused(refused, NotFound("role", "Z"))
    await is_refused(storage.get_role(EDITOR), NotFound("role", "editor"))


@law("AUTH-040", MUST)
async def role_is_not_its_own_parent(storage: AuthStorage) -> None:
    """A role that is its own parent is invalid, whether it exists and whatever else is unknown."""
    for _ in range(2):
        await is_invalid(storage.put_role(role("editor", parents="editor")), "parents")
        await is_invalid(storage.put_role(role("editor", parents="editor a")), "parents")
        await storage.put_role(role("editor"))


@law("AUTH-041", MUST)
async def roles_make_no_cycle(storage: AuthStorage) -> None:
    """`put_role` refuses to make a role its own ancestor, however far, and changes nothing."""
    for name, parents in (("a", ""), ("b", "a"), ("c", "b"), ("d", "c")):
        await storage.put_role(role(name, parents=parents))
    cycle = InvalidValue("parents", "must not make a cycle")
    for parent in ("b", "c", "d"):
        await is_refused(storage.put_role(role("a", "new", parents=parent)), cycle)
    assert await storage.get_role(RoleName("a")) == role("a")


@law("AUTH-042", MUST)
async def unknown_parent_comes_before_a_cycle(storage: AuthStorage) -> None:
    """A role with an unknown parent and a cycle is NotFound."""
    await storage.put_role(role("a"))
    await storage.put_role(role("b", parents="a"))
    refused = storage.put_role(role("a", parents="b zero"))
    await is_refused(refused, NotFound("role", "zero"))


@law("AUTH-043", MUST)
async def unknown_role_is_not_found(storage: AuthStorage) -> None:
    """A role that was never put is NotFound; names differ by case."""
    await storage.put_role(role("reader"))
    for name in ("writer", "Reader"):
        await is_refused(storage.get_role(RoleName(name)), NotFound("role", name))
        await is_refused(storage.delete_role(RoleName(name)), NotFound("role", name))


@law("AUTH-044", MUST)
async def deleted_role_is_gone(storage: AuthStorage) -> None:
    """`delete_role` removes a role, also a child of others; repeating it is NotFound."""
    await storage.put_role(role("reader"))
    await storage.put_role(role("editor", "write", "reader"))
    await storage.delete_role(EDITOR)
    await is_refused(storage.get_role(EDITOR), NotFound("role", EDITOR))
    await is_refused(storage.delete_role(EDITOR), NotFound("role", EDITOR))
    await storage.delete_role(READER)
    assert (await storage.list_roles()).items == ()


@law("AUTH-045", MUST)
async def granted_role_is_in_use(storage: AuthStorage) -> None:
    """`delete_role` of a role that somebody has, in any scope, is InUse, before being a parent."""
    await add_users(storage, ANN)
    await add_role(storage, role("reader", "read"), ANN, scope=TEAM)
    await storage.put_role(role("editor", parents="reader"))
    await is_refused(storage.delete_role(READER), InUse("role", READER, "grant"))
    assert await storage.permissions(ANN, TEAM) == permission_set("read")
    await storage.delete(ANN, NOW)
    await is_refused(storage.delete_role(READER), InUse("role", READER, "role"))


@law("AUTH-046", MUST)
async def parent_role_is_in_use(storage: AuthStorage) -> None:
    """`delete_role` of a parent is InUse until its children are deleted or leave it."""
    await storage.put_role(role("reader"))
    await storage.put_role(role("editor", parents="reader"))
    await is_refused(storage.delete_role(READER), InUse("role", READER, "role"))
    assert await storage.get_role(READER) == role("reader")
    await storage.put_role(role("editor"))
    await storage.delete_role(READER)


@law("AUTH-047", MUST)
async def grant_repeats(storage: AuthStorage) -> None:
    """`grant` returns the grant, and makes only one however often it is called."""
    await add_users(storage, ANN)
    await storage.put_role(role("reader"))
    given = Grant(user=ANN, role=READER, scope=TEAM)
    for _ in range(2):
        assert await storage.grant(ANN, READER, TEAM) == given
    assert (await storage.list_grants(GrantFilter())).items == (given,)


@law("AUTH-048", MUST)
async def grant_needs_user_and_role(storage: AuthStorage) -> None:
    """`grant` to an unknown user is NotFound, then of an unknown role; nothing is stored."""
    await add_users(storage, ANN)
    await storage.put_role(role("reader"))
    for name in (READER, WRITER):
        await is_refused(storage.grant(NOBODY, name, GLOBAL), NotFound("user", NOBODY))
    await is_refused(storage.grant(ANN, WRITER, GLOBAL), NotFound("role", WRITER))
    assert (await storage.list_grants(GrantFilter())).items == ()


@law("AUTH-049", MUST)
async def revoke_takes_one_grant(storage: AuthStorage) -> None:
    """`revoke` takes the grant with exactly this user, role and scope; repeating it is allowed."""
    await add_users(storage, ANN, BOB)
    for scope in (GLOBAL, TEAM, "team/a"):
        await add_role(storage, role("reader"), ANN, BOB, scope=scope)
    await add_role(storage, role("writer"), ANN, scope=TEAM)
    for _ in range(2):
        await storage.revoke(ANN, READER, TEAM)
    left = (await storage.list_grants(GrantFilter(user=ANN))).items
    assert [(grant.role, grant.scope) for grant in left] == [
        (READER, GLOBAL),
        (READER, "team/a"),
        (WRITER, TEAM),
    ]
    assert len((await storage.list_grants(GrantFilter(user=BOB))).items) == 3


@law("AUTH-050", MUST)
async def revoke_of_nothing_is_allowed(storage: AuthStorage) -> None:
    """`revoke` of what was never granted, also for an unknown user or role, changes nothing."""
    await add_chiefs(storage, ANN)
    for user, name, scope in ((NOBODY, CHIEF, GLOBAL), (ANN, WRITER, GLOBAL), (ANN, CHIEF, TEAM)):
        await storage.revoke(user, name, scope)
    assert len((await storage.list_grants(GrantFilter())).items) == 1


@law("AUTH-051", MUST)
async def permissions_come_through_parents(storage: AuthStorage) -> None:
    """`permissions` joins those of all granted roles, their parents, and theirs, once each."""
    await add_users(storage, ANN, BOB)
    await storage.put_role(role("base", "see"))
    for name in ("left", "right"):
        await storage.put_role(role(name, name, "base"))
    await add_role(storage, role("top", "top", "left right"), ANN)
    await add_role(storage, role("other", "other"), ANN)
    await add_role(storage, role("bobs", "bob"), BOB)
    assert await storage.permissions(ANN, GLOBAL) == permission_set("see left right top other")


@law("AUTH-052", MUST)
async def grants_count_in_their_scope_and_below(storage: AuthStorage) -> None:
    """A grant in "team" counts there and in "team/a", not above, beside, or in "teams"."""
    await add_users(storage, ANN)
    await add_role(storage, role("reader", "read"), ANN, scope="team")
    for scope in ("team", "team/a", "team/a/b", "team/%"):
        assert await storage.permissions(ANN, Scope(scope)) == permission_set("read")
    for scope in ("", "teams", "tea", "Team", "a/team", "te_m", "%"):
        assert await storage.permissions(ANN, Scope(scope)) == frozenset()


@law("AUTH-053", MUST)
async def wildcards_in_scopes_are_letters(storage: AuthStorage) -> None:
    """A grant in "te_m" or "%" counts in no scope that merely matches it as a pattern."""
    await add_users(storage, ANN)
    for scope in ("te_m", "%", "te*m", "t?am"):
        await add_role(storage, role("reader", "read"), ANN, scope=scope)
    for scope in ("team", "team/a", "other", "te*m2"):
        assert await storage.permissions(ANN, Scope(scope)) == frozenset()
    assert await storage.permissions(ANN, Scope("te_m/a")) == permission_set("read")


@law("AUTH-054", MUST)
async def global_grants_count_everywhere(storage: AuthStorage) -> None:
    """A grant in GLOBAL counts in every scope, together with those of that scope."""
    await add_users(storage, ANN)
    await add_role(storage, role("reader", "read"), ANN)
    await add_role(storage, role("writer", "write"), ANN, scope="team/a")
    for scope in ("", "team", "other/a"):
        assert await storage.permissions(ANN, Scope(scope)) == permission_set("read")
    assert await storage.permissions(ANN, Scope("team/a/b")) == permission_set("read write")


@law("AUTH-055", MUST)
async def nobody_and_the_disabled_have_no_permissions(storage: AuthStorage) -> None:
    """`permissions` of an unknown or a disabled user are none; they return with `enabled`."""
    await add_users(storage, ANN)
    await add_role(storage, role("reader", "read"), ANN)
    assert await storage.permissions(NOBODY, GLOBAL) == frozenset()
    await storage.update(ANN, DISABLE, 1)
    assert await storage.permissions(ANN, GLOBAL) == frozenset()
    await storage.update(ANN, UserPatch(enabled=True), 2)
    assert await storage.permissions(ANN, GLOBAL) == permission_set("read")


@law("AUTH-056", MUST)
async def last_holder_keeps_an_essential_role(storage: AuthStorage) -> None:
    """The last holder of an essential role can't be deleted, disabled or stripped of it."""
    await add_chiefs(storage, ANN)
    await add_users(storage, BOB)
    await is_refused(storage.revoke(ANN, CHIEF, GLOBAL), LAST)
    await is_refused(storage.delete(ANN, NOW), LAST)
    await is_refused(storage.update(ANN, DISABLE, 1), LAST)
    assert (await storage.get_by_id(ANN)).version == 1
    assert await storage.permissions(ANN, GLOBAL) == permission_set("rule")


@law("AUTH-057", MUST)
async def one_of_several_holders_may_go(storage: AuthStorage) -> None:
    """While an essential role has another holder, one may be deleted, disabled or stripped."""
    dan = UserId("dan")
    await add_chiefs(storage, ANN, BOB, CAT, dan)
    await storage.revoke(ANN, CHIEF, GLOBAL)
    await storage.update(BOB, DISABLE, 1)
    await storage.delete(CAT, NOW)
    await is_refused(storage.delete(dan, NOW), LAST)


@law("AUTH-058", MUST)
async def disabled_users_hold_nothing(storage: AuthStorage) -> None:
    """A disabled user is no holder: the last enabled one stays, and the disabled one may go."""
    await add_chiefs(storage, ANN, BOB)
    await storage.update(BOB, DISABLE, 1)
    await is_refused(storage.revoke(ANN, CHIEF, GLOBAL), LAST)
    await storage.update(BOB, DISABLE, 2)
    await storage.revoke(BOB, CHIEF, GLOBAL)
    await storage.delete(BOB, NOW)


@law("AUTH-059", MUST)
async def only_direct_global_grants_hold(storage: AuthStorage) -> None:
    """A grant in a narrower scope, or of a child of an essential role, makes no holder."""
    await add_chiefs(storage, ANN)
    await add_users(storage, BOB)
    await storage.grant(BOB, CHIEF, TEAM)
    await add_role(storage, role("deputy", parents=CHIEF), BOB)
    await is_refused(storage.delete(ANN, NOW), LAST)
    await storage.revoke(BOB, CHIEF, TEAM)
    await storage.delete(BOB, NOW)


@law("AUTH-060", MUST)
async def last_holder_may_change_otherwise(storage: AuthStorage) -> None:
    """The last holder may lose other grants, and be updated in every way but disabled."""
    await add_chiefs(storage, ANN)
    await storage.grant(ANN, CHIEF, TEAM)
    await storage.revoke(ANN, CHIEF, TEAM)
    patch = UserPatch(display_name="Ann", enabled=True, verified=True)
    assert (await storage.update(ANN, patch, 1)).version == 2


@law("AUTH-061", MUST)
async def first_essential_role_is_named(storage: AuthStorage) -> None:
    """Of several roles that would lose their last holder the first by code point is named."""
    await add_users(storage, ANN, BOB)
    for name in ("b", "a", "Z"):
        await add_role(storage, role(name, essential=True), ANN)
    await add_role(storage, role("B"), ANN)
    await add_role(storage, role("A", essential=True), ANN, BOB)
    first = InUse("role", "Z", "last holder")
    await is_refused(storage.delete(ANN, NOW), first)
    await is_refused(storage.update(ANN, DISABLE, 1), first)


@law("AUTH-062", MUST)
async def in_use_comes_last(storage: AuthStorage) -> None:
    """Disabling the last holder is NotFound, VersionConflict or Duplicate first."""
    await add_chiefs(storage, ANN)
    await add_users(storage, BOB)
    patch = UserPatch(email=(await storage.get_by_id(BOB)).email, enabled=False)
    await is_refused(storage.update(ANN, patch, 2), VersionConflict("user", ANN, 2))
    await is_refused(storage.update(ANN, patch, 1), Duplicate("email"))


@law("AUTH-063", MUST)
async def role_becomes_essential_and_ordinary_again(storage: AuthStorage) -> None:
    """The flag counts from the moment that `put_role` stores it, until it takes it away."""
    await add_users(storage, ANN)
    await add_role(storage, role(CHIEF), ANN)
    await storage.put_role(role(CHIEF, essential=True))
    await is_refused(storage.revoke(ANN, CHIEF, GLOBAL), LAST)
    await storage.put_role(role(CHIEF))
    await storage.revoke(ANN, CHIEF, GLOBAL)
    await storage.put_role(role(CHIEF, essential=True))
    await storage.delete(ANN, NOW)
