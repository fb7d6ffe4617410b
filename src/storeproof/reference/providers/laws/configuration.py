"""For authors of a provider storage: the laws of providers, and of the changes to them."""

from decimal import Decimal

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict
from storeproof.reference.providers.entities import (
    Change,
    ModelName,
    Price,
    ProviderFilter,
    ProviderId,
    Revision,
    SecretFilter,
)
from storeproof.reference.providers.laws.given import (
    ANY,
    EAST,
    HOUR,
    NOBODY,
    NOW,
    WEST,
    acquire,
    add,
    is_refused,
    outcome,
    provider,
    secret,
    used,
    walk,
)
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []

SMALL, LARGE = ModelName("small"), ModelName("large")
START = Revision(0)


async def ids(storage: ProviderStorage, wanted: ProviderFilter = ANY) -> list[str]:
    return [each.id for each in (await storage.list_providers(wanted)).items]


async def revisions(storage: ProviderStorage, since: int = 0) -> list[tuple[int, str]]:
    return [(each.revision, each.id) for each in await storage.changes_since(Revision(since))]


@law("PROV-001", MUST)
async def created_provider_is_found(storage: ProviderStorage) -> None:
    """A created provider comes back with every field as it was given."""
    price = Price(model=SMALL, input=Decimal("0.150000000"), output=Decimal("0.600000001"))
    full = provider(
        EAST,
        models=frozenset({SMALL, LARGE}),
        weight=3,
        priority=2,
        rpm=10,
        tpm=2**33,
        prices=(price,),
        enabled=False,
        version=7,
    )
    for made in (full, provider(WEST)):
        assert await storage.create(made) == made
        assert await storage.get_by_id(made.id) == made


@law("PROV-002", MUST)
async def unknown_provider_is_not_found(storage: ProviderStorage) -> None:
    """What names an unknown provider is NotFound("provider", id)."""
    await add(storage, EAST)
    await is_refused(storage.get_by_id(NOBODY), NotFound("provider", NOBODY))
    await is_refused(storage.update(provider(NOBODY), 1), NotFound("provider", NOBODY))
    await is_refused(storage.delete(NOBODY), NotFound("provider", NOBODY))
    await is_refused(storage.cool_down(NOBODY, NOW), NotFound("provider", NOBODY))


@law("PROV-003", MUST)
async def taken_id_is_a_duplicate(storage: ProviderStorage) -> None:
    """Creating an id that is taken is Duplicate("id"), even if equal, and changes nothing."""
    await add(storage, EAST)
    for again in (provider(EAST), provider(EAST, kind="other")):
        await is_refused(storage.create(again), Duplicate("id"))
    assert await storage.get_by_id(EAST) == provider(EAST)
    assert await revisions(storage) == [(1, EAST)]


@law("PROV-004", MUST)
async def update_replaces_everything(storage: ProviderStorage) -> None:
    """An update replaces every field, whatever version it carries, and adds 1 to the version."""
    await add(storage, EAST, WEST, rpm=5, models=frozenset({SMALL}))
    new = provider(EAST, kind="k", endpoint="e", weight=0, priority=9, enabled=False, version=99)
    assert await storage.update(new, 1) == replace(new, version=2)
    assert await storage.get_by_id(EAST) == replace(new, version=2)
    assert (await storage.get_by_id(WEST)).rpm == 5


@law("PROV-005", MUST)
async def stale_update_is_a_conflict(storage: ProviderStorage) -> None:
    """An update with another version than the stored one changes nothing."""
    await add(storage, EAST, version=2)
    for stale in (1, 3, -1):
        conflict = VersionConflict("provider", EAST, stale)
        await is_refused(storage.update(provider(EAST, kind="new"), stale), conflict)
    assert await storage.get_by_id(EAST) == provider(EAST, version=2)
    assert await revisions(storage) == [(1, EAST)]


@law("PROV-006", MUST)
async def deleted_provider_is_gone(storage: ProviderStorage) -> None:
    """A deleted provider is NotFound everywhere, a second deletion as well; others stay."""
    await add(storage, EAST, WEST)
    await storage.delete(EAST)
    gone = NotFound("provider", EAST)
    await is_refused(storage.get_by_id(EAST), gone)
    await is_refused(storage.update(provider(EAST), 1), gone)
    await is_refused(storage.delete(EAST), gone)
    await is_refused(storage.put_secret(secret("a")), gone)
    await is_refused(storage.cool_down(EAST, NOW), gone)
    await is_refused(acquire(storage, "a"), gone)
    assert await ids(storage) == [WEST]


@law("PROV-007", MUST)
async def deleted_id_stays_taken(storage: ProviderStorage) -> None:
    """The id of a deleted provider is never free again."""
    await add(storage, EAST)
    await storage.delete(EAST)
    await is_refused(storage.create(provider(EAST)), Duplicate("id"))


