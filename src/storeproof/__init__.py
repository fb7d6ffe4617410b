"""Everyone who uses storeproof imports from here; nothing is loaded before it is asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storeproof.harness.backends.base import (
        Backend,
        Capability,
        Counter,
        HandleStore,
        RunOptions,
        Server,
        Store,
    )
    from storeproof.harness.backends.directory import DirectoryBackend
    from storeproof.harness.backends.factory import FactoryBackend
    from storeproof.harness.backends.networked import NetworkedStore
    from storeproof.harness.backends.program import ProgramBackend
    from storeproof.harness.compare import assert_same
    from storeproof.harness.contract import Contract
    from storeproof.harness.copying import scribble
    from storeproof.harness.law import MUST, SHOULD, law
    from storeproof.harness.moving.moves import Moves
    from storeproof.harness.paging import assert_walk
    from storeproof.harness.suite import replaces
    from storeproof.harness.wire import Resp

__all__ = [
    "MUST",
    "SHOULD",
    "Backend",
    "Capability",
    "Contract",
    "Counter",
    "DirectoryBackend",
    "FactoryBackend",
    "HandleStore",
    "Moves",
    "NetworkedStore",
    "ProgramBackend",
    "Resp",
    "RunOptions",
    "Server",
    "Store",
    "assert_same",
    "assert_walk",
    "law",
    "replaces",
    "scribble",
]

_HOMES = {
    "Backend": "backends.base",
    "Capability": "backends.base",
    "Contract": "contract",
    "Counter": "backends.base",
    "DirectoryBackend": "backends.directory",
    "FactoryBackend": "backends.factory",
    "HandleStore": "backends.base",
    "MUST": "law",
    "Moves": "moving.moves",
    "NetworkedStore": "backends.networked",
    "ProgramBackend": "backends.program",
    "Resp": "wire",
    "RunOptions": "backends.base",
    "SHOULD": "law",
    "Server": "backends.base",
    "Store": "backends.base",
    "assert_same": "compare",
    "assert_walk": "paging",
    "law": "law",
    "replaces": "suite",
    "scribble": "copying",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'storeproof' has no attribute {name!r}")
    return getattr(importlib.import_module(f"storeproof.harness.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
