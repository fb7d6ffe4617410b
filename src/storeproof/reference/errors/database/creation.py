"""For `DatabaseErrorStorage`: the statement that stores one event and counts it.

Its parts (the group, the event, the rollups) feed each other, which only PostgreSQL can
express. It gives the row of the group, or none where the event is there already or the
group was merged while the statement waited for its row.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.entities import bind
from storeproof.reference.errors.database.rollups import BLOCK, DAY, incremented
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    ROLLUPS,
)
from storeproof.reference.errors.entities import Dimension, Status

__all__ = ["CREATE"]


_AT = bind(EVENTS.c.occurred_at)
_ONE_SHARD = sa.literal(0, sa.BigInteger())


def _count_in_group() -> Any:
    """`entities.first_group` and `entities.next_group` in one statement."""
    fingerprint = bind(EVENTS.c.fingerprint)
    target = sa.select(GROUPS.c.merged_into).where(GROUPS.c.id == fingerprint).scalar_subquery()
    known = sa.exists().where(EVENTS.c.id == bind(EVENTS.c.id))
    first = {
        "id": sa.func.coalesce(target, fingerprint),
        "message": bind(EVENTS.c.message),
        "level": bind(EVENTS.c.level),
        "created_at": _AT,
        "first_seen": _AT,
        "last_seen": _AT,
        "count": sa.literal(1, sa.BigInteger()),
        "status": sa.literal(Status.UNRESOLVED.value, TEXT),
        "version": sa.literal(1, sa.BigInteger()),
        "created_by": bind(EVENTS.c.id),
    }
    new = insert(GROUPS).from_select(list(first), sa.select(*first.values()).where(~known))
    same = new.on_conflict_do_update(
        index_elements=[GROUPS.c.id], set_=_next(), where=GROUPS.c.merged_into.is_(None)
    )
    return same.returning(*GROUP_COLUMNS)


def _next() -> dict[str, Any]:
    regressed = sa.func.coalesce(GROUPS.c.state_at <= _AT, sa.false())
    unresolved = sa.literal(Status.UNRESOLVED.value, TEXT)
    return {
        "first_seen": sa.case((GROUPS.c.first_seen > _AT, _AT), else_=GROUPS.c.first_seen),
        "last_seen": sa.case((GROUPS.c.last_seen < _AT, _AT), else_=GROUPS.c.last_seen),
        "count": GROUPS.c.count + 1,
        "status": sa.case((regressed, unresolved), else_=GROUPS.c.status),
        "state_at": sa.case((regressed, sa.null()), else_=GROUPS.c.state_at),
        "version": GROUPS.c.version + sa.case((regressed, 1), else_=0),
        "regressed_by": sa.case((regressed, bind(EVENTS.c.id)), else_=GROUPS.c.regressed_by),
    }


def _event(counted: sa.CTE) -> Any:
    values = sa.select(*map(bind, EVENT_COLUMNS), counted.c.id)
    return insert(EVENTS).from_select([*EVENT_COLUMNS, EVENTS.c.group_id], values)


def _rollups(counted: sa.CTE) -> Any:
    """Always in this order, so that creations don't wait for each other in a circle."""
    level, shard = bind(EVENTS.c.level), bind(ROLLUPS.c.shard)
    spans = (DAY, BLOCK)
    of_group = [_rollup(Dimension.GROUP, counted.c.id, _ONE_SHARD, span) for span in spans]
    of_level = [_rollup(Dimension.LEVEL, level, shard, span) for span in spans]
    rows = (sa.select(*row).select_from(counted) for row in (*of_group, *of_level))
    in_day, in_block = (bind(ROLLUPS.c.slot, f"place_in_{span}") for span in spans)
    place = sa.case((ROLLUPS.c.span == DAY, in_day), else_=in_block)
    new = insert(ROLLUPS).from_select(list(ROLLUPS.c), sa.union_all(*rows))
    return new.on_conflict_do_update(
        index_elements=list(ROLLUPS.primary_key),
        set_={"counts": incremented(ROLLUPS.c.counts, place)},
    )


def _rollup(dimension: Dimension, key: Any, shard: Any, span: str) -> list[Any]:
    return [
        sa.literal(dimension.value, TEXT),
        sa.literal(span, TEXT),
        bind(ROLLUPS.c.slot, span),
        key,
        shard,
        bind(ROLLUPS.c.counts, f"in_{span}"),
    ]


def _create() -> sa.Select[Any]:
    counted = _count_in_group().cte("counted")
    stored, rolled_up = _event(counted).cte("stored"), _rollups(counted).cte("rolled_up")
    return sa.select(*counted.c).add_cte(stored, rolled_up)


CREATE = _create()
"""Its parameters are those of `event_values` and of `counted_at`."""
