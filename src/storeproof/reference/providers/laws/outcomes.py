"""For authors of a provider storage: the laws of outcomes, statistics and cooling down."""

from decimal import Decimal

from storeproof.harness.law import MUST, law
from storeproof.reference.exceptions import Duplicate, NotFound
from storeproof.reference.providers.entities import OutcomeId, Stats
from storeproof.reference.providers.laws.given import (
    EAST,
    HOUR,
    NOBODY,
    NOW,
    TICK,
    WEST,
    add,
    is_invalid,
    is_refused,
    outcome,
    provider,
    walk,
)
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.providers.sketch import Sketch

__all__: list[str] = []


async def seen(storage: ProviderStorage) -> Stats:
    return await storage.stats(EAST, NOW - HOUR, NOW + HOUR)


async def cooling(storage: ProviderStorage) -> list[tuple[str, object]]:
    found = await storage.list_cooling(NOW)
    return [(each.provider, each.until) for each in found.items]


@law("PROV-037", MUST)
async def outcome_is_recorded_once(storage: ProviderStorage) -> None:
    """The same outcome again is returned and counted once."""
    await add(storage, EAST)
    made = outcome("a", tokens=5, cost=Decimal("0.000000001"))
    for _ in range(2):
        assert await storage.record_outcome(made) == made
    found = await seen(storage)
    assert (found.count, found.tokens, found.cost) == (1, 5, made.cost)


@law("PROV-038", MUST)
async def other_outcome_with_this_id_is_a_duplicate(storage: ProviderStorage) -> None:
    """An outcome that differs in anything but its id is Duplicate("id"), provider known or not."""
    await add(storage, EAST, WEST)
    await storage.record_outcome(outcome("a"))
    others = (
        {"provider": WEST},
        {"provider": NOBODY},
        {"at": NOW + TICK},
        {"ok": False},
        {"latency": 101},
        {"tokens": 1},
        {"cost": Decimal("0.000000001")},
    )
    for fields in others:
        await is_refused(storage.record_outcome(outcome("a", **fields)), Duplicate("id"))
    assert (await seen(storage)).count == 1


@law("PROV-039", MUST)
async def outcome_needs_a_provider(storage: ProviderStorage) -> None:
    """An outcome of a provider that never was is NotFound; of a deleted one it is recorded."""
    await add(storage, EAST)
    await storage.delete(EAST)
    unknown = storage.record_outcome(outcome("a", provider=NOBODY))
    await is_refused(unknown, NotFound("provider", NOBODY))
    await storage.record_outcome(outcome("a"))
    assert (await seen(storage)).count == 1


@law("PROV-040", MUST)
async def stats_count_what_happened(storage: ProviderStorage) -> None:
    """Statistics have the count, errors, tokens and exact cost of this provider's outcomes."""
    await add(storage, EAST, WEST)
    await storage.record_outcome(outcome("other", provider=WEST, tokens=9))
    for number in range(10):
        cost = Decimal("0.100000000")
        made = outcome(str(number), ok=number != 3, tokens=number, cost=cost)
        await storage.record_outcome(made)
    found = await seen(storage)
    assert (found.provider, found.start, found.end) == (EAST, NOW - HOUR, NOW + HOUR)
    assert (found.count, found.errors, found.tokens) == (10, 1, 45)
    assert str(found.cost) == "1.000000000"
    assert found.error_rate == 0.1


@law("PROV-041", MUST)
async def stats_are_half_open(storage: ProviderStorage) -> None:
    """An outcome at `start` counts, one at `end` does not."""
    await add(storage, EAST)
    for number, at in enumerate((NOW - TICK, NOW, NOW + HOUR - TICK, NOW + HOUR)):
        await storage.record_outcome(outcome(str(number), at=at, tokens=10**number))
    assert (await storage.stats(EAST, NOW, NOW + HOUR)).tokens == 110
    assert (await storage.stats(EAST, NOW, NOW)).count == 0
    await is_invalid(storage.stats(EAST, NOW, NOW - TICK), "end")


@law("PROV-042", MUST)
async def nothing_is_all_zero(storage: ProviderStorage) -> None:
    """Statistics of an unknown or unused provider are zero, without quantiles."""
    await add(storage, EAST)
    for name in (EAST, NOBODY):
        found = await storage.stats(name, NOW, NOW + HOUR)
        assert found == Stats(
            provider=name,
            start=NOW,
            end=NOW + HOUR,
            count=0,
            errors=0,
            tokens=0,
            cost=Decimal("0.000000000"),
            latencies=Sketch(),
            p50=None,
            p95=None,
            p99=None,
        )


