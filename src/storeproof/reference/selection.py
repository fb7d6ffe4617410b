"""For applications: the storages that a configuration asks for.

In memory unless a database is configured; `sqlite:///:memory:` stays in memory.

    async with open_storages(load_config()) as storages:
        service = AuthService(storages.auth, ...)

The components of one `Storages` share one `Database`, and the block closes it. For one
component in a program that ends with its storage, `get_auth_storage(config)` is enough.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TypeVar

from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.auth.memory import InMemoryAuthStorage
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.config import Config
from storeproof.reference.costs.database import DatabaseCostStorage
from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.database import Database, is_in_memory

__all__ = ["Storages", "get_auth_storage", "get_cost_storage", "open_storages"]

Storage = TypeVar("Storage")


def _component(
    memory: Callable[[], Storage], database: Callable[[Database], Storage]
) -> "cached_property[Storage]":
    def choose(storages: "Storages") -> Storage:
        return memory() if storages.database is None else database(storages.database)

    return cached_property(choose)


class Storages:
    """One storage of each component, all in the same place; each is made at its first use.

    Raises ConfigurationError for a database URL that can't be used. Nothing is connected
    before a storage's first operation.
    """

    auth: cached_property[AuthStorage] = _component(InMemoryAuthStorage, DatabaseAuthStorage)
    costs: cached_property[CostStorage] = _component(InMemoryCostStorage, DatabaseCostStorage)

    def __init__(self, config: Config) -> None:
        self.database = _database(config)

    async def close(self) -> None:
        """Closes the connections to the database, if there is one."""
        if self.database is not None:
            await self.database.close()


@asynccontextmanager
async def open_storages(config: Config) -> AsyncIterator[Storages]:
    """The storages for this configuration, closed at the end of the block."""
    storages = Storages(config)
    try:
        yield storages
    finally:
        await storages.close()


def get_auth_storage(config: Config) -> AuthStorage:
    """A new auth storage for this configuration, with a `Database` of its own if it has one.

    Call it once and pass the result on. Its connections last as long as the process; use
    `open_storages` to close them, or to share them between components.
    """
    return Storages(config).auth


def get_cost_storage(config: Config) -> CostStorage:
    """A new cost storage for this configuration; see `get_auth_storage`."""
    return Storages(config).costs


def _database(config: Config) -> Database | None:
    if not config.database_url or is_in_memory(config.database_url):
        return None
    return Database(
        config.database_url,
        create=config.create_schema,
        pool_size=config.pool_size,
        pool_timeout=config.pool_timeout,
        statement_timeout=config.statement_timeout,
    )
