"""A launcher's fork does its `Job` here: it opens handles, makes calls, and tells of each."""

from __future__ import annotations

import asyncio
import sys
from contextlib import AsyncExitStack, nullcontext
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from storeproof.harness.apart.jobs import Ended, Imported, Invoked, Job, Part, Returned
from storeproof.harness.apart.messages import pack
from storeproof.harness.apart.moments import Moments
from storeproof.harness.apart.origins import find
from storeproof.harness.backends.base import Opener, enter
from storeproof.harness.history import Recorder
from storeproof.harness.program import Call
from storeproof.harness.racing import Clients
from storeproof.harness.running import PATIENCE, Outcome

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["perform"]


def perform(contract: Contract, job: Job, channel: Connection) -> None:
    """Do a job; what is done and what goes wrong is told through the channel."""
    moments = Moments(job.moment)
    if job.dies:
        moments.watch_threads()
    teller = _Teller(contract, channel, moments)
    try:
        asyncio.run(_Work(contract, job, teller, moments).run())
    except _Untellable as problem:
        teller.tell(Ended(problem=str(problem)))
    except Exception as problem:  # a storage's closing raises what it likes
        text = f"closing the storage raised {type(problem).__name__}: {problem}"
        teller.tell(Ended(problem=text, by_storage=True))


class _Untellable(Exception):
    """What a call gave can't be passed on."""


class _Teller(Recorder):
    """Tells what is noted as it happens; a kernel keeps it when this process is killed."""

    def __init__(self, contract: Contract, channel: Connection, moments: Moments) -> None:
        super().__init__(contract)
        self._channel, self._moments = channel, moments
        self._positions: list[int] = []

    def tell(self, message: object) -> None:
        with self._moments.uncounted():
            self._channel.send_bytes(pack(message))

    def invoke(self, client: int, position: int, call: Call) -> int:
        self.tell(Invoked(client, position))
        self._positions.append(position)
        return len(self._positions) - 1

    def respond(self, word: int, outcome: Outcome) -> None:
        position = self._positions[word]
        try:
            self.tell(Returned(position, outcome))
        except Exception as problem:  # classes raise what they like where they can't be pickled
            if outcome.error is None or outcome.declared:
                raise _Untellable(f"what it gave can't be pickled ({problem})") from None
            error = RuntimeError(f"{type(outcome.error).__name__}: {outcome.error}")
            self.tell(Returned(position, Outcome(error=error, declared=False)))
        self._moments.moment()


class _Work:
    def __init__(self, contract: Contract, job: Job, teller: _Teller, moments: Moments) -> None:
        self._contract, self._job = contract, job
        self._teller, self._moments = teller, moments
        self._imported = frozenset(sys.modules)

    async def run(self) -> None:
        async with AsyncExitStack() as handles:
            try:
                async with asyncio.timeout(PATIENCE):
                    opened = await self._open(handles)
            except Exception as problem:  # a storage's opening raises what it likes
                text = f"opening the storage raised {type(problem).__name__}: {problem}"
                self._teller.tell(Ended(problem=text, by_storage=True))
                return
            self._teller.tell(Imported(tuple(sys.modules.keys() - self._imported)))
            await self._make(opened)
            if self._job.dies:
                self._teller.tell(Ended(self._moments.count))
                self._moments.kill()
        self._teller.tell(Ended())

    async def _open(self, handles: AsyncExitStack) -> list[Any]:
        job = self._job
        opener: Opener = find(job.opener) if job.opener else self._contract.storages[job.backend]
        count = len(set(job.lanes))
        apart = 1 if job.program.shared else count
        opened = [await enter(opener, job.address, handles) for _ in range(apart)]
        return opened * (len(job.lanes) // apart)

    async def _make(self, handles: list[Any]) -> None:
        job = self._job
        clients = Clients(
            self._contract,
            job.program,
            handles,
            self._teller,
            results=job.results,
            lanes=job.lanes,
            wrapped=self._moments.stepped,
        )
        if Part.STEPS in job.parts:
            await clients.make_steps()
        if Part.BRANCHES in job.parts:
            with self._moments.counted() if job.dies else nullcontext():
                await clients.make_branches()
        if Part.READS in job.parts:
            await clients.make_reads()
