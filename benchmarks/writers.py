"""Maintainers run `python benchmarks/writers.py` to see what sharing round trips gains writers.

Concurrent calls of an operation go together as rows of one statement (`database.combining`). Beside
it, in the same run, the same statements write one record a commit through the same pool, which is
large enough: with more connections they are not faster. The server is durable: every commit is on
the disk before it is answered.

The processor's time of a record, of this process and of the server's, is the steadier figure where
other work shares the machine. It is known of an embedded server, on Linux.

Nothing fails here: machines are noisy. What can be counted is asserted in the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, NamedTuple
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
CONNECTIONS = 16
NANOSECONDS, MICROSECONDS = 10**9, 10**6

Processor = Callable[[], float]
"""The seconds of the processor that the server has used."""
Write = Callable[[int], Awaitable[object]]


class Cost(NamedTuple):
    """The seconds that a record takes, of the clock and of the processor."""

    clock: float
    here: float
    server: float


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
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="rounds, of which the median")
    parser.add_argument("--only", default="", help="operations with this in their names")
    parser.add_argument("--writers", type=int, nargs="+", default=WRITERS, help="how many at once")
    options = parser.parse_args()
    print(
        "| operation | database | writers | one commit a record | together | ratio "
        "| processor of one, µs | together, µs | ratio |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as directory, _server(options, directory) as server:
        url, processor = server
        asyncio.run(measure(url, processor, options))
        asyncio.run(measure(f"sqlite:///{directory}/storage.db", lambda: 0.0, options))


@contextmanager
def _server(options: argparse.Namespace, directory: str) -> Iterator[tuple[str, Processor]]:
    if options.postgres_url:
        yield options.postgres_url, lambda: 0.0
        return
    home = embedded_home()
    if home is None:
        raise SystemExit("pip install 'storeproof[embedded]', or give --postgres-url")
    server = start_embedded(home, Path(directory), settings=())
    try:
        yield server.url.render("postgresql"), lambda: _processor(server.process.pid)
    finally:
        server.stop()


def _processor(postmaster: int) -> float:
    """The seconds of the processor that a server's processes have used; Linux tells."""
    total = 0
    for each in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parent = each.read_text().rpartition(")")[2].split()[1]
            if str(postmaster) in (parent, each.parent.name):
                total += int(each.with_name("schedstat").read_text().split()[0])
    return total / NANOSECONDS


async def measure(url: str, processor: Processor, options: argparse.Namespace) -> None:
    """Print the rows of one database."""
    async with Database(url, create=True, pool_size=CONNECTIONS) as database:
        numbers = itertools.count()
        for name, write in (await writes(database)).items():
            for writers in options.writers if options.only in name else ():

                async def cost(write: Write = write, writers: int = writers) -> Cost:
                    return await cost_of(write, writers, options.calls, numbers, processor)

                alone, together = await by_turns(cost, options.rounds)
                print(
                    f"| {name} | {database.dialect} | {writers} {_row(alone, together)} |",
                    flush=True,
                )


async def by_turns(
    cost: Callable[[], Awaitable[Cost]], rounds: int
) -> tuple[list[Cost], list[Cost]]:
    """The costs of both ways, round by round."""
    alone, together = [], []
    for number in range(rounds + 1):
        with patch.object(Combined, "__call__", _alone):
            one = await cost()
        other = await cost()
        if number > 0:  # the first is for warming up
            alone.append(one)
            together.append(other)
    return alone, together


def _row(alone: list[Cost], together: list[Cost]) -> str:
    """The medians of both, and of what the rounds say of their ratio."""
    rates = [statistics.median(1 / each.clock for each in way) for way in (alone, together)]
    used = [[each.here + each.server for each in way] for way in (alone, together)]
    one, other = (
        " + ".join(f"{statistics.median(part) * MICROSECONDS:.0f}" for part in _parts(way))
        for way in (alone, together)
    )
    faster = _ratio([each.clock for each in alone], [each.clock for each in together])
    return (
        f"| {rates[0]:.0f}/s | {rates[1]:.0f}/s | {faster:.1f} "
        f"| {one} | {other} | {_ratio(*used):.1f}"
    )


def _parts(costs: list[Cost]) -> Iterator[list[float]]:
    yield [each.here for each in costs]
    if any(each.server for each in costs):
        yield [each.server for each in costs]


def _ratio(one: list[float], other: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


async def _alone(combined: Combined[Any, Any], item: Any) -> Any:
    return (await combined.run([item]))[0]


async def cost_of(
    write: Write, writers: int, calls: int, numbers: Iterator[int], processor: Processor
) -> Cost:
    """What a record costs where so many writers write, each one after the other."""

    async def work() -> None:
        for _ in range(calls // writers):
            await write(next(numbers))

    def now() -> tuple[float, float, float]:
        return perf_counter(), process_time(), processor()

    before = now()
    await asyncio.gather(*(work() for _ in range(writers)))
    written = calls // writers * writers
    return Cost(*((after - start) / written for start, after in zip(before, now(), strict=True)))


if __name__ == "__main__":
    main()
