"""A launcher's fork does its `LoadJob` here: it loads an archive, and is killed meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.apart.jobs import Ended, LoadJob
from storeproof.harness.apart.messages import pack
from storeproof.harness.apart.moments import Moments
from storeproof.harness.apart.origins import find
from storeproof.harness.backends.base import Opener, enter
from storeproof.harness.moving.moves import awaited
from storeproof.harness.running import PATIENCE

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["load"]


def load(contract: Contract, job: LoadJob, channel: Connection) -> None:
    """Do a job; how it ends is told through the channel, unless the process is killed before."""
    moments = Moments(job.moment)
    moments.watch_threads()
    try:
        asyncio.run(_load(contract, job, moments, channel))
    except Exception as problem:  # a contract's author raises what they like
        text = f"the load raised {type(problem).__name__}: {problem}"
        channel.send_bytes(pack(Ended(problem=text, by_storage=True)))


async def _load(contract: Contract, job: LoadJob, moments: Moments, channel: Connection) -> None:
    opener: Opener = find(job.opener) if job.opener else contract.storages[job.backend]
    async with AsyncExitStack() as handles:
        async with asyncio.timeout(PATIENCE):
            storage = await enter(opener, job.address, handles)
        with moments.counted():
            await moments.stepped(_made(contract, job, storage))
        channel.send_bytes(pack(Ended(moments.count)))
        moments.kill()


async def _made(contract: Contract, job: LoadJob, storage: Any) -> None:
    assert contract.moves is not None, "the job is given for contracts that have moves"
    await awaited(contract.moves.load(Path(job.path), storage))
