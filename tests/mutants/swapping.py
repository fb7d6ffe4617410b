"""For mutants of database storages: another statement, or another driver, in the place of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from storeproof.reference.database import Database, Row, Schema, Statement, Transaction

__all__ = ["Unlocked", "becoming", "driven_by", "swapping"]

T = TypeVar("T")
Swaps = Mapping[Statement, Statement]


def swapping(swaps: Swaps) -> type[Database]:
    """A Database that runs other statements in the place of these."""

    class Swapping(Database):
        async def read(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
            return await super().read(swaps.get(statement, statement), parameters)

        async def write(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
            return await super().write(swaps.get(statement, statement), parameters)

        async def transact(
            self, work: Callable[[Transaction], Awaitable[T]], *, lock: Schema | None = None
        ) -> T:
            return await super().transact(lambda it: work(_Swapping(it, swaps)), lock=lock)

    return Swapping


class _Swapping(Transaction):
    def __init__(self, transaction: Transaction, swaps: Swaps) -> None:
        self._transaction, self._swaps = transaction, swaps

    async def run(self, statement: Statement, parameters: Mapping[str, Any]) -> list[Row]:
        return await self._transaction.run(self._swaps.get(statement, statement), parameters)


class Unlocked(Database):
    """A Database whose transactions take no lock of a schema."""

    async def transact(
        self, work: Callable[[Transaction], Awaitable[T]], *, lock: Schema | None = None
    ) -> T:
        return await super().transact(work)


def driven_by(change: Callable[[Any], None]) -> Callable[..., Database]:
    """What makes a Database whose driver has been changed."""

    def make(url: str, **settings: Any) -> Database:
        database = Database(url, **settings)
        change(database._driver)
        return database

    return make


def becoming(cls: type) -> Callable[[Any], None]:
    """Makes an object one of a subclass."""

    def change(changed: Any) -> None:
        changed.__class__ = cls

    return change
