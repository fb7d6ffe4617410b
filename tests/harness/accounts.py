"""Accounts on SQLite, PostgreSQL and files: correct storages, and some that outlive nothing.

Every storage here is right as long as nothing is closed or killed. They are opened by their class's
name as that of a backend, which is how another process finds them.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NewType, Protocol

import asyncpg

from storeproof import Contract

AccountId = NewType("AccountId", str)


class AccountError(Exception):
    """Root of the errors of accounts."""


class Missing(AccountError):
    """There is no such account."""


class Taken(AccountError):
    """The id is taken."""


class Unknown(AccountError):
    """The connection was lost: it happened or not."""


@dataclass(frozen=True)
class Account:
    id: AccountId
    at: datetime
    amount: int = 0


class Accounts(Protocol):
    """Accounts, and what is on them."""

    async def create(self, account: Account) -> Account:
        """Store an account. Raises Taken when its id is taken."""
        ...

    async def pay(self, id: AccountId, amount: int) -> Account:
        """Add an amount. Raises Missing."""
        ...

    async def move(self, source: AccountId, target: AccountId) -> None:
        """Move all that is on one account to another. Raises Missing."""
        ...

    async def list_accounts(self) -> list[Account]:
        """Give all accounts by id."""
        ...


class InMemoryAccounts:
    """The model."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}

    async def create(self, account: Account) -> Account:
        if account.id in self.accounts:
            raise Taken
        self.accounts[account.id] = account
        return account

    async def pay(self, id: AccountId, amount: int) -> Account:
        account = self.found(id)
        self.accounts[id] = replace(account, amount=account.amount + amount)
        return self.accounts[id]

    async def move(self, source: AccountId, target: AccountId) -> None:
        one, other = self.found(source), self.found(target)
        if source != target:
            self.accounts[source] = replace(one, amount=0)
            self.accounts[target] = replace(other, amount=other.amount + one.amount)

    async def list_accounts(self) -> list[Account]:
        return [self.accounts[each] for each in sorted(self.accounts)]

    def found(self, id: str) -> Account:
        if id not in self.accounts:
            raise Missing
        return self.accounts[id]


class SqliteLine:
    """A connection to SQLite, whose statements are run at once."""

    def __init__(self, address: str) -> None:
        path = address.removeprefix("sqlite+aiosqlite:///")
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=5)

    async def run(self, text: str, *arguments: Any) -> list[Any]:
        return self.connection.execute(text.replace("$", "?"), arguments).fetchall()

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    async def close(self) -> None:
        self.connection.close()


LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # where the server goes while a connection is being made
    asyncpg.CannotConnectNowError,  # while the server recovers
    asyncpg.AdminShutdownError,  # what a client may hear of a server that was killed
)


class PostgresLine:
    """A connection to PostgreSQL, opened again when it was lost."""

    reconnects = True

    def __init__(self, address: str) -> None:
        self.dsn = address.replace("+asyncpg", "")
        self.connection: Any = None
        self.busy = asyncio.Lock()

    async def run(self, text: str, *arguments: Any) -> list[Any]:
        try:
            if self.connection is None or (self.connection.is_closed() and self.reconnects):
                self.connection = await asyncpg.connect(self.dsn)
            return [tuple(row) for row in await self.connection.fetch(text, *arguments)]
        except (OSError, *LOST):
            raise Unknown from None

    @asynccontextmanager
    async def whole(self) -> AsyncIterator[None]:
        async with self.busy:
            await self.run("BEGIN ISOLATION LEVEL SERIALIZABLE")
            try:
                yield
            except AccountError:
                await self.run("ROLLBACK")
                raise
            except asyncpg.SerializationError:
                await self.run("ROLLBACK")
                raise Unknown from None
            try:
                await self.run("COMMIT")
            except asyncpg.SerializationError:
                raise Unknown from None

    async def close(self) -> None:
        if self.connection is not None:
            await self.connection.close()


Line = SqliteLine | PostgresLine


