"""For `DatabaseCostStorage`: the statements that record charges, many in one round trip.

Their rows are those of `rollups.charge_row`. Rollups are locked in the order of their keys,
so two that record at once never wait for each other in a circle.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storeproof.reference.costs.database.rollups import ROLLUP_COLUMNS, charge_row, rollup_rows
from storeproof.reference.costs.database.statements import GET_CHARGE
from storeproof.reference.costs.database.tables import CHARGES, ROLLUPS, SERIES
from storeproof.reference.costs.entities import Charge
from storeproof.reference.database import Row, Transaction, per_dialect
from storeproof.reference.database.entities import entity
from storeproof.reference.database.rows import given_rows
from storeproof.reference.exceptions import Duplicate

__all__ = ["ADD_CHARGES", "ADD_TO_ROLLUPS", "RECORD_CHARGES", "record", "record_or_raise"]

_SUMS = [ROLLUPS.c.whole, ROLLUPS.c.nano, ROLLUPS.c.charges]
_SERIES = [CHARGES.c[name] for name in SERIES]


def _charges(insert: Any, given: Any) -> Any:
    values = sa.select(*(given.c[column.key] for column in CHARGES.c)).where(sa.true())
    new = insert(CHARGES).from_select(list(CHARGES.c), values)
    return new.on_conflict_do_nothing(index_elements=[CHARGES.c.id]).returning(CHARGES.c.id)


def _rollups(insert: Any, given: Any, source: Any) -> Any:
    new = insert(ROLLUPS).from_select(ROLLUP_COLUMNS, rollup_rows(given, source))
    more = {column: column + new.excluded[column.key] for column in _SUMS}
    return new.on_conflict_do_update(index_elements=list(ROLLUPS.primary_key), set_=more)


def _record() -> Any:
    given = given_rows([*CHARGES.c, *_SUMS])
    new = _charges(postgresql.insert, given).cte("new")
    added = _rollups(postgresql.insert, given, given.join(new, new.c.id == given.c.id))
    return sa.select(new.c.id).add_cte(added.cte("added"))


def _add_to_rollups(insert: Any) -> Any:
    given = given_rows([CHARGES.c.hour, *_SERIES, *_SUMS])
    return _rollups(insert, given, given)


ADD_CHARGES = per_dialect(lambda insert: _charges(insert, given_rows(CHARGES.c)))
"""Gives the ids of those that were new."""

ADD_TO_ROLLUPS = per_dialect(_add_to_rollups)

RECORD_CHARGES = _record()
"""Both, with the new charges only, in one statement, which only PostgreSQL can express."""


async def record(transaction: Transaction, rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Records charges in a transaction; gives the ids of those that were new."""
    new = await transaction.run(ADD_CHARGES, {"given": rows})
    counted = [row for row in rows if (row["id"],) in new]
    if counted:
        await transaction.run(ADD_TO_ROLLUPS, {"given": counted})
    return new


async def record_or_raise(transaction: Transaction, charge: Charge) -> None:
    """Records one. Raises Duplicate where a different charge with this id is there."""
    if await record(transaction, [charge_row(charge)]):
        return
    [row] = await transaction.run(GET_CHARGE, {"id": charge.id})
    if entity(Charge, row) != charge:
        raise Duplicate("id")
