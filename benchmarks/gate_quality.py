"""Maintainers run `python benchmarks/gate_quality.py` to see how often a gate is right.

It needs a quiet machine. Each trial is a whole run of a gate: equal code beside itself (A/A), or
with calls that do a known share of more work. Beside it stands what the usual rules say of the same
samples. `--neighbour bursts` adds a process that keeps the measuring processor busy in bursts.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, perf_counter_ns

from rules_of_others import RULES
from test_auth import CALLS

from storeproof.harness.backends.base import Backend, Capability, RunOptions, Store
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.latency.gates import Decision, RegressionGate
from storeproof.harness.latency.measuring import Comparison, Measured, Plan, Prepare, Role, compare
from storeproof.harness.latency.placement import pinned
from storeproof.harness.latency.roles import role_of_store
from storeproof.harness.latency.sampling import Call, sample
from storeproof.harness.latency.workloads import Workload
from storeproof.reference.auth.laws import contract

BACKENDS = {"memory": MemoryBackend, "sqlite": SqliteBackend, "postgres": PostgresBackend}
OPERATION = "get_by_id"
NEIGHBOUR = """
import random, sys, time
chance = random.Random(0)
while True:
    until = time.perf_counter() + chance.uniform(0.02, 0.4)
    while time.perf_counter() < until:
        pass
    time.sleep(chance.uniform(0.02, 0.4))  # a neighbour that comes and goes
"""


@dataclass
class Tally:
    """What a gate, and the usual rules, said in the trials of one kind."""

    decisions: list[Decision] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RULES, 0))
    compared: int = 0
    seconds: float = 0.0
    stored: Sequence[int] = ()

    def add(self, found: Measured, gate: RegressionGate) -> None:
        """Count a trial; the usual rules compare with the trial before."""
        self.decisions.append(found.judgements[gate].decision)
        self.seconds += found.seconds
        new = _flat(found.samples["measured"])
        if self.stored:
            self.compared += 1
            for name, rule in RULES.items():
                self.others[name] += rule(self.stored, new)
        self.stored = _flat(found.samples["reference"])

    def row(self) -> list[str]:
        """Give shares of fail and undecided, the seconds of a trial, and the others' alarms."""
        count = len(self.decisions)
        kinds = (Decision.FAIL, Decision.UNDECIDED)
        shares = [self.decisions.count(each) / count for each in kinds]
        others = [each / max(1, self.compared) for each in self.others.values()]
        return [
            str(count),
            *(f"{each:.1%}" for each in shares),
            f"{self.seconds / count:.1f}",
            *(f"{each:.1%}" for each in others),
        ]


def main() -> None:
    """Print a table."""
    options = _options()
    heads = ["backend", "neighbour", "slower by", "trials", "fail", "undecided", "s a trial"]
    _print_row([*heads, *RULES])
    _print_row(["---"] * (len(heads) + len(RULES)))
    for backend in options.backends:
        for neighbour in options.neighbour:
            for slower, trials in _kinds(options):
                busy = neighbour == "bursts"
                tally = run_trials(BACKENDS[backend](), busy, slower, trials, options.seconds)
                _print_row([backend, neighbour, f"{slower:.0%}", *tally.row()])
    print(f"\nthe sampler costs {asyncio.run(overhead()):.2f} µs a sample above a bare await")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="+", choices=BACKENDS, default=list(BACKENDS))
    parser.add_argument("--equal", type=int, default=200, help="trials of equal code (200)")
    parser.add_argument("--slower", type=int, default=100, help="trials of each slowdown (100)")
    parser.add_argument("--slowdowns", nargs="+", type=float, default=[0.1, 0.2])
    parser.add_argument("--seconds", type=float, default=5.0, help="of a gate, in all (5)")
    parser.add_argument("--neighbour", nargs="+", choices=["none", "bursts"], default=["none"])
    return parser.parse_args()


def _kinds(options: argparse.Namespace) -> list[tuple[float, int]]:
    equal = [(0.0, options.equal)] if options.equal else []
    return [*equal, *((each, options.slower) for each in options.slowdowns)]


def run_trials(backend: Backend, busy: bool, slower: float, trials: int, seconds: float) -> Tally:
    """Run a gate so many times, on one processor where no server works for it."""
    networked = Capability.NETWORKED in backend.capabilities
    with (
        tempfile.TemporaryDirectory() as directory,
        nullcontext() if networked else pinned(),
        bursty() if busy else nullcontext(),
        asyncio.Runner() as runner,
    ):
        server = backend.start(RunOptions(directory=Path(directory)))
        try:
            stores = [runner.run(backend.create_store(contract, server)) for _ in range(3)]
            gate = RegressionGate(tolerance=0.05 if networked else 0.03)
            return runner.run(_tried(stores, gate, slower, trials, Plan(seconds=seconds)))
        finally:
            for store in stores:
                runner.run(store.close())
            backend.stop()


async def _tried(
    stores: Sequence[Store], gate: RegressionGate, slower: float, trials: int, plan: Plan
) -> Tally:
    tally, workload = Tally(), Workload(CALLS[OPERATION], repeatable=True)
    for number in range(trials):
        for store in stores:
            await store.fresh()
        measured, reference, twin = (role_of_store(each, workload) for each in stores)
        extra = await _extra(reference, slower)
        roles = Comparison(slowed(measured, extra), reference, twin)
        tally.add(await compare(roles, [gate], plan, chance=random.Random(number)), gate)
    return tally


async def _extra(role: Role, slower: float) -> int:
    """Give the nanoseconds by which a call that takes so much longer is longer."""
    async with role() as prepare:
        taken = (await sample({"role": await prepare(200)}, random.Random(0)))["role"]
    return int(statistics.median(taken) * slower)


def slowed(role: Role, nanoseconds: int) -> Role:
    """Give a role whose calls work so long once more."""
    if not nanoseconds:
        return role

    @asynccontextmanager
    async def opened() -> AsyncIterator[Prepare]:
        async with role() as prepare:

            async def prepare_slowed(count: int) -> Sequence[Call]:
                return [_slowed(each, nanoseconds) for each in await prepare(count)]

            yield prepare_slowed

    return opened


def _slowed(call: Call, nanoseconds: int) -> Call:
    async def made() -> None:
        await call()
        until = perf_counter_ns() + nanoseconds
        while perf_counter_ns() < until:
            pass

    return made


@contextmanager
def bursty() -> Iterator[None]:
    """Keep a processor busy in bursts, the one that is measured on where there is a choice."""
    process = subprocess.Popen([sys.executable, "-c", NEIGHBOUR])  # noqa: S603 - our own code
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(process.pid, {max(os.sched_getaffinity(0))})
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def overhead(count: int = 2000, times: int = 200) -> float:
    """Give the microseconds that a sample takes beyond an await of what does nothing.

    The least of many short runs: what others do on the machine only ever adds to it.
    """

    async def nothing() -> None:
        return

    calls, bare, sampled = [nothing] * count, list[float](), list[float]()
    for _ in range(times):
        started = perf_counter()
        for call in calls:
            await call()
        bare.append((perf_counter() - started) / count * 1e6)
        taken = (await sample({"role": calls}, random.Random(0)))["role"]
        sampled.append(statistics.fmean(taken) / 1000)
    return min(sampled) - min(bare)


def _flat(blocks: Sequence[Sequence[int]]) -> list[int]:
    return [each for block in blocks for each in block]


def _print_row(cells: Sequence[str]) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
