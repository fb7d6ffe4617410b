"""Archives of orders: a file of JSON lines, and how many there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shop.orders import Order, OrderExists


class ArchiveError(Exception):
    """An archive is damaged, or a storage does not hold what is in it."""


async def export(storage: Any, path: Path) -> None:
    """Write what a storage holds into a new folder."""
    orders = (await storage.snapshot())["orders"]
    _write(path, orders)


async def load(path: Path, storage: Any) -> None:
    """Put what is in an archive into an empty storage."""
    try:
        await storage.restore({"orders": _read(path)})
    except OrderExists as error:
        raise ArchiveError("the storage is not empty") from error


async def verify(path: Path, storage: Any) -> None:
    """Compare an archive with a storage. Raises ArchiveError where they differ."""
    held = (await storage.snapshot())["orders"]
    if sorted(map(str, held)) != sorted(map(str, _read(path))):
        raise ArchiveError("the storage holds other orders")


def _write(path: Path, orders: list[Order]) -> None:
    path.mkdir()
    lines = (json.dumps([each.id, each.shipped]) for each in orders)
    (path / "orders.ndjson").write_text("".join(f"{each}\n" for each in lines), "ascii")


def _read(path: Path) -> list[Order]:
    try:
        lines = (path / "orders.ndjson").read_text("ascii").splitlines()
        orders = [Order(*json.loads(each)) for each in lines]
    except (ValueError, TypeError) as error:
        raise ArchiveError("a line is damaged") from error
    if len({each.id for each in orders}) < len(orders):
        raise ArchiveError("an order is there twice")
    return orders
