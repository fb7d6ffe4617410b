"""For authors of an auth storage: the laws of sessions and API keys, which are the same."""

from datetime import timedelta

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import UserPatch
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    DAY,
    HOUR,
    NOBODY,
    NOW,
    TICK,
    add_users,
    api_key,
    both_kinds,
    digest,
    is_invalid,
    is_refused,
    permission_set,
    session,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import Duplicate, NotFound

__all__: list[str] = []

UNTIL = NOW + HOUR
ZERO = timedelta(0)


@law("AUTH-064", MUST)
async def token_is_stored_as_given(storage: AuthStorage) -> None:
    """Creating a session or key returns every field as given, and so do later reads."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        made = tokens.make("a", label=" Ä\n", previous_digest=digest("b"), previous_until=UNTIL)
        made = replace(made, expires_at=UNTIL + TICK, created_at=UNTIL)
        assert await tokens.create(made) == made
        assert await tokens.find(digest("a"), NOW) == made
        assert (await tokens.list(ANN)).items == (made,)


@law("AUTH-065", MUST)
async def key_without_end_lives_for_ever(storage: AuthStorage) -> None:
    """A key whose `expires_at` is None does not expire; no permissions differ from no limit."""
    await add_users(storage, ANN)
    for letter, limit in (("a", None), ("b", frozenset()), ("c", permission_set("x y"))):
        made = api_key(letter, expires_at=None, permissions=limit, hint="k…")
        await storage.create_api_key(made)
        assert await storage.find_api_key(digest(letter), NOW + 1000 * 365 * DAY) == made


@law("AUTH-066", MUST)
async def token_needs_a_user(storage: AuthStorage) -> None:
    """Creating a token for an unknown user is NotFound, unless it is revoked already."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        orphan = tokens.make("a", user=NOBODY)
        await is_refused(tokens.create(orphan), NotFound("user", NOBODY))
        assert (await tokens.list(NOBODY)).items == ()
        revoked = replace(orphan, revoked_at=NOW)
        assert await tokens.create(revoked) == revoked
        assert (await tokens.list(NOBODY)).items == (revoked,)


@law("AUTH-067", MUST)
async def taken_token_is_duplicate(storage: AuthStorage) -> None:
    """A taken id is a Duplicate, even for an equal token, then a taken digest; nothing changes."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b")
        await is_refused(tokens.create(tokens.make("a")), Duplicate("id"))
        await is_refused(tokens.create(tokens.make("a", digest=digest("b"))), Duplicate("id"))
        stolen = tokens.make("c", user=BOB, digest=digest("b"))
        await is_refused(tokens.create(stolen), Duplicate("digest"))
        assert (await tokens.list(ANN)).items == (tokens.make("a"), tokens.make("b"))
        assert await tokens.ids(BOB) == ()


@law("AUTH-068", MUST)
async def unknown_user_comes_before_taken_token(storage: AuthStorage) -> None:
    """A token of an unknown user with a taken id is NotFound."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        await is_refused(tokens.create(tokens.make("a", user=NOBODY)), NotFound("user", NOBODY))


@law("AUTH-069", MUST)
async def only_present_digests_are_unique(storage: AuthStorage) -> None:
    """A digest that is another token's previous one may be created; revoked ones still count."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a", previous_digest=digest("b"), previous_until=UNTIL)
        await tokens.add("b")
        await tokens.revoke(ANN, "b", NOW)
        again = tokens.make("c", digest=digest("b"))
        await is_refused(tokens.create(again), Duplicate("digest"))


@law("AUTH-070", MUST)
async def sessions_and_keys_are_apart(storage: AuthStorage) -> None:
    """A session and a key may have the same id and digest, and do not affect one another."""
    await add_users(storage, ANN)
    await storage.create_session(session("a"))
    await is_refused(storage.find_api_key(digest("a"), NOW), NotFound("api_key", digest("a")))
    await storage.create_api_key(api_key("a"))
    assert await storage.revoke_sessions(ANN, None, NOW) == 1
    assert await storage.find_api_key(digest("a"), NOW) == api_key("a")
    await storage.purge_api_keys(UNTIL + TICK, 10)
    assert (await storage.list_sessions(ANN)).items == (session("a", revoked_at=NOW),)


@law("AUTH-071", MUST)
async def expired_tokens_are_not_found(storage: AuthStorage) -> None:
    """A token is found until a microsecond before `expires_at`, and not from then on."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        for at in (NOW - DAY, UNTIL - TICK):
            assert await tokens.find(digest("a"), at) == tokens.make("a")
        for at in (UNTIL, UNTIL + DAY):
            missing = NotFound(tokens.kind, digest("a"))
            await is_refused(tokens.find(digest("a"), at), missing)


