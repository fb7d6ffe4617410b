"""For authors of an auth storage: the laws of canonical values, and of what refusals leave."""

from collections.abc import Awaitable, Iterator
from datetime import UTC, datetime, timedelta, timezone

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import (
    GLOBAL,
    AuditFilter,
    Digest,
    Email,
    GrantFilter,
    JsonText,
    LockOutPolicy,
    PasswordHash,
    Permission,
    RoleName,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    CHIEF,
    DAY,
    HOUR,
    NOBODY,
    NOW,
    POLICY,
    TICK,
    add_chiefs,
    add_role,
    add_users,
    api_key,
    both_kinds,
    content,
    digest,
    entry,
    hash_of,
    is_invalid,
    permission_set,
    role,
    session,
    user,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import StorageError

__all__: list[str] = []

LOCAL = timezone(timedelta(hours=5, minutes=30))
FRACTION = NOW + 123456 * TICK
TEXTS = (" a ", "\t\n", "\x7f\x01", "a\u0301", "á", "é\u200b", "日本語", "😀", "'; --", "%_\\", "")


@law("AUTH-108", MUST)
async def times_are_kept_to_the_microsecond(storage: AuthStorage) -> None:
    """A time with another offset comes back as the same instant in UTC, with its microseconds."""
    local = FRACTION.astimezone(LOCAL)
    await storage.create(user("ann", created_at=local, locked_until=local))
    await storage.append_audit(entry("a", at=local))
    found = await storage.get_by_id(ANN)
    listed = (await storage.list_audit(AuditFilter(since=local))).items[0]
    for time in (found.created_at, found.locked_until, listed.at):
        assert time == FRACTION
        assert time.tzinfo is UTC


@law("AUTH-109", MUST)
async def tokens_times_are_instants(storage: AuthStorage) -> None:
    """The times of sessions and keys are instants, whatever their offset, and come back in UTC."""
    await add_users(storage, ANN)
    end, asked = (NOW + HOUR).astimezone(LOCAL), NOW.astimezone(LOCAL)
    for tokens in both_kinds(storage):
        await tokens.add("a", expires_at=end, created_at=FRACTION.astimezone(LOCAL))
        found = await tokens.find(digest("a"), asked)
        assert (found.created_at, found.expires_at.tzinfo) == (FRACTION, UTC)
        rotated = await tokens.rotate(ANN, "a", digest("b"), asked, HOUR - TICK)
        assert rotated.previous_until == NOW + HOUR - TICK
        revoked = await tokens.revoke(ANN, "a", FRACTION.astimezone(LOCAL))
        assert (revoked.revoked_at, revoked.revoked_at.tzinfo) == (FRACTION, UTC)
        assert await tokens.purge((NOW + HOUR).astimezone(LOCAL), 10) == 1


@law("AUTH-110", MUST)
async def naive_and_extreme_times_are_invalid(storage: AuthStorage) -> None:
    """A time without a zone, or in the first or last days of the calendar, is invalid."""
    naive = NOW.replace(tzinfo=None)
    for time in (naive, datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=LOCAL)):
        await is_invalid(storage.create(user("ann", created_at=time)), "created_at")
        await is_invalid(storage.delete(ANN, time), "at")
        await is_invalid(storage.record_attempt(ANN, True, time, POLICY), "at")
        await is_invalid(storage.append_audit(entry("a", at=time)), "at")
        await is_invalid(storage.list_audit(AuditFilter(until=time)), "until")
        for tokens in both_kinds(storage):
            await is_invalid(tokens.create(tokens.make("a", expires_at=time)), "expires_at")
            await is_invalid(tokens.find(digest("a"), time), "at")
            await is_invalid(tokens.revoke_all(ANN, None, time), "at")
            await is_invalid(tokens.purge(time, 1), "before")


@law("AUTH-111", MUST)
async def text_is_kept_as_it_is(storage: AuthStorage) -> None:
    """Free text is neither trimmed nor normalised, and empty text is no None."""
    for number, text in enumerate(TEXTS):
        made = await storage.create(user(str(number), display_name=text))
        assert made.display_name == text
        assert await storage.get_by_id(made.id) == made
        for tokens in both_kinds(storage):
            token = tokens.make("a", user=made.id, id=made.id, digest=f"{number:0>64}", label=text)
            await tokens.create(token)
            assert await tokens.find(token.digest, NOW) == token


