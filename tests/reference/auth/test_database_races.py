"""What must hold while several do it at once, each through connections of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from storeproof.reference.auth import (
    GLOBAL,
    AuthStorage,
    GrantFilter,
    LockOutPolicy,
    PasswordHash,
    SessionId,
    UserFilter,
    UserId,
    UserPatch,
)
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.database import Database, Row, Statement, engine
from storeproof.reference.exceptions import (
    Duplicate,
    InUse,
    InvalidValue,
    NotFound,
    VersionConflict,
)

from ..at_once import kinds, opened, outcomes, repeat
from .examples import ADMIN, ANN, BOB, EDITOR, HOUR, NOW, READER, digest, role, session, user


async def remove_grant(storage: AuthStorage, id: UserId) -> None:
    await storage.revoke(id, ADMIN, GLOBAL)


async def disable(storage: AuthStorage, id: UserId) -> None:
    await storage.update(id, UserPatch(enabled=False), 1)


async def delete(storage: AuthStorage, id: UserId) -> None:
    await storage.delete(id, NOW)


async def holders(storage: AuthStorage) -> int:
    return len((await storage.list_users(UserFilter(enabled=True, role=ADMIN))).items)


TAKING = (remove_grant, disable, delete)


@pytest.mark.parametrize("first", TAKING)
@pytest.mark.parametrize("second", TAKING)
def test_one_administrator_is_left(
    url: str,
    first: Callable[[AuthStorage, UserId], Awaitable[None]],
    second: Callable[[AuthStorage, UserId], Awaitable[None]],
) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        ids = [UserId(f"{number}{name}") for name in "ab"]
        await one.put_role(role(ADMIN, essential=False))
        for grant in (await one.list_grants(GrantFilter(role=ADMIN))).items:
            await one.revoke(grant.user, grant.role, grant.scope)
        for who in ids:
            await one.create(user(who))
            await one.grant(who, ADMIN, GLOBAL)
        await one.put_role(role(ADMIN, essential=True))
        assert kinds(await outcomes([first(one, ids[0]), second(two, ids[1])])) == [InUse]
        assert await holders(one) == 1

    repeat(url, DatabaseAuthStorage, once)


def test_an_essential_role_keeps_a_holder_whenever_it_becomes_essential(url: str) -> None:
    """Both revocations succeed before the role is essential, one after it."""

    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        ids = [UserId(f"{number}{name}") for name in "ab"]
        name = role(f"{number}").name
        await one.put_role(role(name))
        for who in ids:
            await one.create(user(who))
            await one.grant(who, name, GLOBAL)
        found = await outcomes(
            [
                one.revoke(ids[0], name, GLOBAL),
                two.put_role(role(name, essential=True)),
                two.revoke(ids[1], name, GLOBAL),
            ]
        )
        left = await one.list_grants(GrantFilter(role=name))
        assert len(left.items) == len(kinds(found)) <= 1

    repeat(url, DatabaseAuthStorage, once)


def test_attempts_are_all_counted(url: str) -> None:
    async def use() -> list[int]:
        policy = LockOutPolicy(threshold=1000, duration=HOUR)
        async with opened(url, 2, DatabaseAuthStorage) as storages:
            await storages[0].create(user(ANN))
            calls = (each.record_attempt(ANN, False, NOW, policy) for each in storages * 10)
            return sorted(attempts.failures for attempts in await asyncio.gather(*calls))

    assert asyncio.run(use()) == list(range(1, 21))


def test_one_of_several_equal_emails_is_taken(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        emails = (f"Ann{number}@example.org", f"ANN{number}@example.org")
        calls = [
            storage.create(user(f"{number}{name}", email=email))
            for name, storage, email in zip("ab", (one, two), emails, strict=True)
        ]
        (error,) = [each for each in await outcomes(calls) if isinstance(each, Duplicate)]
        assert error.field == "email"

    repeat(url, DatabaseAuthStorage, once)


class Late(Database):
    """Before it reads, somebody else does something."""

    def __init__(self, url: str, before: Callable[[], Awaitable[object]]) -> None:
        super().__init__(url)
        self._before = before

    async def read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        await self._before()
        return await super().read(statement, parameters)


def test_a_user_who_goes_before_it_is_said_what_is_taken_is_in_nobodys_way(url: str) -> None:
    async def use() -> None:
        async with opened(url, 1, DatabaseAuthStorage) as (right,):
            made = await right.create(user(ANN))
            async with Late(url, lambda: right.delete(ANN, NOW)) as late:
                again = replace(made, id=BOB)
                assert await DatabaseAuthStorage(late).create(again) == again

    asyncio.run(use())


def test_a_session_that_goes_before_it_is_said_what_is_taken_is_in_nobodys_way(url: str) -> None:
    async def use() -> None:
        async with opened(url, 1, DatabaseAuthStorage) as (right,):
            await right.create(user(ANN))
            made = await right.create_session(session("a"))
            async with Late(url, lambda: right.purge_sessions(NOW + 2 * HOUR, 1)) as late:
                again = replace(made, id=SessionId("b"))
                assert await DatabaseAuthStorage(late).create_session(again) == again

    asyncio.run(use())


def test_an_update_is_lost_by_nobody(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        who = UserId(f"{number}")
        await one.create(user(who))
        calls = [
            one.update(who, UserPatch(display_name="one"), 1),
            two.update(who, UserPatch(enabled=False), 1),
        ]
        assert kinds(await outcomes(calls)) == [VersionConflict]
        assert (await one.get_by_id(who)).version == 2

    repeat(url, DatabaseAuthStorage, once)


def test_an_update_finds_a_user_that_is_being_created_whole_or_not_at_all(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        who = UserId(f"{number}")
        _, updated = await outcomes([one.create(user(who)), two.update(who, UserPatch(), 1)])
        assert not isinstance(updated, VersionConflict)
        assert (await one.get_by_id(who)).version == (1 if isinstance(updated, NotFound) else 2)

    repeat(url, DatabaseAuthStorage, once)


def test_one_password_change_wins(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        who = UserId(f"{number}")
        await one.create(user(who))
        hashes = (PasswordHash("$1"), PasswordHash("$2"))
        calls = [
            each.replace_password_hash(who, None, new)
            for each, new in zip((one, two), hashes, strict=True)
        ]
        won = await outcomes(calls)
        assert sorted(map(bool, won)) == [False, True]
        assert (await one.get_by_id(who)).password_hash == hashes[won.index(True)]

    repeat(url, DatabaseAuthStorage, once)


def test_no_grant_is_of_a_role_that_is_gone(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        name = role(f"{number}").name
        await one.put_role(role(name))
        await one.create(user(f"{number}"))
        found = await outcomes(
            [one.grant(UserId(f"{number}"), name, GLOBAL), two.delete_role(name)]
        )
        assert kinds(found) in ([NotFound], [InUse])
        granted = (await one.list_grants(GrantFilter(role=name))).items
        assert bool(granted) is (kinds(found) == [InUse])

    repeat(url, DatabaseAuthStorage, once)


def test_a_deleted_user_has_no_grants_and_no_live_sessions(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        who, token = UserId(f"{number}"), digest(f"{number:064x}"[-1:])
        await one.put_role(role(READER))
        await one.create(user(who))
        await one.purge_sessions(NOW + 2 * HOUR, 100)
        await outcomes(
            [
                one.delete(who, NOW),
                two.grant(who, READER, GLOBAL),
                two.create_session(session("s", user=who, digest=token)),
            ]
        )
        assert (await one.list_grants(GrantFilter(user=who))).items == ()
        assert all(each.revoked_at == NOW for each in (await one.list_sessions(who)).items)

    repeat(url, DatabaseAuthStorage, once)


def test_roles_never_make_a_cycle(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        await one.put_role(role(EDITOR))
        await one.put_role(role(READER))
        calls = [one.put_role(role(EDITOR, "", READER)), two.put_role(role(READER, "", EDITOR))]
        assert kinds(await outcomes(calls)) == [InvalidValue]

    repeat(url, DatabaseAuthStorage, once)


def test_a_parent_is_never_missing(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        await one.put_role(role(EDITOR))
        await one.put_role(role(READER))
        found = await outcomes([one.put_role(role(EDITOR, "", READER)), two.delete_role(READER)])
        assert kinds(found) in ([NotFound], [InUse])

    repeat(url, DatabaseAuthStorage, once)


def test_tokens_are_rotated_one_after_the_other(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        await one.purge_sessions(NOW + 2 * HOUR, 100)
        if number == 0:
            await one.create(user(ANN))
        first = await one.create_session(session("a"))
        calls = [
            each.rotate_session(ANN, first.id, digest(new), NOW, HOUR)
            for each, new in ((one, "b"), (two, "c"))
        ]
        await asyncio.gather(*calls)
        (last,) = (await one.list_sessions(ANN)).items
        assert {last.digest, last.previous_digest} == {digest("b"), digest("c")}

    repeat(url, DatabaseAuthStorage, once)


def test_a_session_of_a_user_that_is_being_disabled_is_not_rotated_afterwards(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        await one.purge_sessions(NOW + 2 * HOUR, 100)
        who = UserId(f"{number}")
        await one.create(user(who))
        await one.create_session(session("a", user=who))
        rotating = two.rotate_session(who, session("a").id, digest("b"), NOW, HOUR)
        found = await outcomes([one.update(who, UserPatch(enabled=False), 1), rotating])
        (left,) = (await one.list_sessions(who)).items
        assert left.digest == digest("a" if kinds(found) else "b")

    repeat(url, DatabaseAuthStorage, once)


def test_ended_sessions_are_purged_once(url: str) -> None:
    async def once(one: AuthStorage, two: AuthStorage, number: int) -> None:
        if number == 0:
            await one.create(user(ANN))
        for name in "0123456789abcdef":
            await one.create_session(session(name, expires_at=NOW))
        calls = (each.purge_sessions(NOW + HOUR, 2) for each in (one, two) * 4)
        assert await asyncio.gather(*calls) == [2] * 8
        assert (await one.list_sessions(ANN)).items == ()

    repeat(url, DatabaseAuthStorage, once)


def test_everything_at_once_ends_without_a_deadlock(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise a call that was the victim of a deadlock would be repeated, unseen.
    monkeypatch.setattr(engine, "ATTEMPTS", 1)

    async def use() -> list[object]:
        async with opened(url, 3, DatabaseAuthStorage) as storages:
            one = storages[0]
            for name in (ANN, BOB):
                await one.create(user(name))
            for each in (role(READER), role(ADMIN, essential=True)):
                await one.put_role(each)
            calls: list[Awaitable[object]] = []
            for number in range(40):
                storage = storages[number % 3]
                who = (ANN, BOB)[number % 2]
                letter = "0123456789abcdef"[number % 16]
                calls += [
                    storage.grant(who, ADMIN, GLOBAL),
                    storage.create_session(session(letter, user=who)),
                    storage.rotate_session(who, session(letter).id, digest(letter), NOW, HOUR),
                    storage.revoke(who, ADMIN, GLOBAL),
                    storage.update(who, UserPatch(enabled=number % 3 == 0), number),
                    storage.revoke_sessions(who, None, NOW),
                    storage.put_role(role(EDITOR, "", READER)),
                    storage.put_role(role(READER)),
                    storage.purge_sessions(NOW + HOUR, 5),
                    storage.delete(who, NOW),
                    storage.create(user(who)),
                    storage.delete_role(EDITOR),
                ]
            return await outcomes(calls)

    allowed = {NotFound, Duplicate, InUse, VersionConflict}
    assert set(kinds(asyncio.run(use()))) <= allowed
