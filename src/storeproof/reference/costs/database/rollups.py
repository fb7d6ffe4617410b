"""For `DatabaseCostStorage`: the rows of its ledger and rollups, and its reports of them.

A report reads the rollups of the whole days of UTC in its period, and the ledger for the
parts of days at its two ends: exact in every time zone, and its cost grows with the days
and series, not with the charges. It is one statement, so it sees one instant.
"""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.costs.database.tables import (
    CHARGES,
    CORRECTIONS,
    NUMBER,
    ROLLUPS,
    SERIES,
    day_of,
)
from storeproof.reference.costs.entities import NANOS, Charge, nanos
from storeproof.reference.database import PerDialect
from storeproof.reference.database.compiling import POSTGRES, SQLITE
from storeproof.reference.database.entities import bind
from storeproof.reference.values import EARLIEST

__all__ = [
    "CLEAR",
    "LOCK",
    "REBUILD",
    "charge_row",
    "ends",
    "parts",
    "totals",
]

_SUMS = ("whole", "nano", "charges")


def charge_row(charge: Charge) -> dict[str, Any]:
    """The parameters that record a charge, in the ledger and in its rollup."""
    tags = sorted(charge.tags)
    text = msgspec.json.encode([charge.currency, charge.owner, charge.provider, charge.model, tags])
    series = hashlib.sha256(text).hexdigest()
    day = day_of(charge.occurred_at)
    return {
        **asdict(charge),
        "series": series,
        "day": day,
        "charges": 1,
        **parts(nanos(charge.amount)),
    }


def parts(count: int) -> dict[str, int]:
    """Nano-units as the sums of a rollup."""
    whole, nano = divmod(count, NANOS)
    return {"whole": whole, "nano": nano}


def _entries(table: sa.Table, charges: int, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    amount = sa.type_coerce(table.c.amount, NUMBER)
    return sa.select(
        *(table.c[name] for name in ("day", *SERIES)),
        (amount // NANOS).label("whole"),
        (amount % NANOS).label("nano"),
        sa.literal(charges, NUMBER).label("charges"),
    ).where(*conditions)


def _at_the_ends(time: sa.Column[Any]) -> sa.ColumnElement[bool]:
    first, second = (
        sa.and_(time >= bind(time, f"{which}_start"), time < bind(time, f"{which}_end"))
        for which in ("first", "second")
    )
    return sa.or_(first, second)


@cache
def totals(group: str) -> sa.Select[Any]:
    """Currency, group, whole units, nano-units and charges of a period (see `ends`)."""
    whole_days = sa.select(*(ROLLUPS.c[name] for name in ("day", *SERIES, *_SUMS))).where(
        ROLLUPS.c.day >= bind(ROLLUPS.c.day, "first_day"),
        ROLLUPS.c.day < bind(ROLLUPS.c.day, "end_day"),
    )
    every = sa.union_all(
        whole_days,
        _entries(CHARGES, 1, _at_the_ends(CHARGES.c.occurred_at)),
        _entries(CORRECTIONS, 0, _at_the_ends(CORRECTIONS.c.at)),
    ).subquery("every")
    by = (every.c.currency, every.c[group])
    sums = (sa.func.sum(every.c[name]) for name in _SUMS)
    return sa.select(*by, *sums).group_by(*by)


def ends(start: datetime, end: datetime) -> dict[str, Any]:
    """The parameters of `totals` for the period from `start` to before `end`."""
    day = timedelta(days=1)
    first_day, end_day = day_of(start + day - timedelta(microseconds=1)), day_of(end)
    if first_day >= end_day:
        first_day = end_day = 0
        first_end = second_start = end
    else:
        first_end, second_start = (EARLIEST + each * day for each in (first_day, end_day))
    return {
        "first_start": start,
        "first_end": first_end,
        "second_start": second_start,
        "second_end": end,
        "first_day": first_day,
        "end_day": end_day,
    }


CLEAR = sa.delete(ROLLUPS)


def _rebuild() -> Any:
    every = sa.union_all(_entries(CHARGES, 1), _entries(CORRECTIONS, 0)).subquery("every")
    by = [every.c[name] for name in ("day", *SERIES)]
    sums = (sa.cast(sa.func.sum(every.c[name]), NUMBER) for name in _SUMS)
    return sa.insert(ROLLUPS).from_select(list(ROLLUPS.c), sa.select(*by, *sums).group_by(*by))


REBUILD = _rebuild()

LOCK = PerDialect(
    {
        POSTGRES: sa.text("LOCK TABLE cost_rollups IN SHARE ROW EXCLUSIVE MODE").columns(),
        SQLITE: sa.select(sa.literal(1)),
    }
)
"""Lets no rollup change until the transaction ends. SQLite's writer is alone anyway."""
