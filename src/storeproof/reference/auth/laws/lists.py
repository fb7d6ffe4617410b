"""For authors of an auth storage: the laws of the lists and their pages, and of the audit trail."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import (
    GLOBAL,
    AuditEntry,
    AuditFilter,
    AuditId,
    GrantFilter,
    JsonText,
    RoleName,
    Scope,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    CAT,
    NOBODY,
    NOW,
    TEAM,
    TICK,
    add_role,
    add_users,
    both_kinds,
    entry,
    every_list,
    is_invalid,
    is_refused,
    role,
    user,
    walk,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.storage import Cursor, Page

__all__: list[str] = []

BY_CODE_POINT = ("A", "B", "Z", "_", "a", "a ", "aa", "e\u0301", "é", "日", "\uffee", "😀")


async def audited(storage: AuthStorage, **wanted: Any) -> list[str]:
    """The ids of the entries that match."""
    page = await storage.list_audit(AuditFilter(**wanted))
    return [each.id for each in page.items]


async def emails(storage: AuthStorage, part: str) -> list[str]:
    """The users whose e-mail contains the part, without their domain."""
    page = await storage.list_users(UserFilter(email_contains=part))
    return [each.email.split("@")[0] for each in page.items]


async def fill(storage: AuthStorage) -> None:
    """Five items in every list."""
    await add_users(storage, *map(UserId, (ANN, BOB, CAT, "dan", "eve")))
    for letter in "edcba":
        await add_role(storage, role(letter), ANN)
        await storage.append_audit(entry(letter))
        for tokens in both_kinds(storage):
            await tokens.add(letter)


@law("AUTH-089", MUST)
async def lists_are_ordered_by_code_point(storage: AuthStorage) -> None:
    """Users, roles, grants and tokens are ordered by code point, not by any language's rules."""
    await add_users(storage, ANN)
    for name in reversed(BY_CODE_POINT):
        number = name.encode().hex()
        await storage.create(user(name, email=f"{number}@example.org"))
        await add_role(storage, role(name), ANN)
        for tokens in both_kinds(storage):
            await tokens.create(tokens.make("a", id=name, digest=f"{number:0>64}"))
    users = [each.id for each in (await storage.list_users(UserFilter())).items if each.id != ANN]
    roles = [each.name for each in (await storage.list_roles()).items]
    grants = [each.role for each in (await storage.list_grants(GrantFilter())).items]
    kinds = [await tokens.ids() for tokens in both_kinds(storage)]
    lists: list[Sequence[str]] = [users, roles, grants, *kinds]
    for names in lists:
        assert tuple(names) == BY_CODE_POINT


@law("AUTH-090", MUST)
async def grants_are_ordered_by_user_role_scope(storage: AuthStorage) -> None:
    """Grants are ordered by user, then role, then scope."""
    await add_users(storage, BOB, ANN)
    for scope in ("b", "", "a/b", "a"):
        for name in ("y", "x"):
            await add_role(storage, role(name), ANN, BOB, scope=scope)
    grants = (await storage.list_grants(GrantFilter())).items
    found = [(grant.user, grant.role, grant.scope) for grant in grants]
    scopes = ("", "a", "a/b", "b")
    assert found == [(u, r, s) for u in (ANN, BOB) for r in ("x", "y") for s in scopes]


@law("AUTH-091", MUST)
async def pages_join_to_the_list(storage: AuthStorage) -> None:
    """With any limit the pages of a list hold the items of one large page, each once, in order."""
    await fill(storage)
    for operation, arguments in every_list(storage):
        whole = list((await operation(*arguments)).items)
        assert len(whole) == 5
        for limit in (1, 2, 4, 5, 6, 1000):
            assert await walk(operation, *arguments, limit=limit) == whole


@law("AUTH-092", MUST)
async def page_holds_at_most_the_limit(storage: AuthStorage) -> None:
    """A page holds `limit` items while there are so many; only the last has no `next_cursor`."""
    await fill(storage)
    for operation, arguments in every_list(storage):
        for limit, last in ((1, False), (4, False), (5, True), (6, True), (1000, True)):
            page = await operation(*arguments, None, limit)
            assert len(page.items) == min(limit, 5)
            assert (page.next_cursor is None) == last


@law("AUTH-093", MUST)
async def limit_is_one_to_a_thousand(storage: AuthStorage) -> None:
    """A limit below 1 or above 1000 is invalid."""
    for operation, arguments in every_list(storage):
        for limit in (0, -1, 1001, 2**63):
            await is_invalid(operation(*arguments, None, limit), "limit")


