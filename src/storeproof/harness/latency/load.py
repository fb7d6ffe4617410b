"""`storeproof bench load` finds here how a storage does under load, without judging it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from time import perf_counter_ns
from typing import Any

from storeproof.harness.latency.intervals import quantile
from storeproof.harness.latency.results import LoadLevel
from storeproof.harness.latency.sampling import Call, Clock, collecting, tidy
from storeproof.harness.latency.workloads import Workload

__all__ = ["CLIENTS", "at_a_rate", "by_clients", "sweep"]

CLIENTS = (1, 2, 4, 8, 16, 32, 64)

Sleep = Callable[[float], Awaitable[object]]
"""Waits so many seconds."""


async def by_clients(
    calls: Sequence[Call], clients: int, *, clock: Clock = perf_counter_ns
) -> LoadLevel:
    """Make the calls by so many clients, each of which makes its next one when one has returned.

    A slow call keeps its client from others, so this says how much goes through, and not how long
    people wait who come by themselves: see `at_a_rate`.
    """
    samples, left = list[int](), iter(calls)

    async def client() -> None:
        for call in left:
            started = clock()
            await call()
            samples.append(clock() - started)

    started = clock()
    await asyncio.gather(*(client() for _ in range(clients)))
    return _level(samples, clock() - started, clients=clients)


async def at_a_rate(
    calls: Sequence[Call],
    rate: float,
    *,
    clock: Clock = perf_counter_ns,
    sleep: Sleep = asyncio.sleep,
) -> LoadLevel:
    """Make so many calls a second, whatever becomes of those before.

    A call's time counts from when it was meant to be made: where the process or the storage falls
    behind, that is what people would wait (no coordinated omission).
    """
    samples, running, started = list[int](), list[asyncio.Task[None]](), clock()

    async def made(call: Call, meant: int) -> None:
        await call()
        samples.append(clock() - meant)

    for number, call in enumerate(calls):
        meant = started + int(number * 1e9 / rate)
        await sleep(max(0.0, (meant - clock()) / 1e9))
        running.append(asyncio.create_task(made(call, meant)))
    await asyncio.gather(*running)
    return _level(samples, clock() - started, rate=rate)


async def sweep(
    opened: Callable[[], AbstractAsyncContextManager[Any]],
    workload: Workload,
    count: int,
    *,
    clients: Sequence[int] = CLIENTS,
    rates: Sequence[float] = (),
) -> list[LoadLevel]:
    """Try each number of clients, then each rate, with so many calls on a handle of its own."""
    found, numbers = list[LoadLevel](), itertools.count()
    with tidy():
        for many in clients:
            async with opened() as storage:
                calls = await _ready(storage, workload, numbers, count)
                with collecting(False):
                    found.append(await by_clients(calls, many))
        for rate in rates:
            async with opened() as storage:
                calls = await _ready(storage, workload, numbers, count)
                with collecting(False):
                    found.append(await at_a_rate(calls, rate))
    return found


async def _ready(
    storage: Any, workload: Workload, numbers: Iterator[int], count: int
) -> Sequence[Call]:
    before = await workload.ready(storage, numbers, min(count, 64))
    await asyncio.gather(*(call() for call in before))  # connections are open by then
    return await workload.ready(storage, numbers, count)


def _level(
    samples: Sequence[int], nanoseconds: int, *, clients: int = 0, rate: float = 0.0
) -> LoadLevel:
    return LoadLevel(
        clients=clients,
        rate=rate,
        calls=len(samples),
        throughput=round(len(samples) / max(nanoseconds, 1) * 1e9, 3),
        p50=quantile(samples, 0.50),
        p95=quantile(samples, 0.95),
        p99=quantile(samples, 0.99),
    )
