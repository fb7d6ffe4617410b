"""`storeproof bench --baseline` starts this for each role: a process that times what it is told to.

Lines of JSON come in and go out; what the measured code prints goes to stderr.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import msgspec

from storeproof.harness.backends.base import RunOptions, Server
from storeproof.harness.backends.registry import choose, registered_backends
from storeproof.harness.latency.benchmark import Benchmark
from storeproof.harness.latency.configuration import LatencyConfiguration
from storeproof.harness.latency.measuring import WINDOWS, Prepare, Role
from storeproof.harness.latency.planning import Measuring
from storeproof.harness.latency.refusals import refuse_slowed
from storeproof.harness.latency.roles import role_of_store
from storeproof.harness.latency.sampling import Call, collecting, sample, tidy, warm_up
from storeproof.harness.latency.targets import load_target
from storeproof.harness.servers import Servers
from storeproof.harness.session import Session

__all__ = ["Begin", "Chunk", "End", "Job", "Told"]


class Job(msgspec.Struct, frozen=True):
    """What a process measures, and on which processor it stays, if on one."""

    target: str
    operation: str
    backend: str
    server: Server
    rows: int
    processor: int | None


class Begin(msgspec.Struct, frozen=True, tag=True):
    """Open a fresh instance, make so many calls ready, and warm up."""

    samples: int
    window: int
    collect: bool


class Chunk(msgspec.Struct, frozen=True, tag=True):
    """Time so many of the calls."""

    count: int


class End(msgspec.Struct, frozen=True, tag=True):
    """Close the instance."""


class Told(msgspec.Struct, frozen=True):
    """An answer: nanoseconds of calls, or a sentence on what is wrong."""

    samples: list[int] = []
    problem: str = ""


class _Lines:
    """Messages to and from the process that asks."""

    def __init__(self, asked: IO[bytes], told: IO[bytes]) -> None:
        self._asked, self._told = asked, told

    def tell(self, told: Told) -> None:
        self._told.write(msgspec.json.encode(told) + b"\n")
        self._told.flush()

    def job(self) -> Job:
        return msgspec.json.decode(self._asked.readline(), type=Job)

    def next(self) -> Begin | Chunk | End | None:
        """Give what is asked next; None at the end."""
        line = self._asked.readline()
        return msgspec.json.decode(line, type=Begin | Chunk | End) if line else None


class _Work:
    """Answers, one block after the other."""

    def __init__(self, lines: _Lines, role: Role) -> None:
        self._lines, self._role = lines, role

    async def run(self) -> None:
        self._lines.tell(Told())
        while isinstance(begin := self._lines.next(), Begin):
            async with self._role() as prepare:
                await self._block(begin, prepare)
            self._lines.tell(Told())

    async def _block(self, begin: Begin, prepare: Prepare) -> None:
        first = WINDOWS * begin.window
        calls = await prepare(first + begin.samples)
        with tidy(), collecting(begin.collect):
            await warm_up({"role": calls[:first]}, window=begin.window)
            self._lines.tell(Told())
            left = list(calls[first:])
            while isinstance(chunk := self._lines.next(), Chunk):
                taken, left = left[: chunk.count], left[chunk.count :]
                self._lines.tell(Told(await _timed(taken)))


async def _timed(calls: list[Call]) -> list[int]:
    chance = random.Random(0)  # noqa: S311 - of one role there is one order
    return (await sample({"role": calls}, chance))["role"]


@asynccontextmanager
async def _role(benchmark: Benchmark) -> AsyncIterator[Role]:
    given = (benchmark.contract, benchmark.backend, benchmark.server, benchmark.rows)
    async with benchmark.store(*given) as store:
        yield role_of_store(store, benchmark.workload)


def _benchmark(job: Job, session: Session) -> Benchmark:
    planned = load_target(job.target)
    measuring = Measuring(session, LatencyConfiguration())
    workload = measuring.workload(planned, job.operation)
    fill = measuring.workload(planned, planned.fill) if job.rows and planned.fill else None
    return Benchmark(
        contract=planned.contract,
        operation=job.operation,
        backend=session.backends[job.backend],
        server=job.server,
        workload=workload,
        fill=fill,
        rows=job.rows,
    )


def _serve(lines: _Lines, directory: Path) -> None:
    job = lines.job()
    if job.processor is not None and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {job.processor})
    backends = {each.name: each for each in choose(job.backend, registered_backends(()))}
    session = Session(backends, Servers(backends, RunOptions(directory=directory)))
    benchmark = _benchmark(job, session)

    async def work() -> None:
        refuse_slowed()
        async with _role(benchmark) as role:
            await _Work(lines, role).run()

    session.runner.run(work())


def main() -> None:
    """Serve the process that started this one, until it closes its end."""
    told = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.path.insert(0, str(Path.cwd()))
    lines = _Lines(sys.stdin.buffer, told)
    with tempfile.TemporaryDirectory(prefix="storeproof-") as directory:
        try:
            _serve(lines, Path(directory))
        except Exception as error:  # what is measured raises what it likes
            lines.tell(Told(problem=f"{type(error).__name__}: {error}"))


if __name__ == "__main__":
    main()
