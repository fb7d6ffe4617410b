"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

from storeproof.reference.auth import GLOBAL, AuthStorage, UserFilter, UserId, UserPatch
from storeproof.reference.auth.database import open_auth_storage

from ..cancelling import Cancelling
from .examples import ADMIN, BOB, NOW, digest, role, session, user


def who(nth: int) -> UserId:
    return UserId(f"u{nth}")


async def prepare(storage: AuthStorage, nth: int) -> None:
    """A new user, beside Bob, who keeps the essential role held."""
    if nth == 1:
        await storage.put_role(role(ADMIN, "manage", essential=True))
        await storage.create(user(BOB))
        await storage.grant(BOB, ADMIN, GLOBAL)
    await storage.create(user(who(nth)))
    await storage.grant(who(nth), ADMIN, GLOBAL)
    token = digest("0")[:-2] + f"{nth:02}"
    await storage.create_session(session(f"{nth}", user=who(nth), digest=token))


async def state(storage: AuthStorage, nth: int) -> tuple[object, ...]:
    """All that the operations below change of a user."""
    found = await storage.list_users(UserFilter(email_contains=f"{who(nth)}@"))
    sessions = await storage.list_sessions(who(nth))
    return (
        [(each.enabled, each.version) for each in found.items],
        await storage.permissions(who(nth), GLOBAL),
        [each.revoked_at for each in sessions.items],
    )


async def work(storage: AuthStorage, _nth: int) -> None:
    await storage.put_role(role(ADMIN, "manage", essential=True))
    await storage.revoke(BOB, role("none").name, GLOBAL)


CANCELLING = Cancelling[AuthStorage](
    opened=open_auth_storage,
    prepare=prepare,
    state=state,
    before=([(True, 1)], frozenset({"manage"}), [None]),
    work=work,
)


def test_a_cancelled_deletion(url: str) -> None:
    after: object = ([], frozenset(), [NOW])
    assert CANCELLING.everywhere(url, lambda s, n: s.delete(who(n), NOW), after) >= 7


def test_a_cancelled_disabling(url: str) -> None:
    after: object = ([(False, 2)], frozenset(), [None])
    patch = UserPatch(enabled=False)
    assert CANCELLING.everywhere(url, lambda s, n: s.update(who(n), patch, 1), after) >= 5


def test_a_cancelled_revocation_of_all_sessions(url: str) -> None:
    after = ([(True, 1)], frozenset({"manage"}), [NOW])
    assert CANCELLING.everywhere(url, lambda s, n: s.revoke_sessions(who(n), None, NOW), after) >= 4


def test_a_cancelled_update(url: str) -> None:
    after = ([(True, 2)], frozenset({"manage"}), [None])
    assert CANCELLING.everywhere(url, lambda s, n: s.update(who(n), UserPatch(), 1), after) >= 1
