"""Vaults that keep the event loop from everything else, and some that only seem to."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

from argon2.low_level import Type, hash_secret_raw

from .vaults import Box, BoxId, LockedVault

LONGEST = 0.03
"""Seconds that a step may take; what blocks takes ten times as long."""
BLOCKED = 10 * LONGEST


class Sleeps(LockedVault):
    """Waits like a program of one thread."""

    async def rename(self, id: BoxId, label: str) -> Box:
        time.sleep(BLOCKED)  # noqa: ASYNC251 - the defect
        return await super().rename(id, label)


class WaitsForAThread(LockedVault):
    """Has a thread do it, and waits for the thread."""

    async def add(self, id: BoxId) -> None:
        done = threading.Event()
        timer = threading.Timer(BLOCKED, done.set)
        timer.start()
        done.wait()
        await super().add(id)


def hashed(text: str, seconds: float) -> str:
    """Hash again and again for so long, as the processor counts."""
    ends, found = time.thread_time() + seconds, text.encode("utf-8", "replace")
    while time.thread_time() < ends:
        found = hashlib.sha256(found).digest()
    return found.hex()


class Computes(LockedVault):
    """Hashes on the loop's thread."""

    async def create(self, box: Box) -> Box:
        hashed(box.label, BLOCKED)
        return await super().create(box)


class LocksAFile(LockedVault):
    """Holds a lock of SQLite while it waits for the loop, which another client's call blocks."""

    path: ClassVar[Path]

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        connection = sqlite3.connect(self.path, timeout=BLOCKED, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            await asyncio.sleep(0)
            async with super().locked():
                yield
            connection.execute("COMMIT")
        finally:
            connection.close()


BLOCKING: dict[Any, str] = {
    Sleeps: "time.sleep(BLOCKED)  # noqa: ASYNC251 - the defect",
    WaitsForAThread: "done.wait()",
    Computes: "hashed(box.label, BLOCKED)",
    LocksAFile: 'connection.execute("BEGIN IMMEDIATE")',
}


class HashesInAThread(LockedVault):
    """Hashes like a password's hash, in a thread."""

    async def create(self, box: Box) -> Box:
        secret = box.label.encode("utf-8", "replace")
        await asyncio.to_thread(hash_secret_raw, secret, b"salt" * 4, 2, 32768, 1, 32, Type.ID)
        return await super().create(box)


class ComputesALittle(LockedVault):
    """Computes often, never for long at once."""

    async def rename(self, id: BoxId, label: str) -> Box:
        for _ in range(20):
            hashed(label, LONGEST / 20)
            await asyncio.sleep(0)
        return await super().rename(id, label)


class ComputesOnce(LockedVault):
    """Computes for long when it is used first, and never again in this process."""

    warm: ClassVar[bool] = False

    async def create(self, box: Box) -> Box:
        if not self.warm:
            type(self).warm = True
            hashed(box.label, BLOCKED)
        return await super().create(box)


class SleepsElsewhere(LockedVault):
    """Waits for as long, and gives the loop its turn meanwhile."""

    async def rename(self, id: BoxId, label: str) -> Box:
        await asyncio.sleep(2 * LONGEST)
        return await super().rename(id, label)


SPARED = (LockedVault, HashesInAThread, ComputesALittle, ComputesOnce, SleepsElsewhere)
