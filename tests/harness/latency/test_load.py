"""Load: how much goes through, and how long callers wait who come by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from storeproof.harness.latency.load import at_a_rate, by_clients, sweep
from storeproof.harness.latency.sampling import Call
from storeproof.harness.latency.workloads import Workload, stated

MS = 1_000_000


class Clerk:
    """Serves one call after the other, which takes its time on a clock of its own."""

    def __init__(self, nanoseconds: int = 10 * MS) -> None:
        self.now, self.most, self._waiting = 0, 0, 0
        self._nanoseconds = nanoseconds

    def clock(self) -> int:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + round(seconds * 1e9)
        for _ in range(5):
            await asyncio.sleep(0)  # calls that were begun go on meanwhile
        self.now = max(self.now, until)

    async def serve(self) -> None:
        self._waiting += 1
        self.most = max(self.most, self._waiting)
        await asyncio.sleep(0)
        self.now += self._nanoseconds
        self._waiting -= 1

    def calls(self, count: int) -> Sequence[Call]:
        return [self.serve] * count


def test_clients_make_one_call_after_the_other() -> None:
    clerk = Clerk()
    found = asyncio.run(by_clients(clerk.calls(40), 4, clock=clerk.clock))
    assert clerk.most == 4
    assert (found.clients, found.calls, found.throughput) == (4, 40, 100.0)
    assert found.p50 == 40 * MS  # each waits for the three others


def test_what_falls_behind_is_counted_from_when_it_was_meant() -> None:
    clerk = Clerk(10 * MS)
    found = asyncio.run(
        at_a_rate(clerk.calls(100), 200.0, clock=clerk.clock, sleep=clerk.sleep)
    )  # a call every 5 ms, each of which takes 10
    assert found.p99 > 400 * MS
    other = Clerk(10 * MS)
    closed = asyncio.run(by_clients(other.calls(100), 1, clock=other.clock))
    assert closed.p99 == 10 * MS  # a client that waits would not have noticed


def test_what_keeps_up_takes_its_own_time() -> None:
    clerk = Clerk(1 * MS)
    found = asyncio.run(at_a_rate(clerk.calls(50), 100.0, clock=clerk.clock, sleep=clerk.sleep))
    assert found.p99 <= 2 * MS


def test_a_sweep_tries_every_level_on_a_handle_of_its_own() -> None:
    opened = list[int]()

    @asynccontextmanager
    async def handle() -> AsyncIterator[Clerk]:
        opened.append(1)
        yield Clerk()

    workload = Workload(stated(lambda clerk, number: clerk.serve()), repeatable=False)
    found = asyncio.run(sweep(handle, workload, 20, clients=[1, 2], rates=[1e6]))
    assert [(each.clients, each.rate, each.calls) for each in found] == [
        (1, 0.0, 20),
        (2, 0.0, 20),
        (0, 1e6, 20),
    ]
    assert len(opened) == 3
