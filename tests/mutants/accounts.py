"""For mutants that tell of crashes and faults: correct accounts on a `Database`, a small contract.

The components' own contracts have so many operations that each of their calls meets few crashes in
a quick run, and what is tried before takes long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import sqlalchemy as sa
from harness.accounts import (
    Account,
    AccountError,
    AccountId,
    Accounts,
    InMemoryAccounts,
    Missing,
    Taken,
)

from storeproof import Contract
from storeproof.reference.database import Database, Row, Schema, Transaction, UniqueViolated
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.drivers import to_its_end
from storeproof.reference.database.entities import bind
from storeproof.reference.database.opening import TIMEOUT, open_storage
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable

__all__ = ["DatabaseAccounts", "OneAtATime", "accounts", "schema"]

T = TypeVar("T")


def schema(**given: Any) -> Schema:
    """The one table; given: what else is said of it."""
    tables = sa.MetaData()
    sa.Table(
        "accounts",
        tables,
        sa.Column("id", TEXT, sa.CheckConstraint("id <> ''"), primary_key=True),
        sa.Column("at", TEXT, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        **given,
    )
    return Schema("accounts", 1, tables)


SCHEMA = schema()
TABLE = SCHEMA.tables.tables["accounts"]

_THIS = TABLE.c.id == bind(TABLE.c.id)
GET = sa.select(*TABLE.c).where(_THIS)
LIST = sa.select(*TABLE.c).order_by(TABLE.c.id)
CREATE = sa.insert(TABLE)
PAY = (
    sa.update(TABLE)
    .where(_THIS)
    .values(amount=TABLE.c.amount + bind(TABLE.c.amount))
    .returning(*TABLE.c)
)
ROUND = sa.update(TABLE).values(amount=TABLE.c.amount - TABLE.c.amount % 3)
LOCK = (
    sa.select(*TABLE.c)
    .where(TABLE.c.id.in_([bind(TABLE.c.id, "source"), bind(TABLE.c.id, "target")]))
    .order_by(TABLE.c.id)
    .with_for_update()
)


class DatabaseAccounts:
    """Correct: each operation is one statement, or one transaction."""

    schema = SCHEMA

    def __init__(self, database: Database) -> None:
        self._database = database
        database.require(self.schema)

    async def create(self, account: Account) -> Account:
        values = {"id": account.id, "at": account.at.isoformat(), "amount": account.amount}
        try:
            await self._database.write(CREATE, values)
        except UniqueViolated as error:
            raise Taken from error
        return account

    async def pay(self, id: AccountId, amount: int) -> Account:
        return _one(await self._database.write(PAY, {"id": id, "amount": amount}))

    async def move(self, source: AccountId, target: AccountId) -> None:
        async def work(transaction: Transaction) -> None:
            amount = await self._amount(transaction, source, target)
            await transaction.run(PAY, {"id": source, "amount": -amount})
            await transaction.run(PAY, {"id": target, "amount": amount})

        await self._database.transact(work)

    async def list_accounts(self) -> list[Account]:
        return [_account(row) for row in await self._database.read(LIST, {})]

    async def _amount(self, transaction: Transaction, source: AccountId, target: AccountId) -> int:
        """What is on the first of two accounts, which both are there."""
        found = await transaction.run(LOCK, {"source": source, "target": target})
        amounts = {row[0]: row[2] for row in found}
        if {source, target} - amounts.keys():
            raise Missing
        return int(amounts[source])

    async def _get(self, id: AccountId) -> Account:
        return _one(await self._database.read(GET, {"id": id}))


def _one(rows: list[Row]) -> Account:
    if not rows:
        raise Missing
    return _account(rows[0])


def _account(row: Row) -> Account:
    return Account(row[0], datetime.fromisoformat(row[1]), row[2])


class OneAtATime(DatabaseAccounts):
    """Correct: the calls of a process take turns, and none is cut short when it is cancelled.

    So neither other clients nor cancellations see what a mutant made of it does by halves.
    """

    turn: ClassVar = asyncio.Lock()

    async def create(self, account: Account) -> Account:
        return await self.alone(super().create, account)

    async def pay(self, id: AccountId, amount: int) -> Account:
        return await self.alone(super().pay, id, amount)

    async def move(self, source: AccountId, target: AccountId) -> None:
        await self.alone(super().move, source, target)

    async def list_accounts(self) -> list[Account]:
        return await self.alone(super().list_accounts)

    async def alone(self, call: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """Make a call in turn, to its end."""
        async with self.turn:
            return await to_its_end(call(*arguments))


@asynccontextmanager
async def open_accounts(url: str, timeout: float = TIMEOUT) -> AsyncIterator[DatabaseAccounts]:
    """Correct accounts at this URL."""
    async with open_storage(url, DatabaseAccounts, timeout) as storage:
        yield storage


accounts = Contract(
    Accounts,
    name="accounts",
    model=InMemoryAccounts,
    storages={"sqlite": open_accounts, "postgres": open_accounts},
    errors=[AccountError, StorageError],
    uncertain=[OutcomeUnknown],
    unavailable=[Unavailable],
    ends_within=4,
    arguments={AccountId: ["a", "b", "c"], "amount": [1, 2], "Account.amount": [0, 3]},
)
