"""Authors of a storage that keeps its data below a folder register a `DirectoryBackend`."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import (
    Backend,
    Capability,
    HandleStore,
    Opener,
    RunOptions,
    Server,
)

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["DirectoryBackend", "DirectoryStore"]


class DirectoryStore(HandleStore):
    """An empty folder; its address is the folder's path.

    Nobody may delete files below an open handle, so emptying closes every handle first.
    """

    async def fresh(self) -> Any:
        await self._close_handles()
        return await super().fresh()

    async def empty(self) -> None:
        _wipe(Path(self.address))

    async def remove(self) -> None:
        shutil.rmtree(self.address, ignore_errors=True)


class DirectoryBackend(Backend):
    """A folder of its own for each store, wiped between programs.

    >>> disk = DirectoryBackend("disk", capabilities={Capability.SURVIVES_RESTART})

    A contract then says `storages={"disk": lambda path: DiskStore(directory=path)}`; an async
    context manager in place of the storage is closed before the folder is wiped.
    """

    def __init__(
        self,
        name: str,
        *,
        capabilities: Iterable[Capability] = (),
        openers: Mapping[type, Opener] | None = None,
    ) -> None:
        self.name = name
        self.capabilities = frozenset(capabilities)
        self.openers = dict(openers or {})

    def start(self, options: RunOptions) -> Server:
        directory = options.directory / self.name
        directory.mkdir(parents=True, exist_ok=True)
        return Server(address=str(directory), description=self.name)

    async def create_store(self, contract: Contract, server: Server) -> DirectoryStore:
        path = Path(server.address) / secrets.token_hex(8)
        return DirectoryStore(self.opener(contract), str(path))


def _wipe(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
