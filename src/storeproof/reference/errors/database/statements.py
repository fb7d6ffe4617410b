"""For `DatabaseErrorStorage`: its other statements.

A parameter has the name of its column, or the one given to `bind`. FOR UPDATE means
something on PostgreSQL only; SQLite has one writer at a time.
"""

from typing import Any

import sqlalchemy as sa

from storeproof.reference.database import per_dialect
from storeproof.reference.database.columns import TEXT, contains
from storeproof.reference.database.entities import bind
from storeproof.reference.database.rows import given_rows
from storeproof.reference.errors.database.rollups import added
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    PLACED,
    POINTS,
    PRESENT,
    ROLLUPS,
)
from storeproof.reference.errors.entities import Dimension

__all__ = [
    "ABSORB",
    "DROP_ROLLUPS",
    "EVENT_FILTERS",
    "GET_EVENT",
    "GET_GROUP",
    "GET_POINT",
    "GROUP_FILTERS",
    "LOCK_GROUP",
    "LOCK_GROUPS",
    "MOVE_EVENTS",
    "MOVE_ROLLUPS",
    "RECORD_METRICS",
    "REDIRECT",
    "SET_STATE",
    "STORED_EVENT",
]


_SOURCE, _TARGET = sa.bindparam("source", type_=TEXT), sa.bindparam("target", type_=TEXT)
_THIS_GROUP = sa.and_(GROUPS.c.id == bind(GROUPS.c.id), PRESENT)

_THIS_EVENT = EVENTS.c.id == bind(EVENTS.c.id)
_FIRST = GROUPS.alias("first")

GET_EVENT = sa.select(*EVENT_COLUMNS).where(_THIS_EVENT, PLACED)
STORED_EVENT = (
    sa.select(EVENTS.c.digest, *EVENT_COLUMNS, *GROUP_COLUMNS)
    .join(_FIRST, _FIRST.c.id == EVENTS.c.fingerprint)
    .join(GROUPS, GROUPS.c.id == sa.func.coalesce(_FIRST.c.merged_into, _FIRST.c.id))
    .where(_THIS_EVENT)
)
"""The digest of an archived event, an event's columns, and those of its group."""

GET_GROUP = sa.select(*GROUP_COLUMNS).where(_THIS_GROUP)
LOCK_GROUP = sa.select(GROUPS.c.version).where(_THIS_GROUP).with_for_update()

SET_STATE = (
    sa.update(GROUPS)
    .where(_THIS_GROUP, GROUPS.c.version == bind(GROUPS.c.version, "expected_version"))
    .values(
        status=bind(GROUPS.c.status),
        state_at=bind(GROUPS.c.state_at),
        version=GROUPS.c.version + 1,
    )
    .returning(*GROUP_COLUMNS)
)

LOCK_GROUPS = (
    sa.select(GROUPS.c.id)
    .where(GROUPS.c.id.in_([_SOURCE, _TARGET]), PRESENT)
    .order_by(GROUPS.c.id)
    .with_for_update()
)
MOVE_EVENTS = sa.update(EVENTS).where(EVENTS.c.group_id == _SOURCE, PLACED).values(group_id=_TARGET)


_OF_SOURCE = sa.and_(ROLLUPS.c.dimension == Dimension.GROUP.value, ROLLUPS.c.key == _SOURCE)


def _move_rollups(insert: Any) -> Any:
    moved = [_TARGET if column is ROLLUPS.c.key else column for column in ROLLUPS.c]
    new = insert(ROLLUPS).from_select(list(ROLLUPS.c), sa.select(*moved).where(_OF_SOURCE))
    return new.on_conflict_do_update(
        index_elements=list(ROLLUPS.primary_key),
        set_={"counts": added(ROLLUPS.c.counts, new.excluded.counts)},
    )


MOVE_ROLLUPS = per_dialect(_move_rollups)
DROP_ROLLUPS = sa.delete(ROLLUPS).where(_OF_SOURCE)
REDIRECT = (
    sa.update(GROUPS)
    .where(sa.or_(GROUPS.c.id == _SOURCE, GROUPS.c.merged_into == _SOURCE))
    .values(merged_into=_TARGET)
)


def _absorb() -> Any:
    source = GROUPS.alias("source")
    one = {
        name: sa.select(source.c[name]).where(source.c.id == _SOURCE).scalar_subquery()
        for name in ("first_seen", "last_seen", "count")
    }
    first, last = GROUPS.c.first_seen, GROUPS.c.last_seen
    return (
        sa.update(GROUPS)
        .where(GROUPS.c.id == _TARGET)
        .values(
            first_seen=sa.case((one["first_seen"] < first, one["first_seen"]), else_=first),
            last_seen=sa.case((one["last_seen"] > last, one["last_seen"]), else_=last),
            count=GROUPS.c.count + one["count"],
        )
        .returning(*GROUP_COLUMNS)
    )


ABSORB = _absorb()

GROUP_FILTERS = {
    "status": GROUPS.c.status == bind(GROUPS.c.status),
    "level": GROUPS.c.level == bind(GROUPS.c.level),
    "message_contains": contains(GROUPS.c.message, sa.bindparam("message_contains", type_=TEXT)),
    "present": PRESENT,
}
EVENT_FILTERS = {"group": sa.and_(EVENTS.c.group_id == bind(EVENTS.c.group_id, "group"), PLACED)}


def _record_metrics(insert: Any) -> Any:
    given = given_rows(POINTS.c)
    new = insert(POINTS).from_select(list(POINTS.c), sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_nothing(index_elements=[POINTS.c.id]).returning(POINTS.c.id)


RECORD_METRICS = per_dialect(_record_metrics)
"""Gives the ids of those that were new."""

GET_POINT = sa.select(*POINTS.c).where(POINTS.c.id == bind(POINTS.c.id))
