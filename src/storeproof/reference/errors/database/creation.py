"""For `DatabaseErrorStorage`: the statements that store an event and count it.

Parts: the group, the event, the rollups. PostgreSQL runs them as one statement,
whose parts feed each other; SQLite has no such statements, and runs them as a
transaction. Both give the row of the group, or none where the event is there already or
the group was merged while the statement waited for its row.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from storeproof.reference.database.columns import TEXT
from storeproof.reference.errors.database.rollups import BLOCK, DAY, incremented
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    ROLLUPS,
)
from storeproof.reference.errors.entities import Dimension, Status

__all__ = ["CREATE", "CREATE_PARTS"]


def _bind(column: sa.Column[Any], name: str | None = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name or column.key, type_=column.type)


_GROUP = sa.bindparam("group", type_=TEXT)
_AT = _bind(EVENTS.c.occurred_at)
_ONE_SHARD = sa.literal(0, sa.BigInteger())


def _count_in_group(insert: Any) -> Any:
    """`entities.first_group` and `entities.next_group` in one statement."""
    fingerprint = _bind(EVENTS.c.fingerprint)
    target = sa.select(GROUPS.c.merged_into).where(GROUPS.c.id == fingerprint).scalar_subquery()
    known = sa.exists().where(EVENTS.c.id == _bind(EVENTS.c.id))
    first = {
        "id": sa.func.coalesce(target, fingerprint),
        "message": _bind(EVENTS.c.message),
        "level": _bind(EVENTS.c.level),
        "created_at": _AT,
        "first_seen": _AT,
        "last_seen": _AT,
        "count": sa.literal(1, sa.BigInteger()),
        "status": sa.literal(Status.UNRESOLVED.value, TEXT),
        "version": sa.literal(1, sa.BigInteger()),
        "created_by": _bind(EVENTS.c.id),
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
        "regressed_by": sa.case((regressed, _bind(EVENTS.c.id)), else_=GROUPS.c.regressed_by),
    }


def _event(insert: Any, group: Any, source: Any) -> Any:
    values = [*map(_bind, EVENT_COLUMNS), group]
    return insert(EVENTS).from_select([*EVENT_COLUMNS, EVENTS.c.group_id], _from(values, source))


def _rollups(insert: Any, group: Any, source: Any) -> Any:
    """Always in this order, so that creations don't wait for each other in a circle."""
    level, shard = _bind(EVENTS.c.level), _bind(ROLLUPS.c.shard)
    spans = (DAY, BLOCK)
    of_group = [_rollup(Dimension.GROUP, group, _ONE_SHARD, span) for span in spans]
    of_level = [_rollup(Dimension.LEVEL, level, shard, span) for span in spans]
    # WHERE tells SQLite's parser that ON CONFLICT is no join's.
    rows = (_from(row, source).where(sa.true()) for row in (*of_group, *of_level))
    in_day, in_block = (_bind(ROLLUPS.c.slot, f"place_in_{span}") for span in spans)
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
        _bind(ROLLUPS.c.slot, span),
        key,
        shard,
        _bind(ROLLUPS.c.counts, f"in_{span}"),
    ]


def _from(values: list[Any], source: Any) -> sa.Select[Any]:
    selected = sa.select(*values)
    return selected if source is None else selected.select_from(source)


def _in_one() -> sa.Select[Any]:
    group = _count_in_group(postgresql.insert).cte("counted")
    event = _event(postgresql.insert, group.c.id, group).cte("stored")
    rollups = _rollups(postgresql.insert, group.c.id, group).cte("rolled_up")
    return sa.select(*group.c).add_cte(event, rollups)


CREATE = _in_one()
CREATE_PARTS = (
    _count_in_group(sqlite.insert),
    _event(sqlite.insert, _GROUP, None),
    _rollups(sqlite.insert, _GROUP, None),
)
