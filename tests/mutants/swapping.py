"""For mutants of database storages: one statement in the place of another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from storeproof.reference.database import Database, Row, Schema, Statement, Transaction

__all__ = ["Unlocked", "swapping"]

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
