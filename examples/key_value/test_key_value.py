"""Proves the stores of py-key-value-aio against its MemoryStore."""

from hypothesis import strategies as st
from key_value.aio.errors import BaseKeyValueError
from key_value.aio.protocols import AsyncKeyValue
from key_value.aio.stores.disk import DiskStore
from key_value.aio.stores.duckdb import DuckDBStore
from key_value.aio.stores.filetree import (
    FileTreeStore,
    FileTreeV1CollectionSanitizationStrategy,
    FileTreeV1KeySanitizationStrategy,
)
from key_value.aio.stores.memory import MemoryStore

from storeproof import Contract


def open_filetree(path: str) -> FileTreeStore:
    # Its documentation recommends these: without them, keys are file names as they are.
    return FileTreeStore(
        data_directory=path,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(path),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(path),
    )


key_value = Contract(
    AsyncKeyValue,
    model=MemoryStore,
    storages={
        "disk": lambda path: DiskStore(directory=path),
        "duckdb": lambda path: DuckDBStore(database_path=f"{path}/kv.duckdb"),
        "filetree": open_filetree,
    },
    errors=[BaseKeyValueError, ValueError],
    refs={"key": "Entry.key", "collection": "Entry.collection"},
    # Hours: nothing expires while a program runs. The rest of a ttl is compared to the minute.
    arguments={"ttl": st.sampled_from([None, 3600, 7200.5, 0, -1])},
    canonical={tuple: lambda pair: (pair[0], pair[1] and round(pair[1] / 60))},
)
TestKeyValue = key_value.suite()
