"""The configuration decides where errors are kept."""

from __future__ import annotations

import asyncio

import pytest

from storeproof.reference.config import Config
from storeproof.reference.errors import DatabaseErrorStorage, InMemoryErrorStorage
from storeproof.reference.errors.laws.given import event
from storeproof.reference.selection import get_error_storage, open_storages


@pytest.mark.parametrize("url", [None, "sqlite:///:memory:"])
def test_in_memory_unless_a_database_is_configured(url: str | None) -> None:
    assert isinstance(get_error_storage(Config(database_url=url)), InMemoryErrorStorage)


def test_auth_and_errors_share_a_database(url: str) -> None:
    async def use() -> None:
        async with open_storages(Config(database_url=url, create_schema=True)) as storages:
            assert isinstance(storages.errors, DatabaseErrorStorage)
            await storages.errors.create(event("a"))
            assert (await storages.auth.list_roles()).items == ()
        async with open_storages(Config(database_url=url)) as storages:
            assert await storages.errors.get_by_id(event("a").id) == event("a")

    asyncio.run(use())
