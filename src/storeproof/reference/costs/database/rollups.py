"""For `DatabaseCostStorage`: the rows of its ledger and rollups, and its reports of them.

A report reads the rollups of the whole days of UTC in its period, of the whole quarters
of days and hours around them, and the ledger for the parts of hours at its two ends, which
few time zones have. So it is exact in every zone, and its cost grows with the days and
series, not with the charges. It is one statement, so it sees one instant.
"""

import hashlib
from datetime import datetime, timedelta
from functools import cache, lru_cache
from itertools import pairwise
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
    hour_of,
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
    "ROLLUP_COLUMNS",
    "SPANS",
    "charge_row",
    "ends",
    "parts",
    "rollup_rows",
    "totals",
]

SPANS = (1, 6, 24)
"""The hours of a rollup's slot; each is a multiple of the one before."""

_SUMS = ("whole", "nano", "charges")
ROLLUP_COLUMNS = [ROLLUPS.c[name] for name in ("hours", "slot", *SERIES, *_SUMS)]


def charge_row(charge: Charge) -> dict[str, Any]:
    """The parameters that record a charge, in the ledger and in its rollup."""
    return {
        **asdict(charge),
        "series": _series(
            charge.currency, charge.owner, charge.provider, charge.model, charge.tags
        ),
        "hour": hour_of(charge.occurred_at),
        "charges": 1,
        **parts(nanos(charge.amount)),
    }


@lru_cache(1024)
def _series(currency: str, owner: str, provider: str, model: str, tags: frozenset[str]) -> str:
    text = msgspec.json.encode([currency, owner, provider, model, sorted(tags)])
    return hashlib.sha256(text).hexdigest()


def parts(count: int) -> dict[str, int]:
    """Nano-units as the sums of a rollup."""
    whole, nano = divmod(count, NANOS)
    return {"whole": whole, "nano": nano}


def rollup_rows(entries: Any, source: Any) -> sa.Select[Any]:
    """The ROLLUP_COLUMNS that count entries of the ledger, found in `source`.

    In the order in which whoever adds rollups locks their rows.
    """
    every_span = (sa.select(sa.literal(each, NUMBER).label("hours")) for each in SPANS)
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


def _within(hours: int) -> sa.ColumnElement[bool]:
    slot = ROLLUPS.c.slot
    ranges = (
        sa.and_(
            slot >= bind(slot, f"{each}_{hours}_start"), slot < bind(slot, f"{each}_{hours}_end")
        )
        for each in ("first", "second")
    )
    return sa.and_(ROLLUPS.c.hours == sa.literal(hours, NUMBER), sa.or_(*ranges))


@cache
def totals(group: str) -> sa.Select[Any]:
    """Currency, group, whole units, nano-units and charges of a period (see `ends`)."""
    rollups = sa.select(*(ROLLUPS.c[name] for name in ("slot", *SERIES, *_SUMS)))
    every = sa.union_all(
        *(rollups.where(_within(hours)) for hours in SPANS),
        _entries(CHARGES, 1, _at_the_ends(CHARGES.c.occurred_at)),
        _entries(CORRECTIONS, 0, _at_the_ends(CORRECTIONS.c.at)),
    ).subquery("every")
    by = (every.c.currency, every.c[group])
    sums = (sa.func.sum(every.c[name]) for name in _SUMS)
    return sa.select(*by, *sums).group_by(*by)


def ends(start: datetime, end: datetime) -> dict[str, Any]:
    """The parameters of `totals` for the period from `start` to before `end`.

    Slots of the widest span in its middle, narrower ones around them, as far as they are
    whole, and what is left at its two ends. Each has two ranges, which may be empty.
    """
    hour = timedelta(hours=1)
    low, high = _whole(hour_of(start + hour - timedelta(microseconds=1)), hour_of(end))
    inner = (EARLIEST + low * hour, EARLIEST + high * hour) if low < high else (end, end)
    given = _ranges("", start, *inner, end)
    for span, wider in pairwise(SPANS):
        ratio = wider // span
        first, last = _whole(-(-low // ratio), high // ratio)
        edges = (first * ratio, last * ratio) if first < last else (high, high)
        given |= _ranges(f"{span}_", low, *edges, high)
        low, high = first, last
    return given | _ranges(f"{SPANS[-1]}_", low, high, high, high)


def _whole(low: int, high: int) -> tuple[int, int]:
    return (low, high) if low < high else (0, 0)


def _ranges(name: str, *bounds: Any) -> dict[str, Any]:
    names = ("first_{}start", "first_{}end", "second_{}start", "second_{}end")
    return {each.format(name): bound for each, bound in zip(names, bounds, strict=True)}


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
