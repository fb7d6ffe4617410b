"""The revisions of the reference components do what a history of revisions must."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from storeproof.reference.config import Config
from storeproof.reference.database.revisions import HISTORY, upgrade
from storeproof.reference.database.revisions.catalogue import differences, read_catalogue
from storeproof.reference.database.revisions.connecting import run
from storeproof.reference.database.revisions.proving import CHECKS, Check, Proof
from storeproof.reference.selection import SCHEMAS, open_storages

PROOF = Proof(HISTORY, SCHEMAS)


@pytest.mark.parametrize("check", CHECKS, ids=lambda each: each.__name__)
def test_schema(check: Check, make: Callable[[], str]) -> None:
    asyncio.run(check(PROOF, make()))


def test_opening_makes_what_upgrading_makes(make: Callable[[], str]) -> None:
    """A database that was opened with `create_schema` has the same catalogue and versions."""

    async def catalogues() -> list[str]:
        opened, upgraded = make(), make()
        async with open_storages(Config(database_url=opened, create_schema=True)) as storages:
            assert storages.database is not None
            for each in SCHEMAS:
                storages.database.require(each)
            versions = await storages.database.versions()
        await upgrade(upgraded, HISTORY)
        assert versions == HISTORY.versions(HISTORY.components)
        return differences(await run(upgraded, read_catalogue), await run(opened, read_catalogue))

    assert asyncio.run(catalogues()) == []
