"""For authors of an auth storage: the laws of attempts to sign in, and of the lock-out."""

from datetime import datetime, timedelta

from storeproof.harness.law import MUST, law
from storeproof.reference.auth.entities import Attempts, LockOutPolicy, UserPatch
from storeproof.reference.auth.laws.given import (
    ANN,
    BOB,
    DAY,
    HOUR,
    NOBODY,
    NOW,
    POLICY,
    TICK,
    add_users,
    is_invalid,
    is_refused,
    user,
)
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.exceptions import NotFound

__all__: list[str] = []

NONE = Attempts(failures=0, locked_until=None)
LOCKED = Attempts(failures=3, locked_until=NOW + HOUR)


async def fail(storage: AuthStorage, times: int, at: datetime = NOW) -> None:
    for _ in range(times):
        await storage.record_attempt(ANN, False, at, POLICY)


@law("AUTH-026", MUST)
async def failures_in_a_row_are_counted(storage: AuthStorage) -> None:
    """Each failure adds 1, however long ago the last one was; nobody else's count changes."""
    await add_users(storage, ANN, BOB)
    for failures in (1, 2):
        attempts = await storage.record_attempt(ANN, False, NOW + failures * DAY, POLICY)
        assert attempts == Attempts(failures=failures, locked_until=None)
    assert await storage.get_by_id(ANN) == user("ann", failures=2)
    assert await storage.get_by_id(BOB) == user("bob")


@law("AUTH-027", MUST)
async def threshold_locks_out(storage: AuthStorage) -> None:
    """The failure that reaches the threshold locks the user out until its time + duration."""
    await add_users(storage, ANN)
    await fail(storage, 2, NOW - HOUR)
    assert await storage.record_attempt(ANN, False, NOW, POLICY) == LOCKED
    assert await storage.get_by_id(ANN) == user("ann", failures=3, locked_until=NOW + HOUR)


@law("AUTH-028", MUST)
async def lower_threshold_locks_out_at_the_next_failure(storage: AuthStorage) -> None:
    """Failures beyond the threshold of the policy that is given lock out too."""
    await add_users(storage, ANN)
    await fail(storage, 2)
    policy = LockOutPolicy(threshold=1, duration=TICK)
    attempts = await storage.record_attempt(ANN, False, NOW, policy)
    assert attempts == Attempts(failures=3, locked_until=NOW + TICK)


@law("AUTH-029", MUST)
async def nothing_changes_while_locked_out(storage: AuthStorage) -> None:
    """Up to a microsecond before the lock-out ends neither success nor failure changes anything."""
    await add_users(storage, ANN)
    await fail(storage, 3)
    for ok in (True, False):
        for at in (NOW - DAY, NOW, NOW + HOUR - TICK):
            assert await storage.record_attempt(ANN, ok, at, POLICY) == LOCKED
    assert await storage.get_by_id(ANN) == user("ann", failures=3, locked_until=NOW + HOUR)


@law("AUTH-030", MUST)
async def failure_after_a_lock_out_starts_at_one(storage: AuthStorage) -> None:
    """From the instant at which the lock-out ends, a failure starts at 1, with no lock-out."""
    await add_users(storage, ANN)
    await fail(storage, 3)
    attempts = await storage.record_attempt(ANN, False, NOW + HOUR, POLICY)
    assert attempts == Attempts(failures=1, locked_until=None)
    assert await storage.get_by_id(ANN) == user("ann", failures=1)


@law("AUTH-031", MUST)
async def threshold_of_one_locks_out_again(storage: AuthStorage) -> None:
    """With a threshold of 1 the first failure after a lock-out locks out anew."""
    await add_users(storage, ANN)
    policy = LockOutPolicy(threshold=1, duration=HOUR)
    for at in (NOW, NOW + HOUR):
        attempts = await storage.record_attempt(ANN, False, at, policy)
        assert attempts == Attempts(failures=1, locked_until=at + HOUR)


@law("AUTH-032", MUST)
async def success_clears_failures(storage: AuthStorage) -> None:
    """A success sets 0 failures, also at the instant at which a lock-out ends."""
    await add_users(storage, ANN)
    await fail(storage, 2)
    assert await storage.record_attempt(ANN, True, NOW, POLICY) == NONE
    await fail(storage, 3)
    assert await storage.record_attempt(ANN, True, NOW + HOUR, POLICY) == NONE
    assert await storage.get_by_id(ANN) == user("ann")


@law("AUTH-033", MUST)
async def attempts_of_unknown_user_are_not_found(storage: AuthStorage) -> None:
    """An attempt of an unknown user is NotFound, also a success."""
    for ok in (True, False):
        attempt = storage.record_attempt(NOBODY, ok, NOW, POLICY)
        await is_refused(attempt, NotFound("user", NOBODY))


@law("AUTH-034", MUST)
async def lock_out_policy_is_checked(storage: AuthStorage) -> None:
    """A threshold below 1 or a duration not above 0 or out of range is invalid, user or not."""
    await add_users(storage, ANN)
    for name in (ANN, NOBODY):
        for threshold in (0, -1):
            policy = LockOutPolicy(threshold=threshold, duration=timedelta(0))
            await is_invalid(storage.record_attempt(name, True, NOW, policy), "threshold")
        for duration in (timedelta(0), -TICK, timedelta.max, timedelta(days=8000 * 365)):
            policy = LockOutPolicy(threshold=1, duration=duration)
            await is_invalid(storage.record_attempt(name, True, NOW, policy), "duration")


@law("AUTH-035", MUST)
async def clear_attempts_ends_the_lock_out(storage: AuthStorage) -> None:
    """`clear_attempts` sets 0 failures and no lock-out, as often as it is called."""
    await add_users(storage, ANN)
    await fail(storage, 3)
    for _ in range(2):
        await storage.clear_attempts(ANN)
        assert await storage.get_by_id(ANN) == user("ann")
    assert (await storage.record_attempt(ANN, False, NOW, POLICY)).failures == 1


@law("AUTH-036", MUST)
async def credentials_and_updates_are_independent(storage: AuthStorage) -> None:
    """Attempts leave the version as it is, and `update` leaves failures and lock-out."""
    await add_users(storage, ANN)
    await fail(storage, 3)
    changed = await storage.update(ANN, UserPatch(display_name="Ann"), 1)
    assert (changed.failures, changed.locked_until) == (3, NOW + HOUR)
    await storage.record_attempt(ANN, True, NOW + HOUR, POLICY)
    await storage.clear_attempts(ANN)
    assert (await storage.get_by_id(ANN)).version == 2