@law("AUTH-072", MUST)
async def unknown_and_revoked_tokens_are_not_found(storage: AuthStorage) -> None:
    """An unknown digest is NotFound, and so is a revoked token, also at times before that."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        await is_refused(tokens.find(digest("b"), NOW), NotFound(tokens.kind, digest("b")))
        await tokens.revoke(ANN, "a", UNTIL)
        missing = NotFound(tokens.kind, digest("a"))
        await is_refused(tokens.find(digest("a"), NOW), missing)


@law("AUTH-073", MUST)
async def previous_digest_works_for_a_while(storage: AuthStorage) -> None:
    """The previous digest finds a token until a microsecond before `previous_until`."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        previous = {"previous_digest": digest("b"), "previous_until": NOW + TICK}
        await tokens.add("a", **previous)
        assert await tokens.find(digest("b"), NOW) == tokens.make("a", **previous)
        missing = NotFound(tokens.kind, digest("b"))
        await is_refused(tokens.find(digest("b"), NOW + TICK), missing)
        assert (await tokens.find(digest("a"), NOW + TICK)).id == "a"


@law("AUTH-074", MUST)
async def previous_digest_needs_a_live_token(storage: AuthStorage) -> None:
    """The previous digest does not find a token that is expired or revoked."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a", previous_digest=digest("b"), previous_until=UNTIL + DAY)
        missing = NotFound(tokens.kind, digest("b"))
        await is_refused(tokens.find(digest("b"), UNTIL), missing)
        await tokens.revoke(ANN, "a", NOW)
        await is_refused(tokens.find(digest("b"), NOW), missing)


@law("AUTH-075", MUST)
async def present_digest_comes_first(storage: AuthStorage) -> None:
    """Of several tokens with a digest the one whose present one it is, then the smallest id."""
    await add_users(storage, ANN, BOB)
    previous = {"previous_digest": digest("d"), "previous_until": UNTIL}
    for tokens in both_kinds(storage):
        await tokens.add("c", **previous)
        await tokens.add("b", user=BOB, **previous)
        assert (await tokens.find(digest("d"), NOW)).id == "b"
        await tokens.add("d")
        assert (await tokens.find(digest("d"), NOW)).id == "d"
        await tokens.revoke(ANN, "d", NOW)
        assert (await tokens.find(digest("d"), NOW)).id == "b"


@law("AUTH-076", MUST)
async def tokens_of_a_user_are_listed(storage: AuthStorage) -> None:
    """A user's tokens are listed by id, live or not, nobody else's, none for nobody."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("c", "a", expires_at=NOW - DAY)
        await tokens.add("b", revoked_at=NOW)
        await tokens.add("d", user=BOB)
        assert await tokens.ids(ANN) == ("a", "b", "c")
        assert await tokens.ids(NOBODY) == ()


@law("AUTH-077", MUST)
async def rotation_gives_a_new_digest(storage: AuthStorage) -> None:
    """Rotation makes the present digest the previous one until time + grace, and returns that."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a", "c", label="x")
        rotated = tokens.make(
            "a", label="x", digest=digest("b"), previous_digest=digest("a"), previous_until=UNTIL
        )
        assert await tokens.rotate(ANN, "a", digest("b"), NOW, HOUR) == rotated
        for letter in ("a", "b"):
            assert await tokens.find(digest(letter), UNTIL - TICK) == rotated
        assert (await tokens.list(ANN)).items == (rotated, tokens.make("c", label="x"))


@law("AUTH-078", MUST)
async def earlier_previous_digest_stops(storage: AuthStorage) -> None:
    """A second rotation ends the first one's previous digest at once, and may return to it."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        await tokens.rotate(ANN, "a", digest("b"), NOW, HOUR)
        await tokens.rotate(ANN, "a", digest("c"), NOW, HOUR)
        missing = NotFound(tokens.kind, digest("a"))
        await is_refused(tokens.find(digest("a"), NOW), missing)
        assert (await tokens.find(digest("b"), NOW)).digest == digest("c")
        assert (await tokens.rotate(ANN, "a", digest("b"), NOW, HOUR)).digest == digest("b")


@law("AUTH-079", MUST)
async def rotation_repeats(storage: AuthStorage) -> None:
    """Rotation to the present digest changes nothing, whatever the time and grace."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        rotated = await tokens.rotate(ANN, "a", digest("b"), NOW, HOUR)
        assert await tokens.rotate(ANN, "a", digest("b"), NOW + TICK, ZERO) == rotated
        assert await tokens.find(digest("a"), NOW + TICK) == rotated


@law("AUTH-080", MUST)
async def rotation_needs_a_live_token(storage: AuthStorage) -> None:
    """Rotation of an unknown, another's, expired, revoked or disabled user's token is NotFound."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b", "c")
        await tokens.revoke(ANN, "b", NOW)
        for owner, name, at in (
            (ANN, "unknown", NOW),
            (BOB, "a", NOW),
            (ANN, "a", UNTIL),
            (ANN, "b", NOW),
        ):
            missing = NotFound(tokens.kind, name)
            await is_refused(tokens.rotate(owner, name, digest("c"), at, ZERO), missing)
        assert (await tokens.list(ANN)).items[0] == tokens.make("a")
    await storage.update(ANN, UserPatch(enabled=False), 1)
    for tokens in both_kinds(storage):
        refused = tokens.rotate(ANN, "a", digest("a"), NOW, ZERO)
        await is_refused(refused, NotFound(tokens.kind, "a"))


