"""For the tests of the auth laws: what the laws of lists, values and races must not let pass."""

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC
from typing import Any

from msgspec.structs import replace

from storeproof.reference.auth import (
    AuditFilter,
    InMemoryAuthStorage,
    orders,
)
from storeproof.reference.exceptions import Duplicate, InUse, InvalidValue, NotFound
from storeproof.reference.lists import Order
from storeproof.reference.storage import Page, decode_cursor, encode_cursor
from storeproof.reference.values import email_key

from ..breaking import Mutant, nfkc, shorter, without_cursor
from .examples import HOUR
from .mutants import (
    API_KEY,
    LISTS,
    SESSION,
    TICK,
    altering,
    answering,
    checking,
    clashing,
    deaf,
    erring,
    ignoring,
    racing,
    replacing,
)

KINDS = (SESSION, API_KEY)


def lists(make: Callable[[str], Mutant]) -> list[Mutant]:
    return [make(operation) for operation in LISTS]


def kinds(make: Callable[[dict[str, str]], Mutant]) -> list[Mutant]:
    return [make(kind) for kind in KINDS]


def created(**changes: Any) -> list[Mutant]:
    """Users, sessions, keys that lose or change a field where they are created."""

    def change(entity: Any) -> Any:
        made = {name: f(entity) for name, f in changes.items() if hasattr(entity, name)}
        return replace(entity, **made)

    return [
        altering("create", entity=change),
        altering("create_session", session=change),
        altering("create_api_key", key=change),
    ]


ORDERS: dict[type, Order[Any]] = {
    each.kind: each for each in vars(orders).values() if isinstance(each, Order)
}


def by_language(page: Any) -> Any:
    def key(item: Any) -> Any:
        parts = ORDERS[type(item)].sort_key(item)
        return [unicodedata.normalize("NFD", str(part)).casefold() for part in parts]

    return replace(page, items=tuple(sorted(page.items, key=key)))


def always_with_cursor(page: Any) -> Any:
    cursor = page.next_cursor or encode_cursor("User", "z")
    return replace(page, next_cursor=cursor) if page.items else page


async def cursor_of_what_exists(storage: Any, cursor: Any, **_: Any) -> None:
    if cursor is not None:
        after = orders.USER_ORDER.position(cursor)
        if after and after[0] not in storage._users:
            raise InvalidValue("cursor", "is not a cursor of this list")


async def by_offset(storage: Any, _right: Any, filter: Any, cursor: Any, limit: int) -> Any:
    start = 0 if cursor is None else int(decode_cursor("offset", 1, cursor)[0])
    users = sorted(storage._users.values(), key=orders.USER_ORDER.sort_key)
    more = len(users) > start + limit
    return Page(
        items=tuple(users[start : start + limit]),
        next_cursor=encode_cursor("offset", str(start + limit)) if more else None,
    )


async def known_user(storage: Any, filter: Any, **_: Any) -> None:
    if filter.user is not None:
        await storage.get_by_id(filter.user)


