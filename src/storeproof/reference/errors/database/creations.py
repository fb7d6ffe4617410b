"""For `DatabaseErrorStorage`: the statement that stores many events and counts them.

Like CREATE, which does it for one, it is of parts that feed each other, which only
PostgreSQL can express. It locks the groups that are there, in the order of their ids; then
it makes the others, stores the events and adds to the rollups, each once the former is
done. So whoever writes the same rows never waits in a circle.

It does nothing where a group was merged while it waited for its row. It raises
UniqueViolated where somebody else stored one of the events or made one of the groups.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by, insert

from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.rows import given_rows
from storeproof.reference.errors.buckets import slot_of
from storeproof.reference.errors.database.rollups import (
    BLOCK,
    DAY,
    DAYS,
    QUARTERS,
    added,
    counts_at,
    places,
)
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    ROLLUPS,
    event_values,
)
from storeproof.reference.errors.entities import Dimension, ErrorEvent, Status

__all__ = ["CREATE_MANY", "creation_values", "locked_groups"]

_NUMBER = sa.BigInteger()
_PLACES = ("position", "shard", DAY, "quarter", BLOCK, "day_in_block")


def creation_values(position: int, event: ErrorEvent) -> dict[str, Any]:
    """The values of CREATE_MANY's row of an event, by when it came among the others."""
    (day, quarter, _), (block, day_in_block, _) = places(slot_of(event.occurred_at))
    numbers = {DAY: day, "quarter": quarter, BLOCK: block, "day_in_block": day_in_block}
    return {**event_values(event), **numbers, "position": position}


def locked_groups(wanted: Any) -> sa.Select[Any]:
    """The groups of events with these fingerprints, by fingerprint, locked until the end."""
    first = GROUPS.alias("first")
    return (
        sa.select(first.c.id.label("fingerprint"), GROUPS.c.merged_into, *GROUP_COLUMNS)
        .select_from(wanted)
        .join(first, first.c.id == wanted.c.fingerprint)
        .join(GROUPS, GROUPS.c.id == sa.func.coalesce(first.c.merged_into, first.c.id))
        .order_by(GROUPS.c.id)
        .with_for_update(of=GROUPS)
    )


def _is_new(given: sa.CTE) -> sa.ColumnElement[bool]:
    """Whether an id is not there yet, looked up one by one in the index.

    A connection keeps the plan that it made when the table was small: it would read all of it
    wherever a join, or a list of ids, lets it.
    """
    known = sa.select(EVENTS.c.id).where(EVENTS.c.id == given.c.id)
    return known.scalar_subquery().is_(None)


def _placed(given: sa.CTE, locked: sa.CTE) -> sa.Select[Any]:
    """The events with their groups."""
    place = sa.func.coalesce(locked.c.id, given.c.fingerprint).label("group_id")
    return sa.select(*given.c, place, locked.c.state_at).outerjoin_from(
        given, locked, locked.c.fingerprint == given.c.fingerprint
    )


def _fresh(placed: sa.CTE, locked: sa.CTE) -> sa.Select[Any]:
    """The events that are not there yet; none where a group was merged."""
    merged = sa.exists().where(locked.c.merged_into.is_not(None))
    return sa.select(*placed.c).where(_is_new(placed), ~merged)


def _changes(fresh: sa.CTE) -> sa.Select[Any]:
    """What the events of each group change; the first of them and the one that regresses it."""
    at, position = fresh.c.occurred_at, fresh.c.position
    regressing = sa.func.array_agg(aggregate_order_by(fresh.c.id, position))
    return sa.select(
        fresh.c.group_id,
        sa.func.count().label("count"),
        sa.func.min(at).label("first_seen"),
        sa.func.max(at).label("last_seen"),
        sa.func.min(position).label("first"),
        regressing.filter(at >= fresh.c.state_at)[1].label("regressed_by"),
    ).group_by(fresh.c.group_id)


def _make(changes: sa.CTE, fresh: sa.CTE, locked: sa.CTE) -> Any:
    """`entities.first_group`, and what the group's other events change in it."""
    row = {
        "id": changes.c.group_id,
        "message": fresh.c.message,
        "level": fresh.c.level,
        "created_at": fresh.c.occurred_at,
        "first_seen": changes.c.first_seen,
        "last_seen": changes.c.last_seen,
        "count": changes.c.count,
        "status": sa.literal(Status.UNRESOLVED.value, TEXT),
        "version": sa.literal(1, _NUMBER),
        "created_by": fresh.c.id,
    }
    unknown = changes.c.group_id.not_in(sa.select(locked.c.id))
    first = fresh.c.position == changes.c.first
    new = sa.select(*row.values()).join_from(changes, fresh, first).where(unknown)
    return insert(GROUPS).from_select(list(row), new.order_by(changes.c.group_id))


def _change(changes: sa.CTE) -> Any:
    """`entities.next_group`, for all the events of a group."""
    regressed = changes.c.regressed_by.is_not(None)
    unresolved = sa.literal(Status.UNRESOLVED.value, TEXT)
    values = {
        "first_seen": sa.func.least(GROUPS.c.first_seen, changes.c.first_seen),
        "last_seen": sa.func.greatest(GROUPS.c.last_seen, changes.c.last_seen),
        "count": GROUPS.c.count + changes.c.count,
        "status": sa.case((regressed, unresolved), else_=GROUPS.c.status),
        "state_at": sa.case((regressed, sa.null()), else_=GROUPS.c.state_at),
        "version": GROUPS.c.version + sa.case((regressed, 1), else_=0),
        "regressed_by": sa.func.coalesce(changes.c.regressed_by, GROUPS.c.regressed_by),
    }
    return sa.update(GROUPS).where(GROUPS.c.id == changes.c.group_id).values(values)


