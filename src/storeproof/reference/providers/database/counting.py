"""For `DatabaseProviderStorage`: the counts of outcomes, from which statistics are read.

A row of counts says how many outcomes of a provider, of one `ok` and bucket, there were in a
slot: a minute, an hour or a day of UTC. So statistics cost by slots and buckets, however many
outcomes there were; outcomes themselves are read only in the minutes that a range cuts.

Counts are changed where outcomes are, always in the order of their key, so that no two of
these statements wait for each other in a circle. A row that counts nothing is not kept.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from storeproof.reference.database.columns import TIME
from storeproof.reference.database.entities import bind
from storeproof.reference.providers.database.tables import COUNTS, OUTCOMES

__all__ = ["FORGET_EMPTY", "LONGEST", "STATS", "bounds", "count"]

LEVELS = {1: "minute", 60: "hour", 24 * 60: "day"}
"""The lengths of slots in minutes, each a part of the next, and PostgreSQL's words for them."""

LONGEST = timedelta(minutes=max(LEVELS))

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KEY = list(COUNTS.primary_key.columns)
_SUMS = (COUNTS.c.count, COUNTS.c.tokens, COUNTS.c.cost)


class _Slot(FunctionElement[datetime]):
    """When the slot of this length began in which an instant lies."""

    type = TIME
    inherit_cache = True
    name = "slot"

    def __init__(self, minutes: int, at: sa.ColumnElement[Any]) -> None:
        unit, length = f"'{LEVELS[minutes]}'", str(minutes * 60_000_000)
        super().__init__(sa.literal_column(unit), sa.literal_column(length), at)


@compiles(_Slot, "postgresql")
def _slot_on_postgres(element: _Slot, compiler: Any, **options: Any) -> str:
    unit, _, at = (compiler.process(each) for each in element.clauses)
    return f"date_trunc({unit}, {at}, 'UTC')"


@compiles(_Slot, "sqlite")
def _slot_on_sqlite(element: _Slot, compiler: Any, **options: Any) -> str:
    _, length, at = (compiler.process(each) for each in element.clauses)
    return f"{at} - ({at} % {length} + {length}) % {length}"


def _whole(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.type_coerce(column, sa.BigInteger())


def _total(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(column), sa.BigInteger())


def count(insert: Any, outcomes: sa.FromClause, each: int) -> Any:
    """Counts these outcomes `each` times; -1 takes them out of the counts again."""
    slots = [
        sa.select(
            outcomes.c.provider,
            sa.literal_column(str(minutes), sa.BigInteger()).label("minutes"),
            _Slot(minutes, outcomes.c.at).label("slot"),
            outcomes.c.ok,
            outcomes.c.bucket,
            sa.literal_column(str(each), sa.BigInteger()).label("count"),
            (each * outcomes.c.tokens).label("tokens"),
            (each * _whole(outcomes.c.cost)).label("cost"),
        )
        for minutes in LEVELS
    ]
    cells = sa.union_all(*slots).subquery("cells")
    key = [cells.c[column.key] for column in _KEY]
    sums = [_total(cells.c[column.key]) for column in _SUMS]
    rows = sa.select(*key, *sums).group_by(*key).order_by(*key)
    new = insert(COUNTS).from_select([*_KEY, *_SUMS], rows)
    more = {column: column + new.excluded[column.key] for column in _SUMS}
    return new.on_conflict_do_update(index_elements=_KEY, set_=more)


FORGET_EMPTY = sa.delete(COUNTS).where(
    COUNTS.c.slot >= bind(COUNTS.c.slot, "first"),
    COUNTS.c.slot <= bind(COUNTS.c.slot, "last"),
    COUNTS.c.count == 0,
)


def bounds(start: datetime, end: datetime) -> dict[str, datetime]:
    """The parameters of STATS for a range: from `low_n` to `high_n` it has whole slots of n."""
    found = {"low_0": start, "high_0": end}
    low, high = start, end
    for minutes in LEVELS:
        length = timedelta(minutes=minutes)
        low, top = low + (_EPOCH - low) % length, high - (high - _EPOCH) % length
        if low > top:
            low = top = high
        high = top
        found |= {f"low_{minutes}": low, f"high_{minutes}": high}
    return found


def _between(found: Any, at: sa.Column[Any], start: str, end: str) -> Any:
    return found.where(at >= bind(at, start), at < bind(at, end))


def _stats() -> sa.Select[Any]:
    """Outcomes at both edges, then the slots between, the longer the farther inside."""
    one = sa.literal_column("1", sa.BigInteger())
    outcomes = sa.select(OUTCOMES.c.ok, OUTCOMES.c.bucket, one.label("count"), OUTCOMES.c.tokens)
    outcomes = outcomes.add_columns(_whole(OUTCOMES.c.cost).label("cost"))
    outcomes = outcomes.where(OUTCOMES.c.provider == bind(OUTCOMES.c.provider))
    counts = sa.select(COUNTS.c.ok, COUNTS.c.bucket, *_SUMS)
    counts = counts.where(COUNTS.c.provider == bind(COUNTS.c.provider))
    parts, shorter, found, at = [], 0, outcomes, OUTCOMES.c.at
    for minutes in LEVELS:
        parts.append(_between(found, at, f"low_{shorter}", f"low_{minutes}"))
        parts.append(_between(found, at, f"high_{minutes}", f"high_{shorter}"))
        length = sa.literal_column(str(minutes), sa.BigInteger())
        shorter, found, at = minutes, counts.where(COUNTS.c.minutes == length), COUNTS.c.slot
    parts.append(_between(found, at, f"low_{shorter}", f"high_{shorter}"))
    cells = sa.union_all(*parts).subquery("cells")
    sums = [_total(cells.c[column.key]) for column in _SUMS]
    return sa.select(cells.c.ok, cells.c.bucket, *sums).group_by(cells.c.ok, cells.c.bucket)


STATS = _stats()
