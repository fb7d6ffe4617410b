"""For authors of a provider storage: statistics are exact over every range, however kept.

A storage may keep sums by minute, hour or day; nobody must see where they begin and end.
"""

from datetime import UTC, datetime
from decimal import Decimal

from storeproof.harness.law import MUST, law
from storeproof.reference.law_words import together
from storeproof.reference.providers.entities import Stats
from storeproof.reference.providers.laws.given import EAST, HOUR, MINUTE, NOW, TICK, add, outcome
from storeproof.reference.providers.laws.races import CROWD, TWO
from storeproof.reference.providers.protocol import ProviderStorage

__all__: list[str] = []

DAY = NOW - 12 * HOUR
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
INSTANTS = (
    EPOCH - TICK,
    EPOCH,
    DAY - 25 * HOUR,
    DAY - TICK,
    DAY,
    DAY + MINUTE - TICK,
    DAY + MINUTE,
    DAY + HOUR - TICK,
    DAY + HOUR,
    DAY + HOUR + MINUTE / 2,
    DAY + 24 * HOUR - TICK,
    DAY + 24 * HOUR,
    DAY + 49 * HOUR + MINUTE / 2,
)
RANGES = (
    (DAY, DAY + 24 * HOUR),
    (NOW, NOW + HOUR),
    (NOW, NOW + MINUTE),
    (NOW, NOW + TICK),
    (NOW - 13 * HOUR - TICK, NOW + 13 * HOUR + TICK),
)


async def everywhere(storage: ProviderStorage) -> list[Stats]:
    return [await storage.stats(EAST, start, end) for start, end in RANGES]


@law("PROV-080", MUST)
async def ranges_are_exact(storage: ProviderStorage) -> None:
    """Statistics count what lies between any two instants, whatever calendar they cut."""
    await add(storage, EAST)
    for number, at in enumerate(INSTANTS):
        await storage.record_outcome(outcome(str(number), at=at, tokens=2**number, latency=number))
    for first, start in enumerate(INSTANTS):
        for last in range(first, len(INSTANTS)):
            found = await storage.stats(EAST, start, INSTANTS[last])
            assert (found.count, found.tokens) == (last - first, 2**last - 2**first)
            counts = tuple((latency, 1) for latency in range(first, last))
            assert found.latencies.counts == counts


@law("PROV-081", MUST)
async def purged_outcomes_leave_no_trace(storage: ProviderStorage) -> None:
    """Outcomes that were purged count in no range; recorded again, they count once."""
    await add(storage, EAST)
    before = await everywhere(storage)
    made = [
        outcome(str(number), at=NOW, ok=number != 3, tokens=number, cost=Decimal("0.000000001"))
        for number in range(4)
    ]
    for _ in range(2):
        for each in made:
            await storage.record_outcome(each)
        for found in await everywhere(storage):
            assert (found.count, found.errors, found.tokens) == (4, 1, 6)
        assert await storage.purge_outcomes(NOW + TICK, 3) == 3
        for found in await everywhere(storage):
            assert (found.count, found.errors, found.tokens) == (1, 1, 3)
            assert (str(found.cost), found.latencies.counts) == ("1E-9", ())
        assert await storage.purge_outcomes(NOW + TICK, 3) == 1
        assert await everywhere(storage) == before


@law("PROV-082", MUST, needs=TWO)
async def purge_and_outcomes_do_not_part(storage: ProviderStorage, second: ProviderStorage) -> None:
    """While outcomes are recorded and purged at once, none is lost and none counted twice."""
    await add(storage, EAST)
    kept = 0
    for number in range(CROWD):
        recording = [
            (storage, second)[n % 2].record_outcome(outcome(f"{number} {n}")) for n in range(4)
        ]
        purging = [each.purge_outcomes(NOW + TICK, 2) for each in (storage, second)]
        results, errors = await together(*recording, *purging)
        assert errors == []
        kept += 4 - sum(results[4:])
        assert [each.count for each in await everywhere(second)] == [kept] * len(RANGES)
