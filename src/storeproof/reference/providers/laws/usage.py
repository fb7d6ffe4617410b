"""For authors of a provider storage: the laws of leases and of the limits in a minute."""

from datetime import timedelta, timezone

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.providers.entities import Lease, LeaseId, Usage
from storeproof.reference.providers.exceptions import RateLimited
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    MINUTE,
    NOBODY,
    NOW,
    TICK,
    WEST,
    acquire,
    add,
    is_refused,
    provider,
    used,
    walk,
)
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []

FIRST, LAST = NOW, NOW + MINUTE - TICK


@law("PROV-022", MUST)
async def lease_is_given_and_counted(storage: ProviderStorage) -> None:
    """A lease has what was asked for; requests and tokens of its minute add up."""
    await add(storage, EAST, WEST)
    made = await acquire(storage, "a", 5, LAST)
    assert made == Lease(id=LeaseId("a"), provider=EAST, tokens=5, at=LAST)
    await acquire(storage, "b", 7)
    await storage.acquire(LeaseId("c"), WEST, 0, NOW)
    assert (await storage.list_usage(LAST)).items == (
        Usage(provider=EAST, minute=NOW, requests=2, tokens=12),
        Usage(provider=WEST, minute=NOW, requests=1, tokens=0),
    )


@law("PROV-023", MUST)
async def requests_are_limited(storage: ProviderStorage) -> None:
    """When a minute's requests are used up, the next is RateLimited until the minute ends."""
    await add(storage, EAST, rpm=2)
    for lease in "ab":
        await acquire(storage, lease)
    full = RateLimited(EAST, "rpm", NOW + MINUTE)
    for at in (FIRST, LAST):
        await is_refused(acquire(storage, "c", at=at), full)
    assert await used(storage) == [(2, 0)]
    await acquire(storage, "c", at=NOW + MINUTE)
    assert await used(storage, NOW + MINUTE) == [(1, 0)]


@law("PROV-024", MUST)
async def tokens_are_limited(storage: ProviderStorage) -> None:
    """The tokens of a minute reach the limit exactly and never exceed it; fewer still fit."""
    await add(storage, EAST, tpm=10)
    await acquire(storage, "a", 6)
    await is_refused(acquire(storage, "b", 5), RateLimited(EAST, "tpm", NOW + MINUTE))
    await acquire(storage, "b", 4)
    await is_refused(acquire(storage, "c", 1), RateLimited(EAST, "tpm", NOW + MINUTE))
    await acquire(storage, "c", 0)
    assert await used(storage) == [(3, 10)]


@law("PROV-025", MUST)
async def tokens_that_never_fit_have_no_time(storage: ProviderStorage) -> None:
    """Tokens beyond the limit of any minute are RateLimited without a time, whatever is used."""
    await add(storage, EAST, rpm=1, tpm=10)
    await is_refused(acquire(storage, "a", 11), RateLimited(EAST, "tpm", None))
    await acquire(storage, "a", 10)
    await is_refused(acquire(storage, "b", 11), RateLimited(EAST, "tpm", None))
    await is_refused(acquire(storage, "b", 10), RateLimited(EAST, "rpm", NOW + MINUTE))


@law("PROV-026", MUST)
async def lease_is_given_once(storage: ProviderStorage) -> None:
    """The same lease again is the first one and counts nothing, also later, and when full."""
    await add(storage, EAST, rpm=1)
    made = await acquire(storage, "a", 5)
    for at in (NOW, NOW + HOUR):
        assert await acquire(storage, "a", 5, at) == made
    await storage.delete(EAST)
    assert await acquire(storage, "a", 5) == made
    assert await used(storage) == [(1, 5)]
    assert await used(storage, NOW + HOUR) == []


@law("PROV-027", MUST)
async def other_lease_with_this_id_is_a_duplicate(storage: ProviderStorage) -> None:
    """A lease's id with other tokens, or another provider, known or not, is Duplicate("lease")."""
    await add(storage, EAST, WEST, rpm=1)
    await acquire(storage, "a", 5)
    await is_refused(acquire(storage, "a", 6), Duplicate("lease"))
    for other in (WEST, NOBODY):
        await is_refused(storage.acquire(LeaseId("a"), other, 5, NOW), Duplicate("lease"))
    assert await used(storage) == [(1, 5)]


@law("PROV-028", MUST)
async def lease_of_unknown_provider_is_not_found(storage: ProviderStorage) -> None:
    """A lease of an unknown provider is NotFound("provider", id), and its id stays free."""
    await add(storage, EAST)
    refused = storage.acquire(LeaseId("a"), NOBODY, 1, NOW)
    await is_refused(refused, NotFound("provider", NOBODY))
    await acquire(storage, "a")


