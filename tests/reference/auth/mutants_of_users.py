"""For the tests of the auth laws: what the laws of users and attempts must not let pass."""

from typing import Any

from msgspec.structs import replace

from storeproof.reference.auth import (
    Attempts,
    InMemoryAuthStorage,
    UserFilter,
    UserPatch,
)
from storeproof.reference.exceptions import (
    Duplicate,
    NotFound,
    VersionConflict,
)
from storeproof.reference.values import email_key

from ..breaking import Mutant
from .examples import HOUR
from .mutants import TICK, altering, answering, checking, erring, ignoring, replacing

DAY = 24 * HOUR


async def email_first(storage: Any, entity: Any) -> None:
    taken = (await storage.list_users(UserFilter())).items
    if email_key(entity.email) in [email_key(each.email) for each in taken]:
        raise Duplicate("email")


async def find_lower(storage: Any, _right: Any, email: Any) -> Any:
    for each in (await storage.list_users(UserFilter())).items:
        if each.email.lower() == email.lower():
            return each
    raise NotFound("user", email)


async def empty_patch_is_nothing(storage: Any, right: Any, id: Any, patch: Any, **_: Any) -> Any:
    return await storage.get_by_id(id) if patch == UserPatch() else await right()


async def any_version(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    return await right(expected_version=(await storage.get_by_id(id)).version)


async def email_of_another(storage: Any, id: Any, patch: Any, **_: Any) -> None:
    owner = storage._emails.get(email_key(patch.email or ""), id)
    if owner != id:
        raise Duplicate("email")


async def email_of_anybody(storage: Any, patch: Any, **_: Any) -> None:
    if email_key(patch.email or "") in storage._emails:
        raise Duplicate("email")


async def old_email_stays(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    before = await storage.get_by_id(id)
    changed = await right()
    storage._emails[email_key(before.email)] = id
    return changed


async def soft_delete(storage: Any, _right: Any, id: Any, **_: Any) -> None:
    storage._users[id] = replace(await storage.get_by_id(id), enabled=False)


async def delete_keeps_grants(storage: Any, right: Any, **_: Any) -> None:
    grants = storage._grants
    await right()
    storage._grants = grants


async def delete_keeps_tokens(storage: Any, right: Any, **_: Any) -> None:
    kept = [(tokens, dict(tokens._tokens)) for tokens in (storage._sessions, storage._keys)]
    await right()
    for tokens, before in kept:
        tokens._tokens = before


async def delete_restamps(storage: Any, right: Any, id: Any, at: Any) -> None:
    for tokens in (storage._sessions, storage._keys):
        for each in tokens.of(id):
            tokens._tokens[each.id] = replace(each, revoked_at=at)
    await right()


async def tombstone(storage: Any, right: Any, id: Any, at: Any) -> None:
    await right()
    storage._emails[f"{id}@example.org"] = "a ghost"


async def blind_password(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    return await right(old=(await storage.get_by_id(id)).password_hash)


async def strict_password(storage: Any, right: Any, id: Any, old: Any, **_: Any) -> Any:
    return (await storage.get_by_id(id)).password_hash == old and await right()


async def disabling_revokes(storage: Any, right: Any, id: Any, patch: Any, **_: Any) -> Any:
    changed = await right()
    if patch.enabled is False:
        storage._sessions.revoke_all(id, None, changed.created_at)
    return changed


async def failures_lapse(storage: Any, right: Any, id: Any, at: Any, **_: Any) -> Any:
    if at - (await storage.get_by_id(id)).created_at > DAY:
        await storage.clear_attempts(id)
    return await right()


async def only_at_threshold(storage: Any, right: Any, id: Any, policy: Any, **_: Any) -> Any:
    attempts = await right()
    if attempts.failures <= policy.threshold:
        return attempts
    storage._users[id] = replace(storage._users[id], locked_until=None)
    return Attempts(failures=attempts.failures, locked_until=None)


async def success_unlocks(storage: Any, ok: Any, id: Any, **_: Any) -> None:
    if ok:
        await storage.clear_attempts(id)


async def count_goes_on(storage: Any, id: Any, at: Any, **_: Any) -> None:
    user = await storage.get_by_id(id)
    if user.locked_until is not None and user.locked_until <= at:
        storage._users[id] = replace(user, locked_until=None)


async def end_included(storage: Any, right: Any, id: Any, at: Any, **_: Any) -> Any:
    locked = (await storage.get_by_id(id)).locked_until == at
    return await right(at=at - TICK if locked else at)


async def first_failure_is_free(storage: Any, right: Any, id: Any, policy: Any, **_: Any) -> Any:
    if (await storage.get_by_id(id)).locked_until is None:
        return await right()
    return await right(policy=replace(policy, threshold=policy.threshold + 1))


async def success_is_not_stored(storage: Any, right: Any, id: Any, ok: Any, **_: Any) -> Any:
    before = await storage.get_by_id(id)
    attempts = await right()
    if ok:
        storage._users[id] = before
    return attempts


async def attempt_adds_a_version(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    attempts = await right()
    storage._users[id] = replace(storage._users[id], version=storage._users[id].version + 1)
    return attempts


async def update_clears_attempts(storage: Any, right: Any, id: Any, **_: Any) -> Any:
    await right()
    await storage.clear_attempts(id)
    return await storage.get_by_id(id)


async def keeps_the_lock(storage: Any, _right: Any, id: Any) -> None:
    storage._users[id] = replace(await storage.get_by_id(id), failures=0)


class DisabledTokensLive(InMemoryAuthStorage):
    """Finds the sessions of disabled users."""

    async def find_session(self, digest: Any, at: Any) -> Any:
        for each in self._sessions._tokens.values():
            if each.digest == digest:
                return each
        return await super().find_session(digest, at)


MUTANTS: dict[str, list[Mutant]] = {
    "AUTH-001": [
        ignoring("get_by_id", NotFound),
        ignoring("find_by_email", NotFound),
        erring("find_by_email", lambda error: NotFound("user", email_key(error.id))),
    ],
    "AUTH-002": [
        altering("create", entity=lambda user: replace(user, version=1)),
        answering("create", lambda user: replace(user, failures=0)),
        answering("find_by_email", lambda user: replace(user, password_hash=None)),
    ],
    "AUTH-003": [ignoring("create", Duplicate)],
    "AUTH-004": [erring("create", lambda error: None if error.field == "email" else error)],
    "AUTH-005": [checking("create", email_first)],
    "AUTH-006": [replacing("find_by_email", find_lower)],
    "AUTH-007": [
        altering("create", entity=lambda user: replace(user, email=user.email.replace("+a", ""))),
        altering(
            "create", entity=lambda user: replace(user, email=user.email.replace("\u0131", "i"))
        ),
    ],
    "AUTH-008": [
        altering("create", entity=lambda user: replace(user, email=email_key(user.email)))
    ],
    "AUTH-009": [
        altering("update", patch=lambda p: replace(p, display_name=p.display_name or None)),
        altering("update", patch=lambda p: replace(p, verified=p.verified or None)),
        answering("update", lambda user: replace(user, version=1)),
    ],
    "AUTH-010": [replacing("update", empty_patch_is_nothing)],
    "AUTH-011": [replacing("update", any_version)],
    "AUTH-012": [erring("update", lambda error: VersionConflict("user", "nobody", 9))],
    "AUTH-013": [ignoring("update", Duplicate)],
    "AUTH-014": [checking("update", email_of_another)],
    "AUTH-015": [checking("update", email_of_anybody)],
    "AUTH-016": [replacing("update", old_email_stays)],
    "AUTH-017": [replacing("delete", soft_delete), ignoring("delete", NotFound)],
    "AUTH-018": [replacing("delete", delete_keeps_grants)],
    "AUTH-019": [
        altering("delete", at=lambda at: at + TICK),
        replacing("delete", delete_keeps_tokens),
        replacing("delete", delete_restamps),
    ],
    "AUTH-020": [replacing("delete", tombstone), replacing("delete", delete_keeps_tokens)],
    "AUTH-021": [answering("replace_password_hash", lambda _done: False)],
    "AUTH-022": [replacing("replace_password_hash", blind_password)],
    "AUTH-023": [replacing("replace_password_hash", strict_password)],
    "AUTH-024": [
        ignoring("replace_password_hash", NotFound),
        ignoring("clear_attempts", NotFound),
    ],
    "AUTH-025": [replacing("update", disabling_revokes), DisabledTokensLive],
    "AUTH-026": [
        altering("record_attempt", ok=lambda _ok: True),
        replacing("record_attempt", failures_lapse),
    ],
    "AUTH-027": [
        altering("record_attempt", policy=lambda p: replace(p, threshold=p.threshold + 1))
    ],
    "AUTH-028": [replacing("record_attempt", only_at_threshold)],
    "AUTH-029": [checking("record_attempt", success_unlocks)],
    "AUTH-030": [
        checking("record_attempt", count_goes_on),
        replacing("record_attempt", end_included),
    ],
    "AUTH-031": [replacing("record_attempt", first_failure_is_free)],
    "AUTH-032": [replacing("record_attempt", success_is_not_stored)],
    "AUTH-033": [ignoring("record_attempt", NotFound)],
    "AUTH-034": [
        altering("record_attempt", policy=lambda p: replace(p, threshold=max(p.threshold, 1))),
        altering("record_attempt", policy=lambda p: replace(p, duration=max(p.duration, TICK))),
        erring("record_attempt", lambda _error: NotFound("user", "nobody")),
    ],
    "AUTH-035": [replacing("clear_attempts", keeps_the_lock)],
    "AUTH-036": [
        replacing("record_attempt", attempt_adds_a_version),
        replacing("update", update_clears_attempts),
    ],
}