@law("PROV-008", MUST)
async def deleting_takes_secrets_and_cooling(storage: ProviderStorage) -> None:
    """Secrets and cooling go with their provider; its usage and outcomes, and others', stay."""
    await add(storage, EAST, WEST)
    for each in (EAST, WEST):
        await storage.put_secret(secret("a", each))
        await storage.cool_down(each, NOW + HOUR)
    await acquire(storage, "a", 5)
    await storage.record_outcome(outcome("a"))
    await storage.delete(EAST)
    assert (await storage.list_secrets(SecretFilter())).items == (secret("a", WEST),)
    assert [each.provider for each in (await storage.list_cooling(NOW)).items] == [WEST]
    assert await used(storage) == [(1, 5)]
    assert (await storage.stats(EAST, NOW, NOW + HOUR)).count == 1


@law("PROV-009", MUST)
async def providers_are_listed_by_priority(storage: ProviderStorage) -> None:
    """Providers are listed by priority as a number, then by id by code point, on every page."""
    for name, priority in (("b", 10), ("é", 10), ("B", 10), ("z", 2), ("a", 100)):
        await storage.create(provider(name, priority=priority))
    assert await ids(storage) == ["z", "B", "b", "é", "a"]
    for limit in (1, 2, 3):
        found = await walk(storage.list_providers, ANY, limit=limit)
        assert [each.id for each in found] == ["z", "B", "b", "é", "a"]


@law("PROV-010", MUST)
async def provider_filters_narrow(storage: ProviderStorage) -> None:
    """Providers listed match all of kind, model and enabled that are given, compared exactly."""
    await storage.create(provider("a", models=frozenset({SMALL, LARGE})))
    await storage.create(provider("b", models=frozenset({SMALL}), enabled=False))
    await storage.create(provider("c", kind="other", models=frozenset({ModelName("smaller")})))
    assert await ids(storage, ProviderFilter(model=SMALL)) == ["a", "b"]
    assert await ids(storage, ProviderFilter(model=LARGE)) == ["a"]
    assert await ids(storage, ProviderFilter(model=ModelName("%"))) == []
    assert await ids(storage, ProviderFilter(kind="other")) == ["c"]
    assert await ids(storage, ProviderFilter(enabled=False)) == ["b"]
    assert await ids(storage, ProviderFilter(model=SMALL, enabled=True)) == ["a"]


@law("PROV-011", MUST)
async def changes_are_counted(storage: ProviderStorage) -> None:
    """Each creation, update and deletion is the next revision; the last of a provider remains."""
    await add(storage, EAST, WEST)
    assert await revisions(storage) == [(1, EAST), (2, WEST)]
    await storage.update(provider(EAST, kind="new"), 1)
    assert await revisions(storage) == [(2, WEST), (3, EAST)]
    await storage.delete(WEST)
    changed = provider(EAST, kind="new", version=2)
    assert await storage.changes_since(START) == (
        Change(revision=Revision(3), id=EAST, provider=changed),
        Change(revision=Revision(4), id=WEST, provider=None),
    )


@law("PROV-012", MUST)
async def changes_start_after_the_revision(storage: ProviderStorage) -> None:
    """Changes begin after the given revision, and at most `limit` of them come, the first ones."""
    names = [ProviderId(name) for name in "cab"]
    await add(storage, *names)
    assert await revisions(storage, 1) == [(2, "a"), (3, "b")]
    assert await revisions(storage, 3) == []
    assert await revisions(storage, 10**12) == []
    first = await storage.changes_since(START, 2)
    assert [each.id for each in first] == ["c", "a"]


@law("PROV-013", MUST)
async def only_configuration_is_a_change(storage: ProviderStorage) -> None:
    """Secrets, leases, outcomes and cooling change neither the revision nor the version."""
    await add(storage, EAST)
    await storage.put_secret(secret("a"))
    await acquire(storage, "a")
    await storage.record_outcome(outcome("a"))
    await storage.cool_down(EAST, NOW)
    assert await storage.changes_since(START) == (
        Change(revision=Revision(1), id=EAST, provider=provider(EAST)),
    )


@law("PROV-014", MUST)
async def update_keeps_what_is_not_configuration(storage: ProviderStorage) -> None:
    """An update leaves secrets, cooling and this minute's usage as they are."""
    await add(storage, EAST, rpm=1)
    await storage.put_secret(secret("a"))
    await storage.cool_down(EAST, NOW + HOUR)
    await acquire(storage, "a", 3)
    await storage.update(provider(EAST, rpm=2), 1)
    assert await storage.get_secret(EAST, secret("a").name) == secret("a")
    assert (await storage.list_cooling(NOW)).items[0].until == NOW + HOUR
    assert await used(storage) == [(1, 3)]