@law("AUTH-094", MUST)
async def foreign_cursors_are_invalid(storage: AuthStorage) -> None:
    """A cursor that is empty, made up, or of another list is invalid."""
    await fill(storage)
    cursors = [(await listed(*given, None, 1)).next_cursor for listed, given in every_list(storage)]
    for number, (operation, arguments) in enumerate(every_list(storage)):
        others = [cursor for index, cursor in enumerate(cursors) if index != number]
        for cursor in (Cursor(""), Cursor("é"), Cursor("\0"), *others):
            await is_invalid(operation(*arguments, cursor, 5), "cursor")


@law("AUTH-095", MUST)
async def cursor_outlives_its_item(storage: AuthStorage) -> None:
    """After the last item of a page is deleted, its cursor goes on where it was."""
    await add_users(storage, ANN, BOB, CAT)
    for letter in "abc":
        await storage.put_role(role(letter))
    users = await storage.list_users(UserFilter(), None, 2)
    roles = await storage.list_roles(None, 2)
    await storage.delete(BOB, NOW)
    await storage.delete_role(RoleName("b"))
    assert (await storage.list_users(UserFilter(), users.next_cursor)).items == (user("cat"),)
    assert (await storage.list_roles(roles.next_cursor)).items == (role("c"),)


@law("AUTH-096", MUST)
async def changes_between_pages_neither_skip_nor_repeat(storage: AuthStorage) -> None:
    """What is added or removed before a cursor does not shift the next page; what follows shows."""
    await add_users(storage, *map(UserId, "bdf"))
    first = await storage.list_users(UserFilter(), None, 2)
    await storage.delete(UserId("b"), NOW)
    await add_users(storage, *map(UserId, "ace"))
    rest = await storage.list_users(UserFilter(), first.next_cursor, 5)
    assert [each.id for each in rest.items] == ["e", "f"]


@law("AUTH-097", MUST)
async def nothing_matches_is_an_empty_page(storage: AuthStorage) -> None:
    """A filter that matches nothing, or names what does not exist, gives an empty last page."""
    await fill(storage)
    nowhere = Scope("nowhere")
    for page in (
        await storage.list_users(UserFilter(role=RoleName("none"))),
        await storage.list_users(UserFilter(enabled=False)),
        await storage.list_grants(GrantFilter(user=NOBODY)),
        await storage.list_grants(GrantFilter(scope=nowhere)),
        await storage.list_audit(AuditFilter(actor=NOBODY)),
        await storage.list_sessions(NOBODY),
        await storage.list_api_keys(NOBODY),
    ):
        assert page == Page(items=())


@law("AUTH-098", MUST)
async def users_are_filtered(storage: AuthStorage) -> None:
    """Users are filtered by `enabled` and by a role granted directly in any scope, each once."""
    await add_users(storage, ANN, BOB, CAT)
    await storage.update(BOB, UserPatch(enabled=False), 1)
    for scope in (TEAM, "other"):
        await add_role(storage, role("reader"), ANN, BOB, scope=scope)
    await add_role(storage, role("editor", parents="reader"), CAT)
    for wanted, ids in (
        (UserFilter(enabled=True), [ANN, CAT]),
        (UserFilter(enabled=False), [BOB]),
        (UserFilter(role=RoleName("reader")), [ANN, BOB]),
        (UserFilter(role=RoleName("reader"), enabled=True, email_contains="NN"), [ANN]),
    ):
        assert [each.id for each in (await storage.list_users(wanted)).items] == ids


@law("AUTH-099", MUST)
async def part_of_an_email_is_no_pattern(storage: AuthStorage) -> None:
    """`email_contains` looks for its characters themselves: %, _, * and backslash mean nothing."""
    for local in ("a%b", "a_b", "axb", "a\\b", "a*b", "a'b", "a[x]b"):
        await storage.create(user(local, email=f"{local}@example.org"))
    for part in ("a%b", "a_b", "%", "_", "\\", "*", "'", "[x]"):
        assert await emails(storage, part) == [
            local for local in ("a%b", "a'b", "a*b", "a[x]b", "a\\b", "a_b") if part in local
        ]


@law("AUTH-100", MUST)
async def part_of_an_email_is_folded(storage: AuthStorage) -> None:
    """`email_contains` is compared by its fold with the key; an empty part is in every e-mail."""
    for local in ("STRAßE", "ÉVE", "ﬁn"):
        await storage.create(user(local, email=f"{local}@Example.org"))
    for part, found in (
        ("rass", ["STRAßE"]),
        ("Straß", ["STRAßE"]),
        ("e\u0301", ["ÉVE"]),
        ("FI", ["ﬁn"]),
        ("@EXAMPLE", ["STRAßE", "ÉVE", "ﬁn"]),
        ("", ["STRAßE", "ÉVE", "ﬁn"]),
        ("nobody", []),
    ):
        assert await emails(storage, part) == found


