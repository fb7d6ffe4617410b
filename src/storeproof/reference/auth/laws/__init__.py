"""For authors of an auth storage: the laws, and the contract that they and the checks make up."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law, laws_of
from storeproof.reference.auth.database import open_auth_storage
from storeproof.reference.auth.entities import (
    ApiKeyId,
    AuditId,
    Digest,
    Email,
    RoleName,
    Scope,
    SessionId,
    UserId,
)
from storeproof.reference.auth.laws import attempts, lists, races, roles, tokens, users, values
from storeproof.reference.auth.memory import InMemoryAuthStorage
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable
from storeproof.reference.law_words import field, maybe, some

__all__ = ["LAWS", "contract"]

LAWS: Final[tuple[Law, ...]] = (
    *laws_of(users),
    *laws_of(attempts),
    *laws_of(roles),
    *laws_of(tokens),
    *laws_of(lists),
    *laws_of(values),
    *laws_of(races),
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TICK, MINUTE, HOUR = timedelta(microseconds=1), timedelta(minutes=1), timedelta(hours=1)


BAD_TIMES = (NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=UTC))
TIMES = (
    NOW,
    NOW + HOUR,
    NOW + HOUR - TICK,
    NOW + TICK,
    NOW - HOUR,
    (NOW + HOUR).astimezone(timezone(timedelta(hours=5, minutes=30))),
)
ENDS = (NOW + 3 * HOUR, NOW + 2 * HOUR, NOW + HOUR, NOW)
DIGESTS = tuple(letter * 64 for letter in "abc")
BAD_DIGESTS = ("", "A" * 64, "secret")
EMAILS = (
    "a@b.c",
    "A@B.C",
    "b@b.c",
    "ß@b.c",
    "SS@b.c",
    "İ@b.c",
    "i\u0307@b.c",
    "ﬁ@b.c",
    "FI@b.c",
    "É@b.c",
    "e\u0301@b.c",
    "a%@b.c",
    "a_@b.c",
)
BAD_EMAILS = ("", "a", "a@", "a @b.c", "a@b@c", "a\0@b.c")
HASHES, BAD_HASHES = ("$1", "$2", "$3"), ("", "\0")
SCOPES = ("", "a", "a/b", "ab", "A", "b", "a_", "%")
BAD_SCOPES = ("/", "a/", "a//b", "\0")
JSON = ("1", '{"a":1}', ' {"a": 1}', '{"b":"é","a":null}', "[1.0]")
BAD_JSON = ("", "{", "NaN", '{"a":1,"a":1}')
PERMISSIONS: tuple[frozenset[str], ...] = (
    frozenset(),
    frozenset({"p"}),
    frozenset({"q"}),
    frozenset({"p", "q", "Ü"}),
)
PARENTS = (
    *[frozenset[str]()] * 6,
    *map(frozenset, ("a", "b", "c", "ab", "bc")),
)
IDS, ODD_IDS = ("a", "b"), ("A", "é", "e\u0301", "a ", "", "\0", "a" * 256)
NAMES, ODD_NAMES = ("a", "b"), ("c", "A", "é", "", "a\0", "a" * 129)
THRESHOLDS, DURATIONS = (2, 1, 3), (HOUR, MINUTE, TICK)
WORDS, BAD_WORDS = ("x", "y", "é"), ("", "a\0", "a" * 129)

contract = Contract(
    AuthStorage,
    name="auth",
    model=InMemoryAuthStorage,
    storages={"sqlite": open_auth_storage, "postgres": open_auth_storage},
    errors=(StorageError,),
    uncertain=(OutcomeUnknown,),
    unavailable=(Unavailable,),
    ends_within=10,
    arguments={
        ApiKeyId: some(IDS, ODD_IDS),
        AuditId: some(IDS, ODD_IDS),
        Digest: some(DIGESTS, BAD_DIGESTS),
        Email: some(EMAILS, BAD_EMAILS),
        RoleName: some(NAMES, ODD_NAMES),
        Scope: some(SCOPES, BAD_SCOPES),
        SessionId: some(IDS, ODD_IDS),
        UserId: some(IDS, ODD_IDS),
        "at": some(TIMES, BAD_TIMES),
        "before": some(TIMES, BAD_TIMES),
        "expected_version": some((1, 2, 3), (0, -1, 2**63)),
        "grace": some((timedelta(0), HOUR, MINUTE), (-TICK, timedelta.max)),
        "limit": some((1, 2, 3, 100), (1000, 0, -1, 1001)),
        "replace_password_hash.old": maybe(HASHES, BAD_HASHES),
        "ApiKey.created_at": field(TIMES, BAD_TIMES),
        "ApiKey.expires_at": maybe(ENDS, BAD_TIMES),
        "ApiKey.permissions": maybe(PERMISSIONS, (frozenset({""}),)),
        "ApiKey.previous_digest": some((None,), DIGESTS[:1]),
        "ApiKey.previous_until": some((None,), ENDS[:1]),
        "ApiKey.revoked_at": some((None,), (*TIMES[:2], *BAD_TIMES)),
        "AuditEntry.action": field(WORDS, BAD_WORDS),
        "AuditEntry.after": maybe(JSON, BAD_JSON),
        "AuditEntry.at": field(TIMES, BAD_TIMES),
        "AuditEntry.before": maybe(JSON, BAD_JSON),
        "AuditEntry.subject": field(WORDS, ("", "\0")),
        "AuditFilter.action": maybe(WORDS, BAD_WORDS),
        "AuditFilter.since": maybe(TIMES, BAD_TIMES),
        "AuditFilter.subject": maybe(WORDS, ("", "\0")),
        "AuditFilter.until": maybe(TIMES, BAD_TIMES),
        "GrantFilter.scope": maybe(SCOPES, BAD_SCOPES),
        "LockOutPolicy.duration": some(DURATIONS, (timedelta(0), -TICK, timedelta.max)),
        "LockOutPolicy.threshold": some(THRESHOLDS, (0, -1, 2**63)),
        "Role.essential": field((False, True)),
        "Role.parents": field(PARENTS, (frozenset({""}), frozenset({"nobody"}))),
        "Role.permissions": field(PERMISSIONS, (frozenset({""}),)),
        "Session.created_at": field(TIMES, BAD_TIMES),
        "Session.expires_at": field(ENDS, BAD_TIMES),
        "Session.previous_digest": some((None,), DIGESTS[:1]),
        "Session.previous_until": some((None,), ENDS[:1]),
        "Session.revoked_at": some((None,), (*TIMES[:2], *BAD_TIMES)),
        "User.created_at": field(TIMES, BAD_TIMES),
        "User.enabled": some((True,), (False,), 8),
        "User.failures": field((0, 1, 2), (-1, 2**62, 2**63)),
        "User.locked_until": some((None,), (*TIMES, *BAD_TIMES)),
        "User.password_hash": maybe(HASHES, BAD_HASHES),
        "User.version": field((1, 2), (0, 2**62, 2**63)),
        "UserFilter.email_contains": maybe(("", "a", "ß", "ss", "%", "_", "\\", "e\u0301", "@B")),
        "UserPatch.email": maybe(EMAILS, BAD_EMAILS),
        "UserPatch.enabled": some((None, False, True)),
    },
    laws=LAWS,
)
