"""Maintainers see here how the auth storage does beside advanced-alchemy's repository.

    storeproof bench benchmarks/beside_alchemy.py:TestAuth --storage sqlite,postgres

Both keep the same users in the same table. It needs the package advanced-alchemy.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from msgspec.structs import asdict
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import registry
from test_auth import CALLS

from storeproof.reference.auth import User, UserId
from storeproof.reference.auth.database import open_auth_storage
from storeproof.reference.auth.database.tables import USERS
from storeproof.reference.auth.laws import contract


class Row:
    """A user's row, which the repository maps."""

    def __init__(self, **values: Any) -> None:
        vars(self).update(values)


mapper = registry(metadata=USERS.metadata)
mapper.map_imperatively(Row, USERS)


class Users(SQLAlchemyAsyncRepository[Any]):
    """The repository as its documentation makes one."""

    model_type = Row


class AlchemyUsers:
    """What is compared of `AuthStorage`: a session for each call, as an application has."""

    def __init__(self, sessions: Any) -> None:
        self._sessions = sessions

    async def get_by_id(self, id: UserId) -> Any:  # noqa: A002 - the Protocol's name
        """The user's row."""
        async with self._sessions() as session:
            return await Users(session=session).get(id)

    async def create(self, entity: User) -> Any:
        """Store a user."""
        row = Row(**asdict(entity), email_key=entity.email)
        async with self._sessions() as session:
            return await Users(session=session).add(row, auto_commit=True)


@asynccontextmanager
async def open_alchemy(address: str) -> AsyncIterator[AlchemyUsers]:
    """Open it on a database whose tables the reference storage has made."""
    async with open_auth_storage(address):
        pass
    engine = create_async_engine(address)
    try:
        yield AlchemyUsers(async_sessionmaker(engine, expire_on_commit=False))
    finally:
        await engine.dispose()


OPERATIONS = ("get_by_id", "create")
TestAuth = contract.benchmarks(
    operations=OPERATIONS,
    calls={name: CALLS[name] for name in OPERATIONS},
    gates={
        name: {"get_by_id": "p50 <= 1.05 x baseline", "create": "p50 <= 1.05 x baseline"}
        for name in ("sqlite", "postgres")
    },
    baseline=open_alchemy,
)
