"""Proves the AsyncSqliteStore of langgraph against its InMemoryStore."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

from langgraph.store.base import BaseStore, Item, Op, Result, SearchItem
from langgraph.store.memory import InMemoryStore
from langgraph.store.sqlite import AsyncSqliteStore

from storeproof import Contract


@asynccontextmanager
async def open_sqlite(path: str) -> AsyncIterator[BaseStore]:
    async with AsyncSqliteStore.from_conn_string(f"{path}/store.db") as store:
        await store.setup()
        yield store


class CopyingStore(InMemoryStore):
    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        return deepcopy(await super().abatch(deepcopy([*ops])))


def contract(model: type[BaseStore], *left_out: str, **arguments: list[Any]) -> Contract:
    return Contract(
        BaseStore,
        name=model.__name__,
        model=model,
        storages={"folder": open_sqlite},
        ignore=dict.fromkeys([*BLOCKING, *left_out], "see README.md"),
        errors=[ValueError],
        arguments={"namespace": NAMESPACES, "namespace_prefix": [(), *NAMESPACES], **arguments}
        | {"key": ["a", "é"], "index": [None], "query": [None], "ttl": [None]}
        | {"limit": [100], "offset": [0], "refresh_ttl": [None]},
        canonical={kind: lambda item: (item.namespace, item.key, item.value) for kind in KINDS},
        unordered=["asearch"],  # memory gives the oldest first, SQLite the newest, to the second
        reads=["asearch"],
    )


BLOCKING = ["abatch", "batch", "delete", "get", "list_namespaces", "put", "search"]
KINDS = (Item, SearchItem)
NAMESPACES = [("a",), ("a", "b"), ("A",), ("a",) * 3, ("*",)]
VALUES = [{}, {"a": 1}, {"a": 2, "b": "é"}, {"a": None}, {"b": {"c": [1, 2.5, "é"]}}]
FILTERS = [None, {}, {"a": 1}, {"a": 2, "b": "é"}, {"a": None}]

store = contract(InMemoryStore, value=VALUES, filter=FILTERS)
TestStore = store.suite()

# Beside what known_failures.toml tells of, the stores agree.
plain = contract(CopyingStore, "alist_namespaces", value=VALUES, filter=FILTERS)
TestPlainStore = plain.suite()