class DatabaseAccounts:
    """Correct: each operation is one transaction."""

    line_of_postgres: type[PostgresLine] = PostgresLine
    tables = "TABLE"

    def __init__(self, address: str) -> None:
        self.address = address
        sqlite = address.startswith("sqlite")
        self.line: Line = SqliteLine(address) if sqlite else self.line_of_postgres(address)

    @classmethod
    @asynccontextmanager
    async def open(cls, address: str) -> AsyncIterator[DatabaseAccounts]:
        made = cls(address)
        columns = "id text PRIMARY KEY, at text, amount bigint"
        tables = cls.tables if isinstance(made.line, PostgresLine) else "TABLE"
        await made.line.run(f"CREATE {tables} IF NOT EXISTS accounts ({columns})")
        await made.opened()
        try:
            yield made
        finally:
            await made.line.close()

    async def opened(self) -> None:
        """What a mutant does then."""

    async def create(self, account: Account) -> Account:
        async with self.line.whole():
            if await self.rows(account.id):
                raise Taken
            await self.line.run(
                "INSERT INTO accounts VALUES ($1, $2, $3)",
                account.id,
                account.at.isoformat(),
                account.amount,
            )
        return account

    async def pay(self, id: AccountId, amount: int) -> Account:
        async with self.line.whole():
            return await self.add(id, amount)

    async def move(self, source: AccountId, target: AccountId) -> None:
        async with self.line.whole():
            one = await self.found(source)
            await self.found(target)
            await self.add(source, -one.amount)
            await self.add(target, one.amount)

    async def list_accounts(self) -> list[Account]:
        found = await self.line.run("SELECT id, at, amount FROM accounts")
        return [read(each) for each in sorted(found)]

    async def add(self, id: AccountId, amount: int) -> Account:
        account = await self.found(id)
        changed = replace(account, amount=account.amount + amount)
        await self.line.run("UPDATE accounts SET amount = $2 WHERE id = $1", id, changed.amount)
        return changed

    async def found(self, id: AccountId) -> Account:
        for row in await self.rows(id):
            return read(row)
        raise Missing

    async def rows(self, id: AccountId) -> list[Any]:
        return await self.line.run("SELECT id, at, amount FROM accounts WHERE id = $1", id)


def read(row: Any) -> Account:
    return Account(row[0], datetime.fromisoformat(row[1]), row[2])


OPENERS: dict[str, Any] = {}
"""By the name of a class: its opener."""


@dataclass(frozen=True)
class Mutant:
    """A storage with a defect, where it shows, and the check that must kill it."""

    make: Any
    check: str
    backends: tuple[str, ...]
    told: str

    @property
    def name(self) -> str:
        return str(self.make.__name__)


MUTANTS: list[Mutant] = []
BOTH = ("sqlite", "postgres")


def mutant(check: str, *backends: str, told: str = "No order of these calls") -> Callable[..., Any]:
    def decorate(make: Any) -> Any:
        OPENERS[make.__name__] = make.open
        MUTANTS.append(Mutant(make, check, backends, told))
        return make

    return decorate


def correct(make: Any) -> Any:
    OPENERS[make.__name__] = make.open
    return make


correct(DatabaseAccounts)


