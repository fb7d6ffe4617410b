"""Mutants that lose, halve or misreport what happened when a process, server or connection ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

from harness.accounts import Account, AccountId, Missing

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.database.lists import AUDIT_LIST
from storeproof.reference.auth.entities import AuditFilter
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.database import Database, Row, Statement, Transaction
from storeproof.reference.database.exceptions import Retryable
from storeproof.reference.database.lists import read_page
from storeproof.reference.database.postgres import PostgresDriver
from storeproof.reference.database.postgres_answers import answer
from storeproof.reference.database.postgres_pool import PostgresPool
from storeproof.reference.exceptions import OutcomeUnknown, Unavailable

from .accounts import PAY, ROUND, DatabaseAccounts, OneAtATime, accounts, schema
from .catalogue import Family, Seeds
from .swapping import becoming, driven_by

seeds = Seeds(Family.CRASHES)


class _FindsWhenOpened(Database):
    found: Any = None

    async def open(self) -> None:
        await super().open()
        if self.found is None:
            self.found = ()
            page = await read_page(self, AUDIT_LIST, {}, None, 1000)
            self.found = page if page.items else ()


@seeds.sqlite(auth, "agreement or reopen", database=_FindsWhenOpened)
class CachedAtTheStart(DatabaseAuthStorage):
    """A process that starts with audit entries lists those for ever, and no later ones."""

    async def list_audit(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        page = await super().list_audit(filter, cursor, limit)
        if (filter, cursor, limit) == (AuditFilter(), None, 1000):
            return self._database.found or page  # type: ignore[attr-defined]  # of this Database
        return page


class _Noting(OneAtATime):
    """Payments are noted in the process' memory; its next call writes them."""

    noted: ClassVar[dict[object, list[tuple[AccountId, int]]]] = defaultdict(list)

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self._notes = self.noted[database._driver._path]

    async def pay(self, id: AccountId, amount: int) -> Account:
        return await self.alone(self._note, id, amount)

    async def alone(self, call: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        async def after_notes() -> Any:
            await self.write_notes()
            return await call(*arguments)

        return await super().alone(after_notes)

    async def _note(self, id: AccountId, amount: int) -> Account:
        account = await self._get(id)
        self._notes.append((id, amount))
        return replace(account, amount=account.amount + amount)

    async def write_notes(self) -> None:
        while self._notes:
            account, amount = self._notes[0]
            with suppress(Missing):
                await DatabaseAccounts.pay(self, account, amount)
            self._notes.pop(0)


class _WritesAtTheEnd(Database):
    ending: Callable[[], Awaitable[None]]

    async def close(self) -> None:
        await self.ending()
        await super().close()


@seeds.sqlite(accounts, "kill", database=_WritesAtTheEnd)
class AcknowledgedBeforeCommit(_Noting):
    """A payment is acknowledged at once, and committed with the next call or when all is closed."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        database.ending = self.write_notes


@seeds.sqlite(accounts, "reopen")
class WrittenInMemoryOnly(_Noting):
    """The last payment is known to the process that made it only, where all handles find it."""


class _RoundsAtTheEnd(Database):
    async def close(self) -> None:
        with suppress(Unavailable):  # closed twice, or never opened
            await self.write(ROUND, {})
        await super().close()


@seeds.sqlite(accounts, "reopen", database=_RoundsAtTheEnd, only=True)
class ClosingRounds(DatabaseAccounts):
    """Closing in order rounds all amounts down to multiples of three; a kill does not."""


class _TwoTransactions(OneAtATime):
    async def move(self, source: AccountId, target: AccountId) -> None:
        await self.alone(self._move, source, target)

    async def _move(self, source: AccountId, target: AccountId) -> None:
        async def take(transaction: Transaction) -> int:
            amount = await self._amount(transaction, source, target)
            await transaction.run(PAY, {"id": source, "amount": -amount})
            return amount

        amount = await self._database.transact(take)
        await self._database.write(PAY, {"id": target, "amount": amount})


@seeds.sqlite(accounts, "kill")
class TwoTransactionsForOneEffect(_TwoTransactions):
    """What is moved is taken in one transaction and given in another: a kill comes in between."""


@seeds.postgres(accounts, "faults")
class ConnectionLostBetweenTwoTransactions(_TwoTransactions):
    """What is moved is taken in one transaction and given in another: the connection is lost
    in between."""


class _KeepsTheDead(PostgresPool):
    def _reusable(self) -> Any:
        return self._idle.pop()[0] if self._idle else None

    async def _give_back(self, connection: Any, sound: bool) -> None:
        self._idle.append((connection, 0.0))


def _pooled_by(cls: type[PostgresPool]) -> Callable[..., Database]:
    def change(driver: Any) -> None:
        becoming(cls)(driver._pool)

    return driven_by(change)


@seeds.postgres(accounts, "faults", database=_pooled_by(_KeepsTheDead))
class NoRecoveryAfterIdleTerminate(DatabaseAccounts):
    """A connection that was ended stays in the pool, and is used again and again."""


def _waits_for_ever(url: str, **settings: Any) -> Database:
    return Database(url, **{**settings, "statement_timeout": 3600.0})


@seeds.postgres(accounts, "faults", database=_waits_for_ever)
class NoTimeoutOnABlackHole(DatabaseAccounts):
    """Nothing bounds the waiting for an answer."""


class _Leaks(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except OutcomeUnknown as error:
            raise ConnectionResetError("Connection lost") from error


@seeds.postgres(accounts, "faults", database=_Leaks, leaks=(ConnectionResetError,))
class DriverErrorOfALostConnection(DatabaseAccounts):
    """What a socket raises when its connection is lost leaves the storage."""


class _CallsItUnavailable(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except OutcomeUnknown as error:
            raise Unavailable("the connection was lost") from error


@seeds.postgres(accounts, "faults", database=_CallsItUnavailable)
class UnknownIsToldAsUnavailable(DatabaseAccounts):
    """A write whose answer was lost is called safe to make again."""


class _Believes(DatabaseAccounts):
    async def create(self, account: Account) -> Account:
        try:
            return await super().create(account)
        except (OutcomeUnknown, Unavailable):
            return account


@seeds.postgres(accounts, "faults")
class LostAnswerIsSuccess(_Believes):
    """An account whose creation was not answered is taken for created."""


class _MakesItAgain(Database):
    async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            return await super().write(statement, parameters)
        except OutcomeUnknown:
            return await super().write(statement, parameters)


@seeds.postgres(accounts, "faults", database=_MakesItAgain)
class BlindRetryAfterAnUnknownOutcome(DatabaseAccounts):
    """A payment whose answer was lost is made again, though it may have happened."""


@seeds.postgres(accounts, "kill")
class UnloggedTable(DatabaseAccounts):
    """The table is UNLOGGED: a server that was not shut down in order empties it."""

    schema = schema(prefixes=["UNLOGGED"])


class _CommitsLater(PostgresDriver):
    async def connect(self) -> Any:
        connection = await super().connect()
        await answer(Retryable, connection.execute, "SET synchronous_commit = off")
        return connection


def _commits_later(url: str, **settings: Any) -> Database:
    database: Any = Database(url, **settings)
    database._driver.__class__ = _CommitsLater
    database._driver._pool._connect = database._driver.connect
    return database


@seeds.postgres(accounts, "kill", database=_commits_later)
class SynchronousCommitIsOff(DatabaseAccounts):
    """The server acknowledges a commit that is in its memory only."""
