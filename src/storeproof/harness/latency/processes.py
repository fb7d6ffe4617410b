"""`storeproof bench --baseline` compares two versions here, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from storeproof.harness.exceptions import HarnessError
from storeproof.harness.latency.intervals import quantile
from storeproof.harness.latency.measuring import CONTROL, Plan
from storeproof.harness.latency.sampling import Clock, Samples
from storeproof.harness.latency.worker import Begin, Chunk, End, Job, Told

__all__ = ["Processes", "WorkerFailed", "opened"]

_CHUNK_NS = 20_000_000
"""How long a process works before another one's turn."""
_FIRST = 5
"""Calls of the first chunk, which tells how long one takes."""
_LONGEST_LINE = 2**24


class WorkerFailed(HarnessError):
    """A process that measures a version can't."""

    def __init__(self, role: str, problem: str) -> None:
        self.role, self.problem = role, problem
        super().__init__(
            f"the process that measures the {role} can't go on: {problem}. See what it wrote above"
        )


@dataclass
class _Worker:
    role: str
    process: asyncio.subprocess.Process

    async def ask(self, asked: Job | Begin | Chunk | End) -> list[int]:
        """Send a message, and wait for the answer.

        Raises WorkerFailed where the answer is a problem, or there is none.
        """
        assert self.process.stdin is not None, "it was piped"
        with suppress(ConnectionError):  # that it has ended is told by its answer
            self.process.stdin.write(msgspec.json.encode(asked) + b"\n")
            await self.process.stdin.drain()
        assert self.process.stdout is not None, "it was piped"
        line = await self.process.stdout.readline()
        if not line:
            raise WorkerFailed(self.role, f"it ended with {await self.process.wait()}")
        told = msgspec.json.decode(line, type=Told)
        if told.problem:
            raise WorkerFailed(self.role, told.problem)
        return told.samples

    async def close(self) -> None:
        """Close its end, which ends it."""
        assert self.process.stdin is not None, "it was piped"
        self.process.stdin.close()
        await self.process.wait()


class Processes:
    """Compares two versions: their processes take turns, a few milliseconds each."""

    twin_name = "reference"

    def __init__(self, workers: Sequence[_Worker]) -> None:
        self._workers = list(workers)

    async def block(self, plan: Plan, chance: random.Random, clock: Clock) -> Samples:
        """Measure one block of every role, of fresh instances."""
        taken: dict[str, list[int]] = {each.role: [] for each in self._workers}
        chance.shuffle(self._workers)
        for each in self._workers:
            await each.ask(Begin(plan.samples, plan.window, plan.collect))
        count = min(_FIRST, plan.samples)
        while len(taken[CONTROL]) < plan.samples:
            chance.shuffle(self._workers)
            for each in self._workers:
                taken[each.role] += await each.ask(Chunk(count))
            middle = max(1, *(quantile(each, 0.5) for each in taken.values()))
            left = plan.samples - len(taken[CONTROL])
            count = max(1, min(left, _CHUNK_NS // middle))
        for each in self._workers:
            await each.ask(End())
        return taken


@asynccontextmanager
async def opened(job: Job, paths: Mapping[str, Sequence[Path]]) -> AsyncIterator[Processes]:
    """Start a process for each role, which imports from its paths first.

    Raises WorkerFailed where one of them can't begin.
    """
    async with AsyncExitStack() as closing:
        workers = []
        for role in ("measured", "reference", CONTROL):
            worker = _Worker(role, await _started(paths[role]))
            closing.push_async_callback(worker.close)
            await worker.ask(job)
            workers.append(worker)
        yield Processes(workers)


async def _started(paths: Sequence[Path]) -> asyncio.subprocess.Process:
    before = os.environ.get("PYTHONPATH", "")
    found = os.pathsep.join([*map(str, paths), *([before] if before else [])])
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "storeproof.harness.latency.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": found},
        limit=_LONGEST_LINE,
    )
