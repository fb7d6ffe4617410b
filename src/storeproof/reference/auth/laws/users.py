"""For authors of an auth storage: the laws of users and of their passwords."""

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import (
    GLOBAL,
    Email,
    GrantFilter,
    PasswordHash,
    UserFilter,
    UserPatch,
)
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    CHIEF,
    DAY,
    NOBODY,
    NOW,
    TEAM,
    TICK,
    add_role,
    add_users,
    both_kinds,
    hash_of,
    is_refused,
    role,
    user,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict

__all__: list[str] = []

DOTLESS = "\u0131a@é.org"
FULL = user(
    "ann",
    display_name=" Änn\t\n",
    password_hash=PasswordHash("$hash$"),
    enabled=False,
    verified=True,
    created_at=NOW + TICK,
    failures=2**62,
    locked_until=NOW - TICK,
    version=7,
)


@law("AUTH-001", MUST)
async def unknown_user_is_not_found(storage: AuthStorage) -> None:
    """A user who was never created is NotFound by id and by e-mail, as they were asked for."""
    await add_users(storage, ANN)
    await is_refused(storage.get_by_id(NOBODY), NotFound("user", "nobody"))
    unknown = Email("No@Example.org")
    await is_refused(storage.find_by_email(unknown), NotFound("user", "No@Example.org"))


@law("AUTH-002", MUST)
async def user_is_stored_as_given(storage: AuthStorage) -> None:
    """`create` returns every field as given, and so do later reads."""
    assert await storage.create(FULL) == FULL
    assert await storage.get_by_id(ANN) == FULL
    assert await storage.find_by_email(FULL.email) == FULL


@law("AUTH-003", MUST)
async def taken_user_id_is_duplicate(storage: AuthStorage) -> None:
    """`create` with a taken id is a Duplicate, even for an equal user, and changes nothing."""
    await add_users(storage, ANN)
    await is_refused(storage.create(user("ann")), Duplicate("id"))
    await is_refused(storage.create(user("ann", email="new@example.org")), Duplicate("id"))
    assert await storage.get_by_id(ANN) == user("ann")


@law("AUTH-004", MUST)
async def taken_email_is_duplicate(storage: AuthStorage) -> None:
    """`create` with an e-mail whose key is taken is a Duplicate, and stores nothing."""
    await add_users(storage, ANN)
    await is_refused(storage.create(user("bob", email="ANN@Example.ORG")), Duplicate("email"))
    await is_refused(storage.get_by_id(BOB), NotFound("user", BOB))


@law("AUTH-005", MUST)
async def taken_id_comes_before_taken_email(storage: AuthStorage) -> None:
    """A user whose id and e-mail are both taken is a Duplicate of the id."""
    await add_users(storage, ANN, BOB)
    await is_refused(storage.create(user("ann", email="bob@example.org")), Duplicate("id"))


@law("AUTH-006", MUST)
async def email_is_found_in_any_spelling(storage: AuthStorage) -> None:
    """`find_by_email` compares keys: neither case, ligatures nor composition matter."""
    spellings = {
        "straße@example.org": "STRASSE@example.org",
        "İnci@example.org": "i\u0307nci@example.org",
        "ﬁn@example.org": "FIN@example.org",
        "ève@example.org": "E\u0300VE@example.org",
        "\u212ae@example.org": "ke@example.org",
    }
    for number, (stored, asked) in enumerate(spellings.items()):
        made = await storage.create(user(f"u{number}", email=stored))
        assert await storage.find_by_email(Email(asked)) == made


@law("AUTH-007", MUST)
async def different_emails_stay_different(storage: AuthStorage) -> None:
    """Accents, dots, +tags, the dotless i and the Punycode form of a domain make other e-mails."""
    emails = ("eve@é.org", "ève@é.org", "e.ve@é.org", "eve+a@é.org", "eve@xn--9ca.org", DOTLESS)
    for number, email in enumerate((*emails, "ia@é.org")):
        await storage.create(user(f"u{number}", email=email))
    for number, email in enumerate((*emails, "ia@é.org")):
        assert (await storage.find_by_email(Email(email))).id == f"u{number}"


@law("AUTH-008", MUST)
async def email_stays_as_typed(storage: AuthStorage) -> None:
    """The stored e-mail is the one that was given, not its key."""
    await storage.create(user("ann", email="Änn.STRAßE@Example.org"))
    found = await storage.find_by_email(Email("änn.strasse@example.org"))
    assert found.email == "Änn.STRAßE@Example.org"