@law("AUTH-081", MUST)
async def rotation_to_taken_digest_is_duplicate(storage: AuthStorage) -> None:
    """Rotation to another token's present digest is a Duplicate; to a previous one is allowed."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        await tokens.add("b", user=BOB, previous_digest=digest("c"), previous_until=UNTIL)
        refused = tokens.rotate(ANN, "a", digest("b"), NOW, ZERO)
        await is_refused(refused, Duplicate("digest"))
        assert (await tokens.list(ANN)).items == (tokens.make("a"),)
        assert (await tokens.rotate(ANN, "a", digest("c"), NOW, ZERO)).digest == digest("c")


@law("AUTH-082", MUST)
async def grace_is_zero_or_more(storage: AuthStorage) -> None:
    """A grace of zero ends the old digest at once; a negative or endless one is invalid."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        for name, grace in (("a", -TICK), ("a", timedelta.max), ("none", -TICK)):
            await is_invalid(tokens.rotate(ANN, name, digest("b"), NOW, grace), "grace")
        await tokens.rotate(ANN, "a", digest("b"), NOW, ZERO)
        missing = NotFound(tokens.kind, digest("a"))
        await is_refused(tokens.find(digest("a"), NOW), missing)


@law("AUTH-083", MUST)
async def first_revocation_stays(storage: AuthStorage) -> None:
    """Revoking returns the token with the time of the first revocation, also of expired ones."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b")
        revoked = tokens.make("a", revoked_at=UNTIL + DAY)
        for at in (UNTIL + DAY, NOW, UNTIL + 2 * DAY):
            assert await tokens.revoke(ANN, "a", at) == revoked
        assert (await tokens.list(ANN)).items == (revoked, tokens.make("b"))


@law("AUTH-084", MUST)
async def only_the_owners_token_is_revoked(storage: AuthStorage) -> None:
    """Revoking an unknown or another's token is NotFound, and leaves it live."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        for user, name in ((ANN, "b"), (BOB, "a"), (NOBODY, "a")):
            await is_refused(tokens.revoke(user, name, NOW), NotFound(tokens.kind, name))
        assert await tokens.find(digest("a"), NOW) == tokens.make("a")


@law("AUTH-085", MUST)
async def all_but_one_are_revoked(storage: AuthStorage) -> None:
    """Revoking all but one counts those not revoked before, also expired ones; again gives 0."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b", "c")
        await tokens.add("d", user=BOB)
        await tokens.revoke(ANN, "c", NOW - DAY)
        for count in (1, 0):
            assert await tokens.revoke_all(ANN, "a", UNTIL + count * DAY) == count
        times = [each.revoked_at for each in (await tokens.list(ANN)).items]
        assert times == [None, UNTIL + DAY, NOW - DAY]
        assert (await tokens.list(BOB)).items[0].revoked_at is None


@law("AUTH-086", MUST)
async def all_are_revoked(storage: AuthStorage) -> None:
    """Revoking all except an unknown one or another's, or none, revokes every one; nobody has 0."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("d", user=BOB)
        for letter, spared in (("a", None), ("b", "unknown"), ("c", "d")):
            await tokens.add(letter)
            assert await tokens.revoke_all(ANN, spared, NOW) == 1
        assert await tokens.revoke_all(NOBODY, None, NOW) == 0
        assert (await tokens.find(digest("d"), NOW)).id == "d"


@law("AUTH-087", MUST)
async def ended_tokens_are_purged(storage: AuthStorage) -> None:
    """Purging deletes everybody's tokens that ended before the instant; what they had is free."""
    await add_users(storage, ANN, BOB)
    for tokens in both_kinds(storage):
        await tokens.add("a", "b")
        await tokens.add("c", user=BOB, expires_at=UNTIL - TICK)
        await tokens.add("d", expires_at=UNTIL + DAY, revoked_at=UNTIL - TICK)
        await tokens.add("e", expires_at=UNTIL + DAY, revoked_at=UNTIL)
        assert await tokens.purge(UNTIL, 1000) == 2
        assert (await tokens.ids(ANN), await tokens.ids(BOB)) == (("a", "b", "e"), ())
        assert await tokens.purge(UNTIL + TICK, 1000) == 3
        await tokens.add("a")
        await tokens.add("f", digest=digest("b"))


@law("AUTH-088", MUST)
async def purge_goes_by_id(storage: AuthStorage) -> None:
    """Purging deletes at most `limit` tokens, those with the smallest ids; repeating goes on."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("b", "d", "a", "c")
        for count, left in ((2, ("c", "d")), (2, ()), (0, ())):
            assert await tokens.purge(UNTIL + TICK, 2) == count
            assert await tokens.ids() == left
        for limit in (0, 1001):
            await is_invalid(tokens.purge(NOW, limit), "limit")