@law("AUTH-112", MUST)
async def ids_are_compared_by_code_point(storage: AuthStorage) -> None:
    """Ids that differ by case, a trailing space or composition are different ones."""
    names = ("a", "A", "a ", " a", "á", "a\u0301", "\uff41", "ß", "ss", "1", "01")
    for number, name in enumerate(names):
        await storage.create(user(name, email=f"{number}@example.org"))
        await storage.put_role(role(name, f"p{number}"))
    for number, name in enumerate(names):
        assert (await storage.get_by_id(UserId(name))).email == f"{number}@example.org"
        assert await storage.get_role(RoleName(name)) == role(name, f"p{number}")


@law("AUTH-113", MUST)
async def nul_and_surrogates_are_invalid(storage: AuthStorage) -> None:
    """Text with a NUL or a lone surrogate is invalid wherever it stands."""
    for bad in ("a\0", "\ud800"):
        await is_invalid(storage.get_by_id(UserId(bad)), "id")
        await is_invalid(storage.create(user("ann", display_name=bad)), "display_name")
        await is_invalid(storage.find_by_email(Email(f"{bad}@example.org")), "email")
        await is_invalid(storage.replace_password_hash(ANN, None, PasswordHash(bad)), "new")
        await is_invalid(storage.list_users(UserFilter(email_contains=bad)), "email_contains")
        await is_invalid(storage.put_role(role(bad)), "name")
        await is_invalid(storage.put_role(role("a", bad)), "permissions")
        await is_invalid(storage.permissions(ANN, Scope(bad)), "scope")
        await is_invalid(storage.append_audit(entry("a", subject=bad)), "subject")
        for tokens in both_kinds(storage):
            await is_invalid(tokens.create(tokens.make("a", label=bad)), "label")


@law("AUTH-114", MUST)
async def lengths_are_limited(storage: AuthStorage) -> None:
    """An id has 1 to 255 characters, a name 128, free text 1000, counted by code point."""
    widest = UserId("😀" * 255)
    made = user(widest, email=f"{'x' * 308}@example.org", display_name="😀" * 1000)
    assert await storage.create(made) == made
    await add_role(storage, role("😀" * 128, "😀" * 128), widest, scope="/".join(["😀"] * 128))
    assert len((await storage.list_grants(GrantFilter(user=widest))).items) == 1
    for bad in ("", "a" * 256):
        await is_invalid(storage.get_by_id(UserId(bad)), "id")
    await is_invalid(storage.get_role(RoleName("a" * 129)), "name")
    await is_invalid(storage.find_by_email(Email(f"{'x' * 309}@example.org")), "email")
    await is_invalid(storage.create(user("ann", display_name="a" * 1001)), "display_name")


@law("AUTH-115", MUST)
async def malformed_emails_are_invalid(storage: AuthStorage) -> None:
    """An e-mail without name, domain or exactly one @, or with a space, is invalid everywhere."""
    await add_users(storage, ANN)
    for bad in ("", "a", "@b", "a@", "a@b@c", "a @b", "a@b\n", "\u200ba@b"):
        email = Email(bad)
        await is_invalid(storage.create(user("bob", email=email)), "email")
        await is_invalid(storage.find_by_email(email), "email")
        await is_invalid(storage.update(ANN, UserPatch(email=email), 1), "email")


@law("AUTH-116", MUST)
async def malformed_scopes_are_invalid(storage: AuthStorage) -> None:
    """A scope has non-empty parts joined by single slashes; GLOBAL alone is empty."""
    for bad in ("/", "a/", "/a", "a//b", "a" * 256):
        scope = Scope(bad)
        await is_invalid(storage.grant(ANN, CHIEF, scope), "scope")
        await is_invalid(storage.revoke(ANN, CHIEF, scope), "scope")
        await is_invalid(storage.permissions(ANN, scope), "scope")
        await is_invalid(storage.list_grants(GrantFilter(scope=scope)), "scope")


