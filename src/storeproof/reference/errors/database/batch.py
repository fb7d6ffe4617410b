"""For `DatabaseErrorStorage`: events that are created at once, counted in one transaction.

The groups are locked, the events stored, and the new ones counted by the rules of
`entities`, one after the other; then the groups and the rollups are written. Rows of every
table are locked in the order of their keys, and the tables in the order in which CREATE
locks them, so that nobody waits in a circle.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from storeproof.reference.database import Row, Transaction, UniqueViolated, per_dialect
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
    GroupId,
    first_group,
    next_group,
)

__all__ = ["count_all"]


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
    given = given_rows(columns)
    new = insert(EVENTS).from_select(columns, sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_nothing(index_elements=[EVENTS.c.id]).returning(EVENTS.c.id)


def _put_groups(insert: Any) -> Any:
    given = given_rows(GROUP_COLUMNS)
    new = insert(GROUPS).from_select(GROUP_COLUMNS, sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_update(
        index_elements=[GROUPS.c.id],
        set_={column: new.excluded[column.key] for column in GROUP_COLUMNS},
        where=GROUPS.c.created_by == new.excluded.created_by,
    ).returning(GROUPS.c.id)


def _add_to_rollups(insert: Any) -> Any:
    key = list(ROLLUPS.primary_key)
    given = given_rows([*key, sa.column("counts", sa.Text())])
    values = [*(given.c[column.key] for column in key), counts_in(given.c.counts)]
    rows = sa.select(*values).where(sa.true())
    new = insert(ROLLUPS).from_select([*key, ROLLUPS.c.counts], rows)
    more = added(ROLLUPS.c.counts, new.excluded.counts)
    return new.on_conflict_do_update(index_elements=key, set_={"counts": more})


LOCK_GROUPS = _lock_groups()
STORE_EVENTS = per_dialect(_store_events)
PUT_GROUPS = per_dialect(_put_groups)
"""Gives no row for a group that somebody else made meanwhile."""
ADD_TO_ROLLUPS = per_dialect(_add_to_rollups)


async def count_all(
    transaction: Transaction, events: Sequence[ErrorEvent]
) -> list[ErrorGroup | None]:
    """The group of each event as it left it; None where its id was taken.

    Raises UniqueViolated where somebody else made or merged one of the groups meanwhile.
    """
    fingerprints = sorted({event.fingerprint for event in events})
    given = [{"fingerprint": each} for each in fingerprints]
    groups = _found(await transaction.run(LOCK_GROUPS, {"given": given}))
    values = {event.id: event_values(event) for event in sorted(events, key=lambda each: each.id)}
    for each in values.values():
        group = groups.get(each["fingerprint"])
        each["group_id"] = each["fingerprint"] if group is None else group.id
    stored = await transaction.run(STORE_EVENTS, {"given": list(values.values())})
    new = {row[0] for row in stored}
    answers = _counted([event if event.id in new else None for event in events], groups)
    if new:
        await _write(transaction, answers, [row for key, row in values.items() if key in new])
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


async def _write(
    transaction: Transaction,
    answers: Sequence[ErrorGroup | None],
    events: Sequence[Mapping[str, Any]],
) -> None:
    last = {group.id: group_values(group) for group in answers if group is not None}
    groups = sorted(last.values(), key=lambda each: str(each["id"]))
    if len(await transaction.run(PUT_GROUPS, {"given": groups})) < len(groups):
        raise UniqueViolated("errors_groups_id")
    await transaction.run(ADD_TO_ROLLUPS, {"given": _rollups(events)})


def _rollups(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that count these events, groups before levels and days before blocks."""
    rows: dict[tuple[str, int, int, str, int], list[int]] = {}
    for event in events:
        of_group = (Dimension.GROUP.value, event["group_id"], 0)
        of_level = (Dimension.LEVEL.value, event["level"], event["shard"])
        for dimension, key, shard in (of_group, of_level):
            for order, (slot, place, size) in enumerate(places(slot_of(event["occurred_at"]))):
                rows.setdefault((dimension, order, slot, key, shard), [0] * size)[place] += 1
    return [
        {
            "dimension": dimension,
            "span": (DAY, BLOCK)[order],
            "slot": slot,
            "key": key,
            "shard": shard,
            "counts": msgspec.json.encode(counts).decode(),
        }
        for (dimension, order, slot, key, shard), counts in sorted(rows.items())
    ]
