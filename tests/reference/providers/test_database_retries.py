"""What is tried again because the reason for its refusal has gone, and when that ends."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storeproof.reference.database.compiling import POSTGRES
from storeproof.reference.database.engine import ATTEMPTS
from storeproof.reference.exceptions import Unavailable
from storeproof.reference.providers import DatabaseProviderStorage, LeaseId
from storeproof.reference.providers.laws.given import EAST, NOW, outcome

ROOM: list[Any] = [(None, None, None, EAST, None, None, 0, 0)]
"""The state of a lease that nothing refuses."""


class Fickle:
    """In the place of a `Database`: refuses some writes, and then can't say why."""

    dialect = POSTGRES

    def __init__(self, refusals: int, state: list[Any]) -> None:
        self.refusals = refusals
        self.state = state

    def require(self, schema: Any) -> None:
        """Has all tables."""

    async def write(self, statement: Any, parameters: Any) -> list[Any]:
        self.refusals -= 1
        return [] if self.refusals >= 0 else [("a",)]

    async def read(self, statement: Any, parameters: Any) -> list[Any]:
        return self.state


async def acquire(database: Any) -> object:
    return await DatabaseProviderStorage(database).acquire(LeaseId("a"), EAST, 0, NOW)


async def record(database: Any) -> object:
    return await DatabaseProviderStorage(database).record_outcome(outcome("a"))


CALLS = pytest.mark.parametrize(("call", "state"), [(acquire, ROOM), (record, [])])


@CALLS
def test_it_is_tried_again_where_nothing_refuses_it(call: Any, state: list[Any]) -> None:
    assert asyncio.run(call(Fickle(ATTEMPTS - 1, state))).id == "a"


@CALLS
def test_it_is_not_tried_for_ever(call: Any, state: list[Any]) -> None:
    with pytest.raises(Unavailable, match=r"kept changing|again and again"):
        asyncio.run(call(Fickle(ATTEMPTS, state)))
