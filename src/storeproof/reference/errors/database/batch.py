"""For `DatabaseErrorStorage`: events that are created at once, counted in one transaction.

The groups are locked, and the events counted by the rules of `entities`, one after the
other; then events, groups and rollups are written, on PostgreSQL by one statement. Where an
event was there already, the others are counted again without it. Rows of every table are
locked in the order of their keys, and the tables always in the same order, so that nobody
waits in a circle.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storeproof.reference.database import (
    POSTGRES,
    Row,
    Transaction,
    UniqueViolated,
    per_dialect,
)
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.rows import given_rows
from storeproof.reference.errors.buckets import slot_of
from storeproof.reference.errors.database.rollups import BLOCK, DAY, added, counts_in, places
from storeproof.reference.errors.database.tables import (
    EVENT_COLUMNS,
    EVENTS,
    GROUP_COLUMNS,
    GROUPS,
    ROLLUPS,
    event_values,
    group_of,
    group_values,
)
from storeproof.reference.errors.entities import (
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupId,
    first_group,
    next_group,
)

__all__ = ["count_all"]

Values: TypeAlias = Mapping[str, Any]
Given: TypeAlias = Mapping[str, Sequence[Values]]


def _lock_groups() -> sa.Select[Any]:
    given, first = given_rows([sa.column("fingerprint", TEXT)]), GROUPS.alias("first")
    return (
        sa.select(first.c.id.label("fingerprint"), GROUPS.c.merged_into, *GROUP_COLUMNS)
        .select_from(given)
        .join(first, first.c.id == given.c.fingerprint)
        .join(GROUPS, GROUPS.c.id == sa.func.coalesce(first.c.merged_into, first.c.id))
        .order_by(GROUPS.c.id)
        .with_for_update(of=GROUPS)
    )


def _store_events(insert: Any) -> Any:
    columns = [*EVENT_COLUMNS, EVENTS.c.group_id]
    given = given_rows(columns, "events")
    new = insert(EVENTS).from_select(columns, sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_nothing(index_elements=[EVENTS.c.id]).returning(EVENTS.c.id)


def _put_groups(insert: Any, where: Any) -> Any:
    given = given_rows(GROUP_COLUMNS, "groups")
    new = insert(GROUPS).from_select(GROUP_COLUMNS, sa.select(*given.c).where(where))
    return new.on_conflict_do_update(
        index_elements=[GROUPS.c.id],
        set_={column: new.excluded[column.key] for column in GROUP_COLUMNS},
        where=GROUPS.c.created_by == new.excluded.created_by,
    ).returning(GROUPS.c.id)


def _add_to_rollups(insert: Any, where: Any) -> Any:
    key = list(ROLLUPS.primary_key)
    given = given_rows([*key, sa.column("counts", sa.Text())], "rollups")
    values = [*(given.c[column.key] for column in key), counts_in(given.c.counts)]
    new = insert(ROLLUPS).from_select([*key, ROLLUPS.c.counts], sa.select(*values).where(where))
    more = added(ROLLUPS.c.counts, new.excluded.counts)
    return new.on_conflict_do_update(index_elements=key, set_={"counts": more})


def _are(rows: sa.CTE, name: str) -> sa.ColumnElement[bool]:
    """Whether so many rows were written, which is known only once they are."""
    found = sa.select(sa.func.count()).select_from(rows).scalar_subquery()
    return found == sa.bindparam(name, type_=sa.BigInteger())


def _write() -> Any:
    insert = postgresql.insert
    stored = _store_events(insert).cte("stored")
    put = _put_groups(insert, _are(stored, "all_events")).cte("put")
    counted = _add_to_rollups(insert, _are(put, "all_groups")).cte("counted")
    written = (
        sa.select(sa.literal_column(f"'{each.name}'", sa.Text()), each.c.id)
        for each in (stored, put)
    )
    return sa.union_all(*written).add_cte(counted)


LOCK_GROUPS = _lock_groups()
STORE_EVENTS = per_dialect(_store_events)
"""Gives the ids of those that were new."""
PUT_GROUPS = per_dialect(lambda insert: _put_groups(insert, sa.true()))
"""Gives no row for a group that somebody else made meanwhile."""
ADD_TO_ROLLUPS = per_dialect(lambda insert: _add_to_rollups(insert, sa.true()))
WRITE = _write()
"""The three in one statement, which only PostgreSQL can express, each if the former wrote all."""


async def count_all(
    transaction: Transaction, events: Sequence[ErrorEvent]
) -> list[ErrorGroup | None]:
    """The group of each event as it left it; None where its id was taken.

    Raises UniqueViolated where somebody else made or merged one of the groups meanwhile.
    """
    fingerprints = sorted({event.fingerprint for event in events})
    given = [{"fingerprint": each} for each in fingerprints]
    groups = _found(await transaction.run(LOCK_GROUPS, {"given": given}))
    values = {event.id: event_values(event) for event in sorted(events, key=attrgetter("id"))}
    for each in values.values():
        group = groups.get(each["fingerprint"])
        each["group_id"] = each["fingerprint"] if group is None else group.id
    rows = list(values.values())
    answers = _counted(events, groups)
    new = await _written(transaction, rows, answers, rows)
    if len(new) < len(events):
        answers = _counted([event if event.id in new else None for event in events], groups)
        if new:
            await _written(transaction, [], answers, [values[each] for each in sorted(new)])
    return answers


def _found(rows: Iterable[Row]) -> dict[str, ErrorGroup]:
    """The groups by the fingerprints of their events."""
    found = {}
    for fingerprint, merged_into, *columns in rows:
        if merged_into is not None:
            raise UniqueViolated("errors_groups_id")
        found[fingerprint] = group_of(tuple(columns))
    return found


def _counted(
    events: Sequence[ErrorEvent | None], found: Mapping[str, ErrorGroup]
) -> list[ErrorGroup | None]:
    groups = {group.id: group for group in found.values()}
    answers: list[ErrorGroup | None] = []
    for event in events:
        if event is None:
            answers.append(None)
            continue
        known = found.get(event.fingerprint)
        place = GroupId(event.fingerprint) if known is None else known.id
        before = groups.get(place)
        groups[place] = first_group(event) if before is None else next_group(before, event)
        answers.append(groups[place])
    return answers


async def _written(
    transaction: Transaction,
    events: Sequence[Values],
    answers: Sequence[ErrorGroup | None],
    counted: Sequence[Values],
) -> set[EventId]:
    """Stores events; if all are new, writes the groups and counts too. Gives the new ones' ids."""
    last = {group.id: group for group in answers if group is not None}
    groups = [group_values(last[each]) for each in sorted(last)]
    given = {"events": events, "groups": groups, "rollups": _rollups(counted)}
    write = _at_once if transaction.dialect == POSTGRES else _in_turn
    new, put = await write(transaction, given)
    if len(new) == len(events) and put < len(groups):
        raise UniqueViolated("errors_groups_id")
    return new