async def by_pattern(storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    part = filter.email_contains or ""
    pattern = re.escape(part).replace("%", ".*").replace("_", ".")
    users = (await right(filter=replace(filter, email_contains=None))).items
    found = [user for user in users if re.search(pattern, email_key(user.email))]
    return Page(items=tuple(found))


async def unfolded(_storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    users = (await right(filter=replace(filter, email_contains=None))).items
    part = (filter.email_contains or "").lower()
    return Page(items=tuple(user for user in users if part in user.email.lower()))


async def inherited_role(storage: Any, right: Any, filter: Any, **_: Any) -> Any:
    users = (await right(filter=replace(filter, role=None))).items
    if filter.role is None:
        return Page(items=users)
    heirs = {role for role in storage._roles if filter.role in storage._with_ancestors([role])}
    holders = {grant.user for grant in storage._grants if grant.role in heirs}
    return Page(items=tuple(user for user in users if user.id in holders))


async def entry_exists(storage: Any, entry: Any) -> None:
    if entry.id in storage._audit:
        raise Duplicate("id")


async def ties_by_id(storage: Any, right: Any, **_: Any) -> Any:
    page = await right()
    items = sorted(page.items, key=lambda each: each.id)
    return replace(page, items=tuple(sorted(items, key=lambda each: each.at, reverse=True)))


async def delete_with_trail(storage: Any, right: Any, id: Any, **_: Any) -> None:
    await right()
    storage._audit = {key: each for key, each in storage._audit.items() if each.actor != id}


def through_floats(entry: Any) -> Any:
    def convert(text: str | None) -> str | None:
        return text and json.dumps(json.loads(text, parse_int=float))

    return replace(entry, before=convert(entry.before), after=convert(entry.after))


def with_id(change: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda user: replace(user, id=change(user.id))


def without(field: str) -> Callable[[Any], Any]:
    return lambda wanted: replace(wanted, **{field: None})


def as_utc(entity: Any) -> Any:
    return replace(entity, created_at=entity.created_at.replace(tzinfo=UTC))


async def user_first(storage: Any, id: Any, **_: Any) -> None:
    await storage.get_by_id(id)


async def user_and_role_first(storage: Any, user: Any, role: Any, **_: Any) -> None:
    await storage.get_by_id(user)
    await storage.get_role(role)


async def half_an_update(storage: Any, right: Any, id: Any, patch: Any, **_: Any) -> Any:
    try:
        return await right()
    except InUse:
        user = await storage.get_by_id(id)
        storage._users[id] = replace(user, display_name=patch.display_name or "")
        raise


async def half_a_grant(storage: Any, right: Any, **_: Any) -> Any:
    try:
        return await right()
    except NotFound:
        storage._roles.clear()
        raise


class LivePermissions(InMemoryAuthStorage):
    """Hands out the one set that it changes later."""

    def __init__(self) -> None:
        super().__init__()
        self._shared: set[Any] = set()

    async def permissions(self, user: Any, scope: Any) -> Any:
        self._shared.update(await super().permissions(user, scope))
        return self._shared

    async def put_role(self, role: Any) -> Any:
        self._shared.clear()
        return await super().put_role(role)


LIST_MUTANTS: dict[str, list[Mutant]] = {
    "AUTH-089": [
        answering(operation, by_language) for operation in LISTS if operation != "list_audit"
    ],
    "AUTH-090": [
        answering(
            "list_grants",
            lambda page: replace(
                page, items=tuple(sorted(page.items, key=lambda each: each.scope))
            ),
        )
    ],
    "AUTH-091": lists(lambda operation: answering(operation, shorter)),
    "AUTH-092": [
        *lists(lambda operation: answering(operation, without_cursor)),
        *lists(lambda operation: answering(operation, always_with_cursor)),
        *lists(lambda operation: altering(operation, limit=lambda limit: min(limit + 1, 1000))),
    ],
    "AUTH-093": lists(
        lambda operation: altering(operation, limit=lambda limit: min(max(limit, 1), 1000))
    ),
    "AUTH-094": lists(lambda operation: ignoring(operation, InvalidValue)),
    "AUTH-095": [checking("list_users", cursor_of_what_exists)],
    "AUTH-096": [replacing("list_users", by_offset)],
    "AUTH-097": [
        checking("list_grants", known_user),
        altering("list_users", filter=lambda f: replace(f, enabled=f.enabled or None)),
        altering("list_audit", filter=lambda f: replace(f, actor=None)),
    ],
    "AUTH-098": [
        altering("list_users", filter=lambda f: replace(f, enabled=None)),
        altering("list_users", filter=lambda f: replace(f, role=None)),
        replacing("list_users", inherited_role),
    ],
    "AUTH-099": [replacing("list_users", by_pattern)],
    "AUTH-100": [replacing("list_users", unfolded)],
    "AUTH-101": [
        altering("list_grants", filter=lambda f: replace(f, scope=f.scope or None)),
        altering("list_grants", filter=lambda f: replace(f, user=None)),
        altering("list_grants", filter=lambda f: replace(f, role=None)),
    ],
    "AUTH-102": [
        altering("append_audit", entry=lambda e: replace(e, before=None)),
        altering("append_audit", entry=lambda e: replace(e, actor=None)),
    ],
    "AUTH-103": [checking("append_audit", entry_exists)],
    "AUTH-104": [ignoring("append_audit", Duplicate)],
    "AUTH-105": [
        replacing("list_audit", ties_by_id),
        answering("list_audit", lambda page: replace(page, items=page.items[::-1])),
    ],
    "AUTH-106": [
        altering("list_audit", filter=lambda f: replace(f, since=f.since and f.since + TICK)),
        altering("list_audit", filter=lambda f: replace(f, until=f.until and f.until + TICK)),
        *(altering("list_audit", filter=without(name)) for name in AuditFilter.__struct_fields__),
    ],
    "AUTH-107": [replacing("delete", delete_with_trail)],
}

VALUE_MUTANTS: dict[str, list[Mutant]] = {
    "AUTH-108": [
        altering(
            "create", entity=lambda u: replace(u, created_at=u.created_at.replace(microsecond=0))
        ),
        altering("append_audit", entry=lambda e: replace(e, at=e.at.replace(tzinfo=UTC))),
        answering("get_by_id", lambda u: replace(u, created_at=u.created_at.replace(tzinfo=None))),
    ],
    "AUTH-109": [
        *created(created_at=lambda each: each.created_at.replace(microsecond=0))[1:],
        *kinds(lambda kind: altering(kind["find"], at=lambda at: at.replace(tzinfo=UTC))),
        *kinds(lambda kind: altering(kind["revoke"], at=lambda at: at.replace(microsecond=0))),
        *kinds(lambda kind: altering(kind["purge"], before=lambda at: at - HOUR)),
    ],
    "AUTH-110": [
        altering("create", entity=as_utc),
        altering("delete", at=lambda at: at.replace(tzinfo=UTC)),
        altering("list_audit", filter=lambda f: replace(f, until=None)),
        *kinds(lambda kind: altering(kind["find"], at=lambda at: at.replace(tzinfo=UTC))),
    ],
    "AUTH-111": [
        *created(label=lambda each: each.label.strip())[1:],
        altering("create", entity=lambda u: replace(u, display_name=u.display_name.strip())),
        altering(
            "create",
            entity=lambda u: replace(u, display_name=unicodedata.normalize("NFC", u.display_name)),
        ),
    ],
    "AUTH-112": [
        altering("create", entity=with_id(change)) for change in (str.casefold, str.strip, nfkc)
    ],
    "AUTH-113": [
        altering("get_by_id", id=lambda each: each.replace("\0", "")),
        altering("create", entity=lambda u: replace(u, display_name=u.display_name[:1])),
        erring("permissions", lambda _error: None),
        *created(label=lambda each: each.label[:1])[1:],
    ],
    "AUTH-114": [
        altering("get_by_id", id=lambda each: each[:255] or "a"),
        altering("create", entity=lambda u: replace(u, display_name=u.display_name[:1000])),
        altering("create", entity=lambda u: replace(u, id=u.id[:200])),
    ],
    "AUTH-115": [
        erring("find_by_email", lambda error: NotFound("user", "")),
        altering("create", entity=lambda u: replace(u, email=u.email.replace(" ", ""))),
        ignoring("update", InvalidValue),
    ],
    "AUTH-116": [
        altering(operation, scope=lambda scope: scope.strip("/"))
        for operation in ("grant", "revoke", "permissions")
    ],
    "AUTH-117": [
        *created(digest=lambda each: each.digest.lower())[1:],
        *kinds(lambda kind: erring(kind["find"], lambda _error: NotFound("session", ""))),
        *kinds(lambda kind: altering(kind["rotate"], new=lambda new: new.lower())),
    ],
    "AUTH-118": created(previous_digest=lambda _: None, previous_until=lambda _: None)[1:],
    "AUTH-119": [
        altering("update", expected_version=int),
        altering("update", expected_version=lambda version: min(version, 2**63 - 1)),
        altering("create", entity=lambda u: replace(u, failures=max(u.failures, 0))),
        altering("create", entity=lambda u: replace(u, version=min(u.version, 2**31 - 1))),
    ],
    "AUTH-120": [altering("append_audit", entry=through_floats)],
    "AUTH-121": [
        altering(
            "append_audit", entry=lambda e: replace(e, before=(e.before or "").replace("NaN", "0"))
        ),
        altering("append_audit", entry=lambda e: replace(e, after=None)),
    ],
    "AUTH-122": [
        checking("update", user_first),
        checking("grant", user_and_role_first),
        erring("delete_role", lambda _error: NotFound("role", "")),
        *kinds(lambda kind: erring(kind["revoke"], lambda _error: NotFound("session", ""))),
        *kinds(lambda kind: erring(kind["list"], lambda _error: InvalidValue("limit", ""))),
    ],
    "AUTH-123": [
        altering(
            "put_role",
            role=lambda r: replace(r, permissions=frozenset(sorted(r.permissions)[:999])),
        ),
        altering("create_api_key", key=lambda k: replace(k, permissions=k.permissions - {""})),
    ],
    "AUTH-124": [LivePermissions],
    "AUTH-125": [replacing("update", half_an_update), replacing("grant", half_a_grant)],
}

RACE_MUTANTS: dict[str, list[Mutant]] = {
    "AUTH-126": [deaf()],
    "AUTH-127": [racing("create")],
    "AUTH-128": [racing("create")],
    "AUTH-129": [racing("update")],
    "AUTH-130": [racing("update")],
    "AUTH-131": [racing("record_attempt")],
    "AUTH-132": [racing("record_attempt")],
    "AUTH-133": [racing("replace_password_hash")],
    "AUTH-134": [racing("revoke"), racing("update"), racing("delete")],
    "AUTH-135": [racing("revoke")],
    "AUTH-136": [racing("put_role")],
    "AUTH-137": [racing("grant", "delete_role")],
    "AUTH-138": [racing("put_role", "delete_role")],
    "AUTH-139": [racing("create_session"), racing("create_api_key")],
    "AUTH-140": [racing("create_session", steps=2), racing("create_api_key", steps=2)],
    "AUTH-141": [racing("grant")],
    "AUTH-142": [clashing("grant")],
    "AUTH-143": [clashing("put_role")],
    "AUTH-144": [clashing("append_audit")],
    "AUTH-145": [racing("rotate_session"), racing("rotate_api_key")],
    "AUTH-146": [
        racing(operation)
        for operation in ("revoke_sessions", "purge_sessions", "revoke_api_keys", "purge_api_keys")
    ],
}
MUTANTS = LIST_MUTANTS | VALUE_MUTANTS | RACE_MUTANTS
