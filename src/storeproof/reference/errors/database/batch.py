"""For `DatabaseErrorStorage`: events that are created at once.

The new ones are counted by the rules of `entities`, one after the other: so each knows how
it left its group. On PostgreSQL one statement does the same to the tables. On SQLite, in
one transaction, the groups are read and the events stored before they are counted, and
groups and rollups are written after it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from storeproof.reference.database import POSTGRES, Database, Row, Transaction, UniqueViolated
from storeproof.reference.database.columns import TEXT
from storeproof.reference.database.rows import given_rows
from storeproof.reference.errors.buckets import slot_of
from storeproof.reference.errors.database.creations import (
    CREATE_MANY,
    creation_values,
    locked_groups,
)
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


def _store_events() -> Any:
    columns = [*EVENT_COLUMNS, EVENTS.c.group_id]
    given = given_rows(columns)
    new = insert(EVENTS).from_select(columns, sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_nothing(index_elements=[EVENTS.c.id]).returning(EVENTS.c.id)


def _put_groups() -> Any:
    given = given_rows(GROUP_COLUMNS)
    new = insert(GROUPS).from_select(GROUP_COLUMNS, sa.select(*given.c).where(sa.true()))
    return new.on_conflict_do_update(
        index_elements=[GROUPS.c.id],
        set_={column: new.excluded[column.key] for column in GROUP_COLUMNS},
    )


def _add_to_rollups() -> Any:
    key = list(ROLLUPS.primary_key)
    given = given_rows([*key, sa.column("counts", sa.Text())])
    values = [*(given.c[column.key] for column in key), counts_in(given.c.counts)]
    rows = sa.select(*values).where(sa.true())
    new = insert(ROLLUPS).from_select([*key, ROLLUPS.c.counts], rows)
    more = added(ROLLUPS.c.counts, new.excluded.counts)
    return new.on_conflict_do_update(index_elements=key, set_={"counts": more})


FIND_GROUPS = locked_groups(given_rows([sa.column("fingerprint", TEXT)]))
STORE_EVENTS, PUT_GROUPS, ADD_TO_ROLLUPS = _store_events(), _put_groups(), _add_to_rollups()


async def count_all(database: Database, events: Sequence[ErrorEvent]) -> list[ErrorGroup | None]:
    """The group of each event as it left it; None where its id was taken.

    Raises UniqueViolated where somebody else stored one of the events meanwhile, or made or
    merged one of the groups.
    """
    if database.dialect == POSTGRES:
        return await _at_once(database, events)
    return await database.transact(lambda transaction: _in_turn(transaction, events))


async def _at_once(database: Database, events: Sequence[ErrorEvent]) -> list[ErrorGroup | None]:
    given = [creation_values(position, event) for position, event in enumerate(events)]
    rows = await database.write(CREATE_MANY, {"given": given})
    groups = _found(row[1:] for row in rows if row[1] is not None)
    new = {row[0] for row in rows}
    return _counted([event if event.id in new else None for event in events], groups)


async def _in_turn(
    transaction: Transaction, events: Sequence[ErrorEvent]
) -> list[ErrorGroup | None]:
    given = [{"fingerprint": each} for each in {event.fingerprint for event in events}]
    groups = _found(await transaction.run(FIND_GROUPS, {"given": given}))
    values = {event.id: event_values(event) for event in events}
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
    found: dict[str, ErrorGroup] = {}
    for fingerprint, merged_into, *columns in rows:
        if merged_into is not None:
            raise UniqueViolated("errors_groups_id")
        if fingerprint not in found:
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
    last = {group.id: group for group in answers if group is not None}
    await transaction.run(PUT_GROUPS, {"given": list(map(group_values, last.values()))})
    await transaction.run(ADD_TO_ROLLUPS, {"given": _rollups(events)})


def _rollups(events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that count these events."""
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
        for (dimension, order, slot, key, shard), counts in rows.items()
    ]
