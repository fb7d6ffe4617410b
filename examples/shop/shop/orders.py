"""Orders: the Protocol, and its two storages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import NewType, Protocol

import aiosqlite

_RESTORE = "INSERT INTO orders SELECT * FROM (VALUES {}) WHERE NOT EXISTS (SELECT * FROM orders)"

OrderId = NewType("OrderId", str)


class OrderError(Exception):
    """The root of all errors of orders."""


class OrderMissing(OrderError):
    """There is no such order."""


class OrderExists(OrderError):
    """There is such an order already."""


@dataclass(frozen=True)
class Order:
    """An order."""

    id: OrderId
    shipped: bool = False


class Orders(Protocol):
    """Keeps orders."""

    async def create(self, order: Order) -> None:
        """Keep a new order. Raises OrderExists when its id is taken."""

    async def get_by_id(self, id: OrderId) -> Order:
        """Give the order with this id. Raises OrderMissing when there is none."""

    async def ship(self, id: OrderId) -> None:
        """Mark the order as shipped. Raises OrderMissing when there is none."""


class InMemoryOrders(Orders):
    """Orders in this process."""

    def __init__(self) -> None:
        self._orders: dict[OrderId, Order] = {}

    async def create(self, order: Order) -> None:
        if order.id in self._orders:
            raise OrderExists
        self._orders[order.id] = order

    async def get_by_id(self, id: OrderId) -> Order:
        if id not in self._orders:
            raise OrderMissing
        return self._orders[id]

    async def ship(self, id: OrderId) -> None:
        self._orders[id] = replace(await self.get_by_id(id), shipped=True)

    async def snapshot(self) -> dict[str, list[Order]]:
        """Give all that is stored."""
        return {"orders": list(self._orders.values())}

    async def restore(self, content: Mapping[str, Sequence[Order]]) -> None:
        """Store all of it. Raises OrderExists where something is stored."""
        if self._orders:
            raise OrderExists
        self._orders = {each.id: each for each in content["orders"]}


class SqliteOrders(Orders):
    """Orders in SQLite."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator[SqliteOrders]:
        path = url.partition(":///")[2]
        async with aiosqlite.connect(path, isolation_level=None) as connection:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, shipped BOOLEAN)"
            )
            yield cls(connection)

    async def create(self, order: Order) -> None:
        try:
            await self._connection.execute(
                "INSERT INTO orders VALUES (?, ?)", (order.id, order.shipped)
            )
        except aiosqlite.IntegrityError:
            raise OrderExists from None

    async def get_by_id(self, id: OrderId) -> Order:
        statement = "SELECT id, shipped FROM orders WHERE id = ?"
        for found, shipped in await self._connection.execute_fetchall(statement, (id,)):
            return Order(found, bool(shipped))
        raise OrderMissing

    async def ship(self, id: OrderId) -> None:
        done = await self._connection.execute("UPDATE orders SET shipped = 1 WHERE id = ?", (id,))
        if done.rowcount == 0:
            raise OrderMissing

    async def snapshot(self) -> dict[str, list[Order]]:
        """Give all that is stored."""
        rows = await self._connection.execute_fetchall("SELECT id, shipped FROM orders")
        return {"orders": [Order(each, bool(shipped)) for each, shipped in rows]}

    async def restore(self, content: Mapping[str, Sequence[Order]]) -> None:
        """Store all of it, by one statement. Raises OrderExists where something is stored."""
        orders = content["orders"]
        statement = _RESTORE.format(", ".join(["(?, ?)"] * len(orders)))
        values = [value for each in orders for value in (each.id, each.shipped)]
        if orders and (await self._connection.execute(statement, values)).rowcount == 0:
            raise OrderExists
