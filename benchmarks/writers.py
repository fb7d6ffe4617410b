"""Maintainers run `python benchmarks/writers.py` to see what sharing round trips gains writers.

Concurrent calls of an operation go together as rows of one statement (`database.combining`). Beside
it, in the same run, the same statements write one record a commit through the same pool. The
server is durable: every commit is on the disk before it is answered.

Nothing fails here: machines are noisy. What can be counted is asserted in the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

from storeproof.harness.backends.postgres_embedded import embedded_home, start_embedded
from storeproof.reference.costs import DatabaseCostStorage
from storeproof.reference.costs.laws.given import charge
from storeproof.reference.database import Database
from storeproof.reference.database.combining import Combined
from storeproof.reference.errors import DatabaseErrorStorage
from storeproof.reference.errors.laws.given import event, point
from storeproof.reference.providers import DatabaseProviderStorage
from storeproof.reference.providers.laws.given import EAST, add, outcome

ROUNDS = 5
WRITERS = (1, 8, 64)

Write = Callable[[int], Awaitable[object]]


async def writes(database: Database) -> dict[str, Write]:
    """The operations whose calls share round trips; the number makes each record a new one."""
    costs, errors = DatabaseCostStorage(database), DatabaseErrorStorage(database)
    providers = DatabaseProviderStorage(database)
    await add(providers, EAST)
    return {
        "ErrorStorage.record_metric": lambda n: errors.record_metric(point(f"{n}")),
        "ProviderStorage.record_outcome": lambda n: providers.record_outcome(outcome(f"{n}")),
        "CostStorage.create": lambda n: costs.create(charge(f"{n}", model=f"model {n % 5}")),
        "ErrorStorage.create": lambda n: errors.create(event(f"{n}", group=f"group {n % 50}")),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of an embedded one")
    parser.add_argument("--calls", type=int, default=1280, help="calls in a round")
    options = parser.parse_args()
    print("| operation | database | writers | one commit a record | together | ratio |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory, _server(options, directory) as url:
        for each in (url, f"sqlite:///{directory}/storage.db"):
            asyncio.run(measure(each, options.calls))


@contextmanager
def _server(options: argparse.Namespace, directory: str) -> Iterator[str]:
    if options.postgres_url:
        yield options.postgres_url
        return
    home = embedded_home()
    if home is None:
        raise SystemExit("pip install 'storeproof[embedded]', or give --postgres-url")
    server = start_embedded(home, Path(directory), settings=())
    try:
        yield server.url.render("postgresql")
    finally:
        server.stop()


async def measure(url: str, calls: int) -> None:
    """Print the rows of one database."""
    async with Database(url, create=True) as database:
        numbers = itertools.count()
        for name, write in (await writes(database)).items():
            for writers in WRITERS:
                alone, together = await rates(write, writers, calls, numbers)
                print(
                    f"| {name} | {database.dialect} | {writers} | {alone:.0f}/s "
                    f"| {together:.0f}/s | {together / alone:.1f} |",
                    flush=True,
                )


async def rates(
    write: Write, writers: int, calls: int, numbers: Iterator[int]
) -> tuple[float, float]:
    """The median rates of both ways, in records a second, measured by turns."""
    alone, together = [], []
    for number in range(ROUNDS + 1):
        with patch.object(Combined, "__call__", _alone):
            one = await rate(write, writers, calls, numbers)
        other = await rate(write, writers, calls, numbers)
        if number > 0:  # the first is for warming up
            alone.append(one)
            together.append(other)
    return statistics.median(alone), statistics.median(together)


async def _alone(combined: Combined[Any, Any], item: Any) -> Any:
    return (await combined.run([item]))[0]


async def rate(write: Write, writers: int, calls: int, numbers: Iterator[int]) -> float:
    """How many records a second so many writers write, each one after the other."""

    async def work() -> None:
        for _ in range(calls // writers):
            await write(next(numbers))

    started = perf_counter()
    await asyncio.gather(*(work() for _ in range(writers)))
    return calls / (perf_counter() - started)


if __name__ == "__main__":
    main()
