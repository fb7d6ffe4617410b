"""Proves the stores of py-key-value-aio against its MemoryStore."""

from pathlib import Path

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

NAMES = st.sampled_from(["a", "b", "A", "", "a:", ":b", "á", "../a", "a" * 300, "a" * 301])


def objects(values: st.SearchStrategy) -> st.SearchStrategy:
    return st.dictionaries(st.sampled_from(["a", "b", "", "key", "value"]), values, max_size=3)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e9, 1e9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | objects(inner),
    max_leaves=4,
)


def open_filetree(path: str) -> FileTreeStore:
    root = Path(path)  # its documentation recommends these: else keys are file names as they are
    return FileTreeStore(
        data_directory=root,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(root),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(root),
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
    arguments={
        "key": NAMES,
        "keys": st.lists(NAMES, max_size=3),
        "collection": st.none() | NAMES,
        "value": objects(JSON),
        "values": st.lists(objects(JSON), max_size=3),
        "ttl": st.sampled_from([None, 3600, 7200.5, 0, -1]),  # none ends while a program runs
    },
    refs={"key": "Entry.key"},
    canonical={tuple: lambda pair: (pair[0], pair[1] and round(pair[1] / 60))},  # ttl in minutes
)
TestKeyValue = key_value.suite()