@law("PROV-029", MUST)
async def refused_lease_leaves_nothing(storage: ProviderStorage) -> None:
    """A lease that was RateLimited can be had later, with the same id and other tokens."""
    await add(storage, EAST, tpm=10)
    await acquire(storage, "a", 10)
    await is_refused(acquire(storage, "b", 10), RateLimited(EAST, "tpm", NOW + MINUTE))
    made = await acquire(storage, "b", 3, NOW + MINUTE)
    assert made == Lease(id=LeaseId("b"), provider=EAST, tokens=3, at=NOW + MINUTE)


@law("PROV-030", MUST)
async def minutes_are_apart(storage: ProviderStorage) -> None:
    """Each minute has limits of its own, also one before another that was used already."""
    await add(storage, EAST, rpm=1)
    for number, at in enumerate((NOW + MINUTE, NOW, NOW - TICK)):
        await acquire(storage, str(number), at=at)
        await is_refused(
            acquire(storage, "x", at=at),
            RateLimited(EAST, "rpm", at.replace(second=0, microsecond=0) + MINUTE),
        )


@law("PROV-031", MUST)
async def minutes_are_those_of_utc(storage: ProviderStorage) -> None:
    """A minute is one of UTC, whatever the offset of the time that is given."""
    await add(storage, EAST, rpm=1)
    odd = timezone(timedelta(hours=5, minutes=30, seconds=30))
    await acquire(storage, "a", at=NOW.astimezone(odd))
    await is_refused(acquire(storage, "b", at=LAST), RateLimited(EAST, "rpm", NOW + MINUTE))
    assert await used(storage, LAST.astimezone(odd)) == [(1, 0)]


@law("PROV-032", MUST)
async def limits_of_now_apply(storage: ProviderStorage) -> None:
    """The limits are those at the call; None is no limit, and what was used before counts."""
    await add(storage, EAST)
    for lease in "abc":
        await acquire(storage, lease, 10**9)
    await storage.update(provider(EAST, rpm=3), 1)
    await is_refused(acquire(storage, "d"), RateLimited(EAST, "rpm", NOW + MINUTE))
    await storage.update(provider(EAST, rpm=4), 2)
    await acquire(storage, "d")
    await storage.update(provider(EAST, rpm=1), 3)
    await is_refused(acquire(storage, "e"), RateLimited(EAST, "rpm", NOW + MINUTE))


@law("PROV-033", MUST)
async def disabled_and_cooling_providers_give_leases(storage: ProviderStorage) -> None:
    """Neither being disabled nor cooling matters to a lease."""
    await add(storage, EAST, enabled=False)
    await storage.cool_down(EAST, NOW + HOUR)
    await acquire(storage, "a")
    assert await used(storage) == [(1, 0)]


@law("PROV-034", MUST)
async def usage_is_purged_by_minute(storage: ProviderStorage) -> None:
    """Minutes that ended at `before` or earlier go, oldest first and then by provider."""
    await add(storage, EAST, WEST)
    for number, at in enumerate((NOW, NOW - MINUTE, NOW + MINUTE)):
        await acquire(storage, f"{number}", at=at)
        await acquire(storage, f"{number} again", at=at)
        await storage.acquire(LeaseId(f"{number} west"), WEST, 1, at)
    assert await storage.purge_usage(NOW + MINUTE - TICK, 1) == 1
    assert await used(storage, NOW - MINUTE) == [(1, 1)]
    assert await storage.purge_usage(NOW + MINUTE - TICK, 10) == 1
    assert await used(storage) == [(2, 0), (1, 1)]
    assert await storage.purge_usage(NOW + MINUTE, 10) == 2
    assert await storage.purge_usage(NOW + MINUTE, 10) == 0
    assert await used(storage, NOW + MINUTE) == [(2, 0), (1, 1)]


@law("PROV-035", MUST)
async def leases_go_with_their_minute(storage: ProviderStorage) -> None:
    """After a purge the ids of the leases of those minutes, and only those, are free again."""
    await add(storage, EAST)
    await acquire(storage, "old", 1)
    kept = await acquire(storage, "new", 1, NOW + MINUTE)
    await storage.purge_usage(NOW + MINUTE, 10)
    again = await acquire(storage, "old", 2, NOW + HOUR)
    assert again == Lease(id=LeaseId("old"), provider=EAST, tokens=2, at=NOW + HOUR)
    assert await acquire(storage, "new", 1, NOW + HOUR) == kept


@law("PROV-036", MUST)
async def usage_is_listed_by_provider(storage: ProviderStorage) -> None:
    """Usage is listed by provider, by code point, on pages of every size, deleted ones included."""
    for name in ("b", "é", "B"):
        await storage.create(provider(name))
        await storage.acquire(LeaseId(name), provider(name).id, 1, NOW)
    await storage.delete(provider("b").id)
    for limit in (1, 2, 3):
        found = await walk(storage.list_usage, NOW, limit=limit)
        assert [each.provider for each in found] == ["B", "b", "é"]