@law("AUTH-101", MUST)
async def grants_are_filtered(storage: AuthStorage) -> None:
    """Grants are filtered by user, role and exactly this scope, GLOBAL too, together."""
    await add_users(storage, ANN, BOB)
    for name in ("x", "y"):
        for scope in (GLOBAL, "team", "team/a"):
            await add_role(storage, role(name), ANN, BOB, scope=scope)
    for wanted, count in (
        (GrantFilter(), 12),
        (GrantFilter(user=ANN), 6),
        (GrantFilter(role=RoleName("x")), 6),
        (GrantFilter(scope=GLOBAL), 4),
        (GrantFilter(scope=TEAM), 4),
        (GrantFilter(user=ANN, role=RoleName("x"), scope=TEAM), 1),
    ):
        assert len((await storage.list_grants(wanted)).items) == count


@law("AUTH-102", MUST)
async def entry_is_stored_as_given(storage: AuthStorage) -> None:
    """`append_audit` returns every field as given; users it names need not exist."""
    bare = entry("a")
    full = entry("b", actor=NOBODY, before=JsonText("null"), after=JsonText('{"a":[1,"\\u00e9"]}'))
    for each in (bare, full):
        assert await storage.append_audit(each) == each
    assert (await storage.list_audit(AuditFilter())).items == (full, bare)


@law("AUTH-103", MUST)
async def appending_repeats(storage: AuthStorage) -> None:
    """Appending an equal entry changes nothing, also if its JSON or time is written otherwise."""
    stored = await storage.append_audit(entry("a", after=JsonText('{"a":1,"b":"é"}')))
    again = replace(stored, after=JsonText(' {"b": "\\u00E9", "a": 1}'))
    assert await storage.append_audit(again) == stored
    assert (await storage.list_audit(AuditFilter())).items == (stored,)


@law("AUTH-104", MUST)
async def taken_entry_id_is_duplicate(storage: AuthStorage) -> None:
    """Appending a different entry with a taken id is a Duplicate, and changes nothing."""
    stored = await storage.append_audit(entry("a", after=JsonText("1")))
    for other in (
        replace(stored, at=NOW + TICK),
        replace(stored, actor=ANN),
        replace(stored, action="other"),
        replace(stored, subject="other"),
        replace(stored, before="1"),
        replace(stored, after=None),
        replace(stored, after="1.0"),
    ):
        await is_refused(storage.append_audit(other), Duplicate("id"))
    assert (await storage.list_audit(AuditFilter())).items == (stored,)


@law("AUTH-105", MUST)
async def newest_entries_come_first(storage: AuthStorage) -> None:
    """Entries are ordered by time, then by id, both descending, on all pages."""
    times = {"b": 0, "a": 0, "é": 0, "z": -1, "0": 1}
    for name, ticks in times.items():
        await storage.append_audit(entry(name, at=NOW + ticks * TICK))
    assert await audited(storage) == ["0", "é", "b", "a", "z"]
    for limit in (1, 2, 3):
        entries: list[AuditEntry] = await walk(storage.list_audit, AuditFilter(), limit=limit)
        assert [each.id for each in entries] == ["0", "é", "b", "a", "z"]


@law("AUTH-106", MUST)
async def entries_are_filtered(storage: AuthStorage) -> None:
    """Entries are filtered by actor, action, subject, `since` (included) and `until` (excluded)."""
    await storage.append_audit(entry("a", actor=BOB, at=NOW - TICK))
    await storage.append_audit(entry("b", action="other"))
    await storage.append_audit(entry("c", subject="other", at=NOW + TICK))
    assert await audited(storage, actor=BOB) == ["a"]
    assert await audited(storage, action="change") == ["c", "a"]
    assert await audited(storage, subject=ANN) == ["b", "a"]
    assert await audited(storage, since=NOW) == ["c", "b"]
    assert await audited(storage, until=NOW) == ["a"]
    assert await audited(storage, since=NOW, until=NOW + TICK) == ["b"]
    assert await audited(storage, action="change", subject=ANN, until=NOW + TICK) == ["a"]


@law("AUTH-107", MUST)
async def the_trail_outlives_users(storage: AuthStorage) -> None:
    """Deleting a user leaves the entries that name it."""
    await add_users(storage, ANN)
    made = await storage.append_audit(entry("a", actor=ANN))
    await storage.delete(ANN, NOW)
    assert (await storage.list_audit(AuditFilter(actor=ANN))).items == (made,)
    await is_refused(storage.get_by_id(ANN), NotFound("user", ANN))
    assert made.id == AuditId("a")
