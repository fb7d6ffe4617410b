"""Registers the backend of the store that keeps a file of SQLite itself."""

from storeproof import Capability, DirectoryBackend

LASTING = {Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART}


def pytest_storeproof_backends() -> list[DirectoryBackend]:
    return [DirectoryBackend("folder", capabilities=LASTING)]
