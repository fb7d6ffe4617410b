"""`--storage=memory`, the default, uses `MemoryBackend`: the contract's model itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from storeproof.harness.backends.base import Backend, Capability, Server, Store

if TYPE_CHECKING:
    from storeproof.harness.contract import Contract

__all__ = ["MemoryBackend", "MemoryStore"]


class MemoryStore(Store):
    """A model; its clients are the tasks that share it."""

    def __init__(self, contract: Contract) -> None:
        self.address = "memory"
        self._contract = contract
        self._model: Any = None

    async def fresh(self) -> Any:
        self._model = self._contract.model()
        return self._model

    async def second(self) -> Any:
        return self._model

    async def reopen(self) -> Any:
        return await self.fresh()

    async def close(self) -> None:
        self._model = None


class MemoryBackend(Backend):
    """The contract's model as its own candidate: what the laws and checks must hold for first."""

    name = "memory"
    capabilities = frozenset({Capability.CONCURRENT_CLIENTS})

    async def create_store(self, contract: Contract, server: Server) -> MemoryStore:
        return MemoryStore(contract)
