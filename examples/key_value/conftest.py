"""Registers the backends of py-key-value-aio: each keeps its data below a folder."""

from storeproof import Capability, DirectoryBackend

LASTING = {Capability.CONCURRENT_CLIENTS, Capability.SURVIVES_RESTART}


def pytest_storeproof_backends() -> list[DirectoryBackend]:
    return [DirectoryBackend(name, capabilities=LASTING) for name in ("disk", "duckdb", "filetree")]
