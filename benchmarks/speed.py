"""Maintainers run `python benchmarks/speed.py` to see, in one run, the figures that are promised.

Nothing fails here: machines are noisy, so the figures are ratios of what was measured side by side.
What can be counted (statements, round trips) is asserted in the tests instead.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import asyncpg
from msgspec.structs import asdict

from storeproof.harness.backends.base import RunOptions, Server, Store
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.checks.agreement import AgreementCheck
from storeproof.harness.checks.base import CheckContext
from storeproof.harness.latency.sampling import interleaved, medians
from storeproof.harness.profiles import PROFILES
from storeproof.reference.auth import User, UserId
from storeproof.reference.auth.database import statements
from storeproof.reference.auth.laws import contract
from storeproof.reference.database.compiling import POSTGRES, compile_for

MOMENT = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Figure:
    """One measured ratio or rate, and what is promised of it."""

    what: str
    measured: str
    promised: str
    met: bool

    def row(self) -> str:
        return (
            f"| {self.what} | {self.measured} | {self.promised} | {'yes' if self.met else 'NO'} |"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        backend = PostgresBackend()
        server = backend.start(
            RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
        )
        print(f"{server.description}\n\n| figure | measured | promised | met |\n|---|---|---|---|")
        try:
            for figure in measure(backend, server):
                print(figure.row(), flush=True)
        finally:
            backend.stop()


def measure(backend: PostgresBackend, server: Server) -> list[Figure]:
    """Measure everything, one after the other on one event loop."""
    with asyncio.Runner() as runner:
        memory = runner.run(MemoryBackend().create_store(contract, Server()))
        store = runner.run(backend.create_store(contract, server))
        try:
            return [
                agreement_on_memory(runner, memory),
                agreement_on_postgres(runner, store),
                *runner.run(emptying(store, server)),
                *runner.run(operations(store)),
            ]
        finally:
            runner.run(store.close())


def agreement_on_memory(runner: asyncio.Runner, store: Store) -> Figure:
    """How many operations a second the agreement check compares where they cost next to nothing."""
    context = CheckContext(contract, MemoryBackend(), store, runner, PROFILES["full"], 1)
    started = process_time()
    AgreementCheck().run(context)
    rate = context.tally.operations / (process_time() - started)
    return Figure(
        "agreement on memory, operations a CPU second", f"{rate:,.0f}", ">= 2,000", rate >= 2000
    )


def agreement_on_postgres(runner: asyncio.Runner, store: Store) -> Figure:
    """What the harness adds to the time that the storage's own operations take."""
    timed = _TimedStore(store)
    context = CheckContext(contract, PostgresBackend(), timed, runner, PROFILES["full"], 1)
    started = perf_counter()
    AgreementCheck().run(context)
    whole = perf_counter() - started
    added = (whole - timed.seconds) / timed.seconds
    return Figure(
        "harness on top of PostgreSQL's operations", f"{added:.0%}", "<= 50 %", added <= 0.5
    )


class _TimedStore:
    """A store whose handles add up the time that their operations take."""

    def __init__(self, store: Store) -> None:
        self._store, self.seconds = store, 0.0

    async def fresh(self) -> Any:
        return _TimedHandle(self, await self._store.fresh())


class _TimedHandle:
    def __init__(self, owner: _TimedStore, storage: Any) -> None:
        self._owner, self._storage = owner, storage

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._storage, name)

        async def timed(*positional: Any, **named: Any) -> Any:
            started = perf_counter()
            try:
                return await operation(*positional, **named)
            finally:
                self._owner.seconds += perf_counter() - started

        return timed


async def emptying(store: Store, server: Server) -> list[Figure]:
    """Emptying a store between programs, beside cloning a template database."""
    storage = await store.fresh()
    number = itertools.count()

    async def empty() -> None:
        await store.fresh()

    async def fill() -> None:
        await storage.create(user(next(number)))

    async with _connected(server.address.partition("#")[0]) as connection:
        await connection.execute("CREATE DATABASE storeproof_benchmark_template")
        try:
            clones = itertools.count()

            async def clone() -> None:
                name = f"storeproof_benchmark_clone_{next(clones)}"
                await connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE storeproof_benchmark_template"
                )

            taken = medians(
                await interleaved({"empty": empty, "fill": fill, "clone": clone}, rounds=40)
            )
            for index in range(next(clones)):
                await connection.execute(f"DROP DATABASE storeproof_benchmark_clone_{index}")
        finally:
            await connection.execute("DROP DATABASE storeproof_benchmark_template")
    microseconds, ratio = taken["empty"], taken["clone"] / taken["empty"]
    return [
        Figure(
            "emptying PostgreSQL between programs",
            f"{microseconds:.0f} µs",
            "<= 1 ms",
            microseconds <= 1000,
        ),
        Figure("cloning a template database, times emptying", f"{ratio:.0f}", ">= 50", ratio >= 50),
    ]


async def operations(store: Store) -> list[Figure]:
    """`get_by_id` and `create` beside the same statements on an asyncpg pool."""
    storage = await store.fresh()
    known = await storage.create(user(0))
    number = itertools.count(1)
    get_user = compile_for(POSTGRES, statements.GET_USER)
    create_user = compile_for(POSTGRES, statements.CREATE_USER)
    async with asyncpg.create_pool(store.address.replace("+asyncpg", ""), max_size=10) as pool:

        async def get() -> None:
            await storage.get_by_id(known.id)

        async def create() -> None:
            await storage.create(user(next(number)))

        async def pool_get() -> None:
            await pool.fetch(get_user.text, *get_user.arguments({"id": known.id}))

        async def pool_create() -> None:
            made = user(next(number))
            values = {**asdict(made), "email_key": made.email}
            await pool.fetch(create_user.text, *create_user.arguments(values))

        measured = {"get": get, "create": create, "pool get": pool_get, "pool create": pool_create}
        taken = medians(await interleaved(measured, rounds=1500))
    return [
        _ratio("get_by_id", taken["get"] / taken["pool get"]),
        _ratio("create", taken["create"] / taken["pool create"]),
    ]


def _ratio(name: str, ratio: float) -> Figure:
    what = f"{name} on PostgreSQL, times the same statement on an asyncpg pool"
    return Figure(what, f"{ratio:.2f}", "<= 1.5", ratio <= 1.5)


def user(number: int) -> User:
    """Make a user of its own."""
    name = f"u{number}"
    return User(id=UserId(name), email=f"{name}@example.org", created_at=MOMENT)


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


if __name__ == "__main__":
    main()
