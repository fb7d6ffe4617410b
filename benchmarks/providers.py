"""Maintainers run `python benchmarks/providers.py` to see what leases and outcomes cost.

Nothing fails here: machines are noisy, so the promised figures are ratios of what was measured side
by side on PostgreSQL. Rates and times depend on the machine; compare them with each other.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

from storeproof.harness.backends.base import RunOptions, Store
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.latency.sampling import interleaved, medians
from storeproof.reference.providers import LeaseId, ProviderStorage
from storeproof.reference.providers.laws import contract
from storeproof.reference.providers.laws.given import EAST, HOUR, MINUTE, NOW, add, outcome

CALLS = 960


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        backend = PostgresBackend()
        server = backend.start(
            RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
        )
        print(f"{server.description}\n\n| figure | measured | promised |\n|---|---|---|")
        store = runner.run(backend.create_store(contract, server))
        try:
            runner.run(measure(store))
        finally:
            runner.run(store.close())
            backend.stop()


async def measure(store: Store) -> None:
    """Measure everything, one after the other."""
    storage: ProviderStorage = await store.fresh()
    await add(storage, EAST, rpm=10**9, tpm=10**12)
    numbers = itertools.count(1)
    for writers in (1, 8, 64):
        rate = await leases_a_second(storage, writers, numbers)
        row(f"leases a second of one provider, {writers} at once", f"{rate:.0f}")
    for writers in (1, 8, 64):
        for spread, latencies in ((1, "equal latencies"), (7919, "latencies of all sizes")):
            rate = await outcomes_a_second(storage, writers, numbers, spread)
            row(f"outcomes a second of one provider, {latencies}, {writers} at once", f"{rate:.0f}")
    for size in (1_000, 10_000, 100_000):
        whole, cut = await stats_over(storage, size)
        row(f"stats over the {size} outcomes of an hour", f"{whole:.1f} ms", "flat")
        row(f"stats over {size} outcomes, but for 30 seconds at both ends", f"{cut:.1f} ms")


def row(figure: str, measured: str, promised: str = "") -> None:
    """Print one row of the table."""
    print(f"| {figure} | {measured} | {promised} |", flush=True)


async def leases_a_second(storage: ProviderStorage, writers: int, numbers: Iterator[int]) -> float:
    """How many leases of one provider so many callers get, who all count in the same row."""

    async def write() -> None:
        for _ in range(CALLS // writers):
            await storage.acquire(LeaseId(f"l{next(numbers)}"), EAST, 1, NOW)

    started = perf_counter()
    await asyncio.gather(*(write() for _ in range(writers)))
    return CALLS / (perf_counter() - started)


async def outcomes_a_second(
    storage: ProviderStorage, writers: int, numbers: Iterator[int], spread: int
) -> float:
    """How many outcomes of one provider so many callers record, all in the same minute."""

    async def write() -> None:
        for _ in range(CALLS // writers):
            number = next(numbers)
            latency = 100_000 + number * spread % 10**6 if spread > 1 else 100_000
            await storage.record_outcome(outcome(f"w{number}", latency=latency))

    started = perf_counter()
    await asyncio.gather(*(write() for _ in range(writers)))
    return CALLS / (perf_counter() - started)


async def stats_over(storage: ProviderStorage, size: int) -> tuple[float, float]:
    """The median of ten calls of `stats` over so many outcomes of an hour; milliseconds.

    First for the whole hour, then for one that begins and ends within a minute.
    """
    start = NOW + size * HOUR
    edge = MINUTE / 2
    for first in range(0, size, 100):
        made = (
            outcome(f"s{size} {n}", at=start + n * HOUR / size, latency=100_000 + n * 7919 % 10**6)
            for n in range(first, first + 100)
        )
        await asyncio.gather(*map(storage.record_outcome, made))
    samples = await interleaved(
        {
            "whole": lambda: storage.stats(EAST, start, start + HOUR),
            "cut": lambda: storage.stats(EAST, start + edge, start + HOUR - edge),
        },
        rounds=10,
        warm_up=2,
    )
    found = medians(samples)
    return found["whole"] / 1000, found["cut"] / 1000


if __name__ == "__main__":
    main()
