"""Benchmarks make the roles of their comparisons here: of stores, and of calibrations."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from storeproof.harness.backends.base import Calibration, Store
from storeproof.harness.latency.measuring import Prepare, Role
from storeproof.harness.latency.sampling import Call
from storeproof.harness.latency.workloads import Workload

__all__ = ["role_of_calibration", "role_of_store"]


def role_of_store(store: Store, workload: Workload) -> Role:
    """Make an operation's calls on a store, on a handle of its own for each block."""
    numbers = itertools.count()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Prepare]:
        async with store.handle() as storage:

            async def prepare(count: int) -> Sequence[Call]:
                return await workload.ready(storage, numbers, count)

            yield prepare

    return opened


def role_of_calibration(calibration: Calibration, address: str) -> Role:
    """Make a calibration's calls on the address of a store, opened anew for each block."""
    numbers = itertools.count()

    @asynccontextmanager
    async def opened() -> AsyncIterator[Prepare]:
        async with calibration(address) as call:

            async def prepare(count: int) -> Sequence[Call]:
                return [_numbered(call, next(numbers)) for _ in range(count)]

            yield prepare

    return opened


def _numbered(call: Callable[[int], Awaitable[object]], number: int) -> Call:
    return lambda: call(number)
