"""For `DatabaseCostStorage`: the rows of its ledger and rollups, and its reports of them.

A report reads the rollups of the whole days of UTC in its period, of the whole hours
around them, and the ledger for the parts of hours at its two ends, which few time zones
have. So it is exact in every zone, and its cost grows with the days and series, not with
the charges. It is one statement, so it sees one instant.
"""

import hashlib
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict

from storeproof.reference.costs.database.statements import bind
from storeproof.reference.costs.database.tables import (
    CHARGES,
    CORRECTIONS,
    NUMBER,
    ROLLUPS,
    SERIES,
    hour_of,
)
from storeproof.reference.costs.entities import NANOS, Charge, nanos
from storeproof.reference.database import PerDialect
from storeproof.reference.database.compiling import POSTGRES, SQLITE
from storeproof.reference.values import EARLIEST

__all__ = [
    "CLEAR",
    "LOCK",
    "REBUILD",
    "ROLLUP_COLUMNS",
    "charge_row",
    "ends",
    "parts",
    "rollup_rows",
    "totals",
]

HOUR, DAY = 1, 24
"""The hours of a rollup's slot."""

_SUMS = ("whole", "nano", "charges")
ROLLUP_COLUMNS = [ROLLUPS.c[name] for name in ("hours", "slot", *SERIES, *_SUMS)]


def charge_row(charge: Charge) -> dict[str, Any]:
    """The parameters that record a charge, in the ledger and in its rollup."""
    tags = sorted(charge.tags)
    text = msgspec.json.encode([charge.currency, charge.owner, charge.provider, charge.model, tags])
    series = hashlib.sha256(text).hexdigest()
    hour = hour_of(charge.occurred_at)
    return {
        **asdict(charge),
        "series": series,
        "hour": hour,
        "charges": 1,
        **parts(nanos(charge.amount)),
    }


def parts(count: int) -> dict[str, int]:
    """Nano-units as the sums of a rollup."""
    whole, nano = divmod(count, NANOS)
    return {"whole": whole, "nano": nano}


def rollup_rows(entries: Any, source: Any) -> sa.Select[Any]:
    """The ROLLUP_COLUMNS that count entries of the ledger, found in `source`.

    In the order in which whoever adds rollups locks their rows.
    """
    every_span = (sa.select(sa.literal(each, NUMBER).label("hours")) for each in (HOUR, DAY))
    span = sa.union_all(*every_span).subquery("span")
    key = [span.c.hours, entries.c.hour // span.c.hours]
    series = [entries.c[name] for name in SERIES]
    sums = (sa.cast(sa.func.sum(entries.c[name]), NUMBER) for name in _SUMS)
    rows = sa.select(*key, *series, *sums).select_from(source.join(span, sa.true()))
    return rows.group_by(*key, *series).order_by(*key, entries.c.series)


def _entries(table: sa.Table, charges: int, *conditions: sa.ColumnElement[bool]) -> sa.Select[Any]:
    amount = sa.type_coerce(table.c.amount, NUMBER)
    return sa.select(
        *(table.c[name] for name in ("hour", *SERIES)),
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


def _within(hours: int, *names: tuple[str, str]) -> sa.ColumnElement[bool]:
    slot = ROLLUPS.c.slot
    ranges = (sa.and_(slot >= bind(slot, first), slot < bind(slot, end)) for first, end in names)
    return sa.and_(ROLLUPS.c.hours == sa.literal(hours, NUMBER), sa.or_(*ranges))


@cache
def totals(group: str) -> sa.Select[Any]:
    """Currency, group, whole units, nano-units and charges of a period (see `ends`)."""
    rollups = sa.select(*(ROLLUPS.c[name] for name in ("slot", *SERIES, *_SUMS)))
    hours = (("first_hour", "first_end_hour"), ("second_hour", "second_end_hour"))
    every = sa.union_all(
        rollups.where(_within(DAY, ("first_day", "end_day"))),
        rollups.where(_within(HOUR, *hours)),
        _entries(CHARGES, 1, _at_the_ends(CHARGES.c.occurred_at)),
        _entries(CORRECTIONS, 0, _at_the_ends(CORRECTIONS.c.at)),
    ).subquery("every")
    by = (every.c.currency, every.c[group])
    sums = (sa.func.sum(every.c[name]) for name in _SUMS)
    return sa.select(*by, *sums).group_by(*by)


def ends(start: datetime, end: datetime) -> dict[str, Any]:
    """The parameters of `totals` for the period from `start` to before `end`.

    Days in its middle, hours around them, and what is left at its two ends.
    """
    hour = timedelta(hours=1)
    hours = _inner(hour_of(start + hour - timedelta(microseconds=1)), hour_of(end))
    first_end, second_start = (EARLIEST + each * hour for each in hours) if hours else (end, end)
    first, last = hours or (0, 0)
    days = _inner(-(-first // DAY), last // DAY)
    first_end_hour, second_hour = (each * DAY for each in days) if days else (last, last)
    first_day, end_day = days or (0, 0)
    return {
        "first_start": start,
        "first_end": first_end,
        "second_start": second_start,
        "second_end": end,
        "first_hour": first,
        "first_end_hour": first_end_hour,
        "second_hour": second_hour,
        "second_end_hour": last,
        "first_day": first_day,
        "end_day": end_day,
    }


def _inner(first: int, end: int) -> tuple[int, int] | None:
    return (first, end) if first < end else None


CLEAR = sa.delete(ROLLUPS)


def _rebuild() -> Any:
    every = sa.union_all(_entries(CHARGES, 1), _entries(CORRECTIONS, 0)).subquery("every")
    return sa.insert(ROLLUPS).from_select(ROLLUP_COLUMNS, rollup_rows(every, every))


REBUILD = _rebuild()

LOCK = PerDialect(
    {
        POSTGRES: sa.text("LOCK TABLE cost_rollups IN SHARE ROW EXCLUSIVE MODE").columns(),
        SQLITE: sa.select(sa.literal(1)),
    }
)
"""Lets no rollup change until the transaction ends. SQLite's writer is alone anyway."""