@mutant("kill", *BOTH)
class AcknowledgesFirst(DatabaseAccounts):
    """A payment is kept for the handle's next call, which writes it first."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.kept: list[tuple[AccountId, int]] = []

    async def flush(self) -> None:
        while self.kept:
            await super().pay(*self.kept.pop())

    async def create(self, account: Account) -> Account:
        await self.flush()
        return await super().create(account)

    async def pay(self, id: AccountId, amount: int) -> Account:
        await self.flush()
        account = await self.found(id)
        self.kept.append((id, amount))
        return replace(account, amount=account.amount + amount)

    async def move(self, source: AccountId, target: AccountId) -> None:
        await self.flush()
        await super().move(source, target)

    async def list_accounts(self) -> list[Account]:
        await self.flush()
        return await super().list_accounts()


@mutant("kill", *BOTH)
class MovesInTwoTransactions(DatabaseAccounts):
    """What leaves one account is not yet on the other for a moment."""

    async def move(self, source: AccountId, target: AccountId) -> None:
        async with self.line.whole():
            one = await self.found(source)
            await self.found(target)
            await self.add(source, -one.amount)
        async with self.line.whole():
            await self.add(target, one.amount)


@mutant("reopen", *BOTH)
class KeepsInProcess(DatabaseAccounts):
    """What was paid is known in this process only, where every handle finds it again."""

    amounts: ClassVar[dict[tuple[str, str], int]] = {}

    async def create(self, account: Account) -> Account:
        await super().create(account)
        self.amounts[self.address, account.id] = account.amount
        return account

    async def list_accounts(self) -> list[Account]:
        return [self.paid(each) for each in await super().list_accounts()]

    async def add(self, id: AccountId, amount: int) -> Account:
        account = await self.found(id)
        self.amounts[self.address, id] = account.amount + amount
        return self.paid(account)

    async def found(self, id: AccountId) -> Account:
        return self.paid(await super().found(id))

    def paid(self, account: Account) -> Account:
        known = self.amounts.get((self.address, account.id), account.amount)
        return replace(account, amount=known)


@mutant("reopen", *BOTH)
class CachesOnReopen(DatabaseAccounts):
    """A handle that finds data when it is opened lists for ever what it found."""

    async def opened(self) -> None:
        self.known = await super().list_accounts()

    async def list_accounts(self) -> list[Account]:
        return self.known or await super().list_accounts()


@mutant("reopen", *BOTH, told="datetime")
class LosesMicroseconds(DatabaseAccounts):
    """A process remembers exactly what it wrote, but writes whole seconds."""

    exact: ClassVar[dict[tuple[str, str], Account]] = {}

    async def create(self, account: Account) -> Account:
        await super().create(replace(account, at=account.at.replace(microsecond=0)))
        self.exact[self.address, account.id] = account
        return account

    async def list_accounts(self) -> list[Account]:
        return [await self.exactly(each) for each in await super().list_accounts()]

    async def pay(self, id: AccountId, amount: int) -> Account:
        return await self.exactly(await super().pay(id, amount))

    async def exactly(self, account: Account) -> Account:
        known = self.exact.get((self.address, account.id), account)
        return replace(account, at=known.at)


@mutant("kill", "postgres")
class Unlogged(DatabaseAccounts):
    """A server that was not shut down orderly empties such tables."""

    tables = "UNLOGGED TABLE"


@mutant("kill", "postgres")
class CommitsLater(DatabaseAccounts):
    """The server acknowledges what is in its memory only."""

    async def opened(self) -> None:
        await self.line.run("SET synchronous_commit = off")


class DeadLine(PostgresLine):
    """Never opened again."""

    reconnects = False


@mutant("kill", "postgres", told="has not recovered after 10 attempts")
class NeverRecovers(DatabaseAccounts):
    """A lost connection stays lost."""

    line_of_postgres = DeadLine


class LeakyLine(PostgresLine):
    """What a driver raises when the server is gone comes out."""

    async def run(self, text: str, *arguments: Any) -> list[Any]:
        try:
            return await super().run(text, *arguments)
        except Unknown:
            raise ConnectionResetError from None


@mutant("kill", "postgres", told="none of the contract's errors")
class LeaksTheDriversError(DatabaseAccounts):
    """A call under way raises what nobody declared."""

    line_of_postgres = LeakyLine


class FileAccounts(InMemoryAccounts):
    """Correct: a file that is written anew after each call, and then takes the old one's place."""

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder) / "accounts.json"
        if self.path.exists():
            rows = json.loads(self.path.read_text())
            self.accounts = {each[0]: read(each) for each in rows}

    @classmethod
    def open(cls, folder: str) -> FileAccounts:
        return cls(folder)

    async def create(self, account: Account) -> Account:
        return await self.written(super().create(account))

    async def pay(self, id: AccountId, amount: int) -> Account:
        return await self.written(super().pay(id, amount))

    async def move(self, source: AccountId, target: AccountId) -> None:
        await self.written(super().move(source, target))

    async def written(self, call: Any) -> Any:
        given = await call
        self.write(json.dumps([[a.id, a.at.isoformat(), a.amount] for a in self.accounts.values()]))
        return given

    def write(self, text: str) -> None:
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)


correct(FileAccounts)


@mutant("kill", "directory", told="Opening the storage raised JSONDecodeError")
class WritesInPlace(FileAccounts):
    """The file is empty for a moment."""

    def write(self, text: str) -> None:
        self.path.write_text(text)


contract = Contract(
    Accounts,
    model=InMemoryAccounts,
    storages=OPENERS,
    errors=[AccountError],
    uncertain=[Unknown],
    arguments={AccountId: ["a", "b", "c"], "amount": [1, 2], "Account.amount": [0, 3]},
    name="accounts",
)


class Lines(Protocol):
    """Lines, kept by operations that are not async."""

    def add(self, line: str) -> int:
        """Add a line and say how many there are."""
        ...

    def list_lines(self) -> list[str]:
        """Give all lines in the order in which they came."""
        ...


class InMemoryLines:
    """The model."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)

    def list_lines(self) -> list[str]:
        return list(self.lines)


class FileLines(InMemoryLines):
    """Correct: one line is one write."""

    def __init__(self, folder: str) -> None:
        self.path = Path(folder) / "lines"
        super().__init__()
        if self.path.exists():
            self.lines = self.path.read_text().splitlines()

    def add(self, line: str) -> int:
        self.write(f"{line}\n")
        return super().add(line)

    def write(self, text: str) -> None:
        with self.path.open("ab", buffering=0) as file:
            file.write(text.encode())


class WritesHalfLines(FileLines):
    """A line and its ending are two writes."""

    def write(self, text: str) -> None:
        with self.path.open("ab", buffering=0) as file:
            file.write(text[:1].encode())
            file.write(text[1:].encode())


lines = Contract(
    Lines,
    model=InMemoryLines,
    storages={"FileLines": FileLines, "WritesHalfLines": WritesHalfLines},
    arguments={"line": ["ab", "cd"]},
    name="lines",
)