@law("AUTH-009", MUST)
async def update_changes_what_is_given(storage: AuthStorage) -> None:
    """`update` changes the given fields alone, adds 1 to the version, and returns the result."""
    await storage.create(FULL)
    changed = replace(FULL, enabled=True, version=8)
    assert await storage.update(ANN, UserPatch(enabled=True), 7) == changed
    patch = UserPatch(email=Email("Neu@example.org"), display_name="", verified=False)
    changed = replace(
        changed, email=Email("Neu@example.org"), display_name="", verified=False, version=9
    )
    assert await storage.update(ANN, patch, 8) == changed
    assert await storage.get_by_id(ANN) == changed


@law("AUTH-010", MUST)
async def empty_patch_counts(storage: AuthStorage) -> None:
    """An empty patch adds 1 to the version too."""
    await add_users(storage, ANN)
    assert await storage.update(ANN, UserPatch(), 1) == user("ann", version=2)
    assert await storage.get_by_id(ANN) == user("ann", version=2)


@law("AUTH-011", MUST)
async def stale_update_is_a_conflict(storage: AuthStorage) -> None:
    """`update` with another version than the stored one, also a repeated one, changes nothing."""
    await add_users(storage, ANN)
    patch = UserPatch(display_name="Ann")
    await storage.update(ANN, patch, 1)
    for version in (1, 3, 0, -1, 2**63 - 1):
        await is_refused(storage.update(ANN, patch, version), VersionConflict("user", ANN, version))
    assert await storage.get_by_id(ANN) == user("ann", display_name="Ann", version=2)


@law("AUTH-012", MUST)
async def unknown_user_comes_before_conflict(storage: AuthStorage) -> None:
    """`update` of an unknown user is NotFound, whatever else is wrong with it."""
    await add_users(storage, ANN)
    patch = UserPatch(email=Email("ann@example.org"))
    await is_refused(storage.update(NOBODY, patch, 9), NotFound("user", NOBODY))


@law("AUTH-013", MUST)
async def update_to_taken_email_is_duplicate(storage: AuthStorage) -> None:
    """`update` to an e-mail whose key another user has is a Duplicate, and changes nothing."""
    await add_users(storage, ANN, BOB)
    patch = UserPatch(email=Email("BOB@example.org"), display_name="Ann")
    await is_refused(storage.update(ANN, patch, 1), Duplicate("email"))
    assert await storage.get_by_id(ANN) == user("ann")


@law("AUTH-014", MUST)
async def conflict_comes_before_duplicate(storage: AuthStorage) -> None:
    """`update` of a stale version to a taken e-mail is a VersionConflict."""
    await add_users(storage, ANN, BOB)
    patch = UserPatch(email=Email("bob@example.org"))
    await is_refused(storage.update(ANN, patch, 2), VersionConflict("user", ANN, 2))


@law("AUTH-015", MUST)
async def own_email_may_be_respelled(storage: AuthStorage) -> None:
    """`update` to another spelling of the user's own e-mail is no Duplicate."""
    await add_users(storage, ANN)
    respelled = UserPatch(email=Email("ANN@example.org"))
    assert (await storage.update(ANN, respelled, 1)).email == "ANN@example.org"
    assert (await storage.find_by_email(Email("ann@example.org"))).email == "ANN@example.org"


@law("AUTH-016", MUST)
async def changed_email_frees_the_old_one(storage: AuthStorage) -> None:
    """After `update` of the e-mail the new one finds the user, and the old one is free."""
    await add_users(storage, ANN)
    await storage.update(ANN, UserPatch(email=Email("new@example.org")), 1)
    old = Email("ann@example.org")
    await is_refused(storage.find_by_email(old), NotFound("user", old))
    assert (await storage.find_by_email(Email("NEW@example.org"))).id == ANN
    await storage.create(user("bob", email=old))


@law("AUTH-017", MUST)
async def deleted_user_is_gone(storage: AuthStorage) -> None:
    """`delete` removes the user from every read; the other users stay; repeating is NotFound."""
    await add_users(storage, ANN, BOB)
    await storage.delete(ANN, NOW)
    await is_refused(storage.get_by_id(ANN), NotFound("user", ANN))
    email = Email("ann@example.org")
    await is_refused(storage.find_by_email(email), NotFound("user", email))
    assert (await storage.list_users(UserFilter())).items == (user("bob"),)
    await is_refused(storage.delete(ANN, NOW), NotFound("user", ANN))


