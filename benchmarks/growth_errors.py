"""`benchmarks/growth.py` takes from here what it fills error storages with, and asks of them."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec
from loading import Target

from storeproof.harness.latency.sampling import Call
from storeproof.reference.errors import (
    ArchiveId,
    Bucket,
    Dimension,
    ErrorEvent,
    ErrorGroup,
    ErrorStorage,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    Level,
    Tag,
    TimeZone,
)
from storeproof.reference.errors.buckets import slot_of
from storeproof.reference.errors.database.rollups import BLOCK, DAY, places
from storeproof.reference.errors.database.tables import (
    EVENTS,
    GROUPS,
    ROLLUPS,
    event_values,
)
from storeproof.reference.errors.entities import first_group, next_group
from storeproof.reference.errors.laws import contract

__all__ = ["Errors"]

START = datetime(2026, 3, 1, tzinfo=UTC)
BERLIN = TimeZone("Europe/Berlin")
STACK = "\n".join(f'  File "module_{n}.py", line {n}, in function_{n}' for n in range(6))


class Errors:
    """So many events over so many days, in the order of time, in groups of unequal shares."""

    name = "errors"
    contract = contract
    tables = (EVENTS, GROUPS, ROLLUPS)

    def __init__(self, groups: int, days: int, size: int) -> None:
        self._number, self._days, self._size = groups, days, size
        self._between = timedelta(days=days) / size
        self._random = random.Random(0)
        self._groups: dict[GroupId, ErrorGroup] = {}
        self._rollups: dict[tuple[str, str, int, str, int], list[int]] = {}

    async def fill(self, target: Target) -> None:
        """Store the events, with the groups and rollups that they make."""
        await target.add(EVENTS, self._events())
        await target.add(GROUPS, self._group_rows())
        await target.add(ROLLUPS, self._rollup_rows())

    def operations(self, storage: ErrorStorage) -> Mapping[str, Call]:
        """What is timed, by name."""
        span = (START, START + timedelta(days=self._days))
        widths = (Bucket.DAY, Bucket.WEEK, Bucket.HOUR if self._days <= 40 else Bucket.MONTH)

        def trend(bucket: Bucket, by: Dimension | None) -> Call:
            return lambda: storage.trend(*span, bucket, BERLIN, by)

        numbers = count()

        def archive() -> Awaitable[object]:
            return storage.archive(ArchiveId(f"archive-{next(numbers)}"), span[1], 100)

        def groups(sort: GroupSort) -> Call:
            return lambda: storage.list_groups(GroupFilter(), sort)

        return {
            **{f"trend of all by {each}": trend(each, None) for each in widths},
            **{
                f"trend of each {by} by {each}": trend(each, by)
                for by in Dimension
                for each in widths
            },
            "top 100 groups": lambda: storage.top(100, Dimension.GROUP, *span),
            **{f"first groups, by {sort}": groups(sort) for sort in GroupSort},
            "archive 100 events": archive,
            "first events of a group": lambda: storage.list_events(GroupId("g0")),
        }

    def record(self, number: int) -> ErrorEvent:
        """Make the next event."""
        draw = self._random.random
        group = int(self._number * draw() ** 2)
        return ErrorEvent(
            id=EventId(f"event-{number:09}"),
            fingerprint=GroupId(f"g{group}"),
            level=self._random.choice(list(Level)),
            message=f"{group} could not be read",
            stack=STACK,
            tags=(Tag(key="release", value="1.4"),),
            occurred_at=START + (number + draw()) * self._between,
        )

    def _events(self) -> Iterator[dict[str, object]]:
        for index in range(self._size):
            event = self.record(index)
            values = event_values(event)
            self._count(event, values)
            yield {**values, "group_id": event.fingerprint, "archive_id": None, "digest": None}

    def _count(self, event: ErrorEvent, values: Mapping[str, object]) -> None:
        group = event.fingerprint
        known = self._groups.get(group)
        self._groups[group] = next_group(known, event) if known else first_group(event)
        owners = (("group", group, 0), ("level", event.level.value, values["shard"]))
        for dimension, key, shard in owners:
            for span, (slot, place, size) in zip(
                (DAY, BLOCK), places(slot_of(event.occurred_at)), strict=True
            ):
                row = (dimension, span, slot, key, shard)
                self._rollups.setdefault(row, [0] * size)[place] += 1

    def _group_rows(self) -> Iterator[dict[str, object]]:
        for group in self._groups.values():
            fields = msgspec.structs.asdict(group)
            state = fields.pop("state")
            yield {**fields, "status": state.status, "state_at": state.at, "merged_into": None}

    def _rollup_rows(self) -> Iterator[dict[str, object]]:
        names = ("dimension", "span", "slot", "key", "shard")
        for row, counts in self._rollups.items():
            yield {**dict(zip(names, row, strict=True)), "counts": counts}