@law("AUTH-117", MUST)
async def raw_tokens_are_refused(storage: AuthStorage) -> None:
    """A digest is 64 lower-case hexadecimal digits; anything else, such as a token, is invalid."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        await tokens.add("a")
        for bad in ("", "a" * 63, "a" * 65, "A" * 64, "g" * 64, "a" * 63 + "\n", "\u0660" * 64):
            await is_invalid(tokens.create(tokens.make("b", digest=Digest(bad))), "digest")
            await is_invalid(tokens.find(Digest(bad), NOW), "digest")
            await is_invalid(tokens.rotate(ANN, "a", Digest(bad), NOW, HOUR), "new")
            previous = tokens.make("b", previous_digest=Digest(bad), previous_until=NOW)
            await is_invalid(tokens.create(previous), "previous_digest")


@law("AUTH-118", MUST)
async def previous_digest_comes_with_its_end(storage: AuthStorage) -> None:
    """A token with only one of `previous_digest` and `previous_until` is invalid."""
    await add_users(storage, ANN)
    for tokens in both_kinds(storage):
        for half in ({"previous_digest": digest("b")}, {"previous_until": NOW}):
            await is_invalid(tokens.create(tokens.make("a", **half)), "previous_until")


@law("AUTH-119", MUST)
async def integers_have_64_bits(storage: AuthStorage) -> None:
    """Counts go to 2^62 and versions compared to 2^63 - 1; beyond, or a bool, is invalid."""
    made = user("ann", version=2**62, failures=2**62)
    assert await storage.create(made) == made
    for bad in (2**62 + 1, 2**63, 10**30):
        await is_invalid(storage.create(user("bob", version=bad)), "version")
        await is_invalid(storage.create(user("bob", failures=bad)), "failures")
    for version in (2**63, -(2**63) - 1, True):
        await is_invalid(storage.update(NOBODY, UserPatch(), version), "expected_version")
    for bad in (0, -1):
        await is_invalid(storage.create(user("bob", version=bad)), "version")
    await is_invalid(storage.create(user("bob", failures=-1)), "failures")


@law("AUTH-120", MUST)
async def json_is_canonical(storage: AuthStorage) -> None:
    """JSON comes back with sorted keys, no white space and only ASCII; its numbers stay exact."""
    text = JsonText(' {"é": [1.10, 1e2, 100000000000000000001], "a": {"c": null, "b": "\\u0041"}}')
    canonical = '{"a":{"b":"A","c":null},"\\u00e9":[1.1,100.0,100000000000000000001]}'
    made = await storage.append_audit(entry("a", before=text, after=text))
    assert (made.before, made.after) == (canonical, canonical)
    assert (await storage.list_audit(AuditFilter())).items == (made,)


@law("AUTH-121", MUST)
async def what_is_not_json_is_invalid(storage: AuthStorage) -> None:
    """Malformed JSON, NaN, infinity, repeated keys and texts over 65536 characters are invalid."""
    long = '"' + "a" * 65535 + '"'
    for bad in ("", "{", "NaN", "[Infinity]", "1e999", '{"a":1,"a":2}', '"\0"', long, "[" * 50_000):
        await is_invalid(storage.append_audit(entry("a", before=JsonText(bad))), "before")
        await is_invalid(storage.append_audit(entry("a", after=JsonText(bad))), "after")
    whole = JsonText('"' + "a" * 65534 + '"')
    assert (await storage.append_audit(entry("a", after=whole))).after == whole


@law("AUTH-122", MUST)
async def invalid_values_come_first(storage: AuthStorage) -> None:
    """InvalidValue comes before NotFound and all else, for the first parameter and field."""
    await add_users(storage, ANN)
    naive = NOW.replace(tzinfo=None)
    patch = UserPatch(email=Email("no"), display_name="\0")
    await is_invalid(storage.update(NOBODY, patch, 2**63), "email")
    await is_invalid(storage.update(UserId(""), patch, 2**63), "id")
    await is_invalid(storage.update(ANN, UserPatch(), 2**63), "expected_version")
    twice = user("ann", display_name="\0", created_at=naive)
    await is_invalid(storage.create(twice), "display_name")
    await is_invalid(storage.grant(UserId("\0"), RoleName(""), Scope("/")), "user")
    await is_invalid(storage.grant(NOBODY, RoleName("none"), Scope("/")), "scope")
    await is_invalid(storage.delete_role(RoleName("")), "name")
    for tokens in both_kinds(storage):
        await is_invalid(tokens.rotate(NOBODY, "", Digest("a"), naive, -TICK), "id")
        await is_invalid(tokens.revoke(NOBODY, "none", naive), "at")
        await is_invalid(tokens.list(UserId(""), None, 0), "user")


@law("AUTH-123", MUST)
async def sets_are_stored_whole(storage: AuthStorage) -> None:
    """A role or key keeps 1000 permissions; one more, or an empty one, is invalid."""
    await add_users(storage, ANN)
    many = " ".join(f"p{number}" for number in range(1000))
    assert await storage.put_role(role("a", many)) == role("a", many)
    limited = api_key("a", permissions=permission_set(many))
    assert await storage.create_api_key(limited) == limited
    await is_invalid(storage.put_role(role("a", many + " more")), "permissions")
    empty = frozenset({Permission("a"), Permission("")})
    await is_invalid(storage.create_api_key(api_key("b", permissions=empty)), "permissions")


@law("AUTH-124", MUST)
async def results_do_not_change_later(storage: AuthStorage) -> None:
    """What an operation returned stays as it was, whatever happens afterwards."""
    await add_chiefs(storage, ANN, BOB)
    await storage.create_session(session("a"))
    before = await storage.get_by_id(ANN)
    users, grants = await storage.list_users(UserFilter()), await storage.list_grants(GrantFilter())
    found = await storage.find_session(digest("a"), NOW)
    held = await storage.permissions(ANN, GLOBAL)
    await storage.put_role(role(CHIEF, "other"))
    await storage.update(ANN, UserPatch(display_name="Ann"), 1)
    await storage.delete(ANN, NOW)
    assert before == user("ann")
    assert users.items == (user("ann"), user("bob"))
    assert len(grants.items) == 2
    assert (found, held) == (session("a"), permission_set("rule"))


def refusals(storage: AuthStorage) -> Iterator[Awaitable[object]]:
    """Calls of every operation that can be refused, each to be refused."""
    patch = UserPatch(email=Email("bob@example.org"), display_name="new", enabled=False)
    policy = LockOutPolicy(threshold=1, duration=-DAY)
    yield storage.create(user("new", email="ANN@example.org"))
    yield storage.update(ANN, patch, 1)
    yield storage.update(ANN, UserPatch(display_name="new", enabled=False), 1)
    yield storage.delete(ANN, NOW)
    yield storage.replace_password_hash(ANN, None, PasswordHash(""))
    yield storage.record_attempt(ANN, False, NOW, policy)
    yield storage.put_role(role("base", "new", CHIEF))
    yield storage.put_role(role("new", parents="base none"))
    yield storage.delete_role(RoleName("base"))
    yield storage.grant(BOB, RoleName("none"), GLOBAL)
    yield storage.revoke(ANN, CHIEF, GLOBAL)
    yield storage.append_audit(entry("a", subject="new"))
    for tokens in both_kinds(storage):
        yield tokens.create(tokens.make("new", digest=digest("a")))
        yield tokens.rotate(ANN, "a", digest("b"), NOW, HOUR)
        yield tokens.revoke(BOB, "a", NOW)


@law("AUTH-125", MUST)
async def refused_calls_change_nothing(storage: AuthStorage) -> None:
    """After an operation that raised, every list shows what it showed before."""
    await add_chiefs(storage, ANN)
    await add_users(storage, BOB)
    await storage.put_role(role("base"))
    await storage.put_role(role(CHIEF, "rule", "base", essential=True))
    await storage.append_audit(entry("a"))
    for tokens in both_kinds(storage):
        await tokens.add("a", "b")
    before = await content(storage)
    for call in refusals(storage):
        try:
            result = await call
        except StorageError:
            assert await content(storage) == before
        else:
            raise AssertionError(f"{result!r} was returned; the call should be refused")
    await storage.replace_password_hash(ANN, hash_of("wrong"), hash_of("new"))
    assert await content(storage) == before
