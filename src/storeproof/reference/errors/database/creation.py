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
from storeproof.reference.errors.database.tables import (
    COUNTS,
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    TOTALS,
)
from storeproof.reference.errors.entities import Status

__all__ = ["CREATE", "CREATE_PARTS"]


def _bind(column: sa.Column[Any], name: str | None = None) -> sa.BindParameter[Any]:
    return sa.bindparam(name or column.key, type_=column.type)


_GROUP = sa.bindparam("group", type_=TEXT)
_AT = _bind(EVENTS.c.occurred_at)


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


def _rollup(insert: Any, table: sa.Table, group: Any, source: Any) -> Any:
    given = {"group_id": group, "count": sa.literal(1, sa.BigInteger())}
    values = [given[c.key] if c.key in given else _bind(c) for c in table.c]
    new = insert(table).from_select(list(table.c), _from(values, source).where(sa.true()))
    return new.on_conflict_do_update(
        index_elements=list(table.primary_key), set_={"count": table.c.count + 1}
    )


def _from(values: list[Any], source: Any) -> sa.Select[Any]:
    selected = sa.select(*values)
    return selected if source is None else selected.select_from(source)


def _in_one() -> sa.Select[Any]:
    group = _count_in_group(postgresql.insert).cte("counted")
    event = _event(postgresql.insert, group.c.id, group).cte("stored")
    rollup = _rollup(postgresql.insert, COUNTS, group.c.id, group).cte("rolled_up")
    total = _rollup(postgresql.insert, TOTALS, group.c.id, group).cte("totalled")
    return sa.select(*group.c).add_cte(event, rollup, total)


CREATE = _in_one()
CREATE_PARTS = (
    _count_in_group(sqlite.insert),
    _event(sqlite.insert, _GROUP, None),
    _rollup(sqlite.insert, COUNTS, _GROUP, None),
    _rollup(sqlite.insert, TOTALS, _GROUP, None),
)
