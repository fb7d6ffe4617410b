"""The configuration decides where each component's data lives."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from storeproof.reference.auth import InMemoryAuthStorage
from storeproof.reference.auth.database import DatabaseAuthStorage
from storeproof.reference.config import Config, ConfigurationError
from storeproof.reference.costs import DatabaseCostStorage, InMemoryCostStorage
from storeproof.reference.database import SchemaMismatch
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.selection import (
    Storages,
    get_auth_storage,
    get_cost_storage,
    open_storages,
)

from .auth.examples import ANN, user
from .costs.examples import charge


@pytest.mark.parametrize(
    "url", [None, "", "sqlite://", "sqlite:///:memory:", "sqlite+aiosqlite:///:memory:"]
)
def test_in_memory_unless_a_database_is_configured(url: str | None) -> None:
    assert isinstance(get_auth_storage(Config(database_url=url)), InMemoryAuthStorage)


def test_a_database_where_one_is_configured(url: str) -> None:
    async def use() -> None:
        config = Config(database_url=url, create_schema=True)
        async with open_storages(config) as storages:
            assert isinstance(storages.auth, DatabaseAuthStorage)
            await storages.auth.create(user(ANN))
        async with open_storages(Config(database_url=url)) as storages:
            assert await storages.auth.get_by_id(ANN) == user(ANN)

    asyncio.run(use())


def test_getting_a_storage_connects_nothing() -> None:
    storage = get_auth_storage(Config(database_url="postgresql://nobody@127.0.0.1:1/none"))
    with pytest.raises(Unavailable):
        asyncio.run(storage.get_by_id(ANN))


def test_tables_are_not_created_unless_asked(postgres_url: str) -> None:
    async def use() -> None:
        async with open_storages(Config(database_url=postgres_url)) as storages:
            await storages.auth.get_by_id(ANN)

    with pytest.raises(SchemaMismatch, match="create_schema"):
        asyncio.run(use())


def test_the_settings_reach_the_database(postgres_url: str) -> None:
    storages = Storages(Config(database_url=postgres_url, pool_size=3, statement_timeout=4.0))
    assert storages.database is not None
    driver: Any = storages.database._driver
    settings = driver._settings
    assert (settings.pool_size, settings.statement_timeout, settings.create) == (3, 4.0, False)


@pytest.mark.parametrize("url", ["mysql://ann:secret@host/app", "redis://host", "app.db"])
def test_an_unsupported_url_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"postgresql://.* or sqlite:///") as caught:
        get_auth_storage(Config(database_url=url))
    assert "secret" not in str(caught.value)


def test_a_storage_is_made_once_and_its_database_is_closed_with_the_block(sqlite_url: str) -> None:
    async def use() -> None:
        async with open_storages(Config(database_url=sqlite_url, create_schema=True)) as storages:
            storage = storages.auth
            assert storages.auth is storage
            await storage.create(user(ANN))
        with pytest.raises(Unavailable, match="closed"):
            await storage.get_by_id(ANN)

    asyncio.run(use())


def test_two_storages_in_memory_share_nothing() -> None:
    one, two = (Storages(Config()) for _ in range(2))
    asyncio.run(one.auth.create(user(ANN)))
    asyncio.run(two.auth.create(user(ANN)))
    asyncio.run(one.close())


def test_costs_are_chosen_in_the_same_way(url: str) -> None:
    async def use() -> None:
        async with open_storages(Config(database_url=url, create_schema=True)) as storages:
            assert isinstance(storages.costs, DatabaseCostStorage)
            await storages.costs.create(charge("a"))
        assert isinstance(get_cost_storage(Config()), InMemoryCostStorage)
        storage = get_cost_storage(Config(database_url=url))
        assert await storage.get_by_id(charge("a").id) == charge("a")
        await cast(DatabaseCostStorage, storage)._database.close()

    asyncio.run(use())
