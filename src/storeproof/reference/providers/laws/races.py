"""For authors of a provider storage: the laws of calls that run at once on two handles."""

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.law_words import together
from storeproof.reference.providers.entities import LeaseId, ProviderId, Revision
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    NOW,
    TICK,
    TOKEN,
    acquire,
    add,
    ciphertext,
    outcome,
    provider,
    secret,
    used,
)
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10


@law("PROV-063", MUST, needs=TWO)
async def writes_are_seen_at_once(storage: ProviderStorage, second: ProviderStorage) -> None:
    """What an operation on one handle stored is seen by the next one on another."""
    await storage.create(provider(EAST))
    assert await second.get_by_id(EAST) == provider(EAST)
    await second.put_secret(secret("a"))
    assert await storage.get_secret(EAST, TOKEN) == secret("a")
    await acquire(second, "a", 3)
    assert await used(storage) == [(1, 3)]


@law("PROV-064", MUST, needs=TWO)
async def requests_never_exceed_the_limit(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """Of leases asked for at once exactly as many are given as the limit of requests allows."""
    await add(storage, EAST, rpm=4)
    handles = (storage, second)
    calls = [acquire(handles[n % 2], str(n)) for n in range(CROWD)]
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (4, {"RateLimited"})
    assert await used(storage) == [(4, 0)]


@law("PROV-065", MUST, needs=TWO)
async def tokens_never_exceed_the_limit(storage: ProviderStorage, second: ProviderStorage) -> None:
    """Of leases asked for at once exactly as many are given as the limit of tokens allows."""
    await add(storage, EAST, tpm=35)
    handles = (storage, second)
    calls = [acquire(handles[n % 2], str(n), 10) for n in range(CROWD)]
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (3, {"RateLimited"})
    assert await used(storage) == [(3, 30)]


@law("PROV-066", MUST, needs=TWO)
async def same_lease_at_once_counts_once(storage: ProviderStorage, second: ProviderStorage) -> None:
    """The same lease asked for by several at once is given to all and counted once."""
    await add(storage, EAST, rpm=1)
    handles = (storage, second)
    results, errors = await together(*(acquire(handles[n % 2], "a", 5) for n in range(CROWD)))
    assert errors == []
    assert all(each == results[0] for each in results)
    assert await used(storage) == [(1, 5)]


@law("PROV-067", MUST, needs=TWO)
async def same_outcome_at_once_counts_once(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """The same outcome recorded by several at once is counted once, and none is refused."""
    await add(storage, EAST)
    handles = (storage, second)
    calls = [handles[n % 2].record_outcome(outcome("a")) for n in range(CROWD)]
    results, errors = await together(*calls)
    assert (len(results), errors) == (CROWD, [])
    assert (await storage.stats(EAST, NOW, NOW + HOUR)).count == 1


@law("PROV-068", MUST, needs=TWO)
async def one_of_several_updates_wins(storage: ProviderStorage, second: ProviderStorage) -> None:
    """Of updates of one version at once exactly one happens; the others are conflicts."""
    await add(storage, EAST)
    handles = (storage, second)
    calls = [handles[n % 2].update(provider(EAST, weight=n), 1) for n in range(CROWD)]
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (1, {"VersionConflict"})
    assert await storage.get_by_id(EAST) == results[0]


@law("PROV-069", MUST, needs=TWO)
async def changes_at_once_are_counted_apart(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """Changes at once get revisions without a gap or a twin."""
    handles = (storage, second)
    calls = [handles[n % 2].create(provider(f"p{n}")) for n in range(CROWD)]
    _, errors = await together(*calls)
    assert errors == []
    changes = await storage.changes_since(Revision(0))
    assert [each.revision for each in changes] == list(range(1, CROWD + 1))


@law("PROV-070", MUST, needs=TWO)
async def one_of_several_creations_wins(storage: ProviderStorage, second: ProviderStorage) -> None:
    """Of creations of one id at once exactly one happens; the others are duplicates."""
    handles = (storage, second)
    calls = [handles[n % 2].create(provider(EAST, weight=n)) for n in range(CROWD)]
    results, errors = await together(*calls)
    assert (len(results), set(errors)) == (1, {"Duplicate"})
    assert await storage.get_by_id(EAST) == results[0]


@law("PROV-071", MUST, needs=TWO)
async def cooling_at_once_keeps_the_latest(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """Of ends of cooling that are set at once the latest remains."""
    await add(storage, EAST)
    handles = (storage, second)
    order = (3, 9, 1, 7, 0, 8, 2, 6, 4, 5)
    _, errors = await together(*(handles[n % 2].cool_down(EAST, NOW + n * TICK) for n in order))
    assert errors == []
    assert await storage.cool_down(EAST, NOW) == NOW + 9 * TICK


@law("PROV-072", MUST, needs=TWO)
async def one_of_several_rotations_wins(storage: ProviderStorage, second: ProviderStorage) -> None:
    """Of rotations of one ciphertext at once exactly one stores its own; the others know."""
    await add(storage, EAST)
    await storage.put_secret(secret("z"))
    handles = (storage, second)
    letters = "abcdefghij"
    calls = [
        handles[n % 2].rotate_secret(secret(letter, key="k2"), ciphertext("z"))
        for n, letter in enumerate(letters)
    ]
    results, errors = await together(*calls)
    assert (results.count(True), errors) == (1, [])
    winner = letters[results.index(True)]
    assert await storage.get_secret(EAST, TOKEN) == secret(winner, key="k2")


@law("PROV-073", MUST, needs=TWO)
async def secrets_do_not_outlive_a_deletion(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """However a secret's putting and its provider's deletion meet, no secret remains."""
    for number in range(CROWD):
        made = ProviderId(f"p{number}")
        await add(storage, made)
        await together(storage.delete(made), second.put_secret(secret("a", made)))
        results, errors = await together(storage.get_secret(made, TOKEN))
        assert (results, errors) == ([], ["NotFound"])


@law("PROV-074", MUST, needs=TWO)
async def purge_and_lease_do_not_part(storage: ProviderStorage, second: ProviderStorage) -> None:
    """A lease that is given while its minute is purged is counted, or gone with its minute."""
    await add(storage, EAST)
    for number in range(CROWD):
        lease = LeaseId(f"l{number}")
        calls = (acquire(storage, lease, 1), second.purge_usage(NOW + HOUR, 10))
        _, errors = await together(*calls)
        assert errors == []
        counted = await used(storage)
        again = await storage.acquire(lease, EAST, 1, NOW + TICK)
        assert (again.at == NOW) == (counted == [(1, 1)])
        await storage.purge_usage(NOW + HOUR, 10)
