"""Proves the stores of py-key-value-aio against its MemoryStore."""

from pathlib import Path

from hypothesis.strategies import (
    SearchStrategy,
    booleans,
    dictionaries,
    integers,
    lists,
    none,
    recursive,
    sampled_from,
    text,
)
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


def contract(name: str, names: SearchStrategy[str], values: SearchStrategy[dict]) -> Contract:
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
        arguments={"key": names, "keys": lists(names, max_size=3), "collection": none() | names}
        | {"value": values, "values": lists(values, max_size=3)}
        | {"ttl": [None, 3600, 7200.5, 0, -1]},  # none ends while a program runs
        refs={"key": "Entry.key"},
        canonical={tuple: lambda pair: (pair[0], pair[1] and round(pair[1] / 60))},  # ttl: minutes
    )


FIELDS, PLAIN = sampled_from(["a", "b", "", "key", "value"]), integers(-9, 9) | text(max_size=2)
JSON = recursive(
    none() | booleans() | integers() | PLAIN,
    lambda inner: lists(inner, max_size=2) | dictionaries(FIELDS, inner, max_size=2),
)
NAMES = sampled_from(["a", "b", "", "á", "../a"])
HARD_NAMES = NAMES | sampled_from(["a:", ":a", "a" * 300, "a" * 301])
key_value = contract("KeyValue", HARD_NAMES, dictionaries(FIELDS, JSON, max_size=2))
TestKeyValue = key_value.suite()

# Beside what known_failures.toml tells of, the stores agree.
plain = contract("PlainKeyValue", NAMES, dictionaries(sampled_from("abc"), PLAIN))
TestPlainKeyValue = plain.suite()
