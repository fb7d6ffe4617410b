"""For applications: the storages that a configuration asks for.

In memory unless a database is configured; `sqlite:///:memory:` stays in memory.

    async with open_storages(load_config()) as storages:
        service = AuthService(storages.auth, ...)

The components of one `Storages` share one `Database`, and the block closes it. For one
component in a program that ends with its storage, `get_auth_storage(config)` is enough.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Final, TypeVar

from storeproof.reference.auth.collections import CONTENT as AUTH_CONTENT
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.auth.database.tables import SCHEMA as AUTH_SCHEMA
from storeproof.reference.auth.memory import InMemoryAuthStorage
from storeproof.reference.auth.protocol import AuthStorage
from storeproof.reference.collections import Content
from storeproof.reference.config import Config
from storeproof.reference.costs.collections import CONTENT as COST_CONTENT
from storeproof.reference.costs.database import DatabaseCostStorage
from storeproof.reference.costs.database.tables import SCHEMA as COSTS_SCHEMA
from storeproof.reference.costs.memory import InMemoryCostStorage
from storeproof.reference.costs.protocol import CostStorage
from storeproof.reference.database import Database, Schema, is_in_memory
from storeproof.reference.errors.collections import CONTENT as ERROR_CONTENT
from storeproof.reference.errors.database import DatabaseErrorStorage
from storeproof.reference.errors.database.tables import SCHEMA as ERRORS_SCHEMA
from storeproof.reference.errors.memory import InMemoryErrorStorage
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.providers.collections import CONTENT as PROVIDER_CONTENT
from storeproof.reference.providers.database import DatabaseProviderStorage
from storeproof.reference.providers.database.tables import SCHEMA as PROVIDERS_SCHEMA
from storeproof.reference.providers.memory import InMemoryProviderStorage
from storeproof.reference.providers.protocol import ProviderStorage
from storeproof.reference.unit import at_once

__all__ = [
    "CONTENTS",
    "SCHEMAS",
    "Storages",
    "get_auth_storage",
    "get_cost_storage",
    "get_error_storage",
    "get_provider_storage",
    "open_storages",
]

CONTENTS: tuple[Content, ...] = (AUTH_CONTENT, COST_CONTENT, ERROR_CONTENT, PROVIDER_CONTENT)
"""What `Storages` hold, by component."""

Storage = TypeVar("Storage")
T = TypeVar("T")

SCHEMAS: Final[tuple[Schema, ...]] = (
    AUTH_SCHEMA,
    COSTS_SCHEMA,
    ERRORS_SCHEMA,
    PROVIDERS_SCHEMA,
)
"""The tables of every component, for what looks after databases."""


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
    errors: cached_property[ErrorStorage] = _component(InMemoryErrorStorage, DatabaseErrorStorage)
    providers: cached_property[ProviderStorage] = _component(
        InMemoryProviderStorage, DatabaseProviderStorage
    )

    def __init__(self, config: Config) -> None:
        self.database = _database(config)

    async def together(self, work: "Callable[[Storages], Awaitable[T]]") -> T:
        """Runs `work` with storages whose operations all happen as a whole, or not at all.

            async def pay(unit: Storages) -> None:
                await providers.on(unit.providers).record(lease, ok=True, latency=took, cost=cost)
                await costs.on(unit.costs).finish(admission, charge)

            await storages.together(pay)

        `costs` and `providers` are services; `on` gives each of them the unit's storage. An
        operation that raises has changed nothing, as ever; an error that leaves `work` undoes all
        of them. `work` may be repeated, and may await nothing but its storages: passwords are
        hashed, alerts delivered and requests sent before or after. Raises UnitSuspended where it
        does otherwise in memory, and as `Database.transact` does.
        """
        if self.database is not None:
            return await self.database.together(lambda unit: work(_UnitStorages(unit)))
        return at_once([getattr(self, name) for name in _COMPONENTS], lambda: work(self))

    async def close(self) -> None:
        """Closes the connections to the database, if there is one."""
        if self.database is not None:
            await self.database.close()


class _UnitStorages(Storages):
    def __init__(self, database: Database) -> None:
        self.database = database


_COMPONENTS = tuple(
    name for name, each in vars(Storages).items() if isinstance(each, cached_property)
)


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


def get_error_storage(config: Config) -> ErrorStorage:
    """A new error storage for this configuration, as `get_auth_storage` gives one."""
    return Storages(config).errors


def get_provider_storage(config: Config) -> ProviderStorage:
    """A new provider storage for this configuration; as `get_auth_storage` otherwise."""
    return Storages(config).providers


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