@law("AUTH-018", MUST)
async def delete_takes_the_grants(storage: AuthStorage) -> None:
    """`delete` removes the user's grants in every scope, and nobody else's."""
    await add_users(storage, ANN, BOB)
    for scope in (GLOBAL, TEAM):
        await add_role(storage, role(CHIEF, "rule"), ANN, BOB, scope=scope)
    await storage.delete(ANN, NOW)
    holders = (await storage.list_grants(GrantFilter(role=CHIEF))).items
    assert [grant.user for grant in holders] == [BOB, BOB]
    await storage.create(user("ann"))
    assert await storage.permissions(ANN, TEAM) == frozenset()


@law("AUTH-019", MUST)
async def delete_revokes_sessions_and_keys(storage: AuthStorage) -> None:
    """`delete` revokes the user's sessions and keys at its time; earlier revocations stay."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b")
        await tokens.add("c", user=BOB)
        await tokens.revoke(ANN, "b", NOW - DAY)
    await storage.delete(ANN, NOW)
    for tokens in both_kinds(storage):
        listed = {each.id: each.revoked_at for each in (await tokens.list(ANN)).items}
        assert listed == {"a": NOW, "b": NOW - DAY}
        assert (await tokens.list(BOB)).items[0].revoked_at is None


@law("AUTH-020", MUST)
async def deleted_users_id_and_email_are_free(storage: AuthStorage) -> None:
    """After `delete` the id and the e-mail can be used again; old tokens do not come back."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
    await storage.delete(ANN, NOW)
    assert await storage.create(user("ann", verified=True)) == user("ann", verified=True)
    for tokens in both_kinds(storage):
        missing = NotFound(tokens.kind, "a" * 64)
        await is_refused(tokens.find(tokens.make("a").digest, NOW), missing)


@law("AUTH-021", MUST)
async def password_hash_is_replaced_if_expected(storage: AuthStorage) -> None:
    """`replace_password_hash` stores the new hash and says True where the stored one is `old`."""
    await add_users(storage, ANN)
    assert await storage.replace_password_hash(ANN, None, hash_of("one"))
    assert await storage.replace_password_hash(ANN, hash_of("one"), hash_of("two"))
    assert await storage.get_by_id(ANN) == user("ann", password_hash=hash_of("two"))


@law("AUTH-022", MUST)
async def unexpected_password_hash_stays(storage: AuthStorage) -> None:
    """`replace_password_hash` changes nothing and says False where the stored hash is another."""
    await add_users(storage, ANN)
    assert not await storage.replace_password_hash(ANN, hash_of("one"), hash_of("two"))
    assert (await storage.get_by_id(ANN)).password_hash is None
    await storage.replace_password_hash(ANN, None, hash_of("one"))
    for old in (None, hash_of("ONE"), hash_of("other")):
        assert not await storage.replace_password_hash(ANN, old, hash_of("two"))
    assert (await storage.get_by_id(ANN)).password_hash == hash_of("one")


@law("AUTH-023", MUST)
async def replacing_a_hash_repeats(storage: AuthStorage) -> None:
    """`replace_password_hash` says True where the new hash is stored already."""
    await add_users(storage, ANN)
    for old in (None, None, hash_of("other")):
        assert await storage.replace_password_hash(ANN, old, hash_of("one"))
    assert (await storage.get_by_id(ANN)).password_hash == hash_of("one")


@law("AUTH-024", MUST)
async def password_of_unknown_user_is_not_found(storage: AuthStorage) -> None:
    """`replace_password_hash` and `clear_attempts` of an unknown user are NotFound."""
    replaced = storage.replace_password_hash(NOBODY, None, hash_of("one"))
    await is_refused(replaced, NotFound("user", NOBODY))
    await is_refused(storage.clear_attempts(NOBODY), NotFound("user", NOBODY))


@law("AUTH-025", MUST)
async def disabling_ends_access_until_enabled(storage: AuthStorage) -> None:
    """A disabled user's sessions and keys are not live, and are again once it is enabled."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        await storage.update(ANN, UserPatch(enabled=False), (await storage.get_by_id(ANN)).version)
        found = tokens.find(tokens.make("a").digest, NOW)
        await is_refused(found, NotFound(tokens.kind, "a" * 64))
        await storage.update(ANN, UserPatch(enabled=True), (await storage.get_by_id(ANN)).version)
        assert (await tokens.find(tokens.make("a").digest, NOW)).id == "a"
