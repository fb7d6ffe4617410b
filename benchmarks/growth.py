"""Maintainers run `python benchmarks/growth.py` to see what many records cost.

Nothing fails here: machines are noisy. What can be counted (statements, rows that are read) is
asserted in the tests instead.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from growth_errors import Errors
from loading import Target
from sampling import Operation, interleaved, medians

from storeproof.harness.backends.base import Backend, RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.contract import Contract
from storeproof.reference.database.compiling import POSTGRES, SQLITE

BACKENDS = {"postgres": (PostgresBackend, POSTGRES), "sqlite": (SqliteBackend, SQLITE)}


class Subject(Protocol):
    """What a component is filled with, and asked."""

    name: str
    contract: Contract

    async def grow(self, target: Target, size: int) -> None:
        """Add records until there are so many."""
        ...

    def operations(self, storage: Any) -> Mapping[str, Operation]:
        """What is timed, by name."""
        ...


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
    """Print the tables."""
    options = _options()
    results = []
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        for name in options.backends:
            kind, dialect = BACKENDS[name]
            backend: Backend = kind()
            server = backend.start(
                RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
            )
            try:
                for subject in (Errors(options.groups, options.days),):
                    times = runner.run(measure(backend, server, dialect, subject, options.sizes))
                    title = f"{subject.name}, {server.description}"
                    results.append(Result(title, options.sizes, times))
                    print(f"{results[-1].table()}\n", flush=True)
            finally:
                backend.stop()


async def measure(
    backend: Backend, server: Any, dialect: str, subject: Subject, sizes: Sequence[int]
) -> dict[str, list[float]]:
    """Fill a storage to each size, and time every operation there; milliseconds."""
    store = await backend.create_store(subject.contract, server)
    times: dict[str, list[float]] = {}
    try:
        storage = await store.fresh()
        address = store.address.replace("+asyncpg", "").removeprefix("sqlite+aiosqlite:///")
        target = Target(dialect, address)
        for size in sizes:
            await subject.grow(target, size)
            await target.settle()
            found = medians(await interleaved(subject.operations(storage), rounds=15, warm_up=3))
            for name, taken in found.items():
                times.setdefault(name, []).append(taken / 1000)
    finally:
        await store.close()
    return times


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument(
        "--sizes", nargs="+", type=int, default=[10_000, 100_000, 1_000_000], help="up to 10^7"
    )
    parser.add_argument("--groups", type=int, default=200)
    parser.add_argument("--days", type=int, default=30)
    return parser.parse_args()


if __name__ == "__main__":
    main()
