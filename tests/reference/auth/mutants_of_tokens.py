"""For the tests of the auth laws: what the laws of sessions and API keys must not let pass."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from storeproof.reference.auth import InMemoryAuthStorage
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.values import LATEST

from ..breaking import Mutant
from .examples import ANN
from .mutants import (
    API_KEY,
    SESSION,
    TICK,
    altering,
    answering,
    checking,
    erring,
    ignoring,
    replacing,
)

Names = Mapping[str, str]


def mutants_of(kind: Names) -> dict[str, list[Mutant]]:
    """What each law must not let pass, of sessions or of keys."""
    create, find, listed = kind["create"], kind["find"], kind["list"]
    rotate, revoke, purge = kind["rotate"], kind["revoke"], kind["purge"]

    def created(**changes: Any) -> Mutant:
        def change(token: Any) -> Any:
            return replace(token, **{name: made(token) for name, made in changes.items()})

        return altering(create, **{kind["entity"]: change})

    return {
        "AUTH-064": [
            created(label=lambda token: token.label.strip()),
            created(previous_digest=lambda _: None, previous_until=lambda _: None),
            answering(create, lambda token: replace(token, label="")),
        ],
        "AUTH-066": [
            ignoring(create, NotFound),
            checking(create, _only_for_users(kind)),
        ],
        "AUTH-067": [ignoring(create, Duplicate)],
        "AUTH-068": [erring(create, lambda _error: Duplicate("id"))],
        "AUTH-069": [
            checking(create, _no_known_digest(kind, previous=True)),
            erring(create, lambda error: None if error.field == "digest" else error),
        ],
        "AUTH-071": [
            altering(find, at=lambda at: at - TICK),
            altering(find, at=lambda at: at + TICK),
        ],
        "AUTH-072": [
            ignoring(find, NotFound),
            replacing(find, _revoked_later(kind)),
        ],
        "AUTH-073": [altering(find, at=lambda at: at - TICK), replacing(find, _present_only(kind))],
        "AUTH-074": [replacing(find, _previous_of_any(kind))],
        "AUTH-075": [replacing(find, _oldest(kind)), replacing(find, _smallest_id(kind))],
        "AUTH-076": [
            answering(listed, _only_live),
            altering(listed, user=lambda _user: ANN),
            answering(listed, lambda page: replace(page, items=page.items[::-1])),
        ],
        "AUTH-077": [
            altering(rotate, grace=lambda _grace: timedelta(0)),
            answering(rotate, lambda token: replace(token, previous_digest=None)),
        ],
        "AUTH-078": [
            _every_digest_works(kind),
            checking(rotate, _no_known_digest(kind, previous=True)),
        ],
        "AUTH-079": [replacing(rotate, _rotates_again(kind))],
        "AUTH-080": [altering(rotate, user=lambda _user: ANN), replacing(rotate, _revives(kind))],
        "AUTH-081": [
            ignoring(rotate, Duplicate),
            checking(rotate, _no_known_digest(kind, previous=True)),
        ],
        "AUTH-082": [altering(rotate, grace=lambda grace: max(grace, timedelta(0)))],
        "AUTH-083": [replacing(revoke, _restamps(kind))],
        "AUTH-084": [altering(revoke, user=lambda _user: ANN), ignoring(revoke, NotFound)],
        "AUTH-085": [
            altering(kind["revoke_all"], except_id=lambda _id: None),
            answering(kind["revoke_all"], lambda count: count + 1),
            replacing(kind["revoke_all"], _only_unexpired(kind)),
        ],
        "AUTH-086": [
            replacing(kind["revoke_all"], _needs_its_exception(kind)),
            checking(kind["revoke_all"], _only_of_users),
        ],
        "AUTH-087": [
            altering(purge, before=lambda before: before + TICK),
            replacing(purge, _purges_only_expired(kind)),
            replacing(purge, _hides_what_it_purges(kind)),
        ],
        "AUTH-088": [
            altering(purge, limit=lambda limit: max(limit, 1000)),
            altering(purge, limit=lambda limit: min(max(limit, 1), 1000)),
            replacing(purge, _purges_largest_first(kind)),
        ],
    }


def _memory(storage: Any, kind: Names) -> dict[str, Any]:
    tokens: dict[str, Any] = getattr(storage, kind["memory"])._tokens
    return tokens


def _only_for_users(kind: Names) -> Any:
    async def check(storage: Any, **given: Any) -> None:
        await storage.get_by_id(given[kind["entity"]].user)

    return check


async def _only_of_users(storage: Any, user: Any, **_: Any) -> None:
    await storage.get_by_id(user)


def _no_known_digest(kind: Names, *, previous: bool) -> Any:
    async def check(storage: Any, **given: Any) -> None:
        token = given.get(kind["entity"])
        digest = token.digest if token is not None else given["new"]
        if previous and any(
            each.previous_digest == digest for each in _memory(storage, kind).values()
        ):
            raise Duplicate("digest")

    return check


def _revoked_later(kind: Names) -> Any:
    async def find(storage: Any, right: Any, digest: Any, at: Any) -> Any:
        for each in _memory(storage, kind).values():
            if each.digest == digest and each.revoked_at and at < each.revoked_at:
                return each
        return await right()

    return find


def _present_only(kind: Names) -> Any:
    async def find(storage: Any, right: Any, digest: Any, **_: Any) -> Any:
        if all(each.digest != digest for each in _memory(storage, kind).values()):
            raise NotFound(kind["find"].removeprefix("find_"), digest)
        return await right()

    return find


def _previous_of_any(kind: Names) -> Any:
    async def find(storage: Any, right: Any, digest: Any, at: Any) -> Any:
        for each in _memory(storage, kind).values():
            if each.previous_digest == digest and at < each.previous_until:
                return each
        return await right()

    return find


def _oldest(kind: Names) -> Any:
    async def find(storage: Any, _right: Any, digest: Any, **_: Any) -> Any:
        tokens = _memory(storage, kind).values()
        return next(each for each in tokens if digest in (each.digest, each.previous_digest))

    return find


def _smallest_id(kind: Names) -> Any:
    async def find(storage: Any, right: Any, digest: Any, **_: Any) -> Any:
        await right()
        tokens = _memory(storage, kind).values()
        found = [each for each in tokens if digest in (each.digest, each.previous_digest)]
        return min(found, key=lambda each: each.id)

    return find


def _only_live(page: Any) -> Any:
    return replace(page, items=tuple(each for each in page.items if each.revoked_at is None))


def _every_digest_works(kind: Names) -> Mutant:
    async def find(storage: Any, right: Any, digest: Any, **_: Any) -> Any:
        known: dict[str, str] = storage.__dict__.get("known", {})
        return await right(digest=known.get(digest, digest))

    async def rotate(storage: Any, right: Any, id: Any, new: Any, **_: Any) -> Any:
        known = storage.__dict__.setdefault("known", {})
        for old in (*known, _memory(storage, kind)[id].digest):
            known[old] = new
        known.pop(new, None)
        return await right()

    both = (replacing(kind["find"], find), replacing(kind["rotate"], rotate))
    return type("EveryDigestWorks", both, {})


def _rotates_again(kind: Names) -> Any:
    async def rotate(storage: Any, right: Any, id: Any, new: Any, **given: Any) -> Any:
        tokens = _memory(storage, kind)
        if tokens[id].digest != new:
            return await right()
        tokens[id] = replace(tokens[id], previous_until=given["at"] + given["grace"])
        return tokens[id]

    return rotate


def _revives(kind: Names) -> Any:
    async def rotate(storage: Any, right: Any, user: Any, id: Any, new: Any, **_: Any) -> Any:
        token = _memory(storage, kind).get(id)
        return token if token and (token.user, token.digest) == (user, new) else await right()

    return rotate


def _restamps(kind: Names) -> Any:
    async def revoke(storage: Any, right: Any, id: Any, at: Any, **_: Any) -> Any:
        await right()
        tokens = _memory(storage, kind)
        tokens[id] = replace(tokens[id], revoked_at=at)
        return tokens[id]

    return revoke


def _only_unexpired(kind: Names) -> Any:
    async def revoke_all(storage: Any, right: Any, user: Any, at: Any, **_: Any) -> Any:
        tokens = _memory(storage, kind)
        expired = {name: each for name, each in tokens.items() if each.expires_at <= at}
        count = await right()
        tokens.update(expired)
        return count - len(expired)

    return revoke_all


def _needs_its_exception(kind: Names) -> Any:
    async def revoke_all(storage: Any, right: Any, user: Any, except_id: Any, **_: Any) -> Any:
        spared = _memory(storage, kind).get(except_id)
        known = except_id is None or (spared is not None and spared.user == user)
        return await right() if known else 0

    return revoke_all


def _purges_only_expired(kind: Names) -> Any:
    async def purge(storage: Any, right: Any, **_: Any) -> Any:
        tokens = _memory(storage, kind)
        revoked = {name: each for name, each in tokens.items() if each.revoked_at}
        for name in revoked:
            del tokens[name]
        count = await right()
        tokens.update(revoked)
        return count

    return purge


def _hides_what_it_purges(kind: Names) -> Any:
    async def purge(storage: Any, right: Any, **_: Any) -> Any:
        tokens = _memory(storage, kind)
        known = dict(tokens)
        count = await right()
        for name in known.keys() - tokens.keys():
            hidden = {"user": "nobody", "expires_at": LATEST, "revoked_at": None}
            tokens[name] = replace(known[name], id=f"{name} was purged", **hidden)
        return count

    return purge


def _purges_largest_first(kind: Names) -> Any:
    async def purge(storage: Any, _right: Any, limit: Any, **_: Any) -> int:
        tokens = _memory(storage, kind)
        chosen = sorted(tokens, reverse=True)[:limit]
        for name in chosen:
            del tokens[name]
        return len(chosen)

    return purge


class KeysAreSessions(InMemoryAuthStorage):
    """One table holds sessions and keys."""

    def __init__(self) -> None:
        super().__init__()
        self._keys._tokens = self._sessions._tokens  # type: ignore[assignment]  # the defect


MUTANTS: dict[str, list[Mutant]] = {
    **{law: [*mutants, *mutants_of(API_KEY)[law]] for law, mutants in mutants_of(SESSION).items()},
    "AUTH-065": [
        altering(
            "create_api_key", key=lambda key: replace(key, permissions=key.permissions or None)
        ),
        altering("create_api_key", key=lambda key: replace(key, expires_at=key.created_at)),
        altering("create_api_key", key=lambda key: replace(key, hint="")),
    ],
    "AUTH-070": [KeysAreSessions],
}
