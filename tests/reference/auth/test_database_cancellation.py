"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from storeproof.reference.auth import GLOBAL, AuthStorage, UserFilter, UserId, UserPatch
from storeproof.reference.auth.database import open_auth_storage

from ..cancelling import cancel_everywhere
from .examples import ADMIN, BOB, NOW, digest, role, session, user


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[tuple[AuthStorage, AuthStorage]]:
    async with open_auth_storage(url) as storage, open_auth_storage(url) as other:
        await other.put_role(role(ADMIN, "manage", essential=True))
        await other.create(user(BOB))
        await other.grant(BOB, ADMIN, GLOBAL)
        yield storage, other


async def state(storage: AuthStorage, id: UserId) -> tuple[object, ...]:
    """All that the operations below change of a user."""
    found = await storage.list_users(UserFilter(email_contains=f"{id}@"))
    sessions = await storage.list_sessions(id)
    return (
        [(each.enabled, each.version) for each in found.items],
        await storage.permissions(id, GLOBAL),
        [each.revoked_at for each in sessions.items],
    )


def everywhere(
    url: str, act: Callable[[AuthStorage, UserId], Coroutine[Any, Any, object]], after: object
) -> int:
    """Cancels the act at each of its suspensions, on a new user each time."""
    before = ([(True, 1)], frozenset({"manage"}), [None])

    async def use() -> int:
        async with opened(url) as (storage, other):

            async def call(nth: int) -> None:
                who = UserId(f"u{nth}")
                await other.create(user(who))
                await other.grant(who, ADMIN, GLOBAL)
                await other.create_session(
                    session(f"{nth}", user=who, digest=digest("0")[:-2] + f"{nth:02}")
                )
                ready.set()
                await act(storage, who)

            async def check(nth: int) -> None:
                if not ready.is_set():
                    return
                ready.clear()
                who = UserId(f"u{nth}")
                found = await state(other, who)
                assert found in (before, after)
                async with asyncio.timeout(5):
                    for each in (other, storage):
                        await each.put_role(role(ADMIN, "manage", essential=True))
                        await each.revoke(BOB, role("none").name, GLOBAL)
                assert await state(other, who) == found

            ready = asyncio.Event()
            return await cancel_everywhere(call, check)

    return asyncio.run(use())


def test_a_cancelled_deletion(url: str) -> None:
    after: object = ([], frozenset(), [NOW])
    assert everywhere(url, lambda storage, who: storage.delete(who, NOW), after) >= 7


def test_a_cancelled_disabling(url: str) -> None:
    after: object = ([(False, 2)], frozenset(), [None])
    patch = UserPatch(enabled=False)
    assert everywhere(url, lambda storage, who: storage.update(who, patch, 1), after) >= 5


def test_a_cancelled_revocation_of_all_sessions(url: str) -> None:
    after = ([(True, 1)], frozenset({"manage"}), [NOW])
    assert everywhere(url, lambda storage, who: storage.revoke_sessions(who, None, NOW), after) >= 4


def test_a_cancelled_update(url: str) -> None:
    after = ([(True, 2)], frozenset({"manage"}), [None])
    assert everywhere(url, lambda storage, who: storage.update(who, UserPatch(), 1), after) >= 1
