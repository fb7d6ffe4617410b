"""Maintainers run `python benchmarks/growth.py` to see what many records cost.

Nothing fails here: machines are noisy. What can be counted (statements, rows that are read) is
asserted in the tests instead.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from growth_costs import Costs
from growth_errors import Errors
from loading import Target

from storeproof.harness.backends.base import Backend, RunOptions, Server, Store
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.contract import Contract
from storeproof.harness.latency.sampling import Call, interleaved, medians
from storeproof.reference.database.compiling import POSTGRES, SQLITE


class Subject(Protocol):
    """What a component is filled with, and asked."""

    name: str
    contract: Contract
    tables: Sequence[sa.Table]

    def record(self, number: int) -> Any:
        """Make the next record; always the same ones."""
        ...

    async def fill(self, target: Target) -> None:
        """Store all records, and what comes with them."""
        ...

    def operations(self, storage: Any) -> Mapping[str, Call]:
        """What is timed, by name."""
        ...


SUBJECTS: Mapping[str, Callable[[int, int, int], Subject]] = {"errors": Errors, "costs": Costs}
VERIFIED = 300
BACKENDS: Mapping[str, tuple[Callable[[], Backend], str]] = {
    "postgres": (PostgresBackend, POSTGRES),
    "sqlite": (SqliteBackend, SQLITE),
}


@dataclass(frozen=True)
class Result:
    """The milliseconds of each operation of a component on a backend, one for each size."""

    title: str
    sizes: Sequence[int]
    times: Mapping[str, Sequence[float]]

    def table(self) -> str:
        """Give a Markdown table; its last column is the largest size's time by the smallest's."""
        heads = ["ms of", *(f"{size:,}" for size in self.sizes), "ratio"]
        rows = [
            [name, *(f"{each:.2f}" for each in times), f"{times[-1] / times[0]:.1f}"]
            for name, times in self.times.items()
        ]
        lines = [heads, ["---"] * len(heads), *rows]
        return "\n".join([f"## {self.title}\n", *(f"| {' | '.join(line)} |" for line in lines)])


def main() -> None:
    """Print the tables, and draw the plot."""
    options = _options()
    results = []
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        for name in options.backends:
            kind, dialect = BACKENDS[name]
            backend = kind()
            server = backend.start(
                RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
            )
            place = Place(backend, server, dialect)
            try:
                for component in options.components:
                    make = partial(SUBJECTS[component], options.groups, options.days)
                    runner.run(verify(place, make))
                    results.append(runner.run(measure(place, make, options.sizes)))
                    print(f"{results[-1].table()}\n", flush=True)
            finally:
                backend.stop()
    if options.plot:
        plot(results, options.plot)


@dataclass(frozen=True)
class Place:
    """Where stores are made."""

    backend: Backend
    server: Server
    dialect: str

    @asynccontextmanager
    async def store(self, contract: Contract) -> AsyncIterator[tuple[Any, Target]]:
        """Give an empty storage, and the database that it is in."""
        store: Store = await self.backend.create_store(contract, self.server)
        try:
            storage = await store.fresh()
            address = store.address.replace("+asyncpg", "").removeprefix("sqlite+aiosqlite:///")
            yield storage, Target(self.dialect, address)
        finally:
            await store.close()


async def verify(place: Place, make: Callable[[int], Subject]) -> None:
    """Assert that what is loaded is what `create` would have stored."""
    loaded, created = make(VERIFIED), make(VERIFIED)
    async with place.store(loaded.contract) as (_, target):
        await loaded.fill(target)
        found = [await target.rows(table) for table in loaded.tables]
    async with place.store(created.contract) as (storage, target):
        for number in range(VERIFIED):
            await storage.create(created.record(number))
        wanted = [await target.rows(table) for table in created.tables]
    assert found == wanted, "what was loaded is not what create stores"


async def measure(place: Place, make: Callable[[int], Subject], sizes: Sequence[int]) -> Result:
    """Fill a storage of each size, and time every operation on all of them side by side."""
    operations: dict[str, Call] = {}
    async with AsyncExitStack() as stack:
        for size in sizes:
            subject = make(size)
            storage, target = await stack.enter_async_context(place.store(subject.contract))
            await subject.fill(target)
            await target.settle()
            asked = subject.operations(storage)
            operations |= {f"{name}/{size}": ask for name, ask in asked.items()}
        taken = medians(await interleaved(operations, rounds=15, warm_up=3))
    times = {name: [taken[f"{name}/{size}"] / 1000 for size in sizes] for name in asked}
    return Result(f"{subject.name}, {place.server.description}", sizes, times)


def plot(results: Sequence[Result], path: Path) -> None:
    """Draw each operation's times by size; needs matplotlib (the dependency group benchmarks)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, charts = pyplot.subplots(
        len(results), figsize=(9, 5 * len(results)), squeeze=False, layout="constrained"
    )
    colours = matplotlib.colormaps["tab20"].colors
    for chart, result in zip(charts.flat, results, strict=True):
        chart.set_prop_cycle(color=colours)
        for name, times in result.times.items():
            chart.plot(result.sizes, times, marker="o", label=name)
        chart.set(title=result.title, xlabel="records", ylabel="milliseconds")
        chart.set(xscale="log", yscale="log")
        chart.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize="small")
    figure.savefig(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000], help="up to 10^7"
    )
    parser.add_argument("--components", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--groups", type=int, default=200, help="of errors, or owners of costs")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--plot", type=Path, help="draw the times into this file, .svg or .png")
    return parser.parse_args()


if __name__ == "__main__":
    main()
