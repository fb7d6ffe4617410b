"""Registers the backends of the sessions that keep a file of SQLite themselves."""

from storeproof import Capability, DirectoryBackend

LASTING = {Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART}


def pytest_storeproof_backends() -> list[DirectoryBackend]:
    return [DirectoryBackend(name, capabilities=LASTING) for name in ("aiosqlite", "file")]
