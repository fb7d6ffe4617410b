"""Maintainers run `python benchmarks/hot.py` to see what storages add to their hottest statements.

Each operation is timed beside the one statement that it is, run on asyncpg's own pool, by turns in
one run on PostgreSQL. Nothing fails here: machines are noisy. That it is one round trip is asserted
in the tests.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
from msgspec.structs import asdict

from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.contract import Contract
from storeproof.harness.latency.sampling import interleaved, medians
from storeproof.reference.costs.database import recording, reserving, rollups
from storeproof.reference.costs.entities import new_reservation
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.costs.laws import given as of_costs
from storeproof.reference.database.compiling import POSTGRES, Statement, compile_for
from storeproof.reference.errors.buckets import slot_of
from storeproof.reference.errors.database.creation import CREATE
from storeproof.reference.errors.database.rollups import counted_at
from storeproof.reference.errors.database.tables import event_values
from storeproof.reference.errors.laws import contract as errors
from storeproof.reference.errors.laws.given import event
from storeproof.reference.providers import Lease, LeaseId
from storeproof.reference.providers.database import leases, outcomes
from storeproof.reference.providers.entities import minute_of
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.providers.laws.given import EAST, NOW, add, outcome

PROMISED = "<= 1.5"
NUMBERS = itertools.count()


class Hot(NamedTuple):
    """An operation, and the statement that it is; both take the number of a new thing."""

    call: Callable[[Any, str], Awaitable[object]]
    statement: Statement
    values: Callable[[str], Mapping[str, Any]]


def _event_values(number: str) -> Mapping[str, Any]:
    made = event(number)
    return event_values(made) | counted_at(slot_of(made.occurred_at))


def _reservation(number: str) -> tuple[Any, ...]:
    amounts = of_costs.amounts(a="1E-9", b="1E-9")
    return of_costs.reservation_id(number), amounts, of_costs.NOW, of_costs.NOW + of_costs.HOUR


def _lease_values(number: str) -> Mapping[str, Any]:
    lease = Lease(id=LeaseId(number), provider=EAST, tokens=1, at=NOW)
    return {**asdict(lease), "minute": minute_of(NOW)}


async def _budgets(storage: Any) -> None:
    for name in "ab":
        await of_costs.add_budget(storage, name, limit="1000000")


async def _provider(storage: Any) -> None:
    await add(storage, EAST, rpm=10**9, tpm=10**12)


async def _nothing(_storage: Any) -> None:
    """Events need nothing."""


COMPONENTS: dict[str, tuple[Contract, Callable[[Any], Awaitable[None]], dict[str, Hot]]] = {
    "ErrorStorage": (
        errors,
        _nothing,
        {"create": Hot(lambda s, n: s.create(event(n)), CREATE, _event_values)},
    ),
    "CostStorage": (
        costs,
        _budgets,
        {
            "create": Hot(
                lambda s, n: s.create(of_costs.charge(n)),
                recording.RECORD_CHARGES,
                lambda n: {"given": [rollups.charge_row(of_costs.charge(n))]},
            ),
            "reserve": Hot(
                lambda s, n: s.reserve(*_reservation(n)),
                reserving.RESERVE,
                lambda n: reserving.reserve_values(new_reservation(*_reservation(n))),
            ),
        },
    ),
    "ProviderStorage": (
        providers,
        _provider,
        {
            "acquire": Hot(
                lambda s, n: s.acquire(LeaseId(n), EAST, 1, NOW), leases.ACQUIRE, _lease_values
            ),
            "record_outcome": Hot(
                lambda s, n: s.record_outcome(outcome(n)),
                outcomes.RECORD,
                lambda n: {"given": [outcomes.parameters(outcome(n))]},
            ),
        },
    ),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres-url", help="measure on this server instead of finding one")
    parser.add_argument("--rounds", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        backend = PostgresBackend()
        server = backend.start(
            RunOptions(directory=Path(directory), postgres_url=options.postgres_url)
        )
        print(
            f"{server.description}\n\n| operation | times the statement | promised |\n|---|---|---|"
        )
        try:
            runner.run(measure(backend, server, options.rounds))
        finally:
            backend.stop()


async def measure(backend: PostgresBackend, server: Any, rounds: int) -> None:
    """Print a row for each operation."""
    for component, (contract, prepare, hot) in COMPONENTS.items():
        async with _store(backend, server, contract) as (storage, pool):
            await prepare(storage)
            for name, each in hot.items():
                ratio = await _ratio(storage, pool, each, rounds)
                print(f"| {component}.{name} | {ratio:.2f} | {PROMISED} |", flush=True)


@asynccontextmanager
async def _store(
    backend: PostgresBackend, server: Any, contract: Contract
) -> AsyncIterator[tuple[Any, Any]]:
    store = await backend.create_store(contract, server)
    try:
        storage = await store.fresh()
        address = store.address.replace("+asyncpg", "")
        async with asyncpg.create_pool(address, max_size=10) as pool:
            yield storage, pool
    finally:
        await store.close()


async def _ratio(storage: Any, pool: Any, hot: Hot, rounds: int) -> float:
    compiled = compile_for(POSTGRES, hot.statement)

    async def on_the_pool() -> None:
        values = hot.values(f"pool {next(NUMBERS)}")
        assert await pool.fetch(compiled.text, *compiled.arguments(values))

    calls = {
        "storage": lambda: hot.call(storage, f"storage {next(NUMBERS)}"),
        "pool": on_the_pool,
    }
    taken = medians(await interleaved(calls, rounds=rounds))
    return taken["storage"] / taken["pool"]


if __name__ == "__main__":
    main()