@law("PROV-043", MUST)
async def quantiles_are_by_nearest_rank(storage: ProviderStorage) -> None:
    """p50, p95 and p99 are what 50, 95 and 99 in 100 of the successes' latencies don't exceed."""
    await add(storage, EAST)
    for latency in range(1, 101):
        await storage.record_outcome(outcome(str(latency), latency=latency))
    await storage.record_outcome(outcome("error", ok=False, latency=250))
    found = await seen(storage)
    assert (found.p50, found.p95, found.p99) == (50, 95, 99)
    assert found.latencies.counts == tuple((latency, 1) for latency in range(1, 101))


@law("PROV-044", MUST)
async def long_latencies_fall_into_buckets(storage: ProviderStorage) -> None:
    """A bucket begins at every 128th part of a power of two; quantiles are its middle."""
    await add(storage, EAST)
    for latency in (255, 256, 257, 258, 1_000_000, 24 * 60 * 60 * 1_000_000):
        await storage.record_outcome(outcome(str(latency), latency=latency))
    found = await seen(storage)
    assert found.latencies.counts == ((255, 1), (256, 2), (257, 1), (1780, 1), (3872, 1))
    assert (found.p50, found.p99) == (257, 86167781376)


@law("PROV-045", MUST)
async def outcomes_are_purged_oldest_first(storage: ProviderStorage) -> None:
    """A purge takes outcomes before `before`, by time and id, whosever they are; ids are free."""
    await add(storage, EAST, WEST)
    await storage.record_outcome(outcome("z", at=NOW - HOUR, tokens=1))
    await storage.record_outcome(outcome("b", at=NOW - TICK, tokens=10))
    await storage.record_outcome(outcome("a", at=NOW - TICK, tokens=100))
    await storage.record_outcome(outcome("0", tokens=1000))
    await storage.record_outcome(outcome("w", provider=WEST, at=NOW - TICK))
    assert await storage.purge_outcomes(NOW, 2) == 2
    assert (await seen(storage)).tokens == 1010
    assert await storage.purge_outcomes(NOW, 10) == 2
    assert await storage.purge_outcomes(NOW, 10) == 0
    assert (await seen(storage)).tokens == 1000
    await storage.record_outcome(outcome("a", latency=5))


@law("PROV-046", MUST)
async def cooling_keeps_the_later_end(storage: ProviderStorage) -> None:
    """Cooling down again never shortens it; the result is the end that holds."""
    await add(storage, EAST, WEST)
    assert await storage.cool_down(EAST, NOW + HOUR) == NOW + HOUR
    assert await storage.cool_down(EAST, NOW + TICK) == NOW + HOUR
    assert await cooling(storage) == [(EAST, NOW + HOUR)]
    assert await storage.cool_down(EAST, NOW + HOUR + TICK) == NOW + HOUR + TICK
    assert await storage.cool_down(WEST, NOW + TICK) == NOW + TICK
    assert await cooling(storage) == [(EAST, NOW + HOUR + TICK), (WEST, NOW + TICK)]


@law("PROV-047", MUST)
async def cooling_ends_by_itself(storage: ProviderStorage) -> None:
    """A provider cools until a microsecond before the end, and heals at it."""
    await add(storage, EAST)
    await storage.cool_down(EAST, NOW + HOUR)
    assert len((await storage.list_cooling(NOW + HOUR - TICK)).items) == 1
    assert (await storage.list_cooling(NOW + HOUR)).items == ()


@law("PROV-048", MUST)
async def cooling_is_listed_by_provider(storage: ProviderStorage) -> None:
    """Cooling providers are listed by provider, by code point, on pages of every size."""
    for number, name in enumerate(("b", "é", "B")):
        await storage.create(provider(name))
        await storage.cool_down(provider(name).id, NOW + HOUR * (number + 1))
    for limit in (1, 2, 3):
        found = await walk(storage.list_cooling, NOW, limit=limit)
        assert [each.provider for each in found] == ["B", "b", "é"]


@law("PROV-049", MUST)
async def ids_of_outcomes_are_compared_by_code_point(storage: ProviderStorage) -> None:
    """Outcomes whose ids differ by case, a space or composition are different ones."""
    await add(storage, EAST)
    names = ("a", "A", "a ", "á", "a\u0301")
    for name in names:
        await storage.record_outcome(outcome(OutcomeId(name)))
    assert (await seen(storage)).count == len(names)
