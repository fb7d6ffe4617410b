"""The shop's contracts."""

from shop.orders import InMemoryOrders, Order, OrderError, OrderId, Orders, SqliteOrders
from storeproof import Contract

orders = Contract(
    Orders,
    model=InMemoryOrders,
    storages={"sqlite": SqliteOrders.open},
    errors=[OrderError],
    name="orders",
)


def order(id: str) -> Order:
    """Give a new order."""
    return Order(OrderId(id))
