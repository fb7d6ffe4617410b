"""For the storage: its charges and corrections, and what they add up to."""

import hashlib
from typing import Any

import sqlalchemy as sa
from msgspec.structs import asdict
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mariadb_costs.lists import by_id, entity
from mariadb_costs.tables import CHARGES, CORRECTIONS, NUMBER, tag_word
from storeproof.reference.costs.entities import Charge, ReportQuery, grouped_field, period
from storeproof.reference.exceptions import Duplicate

__all__ = ["add_or_raise", "added", "charge_row", "totals"]


async def added(connection: AsyncConnection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row; whether its key was free. The transaction goes on either way."""
    try:
        await connection.execute(sa.insert(table), row)
    except IntegrityError:
        return False
    return True


def charge_row(charge: Charge) -> dict[str, Any]:
    """The row of a charge."""
    words = "".join(map(tag_word, sorted(charge.tags)))
    return {**asdict(charge), "tags_digest": hashlib.sha256(words.encode()).hexdigest()}


async def add_or_raise(
    connection: AsyncConnection, table: sa.Table, item: Any, row: dict[str, Any]
) -> None:
    """Insert an item that is there for ever. Raises Duplicate where its id is another one's."""
    if await added(connection, table, row):
        return
    found = await connection.execute(by_id(table, item.id))
    if entity(type(item), found.one()) != item:
        raise Duplicate("id")


def totals(query: ReportQuery) -> sa.Select[Any]:
    """Currency, group, nano-units and charges, one row for each group, by one statement."""
    start, end = period(query)
    group = CHARGES.c[grouped_field(query)]
    which = CHARGES.c.tags_digest if group is CHARGES.c.tags else group
    of_charges = _entries(CHARGES.c.amount, 1, group, which).where(
        CHARGES.c.occurred_at >= start, CHARGES.c.occurred_at < end
    )
    of_corrections = (
        _entries(CORRECTIONS.c.amount, 0, group, which)
        .join(CHARGES, CHARGES.c.id == CORRECTIONS.c.charge)
        .where(CORRECTIONS.c.at >= start, CORRECTIONS.c.at < end)
    )
    every = sa.union_all(of_charges, of_corrections).subquery("every")
    sums = (sa.func.sum(every.c[name]) for name in ("amount", "charges"))
    key = (every.c.currency, every.c.which)
    value = sa.type_coerce(sa.func.min(every.c.value), group.type)
    return sa.select(every.c.currency, value, *sums).group_by(*key)


def _entries(
    amount: sa.Column[Any], charges: int, group: sa.Column[Any], which: sa.Column[Any]
) -> sa.Select[Any]:
    return sa.select(
        CHARGES.c.currency,
        which.label("which"),
        group.label("value"),
        sa.type_coerce(amount, NUMBER).label("amount"),
        sa.literal(charges, NUMBER).label("charges"),
    )
