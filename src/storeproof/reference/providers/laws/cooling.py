"""For authors of a provider storage: the laws of a cool-down that is ended by hand."""

from datetime import datetime

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import NotFound
from storeproof.reference.law_words import together
from storeproof.reference.providers.entities import Revision
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    NOBODY,
    NOW,
    TICK,
    WEST,
    add,
    is_refused,
    provider,
)
from storeproof.reference.providers.laws.races import CROWD, TWO
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []


async def cooling(storage: ProviderStorage) -> list[tuple[str, datetime]]:
    found = await storage.list_cooling(NOW - HOUR)
    return [(each.provider, each.until) for each in found.items]


@law("PROV-075", MUST)
async def cooling_can_be_ended(storage: ProviderStorage) -> None:
    """Ending a provider's cooling has it end then, also a second time; others go on."""
    await add(storage, EAST, WEST)
    for each in (EAST, WEST):
        await storage.cool_down(each, NOW + HOUR)
    for _ in range(2):
        assert await storage.end_cooling(EAST, NOW) == NOW
        assert await cooling(storage) == [(EAST, NOW), (WEST, NOW + HOUR)]
    assert [each.provider for each in (await storage.list_cooling(NOW)).items] == [WEST]


@law("PROV-076", MUST)
async def ending_never_lengthens_cooling(storage: ProviderStorage) -> None:
    """Cooling that ends earlier anyway stays as it is; a provider that never cooled has None."""
    await add(storage, EAST, WEST)
    await storage.cool_down(EAST, NOW)
    assert await storage.end_cooling(EAST, NOW + HOUR) == NOW
    assert await storage.end_cooling(WEST, NOW + HOUR) is None
    assert await cooling(storage) == [(EAST, NOW)]


@law("PROV-077", MUST)
async def cooling_goes_on_from_its_end(storage: ProviderStorage) -> None:
    """After it was ended, cooling down again keeps the later of that end and the new one."""
    await add(storage, EAST)
    await storage.cool_down(EAST, NOW + HOUR)
    await storage.end_cooling(EAST, NOW)
    assert await storage.cool_down(EAST, NOW - TICK) == NOW
    assert await storage.cool_down(EAST, NOW + TICK) == NOW + TICK


@law("PROV-078", MUST)
async def only_a_known_provider_is_ended(storage: ProviderStorage) -> None:
    """Ending is NotFound("provider", id) for an unknown or deleted provider, and no change."""
    await add(storage, EAST, WEST)
    await storage.delete(WEST)
    for each in (NOBODY, WEST):
        await is_refused(storage.end_cooling(each, NOW), NotFound("provider", each))
    await storage.cool_down(EAST, NOW + HOUR)
    await storage.end_cooling(EAST, NOW)
    assert await storage.get_by_id(EAST) == provider(EAST)
    assert [each.revision for each in await storage.changes_since(Revision(0))] == [1, 3]


@law("PROV-079", MUST, needs=TWO)
async def ending_and_cooling_at_once_have_an_order(
    storage: ProviderStorage, second: ProviderStorage
) -> None:
    """An ending and a cooling down at once happen one after the other, in either order."""
    await add(storage, EAST)
    for _ in range(CROWD):
        await storage.cool_down(EAST, NOW + HOUR)
        calls = (storage.cool_down(EAST, NOW + TICK), second.end_cooling(EAST, NOW))
        (cooled, ended), errors = await together(*calls)
        assert errors == []
        assert ended == NOW
        assert cooled in (NOW + HOUR, NOW + TICK)
        last = NOW if cooled == NOW + HOUR else NOW + TICK
        assert await cooling(storage) == [(EAST, last)]