async def _at_once(transaction: Transaction, given: Given) -> tuple[set[EventId], int]:
    sizes = {"all_events": len(given["events"]), "all_groups": len(given["groups"])}
    rows = await transaction.run(WRITE, {**given, **sizes})
    new = {key for kind, key in rows if kind == "stored"}
    return new, len(rows) - len(new)


async def _in_turn(transaction: Transaction, given: Given) -> tuple[set[EventId], int]:
    events = given["events"]
    stored = await transaction.run(STORE_EVENTS, given) if events else []
    new = {row[0] for row in stored}
    if len(new) < len(events):
        return new, 0
    put = await transaction.run(PUT_GROUPS, given)
    await transaction.run(ADD_TO_ROLLUPS, given)
    return new, len(put)


def _rollups(events: Iterable[Values]) -> list[dict[str, Any]]:
    """The rows that count these events, groups before levels and days before blocks."""
    counts = Counter(row for event in events for row in _counted_in(event))
    rows = groupby(sorted(counts.items()), key=_row_of)
    return [
        {
            "dimension": dimension,
            "span": (DAY, BLOCK)[order],
            "slot": slot,
            "key": key,
            "shard": shard,
            "counts": _text(size, *((place, count) for (*_, place), count in found)),
        }
        for (dimension, order, slot, key, shard, size), found in rows
    ]


def _counted_in(event: Values) -> Iterator[tuple[Any, ...]]:
    """The rows that count an event, each as its key, its size and the event's place in it."""
    of_group = (Dimension.GROUP.value, event["group_id"], 0)
    of_level = (Dimension.LEVEL.value, event["level"], event["shard"])
    for order, (slot, place, size) in enumerate(places(slot_of(event["occurred_at"]))):
        for dimension, key, shard in (of_group, of_level):
            yield dimension, order, slot, key, shard, size, place


def _row_of(counted: tuple[tuple[Any, ...], int]) -> tuple[Any, ...]:
    return counted[0][:-1]


@lru_cache(maxsize=1024)
def _text(size: int, *counts: tuple[int, int]) -> str:
    """So many counts, those that are not zero with their places, as JSON."""
    given = dict(counts)
    return msgspec.json.encode([given.get(place, 0) for place in range(size)]).decode()
