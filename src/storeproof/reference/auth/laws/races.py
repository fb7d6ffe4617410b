"""For authors of an auth storage: the laws of calls that run at the same time on two handles."""

import itertools

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import (
    GLOBAL,
    Attempts,
    AuditFilter,
    GrantFilter,
    LockOutPolicy,
    RoleName,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    CHIEF,
    HOUR,
    NOW,
    POLICY,
    TEAM,
    add_chiefs,
    add_role,
    add_users,
    both_kinds,
    digest,
    entry,
    hash_of,
    role,
    user,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.law_words import together

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10


async def strip(storage: AuthStorage, id: UserId, name: str) -> None:
    await storage.revoke(id, RoleName(name), GLOBAL)


async def disable(storage: AuthStorage, id: UserId, _name: str) -> None:
    await storage.update(id, UserPatch(enabled=False), 1)


async def delete(storage: AuthStorage, id: UserId, _name: str) -> None:
    await storage.delete(id, NOW)


@law("AUTH-126", MUST, needs=TWO)
async def writes_are_seen_at_once(storage: AuthStorage, second: AuthStorage) -> None:
    """What an operation on one handle stored is seen by the next one on another."""
    for each in (ANN, BOB):
        await storage.create(user(each))
        assert await second.get_by_id(each) == user(each)
        changed = await second.update(each, UserPatch(verified=True), 1)
        assert await storage.get_by_id(each) == changed


@law("AUTH-127", MUST, needs=TWO)
async def one_of_equal_ids_is_created(storage: AuthStorage, second: AuthStorage) -> None:
    """Of users created at the same time with one id exactly one is stored."""
    users = [user("ann", email=f"{number}@example.org") for number in range(CROWD)]
    handles = (storage, second) * CROWD
    calls = (handle.create(each) for handle, each in zip(handles, users, strict=False))
    results, errors = await together(*calls)
    assert errors == ["Duplicate"] * (CROWD - 1)
    assert list((await storage.list_users(UserFilter())).items) == results


@law("AUTH-128", MUST, needs=TWO)
async def one_of_equal_emails_is_created(storage: AuthStorage, second: AuthStorage) -> None:
    """Of users created at the same time with spellings of one e-mail exactly one is stored."""
    emails = ("ann@example.org", "ANN@example.org", "Ann@Example.org", "aNN@example.ORG")
    users = [user(f"u{number}", email=email) for number, email in enumerate(emails)]
    handles = (storage, second) * 2
    calls = (handle.create(each) for handle, each in zip(handles, users, strict=True))
    results, errors = await together(*calls)
    assert errors == ["Duplicate"] * 3
    assert list((await second.list_users(UserFilter())).items) == results


@law("AUTH-129", MUST, needs=TWO)
async def one_of_equal_versions_is_updated(storage: AuthStorage, second: AuthStorage) -> None:
    """Of updates at the same time that expect one version exactly one happens."""
    await add_users(storage, ANN)
    calls = (
        handle.update(ANN, UserPatch(display_name=str(number)), 1)
        for number, handle in enumerate((storage, second) * (CROWD // 2))
    )
    results, errors = await together(*calls)
    assert errors == ["VersionConflict"] * (CROWD - 1)
    assert [await storage.get_by_id(ANN)] == results


@law("AUTH-130", MUST, needs=TWO)
async def one_email_is_taken_by_one_update(storage: AuthStorage, second: AuthStorage) -> None:
    """Of two users who change to one e-mail at the same time one gets it."""
    await add_users(storage, ANN, BOB)
    patch = UserPatch(email=user("new").email)
    results, errors = await together(storage.update(ANN, patch, 1), second.update(BOB, patch, 1))
    assert errors == ["Duplicate"]
    assert await storage.find_by_email(user("new").email) == results[0]


@law("AUTH-131", MUST, needs=TWO)
async def every_attempt_counts(storage: AuthStorage, second: AuthStorage) -> None:
    """Ten failures at the same time count 1 to 10, each once."""
    await add_users(storage, ANN)
    policy = LockOutPolicy(threshold=CROWD + 1, duration=HOUR)
    calls = (
        handle.record_attempt(ANN, False, NOW, policy)
        for handle in (storage, second) * (CROWD // 2)
    )
    results, _ = await together(*calls)
    assert sorted(each.failures for each in results) == list(range(1, CROWD + 1))
    assert (await second.get_by_id(ANN)).failures == CROWD


@law("AUTH-132", MUST, needs=TWO)
async def crowds_are_locked_out_at_the_threshold(storage: AuthStorage, second: AuthStorage) -> None:
    """Of ten failures at the same time only the first three count; the others are locked out."""
    await add_users(storage, ANN)
    calls = (
        handle.record_attempt(ANN, False, NOW, POLICY)
        for handle in (storage, second) * (CROWD // 2)
    )
    results, _ = await together(*calls)
    free = [Attempts(failures=count, locked_until=None) for count in (1, 2)]
    locked = [Attempts(failures=3, locked_until=NOW + HOUR)] * (CROWD - 2)
    assert sorted(results, key=lambda each: each.failures) == free + locked


@law("AUTH-133", MUST, needs=TWO)
async def one_password_is_set(storage: AuthStorage, second: AuthStorage) -> None:
    """Of replacements at the same time of one hash by different ones exactly one happens."""
    await add_users(storage, ANN)
    calls = (
        handle.replace_password_hash(ANN, None, hash_of(str(number)))
        for number, handle in enumerate((storage, second) * (CROWD // 2))
    )
    results, _ = await together(*calls)
    assert sorted(results) == [False] * (CROWD - 1) + [True]
    stored = (await storage.get_by_id(ANN)).password_hash
    assert stored == hash_of(str(results.index(True)))


@law("AUTH-134", MUST, needs=TWO)
async def one_last_holder_stays(storage: AuthStorage, second: AuthStorage) -> None:
    """Of two removals at the same time of the last two holders, in any way, one is InUse."""
    ways = (strip, disable, delete)
    for one, other in itertools.combinations_with_replacement(ways, 2):
        names = f"{one.__name__}_{other.__name__}"
        ann, bob = UserId(f"ann_{names}"), UserId(f"bob_{names}")
        await add_users(storage, ann, bob)
        await add_role(storage, role(names, essential=True), ann, bob)
        _, errors = await together(one(storage, ann, names), other(second, bob, names))
        assert errors == ["InUse"]


@law("AUTH-135", MUST, needs=TWO)
async def one_of_many_holders_stays(storage: AuthStorage, second: AuthStorage) -> None:
    """When all holders of an essential role are stripped at the same time one keeps it."""
    users = [UserId(f"u{number}") for number in range(CROWD)]
    await add_chiefs(storage, *users)
    handles = zip((storage, second) * CROWD, users, strict=False)
    calls = (handle.revoke(each, CHIEF, GLOBAL) for handle, each in handles)
    _, errors = await together(*calls)
    assert errors == ["InUse"]
    assert len((await storage.list_grants(GrantFilter(role=CHIEF))).items) == 1


@law("AUTH-136", MUST, needs=TWO)
async def no_cycle_is_made_together(storage: AuthStorage, second: AuthStorage) -> None:
    """Of two `put_role` at the same time that together would make a cycle one is invalid."""
    for name in ("a", "b"):
        await storage.put_role(role(name))
    calls = storage.put_role(role("a", parents="b")), second.put_role(role("b", parents="a"))
    _, errors = await together(*calls)
    assert errors == ["InvalidValue"]
    assert sum(len(each.parents) for each in (await storage.list_roles()).items) == 1


@law("AUTH-137", MUST, needs=TWO)
async def no_grant_of_a_deleted_role(storage: AuthStorage, second: AuthStorage) -> None:
    """Of `grant` and `delete_role` at the same time one is refused, and the other happened."""
    await add_users(storage, ANN)
    await storage.put_role(role(CHIEF))
    _, errors = await together(storage.grant(ANN, CHIEF, TEAM), second.delete_role(CHIEF))
    grants = (await storage.list_grants(GrantFilter())).items
    roles = (await storage.list_roles()).items
    assert (errors, len(grants), len(roles)) in ((["NotFound"], 0, 0), (["InUse"], 1, 1))


@law("AUTH-138", MUST, needs=TWO)
async def no_child_of_a_deleted_role(storage: AuthStorage, second: AuthStorage) -> None:
    """Of `put_role` of a child and `delete_role` of its parent at the same time one is refused."""
    await storage.put_role(role("a"))
    child = role("b", parents="a")
    _, errors = await together(storage.put_role(child), second.delete_role(role("a").name))
    left = (errors, (await storage.list_roles()).items)
    assert left in ((["NotFound"], ()), (["InUse"], (role("a"), child)))


@law("AUTH-139", MUST, needs=TWO)
async def one_of_equal_digests_is_created(storage: AuthStorage, second: AuthStorage) -> None:
    """Of tokens created at the same time with one digest exactly one is stored."""
    await add_users(storage, ANN)
    for one, other in zip(both_kinds(storage), both_kinds(second), strict=True):
        calls = (
            tokens.create(tokens.make("a", id=f"{number}"))
            for number, tokens in enumerate((one, other) * (CROWD // 2))
        )
        results, errors = await together(*calls)
        assert errors == ["Duplicate"] * (CROWD - 1)
        assert list((await other.list(ANN)).items) == results


@law("AUTH-140", MUST, needs=TWO)
async def deleted_user_keeps_no_live_token(storage: AuthStorage, second: AuthStorage) -> None:
    """A token created while its user is deleted is refused or revoked with the others."""
    for one, other in zip(both_kinds(storage), both_kinds(second), strict=True):
        await add_users(storage, ANN)
        handles = zip("abcd", (one, other, one, other), strict=True)
        creations = [tokens.create(tokens.make(letter)) for letter, tokens in handles]
        await together(*creations[:2], second.delete(ANN, NOW), *creations[2:])
        assert all(each.revoked_at for each in (await one.list(ANN)).items)


@law("AUTH-141", MUST, needs=TWO)
async def no_grant_of_a_deleted_user(storage: AuthStorage, second: AuthStorage) -> None:
    """Of `grant` and `delete` of the user at the same time no grant is left."""
    await add_users(storage, ANN)
    await storage.put_role(role(CHIEF))
    await together(storage.grant(ANN, CHIEF, TEAM), second.delete(ANN, NOW))
    assert (await storage.list_grants(GrantFilter())).items == ()


@law("AUTH-142", MUST, needs=TWO)
async def grants_together_make_one(storage: AuthStorage, second: AuthStorage) -> None:
    """One grant made many times at the same time is one grant, and none of the calls fails."""
    await add_users(storage, ANN)
    await storage.put_role(role(CHIEF))
    calls = (handle.grant(ANN, CHIEF, TEAM) for handle in (storage, second) * (CROWD // 2))
    results, errors = await together(*calls)
    assert (len(results), errors) == (CROWD, [])
    assert list((await second.list_grants(GrantFilter())).items) == results[:1]


@law("AUTH-143", MUST, needs=TWO)
async def roles_put_together_are_one(storage: AuthStorage, second: AuthStorage) -> None:
    """One role put many times at the same time is one of them whole, and no call fails."""
    roles = [role(CHIEF, f"p{number} q{number}") for number in range(CROWD)]
    handles = (storage, second) * CROWD
    calls = (handle.put_role(each) for handle, each in zip(handles, roles, strict=False))
    results, errors = await together(*calls)
    assert (results, errors) == (roles, [])
    assert await second.get_role(CHIEF) in roles


@law("AUTH-144", MUST, needs=TWO)
async def entries_together_are_one(storage: AuthStorage, second: AuthStorage) -> None:
    """An entry appended many times at the same time is one, and none of the calls fails."""
    calls = (handle.append_audit(entry("a")) for handle in (storage, second) * (CROWD // 2))
    results, errors = await together(*calls)
    assert (results, errors) == ([entry("a")] * CROWD, [])
    assert (await storage.list_audit(AuditFilter())).items == (entry("a"),)


@law("AUTH-145", MUST, needs=TWO)
async def rotations_together_lose_no_digest(storage: AuthStorage, second: AuthStorage) -> None:
    """Of two rotations at the same time the later one's previous digest is the earlier one's."""
    await add_users(storage, ANN)
    for one, other in zip(both_kinds(storage), both_kinds(second), strict=True):
        await one.add("a")
        calls = (
            tokens.rotate(ANN, "a", digest(letter), NOW, HOUR)
            for tokens, letter in ((one, "b"), (other, "c"))
        )
        results, errors = await together(*calls)
        stored = (await one.list(ANN)).items[0]
        assert errors == []
        assert stored in results
        assert {stored.digest, stored.previous_digest} == {digest("b"), digest("c")}


@law("AUTH-146", MUST, needs=TWO)
async def revocations_together_count_once(storage: AuthStorage, second: AuthStorage) -> None:
    """Tokens revoked, or purged, many times at the same time are counted once altogether."""
    await add_users(storage, ANN)
    for one, other in zip(both_kinds(storage), both_kinds(second), strict=True):
        await one.add("a", "b", "c", "d", "e")
        handles = (one, other) * 2
        counts, _ = await together(*(tokens.revoke_all(ANN, "a", NOW) for tokens in handles))
        assert sorted(counts) == [0, 0, 0, 4]
        purged, _ = await together(*(tokens.purge(NOW + HOUR, 1000) for tokens in handles))
        assert sorted(purged) == [0, 0, 0, 4]
