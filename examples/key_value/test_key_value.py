"""Proves the stores of py-key-value-aio against its MemoryStore."""

from pathlib import Path
from typing import Any

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
    root = Path(path)  # its documentation recommends these: else keys are file names as they are
    return FileTreeStore(
        data_directory=root,
        key_sanitization_strategy=FileTreeV1KeySanitizationStrategy(root),
        collection_sanitization_strategy=FileTreeV1CollectionSanitizationStrategy(root),
    )


def contract(name: str, names: list[str], **arguments: list[Any]) -> Contract:
    return Contract(
        AsyncKeyValue,
        name=name,
        model=MemoryStore,
        storages={
            "disk": lambda path: DiskStore(directory=path),
            "duckdb": lambda path: DuckDBStore(database_path=f"{path}/kv.duckdb"),
            "filetree": open_filetree,
        },
        errors=[BaseKeyValueError, ValueError],
        arguments={"key": names, "collection": [None, *names], **arguments}
        | {"ttl": [None, 3600, 7200.5, 0, -1]},  # none ends while a program runs
        canonical={tuple: lambda pair: (pair[0], pair[1] and round(pair[1] / 60))},  # ttl: minutes
    )


NAMES = ["a", "b", "", "á", "../a"]
key_value = contract("KeyValue", [*NAMES, "a:", ":a", "a" * 300, "a" * 301])
TestKeyValue = key_value.suite()

# Beside what known_failures.toml tells of, the stores agree.
VALUES = [{"a": 1}, {"b": "é"}, {"a": -9, "c": ""}, {}]
plain = contract("PlainKeyValue", NAMES, value=VALUES, values=[VALUES[:1], VALUES, []])
TestPlainKeyValue = plain.suite()