def _after(rows: sa.CTE) -> sa.ColumnElement[bool]:
    """Always true, but known only when these rows are written."""
    return sa.select(sa.func.count()).select_from(rows).scalar_subquery() >= 0


def _store(fresh: sa.CTE, made: sa.CTE) -> Any:
    columns = [*EVENT_COLUMNS, EVENTS.c.group_id]
    rows = sa.select(*(fresh.c[column.key] for column in columns)).where(_after(made))
    new = insert(EVENTS).from_select(columns, rows.order_by(fresh.c.id))
    return new.returning(EVENTS.c.id)


def _counted(fresh: sa.CTE, stored: sa.CTE) -> sa.Select[Any]:
    """The rows of the rollups that count the events: where in them, and how many there."""
    entries = sa.union_all(*_entries(fresh)).subquery("entry")
    more = sa.select(*entries.c, sa.func.count().label("more")).group_by(*entries.c)
    each = more.subquery("each")
    key = [each.c[column.key] for column in ROLLUPS.primary_key]
    places, counts = sa.func.array_agg(each.c.place), sa.func.array_agg(each.c.more)
    row = sa.select(*key, places.label("places"), counts.label("more"))
    return row.where(_after(stored)).group_by(*key)


def _add_to_rollups(counted: sa.CTE) -> Any:
    """Where one count changes in a row of a group; who changes it has locked the group before."""
    same = [column == counted.c[column.key] for column in ROLLUPS.primary_key]
    one = sa.func.cardinality(counted.c.places) == 1
    counts = sa.type_coerce(ROLLUPS.c.counts, sa.ARRAY(_NUMBER))
    place = counted.c.places[1] + 1
    change = sa.update(ROLLUPS).where(*same, counted.c.dimension == Dimension.GROUP, one)
    more = change.values({counts[place]: counts[place] + counted.c.more[1]})
    return more.returning(*ROLLUPS.primary_key)


def _put_rollups(counted: sa.CTE, added_to: sa.CTE) -> Any:
    """The others, in the order in which everybody locks them."""
    key = list(ROLLUPS.primary_key)
    size = sa.case((counted.c.span == DAY, QUARTERS), else_=DAYS)
    counts = counts_at(size, counted.c.places, counted.c.more)
    given = [counted.c[column.key] for column in key]
    done = sa.select(*added_to.c)
    rows = sa.select(*given, counts).where(sa.tuple_(*given).not_in(done))
    order = (counted.c.dimension, counted.c.span.desc(), counted.c.slot, counted.c.key)
    ordered = rows.order_by(*order, counted.c.shard)
    new = insert(ROLLUPS).from_select([*key, ROLLUPS.c.counts], ordered)
    sums = added(ROLLUPS.c.counts, new.excluded.counts)
    return new.on_conflict_do_update(index_elements=key, set_={"counts": sums})


def _entries(fresh: sa.CTE) -> list[sa.Select[Any]]:
    """The rows of the rollups that count each event, and where in them."""
    of_group = (Dimension.GROUP, fresh.c.group_id, sa.literal(0, _NUMBER))
    of_level = (Dimension.LEVEL, fresh.c.level, fresh.c.shard)
    return [
        sa.select(
            sa.literal(dimension.value, TEXT).label("dimension"),
            sa.literal(span, TEXT).label("span"),
            fresh.c[span].label("slot"),
            key.label("key"),
            shard.label("shard"),
            fresh.c[place].label("place"),
        )
        for dimension, key, shard in (of_group, of_level)
        for span, place in ((DAY, "quarter"), (BLOCK, "day_in_block"))
    ]


def _create_many() -> sa.Select[Any]:
    given = given_rows([*EVENT_COLUMNS, *(sa.column(name, _NUMBER) for name in _PLACES)])
    wanted = sa.select(given.c.fingerprint).distinct().subquery("wanted")
    locked = locked_groups(wanted).cte("locked")
    # Made apart, or what is thought of the new ones' number has each compared with each group.
    placed = _placed(given, locked).cte("placed").prefix_with("MATERIALIZED")
    fresh = _fresh(placed, locked).cte("fresh")
    changes = _changes(fresh).cte("changes")
    made = _make(changes, fresh, locked).returning(GROUPS.c.id).cte("made")
    stored = _store(fresh, made).cte("stored")
    counted = _counted(fresh, stored).cte("counted")
    added_to = _add_to_rollups(counted).cte("added_to")
    put = _put_rollups(counted, added_to).cte("put")
    found = (locked.c[name] for name in ("fingerprint", "merged_into"))
    before = (locked.c[column.key] for column in GROUP_COLUMNS)
    return (
        sa.select(stored.c.id, *found, *before)
        .outerjoin_from(given, stored, stored.c.id == given.c.id)
        .outerjoin(locked, locked.c.fingerprint == given.c.fingerprint)
        .add_cte(_change(changes).cte("changed"), put)
    )


CREATE_MANY = _create_many()
"""Its rows (`given`) are those of `creation_values`.

Gives for each its id where it is new, and its group as it was: the fingerprint, into which
group it was merged, GROUP_COLUMNS; all None where there was none.
"""
