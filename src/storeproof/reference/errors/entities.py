"""For users and authors of an error storage: its entities, and their canonical forms.

Entities are frozen and hold nothing that can be changed, so a result never aliases what
a storage holds. Ids, fingerprints and times come from the caller. `canonical` gives the
form in which every storage stores and returns an event, a point, a state or a filter.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, NewType, TypeVar

import msgspec

from storeproof.reference import values
from storeproof.reference.exceptions import InvalidValue
from storeproof.reference.rules import Rules, by_rules, integer, member, optional, text

__all__ = [
    "Aggregation",
    "Created",
    "Dimension",
    "ErrorEvent",
    "ErrorGroup",
    "EventId",
    "GroupFilter",
    "GroupId",
    "GroupSort",
    "GroupState",
    "Kind",
    "Level",
    "MetricName",
    "MetricPoint",
    "MetricQuery",
    "PointId",
    "Ranked",
    "Status",
    "Tag",
    "canonical",
    "created_of",
    "first_group",
    "next_group",
]

Entity = TypeVar("Entity", bound=msgspec.Struct)

EventId = NewType("EventId", str)
GroupId = NewType("GroupId", str)
"""A fingerprint (`grouping.fingerprint`): events with the same one are of one group."""
PointId = NewType("PointId", str)
MetricName = NewType("MetricName", str)
"""What is measured, with its unit: "request_seconds_e6", "queue_length"."""

MAX_MESSAGE = 8192
MAX_STACK = 65536
MAX_TAGS = 100
MAX_TAG_VALUE = 1000
MAX_COUNT = 2**62
MAX_VALUE = 2**53 - 1


class Level(StrEnum):
    """How bad an event is."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"


class Status(StrEnum):
    """What was decided about a group."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    IGNORED = "ignored"


class GroupSort(StrEnum):
    """The orders of `list_groups`: by when groups began, when they last occurred, how often."""

    NEWEST = "newest"
    OLDEST = "oldest"
    LAST_SEEN = "last_seen"
    COUNT = "count"


class Dimension(StrEnum):
    """What events are counted by."""

    LEVEL = "level"
    GROUP = "group"


class Kind(StrEnum):
    """What a metric is: increments, readings, or measurements of single occurrences."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Aggregation(StrEnum):
    """How points become one number. `LAST` is the latest, by time and then by id.

    A percentile is the nearest-rank one: the smallest value such that at least so many
    per cent of the values are not larger. It is always one of the values.
    """

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    LAST = "last"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"


_AGGREGATIONS: Final = {
    Kind.COUNTER: (Aggregation.COUNT, Aggregation.SUM),
    Kind.GAUGE: (Aggregation.COUNT, Aggregation.MIN, Aggregation.MAX, Aggregation.LAST),
    Kind.HISTOGRAM: tuple(each for each in Aggregation if each is not Aggregation.LAST),
}


class Tag(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Something known of an event or a point, such as the release that it occurred in."""

    key: str
    value: str


class ErrorEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that went wrong once. `grouping` is the version of the rule of `fingerprint`.

    `stack` is the traceback as text. A key occurs once in `tags`, which are kept by key.
    """

    id: EventId
    fingerprint: GroupId
    grouping: int = 1
    level: Level = Level.ERROR
    message: str
    stack: str = ""
    tags: tuple[Tag, ...] = ()
    occurred_at: datetime


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A status, and the instant from which an event makes the group unresolved again.

    Resolved: `at` is when it was resolved, and is required. Ignored: `at` is until when
    (excluded), None for ever. Unresolved: `at` is None.
    """

    status: Status = Status.UNRESOLVED
    at: datetime | None = None


class ErrorGroup(msgspec.Struct, frozen=True, kw_only=True):
    """Events with one cause.

    `message`, `level` and `created_at` are those of the event that made the group,
    `created_by`; `regressed_by` is the last event that made it unresolved again. The
    earliest and the latest of its events occurred at `first_seen` and `last_seen`.
    `version` counts the changes of its state.
    """

    id: GroupId
    message: str
    level: Level
    created_at: datetime
    first_seen: datetime
    last_seen: datetime
    count: int
    state: GroupState
    version: int
    created_by: EventId
    regressed_by: EventId | None


class Created(ErrorEvent, frozen=True, kw_only=True):
    """An event as stored, and what became of its group.

    `created`: the group was made by this event. `regressed`: this event is the last one
    that made the group unresolved again. So a repeated call is answered as the first.
    """

    group: ErrorGroup
    created: bool
    regressed: bool


class GroupFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Groups that match all that is given. `message_contains` is compared by code point."""

    status: Status | None = None
    level: Level | None = None
    message_contains: str | None = None


class Ranked(msgspec.Struct, frozen=True, kw_only=True):
    """The number of events of one level or group."""

    key: str
    count: int


class MetricPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One reading. `value` is an integer, in the unit that the name says, so sums are exact.

    It is at most 2**53 - 1 either way; a counter's is not negative. A key occurs once in
    `tags`, which are kept by key.
    """

    id: PointId
    name: MetricName
    kind: Kind
    value: int
    at: datetime
    tags: tuple[Tag, ...] = ()


class MetricQuery(msgspec.Struct, frozen=True, kw_only=True):
    """The points with this name and kind from `start` to before `end`, as one number.

    Only those count that have all of `tags`; they may have others too.
    """

    name: MetricName
    kind: Kind
    aggregation: Aggregation
    start: datetime
    end: datetime
    tags: tuple[Tag, ...] = ()


def first_group(event: ErrorEvent) -> ErrorGroup:
    """The group that a canonical event makes."""
    return ErrorGroup(
        id=event.fingerprint,
        message=event.message,
        level=event.level,
        created_at=event.occurred_at,
        first_seen=event.occurred_at,
        last_seen=event.occurred_at,
        count=1,
        state=GroupState(),
        version=1,
        created_by=event.id,
        regressed_by=None,
    )


def next_group(group: ErrorGroup, event: ErrorEvent) -> ErrorGroup:
    """The rule of `create` for a group that is there, for a canonical event."""
    state = group.state
    regressed = state.at is not None and state.at <= event.occurred_at
    return msgspec.structs.replace(
        group,
        first_seen=min(group.first_seen, event.occurred_at),
        last_seen=max(group.last_seen, event.occurred_at),
        count=group.count + 1,
        state=GroupState() if regressed else state,
        version=group.version + regressed,
        regressed_by=event.id if regressed else group.regressed_by,
    )


def created_of(event: ErrorEvent, group: ErrorGroup) -> Created:
    """What `create` answers for this stored event, whose group is this now."""
    return Created(
        **msgspec.structs.asdict(event),
        group=group,
        created=group.created_by == event.id,
        regressed=group.regressed_by == event.id,
    )


def _tags(field: str, tags: tuple[Tag, ...]) -> tuple[Tag, ...]:
    if tags == ():
        return ()
    if not isinstance(tags, tuple) or not all(isinstance(tag, Tag) for tag in tags):
        raise InvalidValue(field, "must be a tuple of tags")
    if len(tags) > MAX_TAGS:
        raise InvalidValue(field, f"must have at most {MAX_TAGS} members")
    for tag in tags:
        values.canonical_name(field, tag.key)
        values.canonical_text(field, tag.value, MAX_TAG_VALUE)
    if len({tag.key for tag in tags}) != len(tags):
        raise InvalidValue(field, "must not repeat a key")
    return tuple(sorted(tags))


_ID, _NAME, _TIME = values.canonical_id, values.canonical_name, values.canonical_time
_RULES: Rules = {
    ErrorEvent: {
        "id": _ID,
        "fingerprint": _ID,
        "grouping": integer(1, MAX_COUNT),
        "level": member(Level),
        "message": text(MAX_MESSAGE),
        "stack": text(MAX_STACK),
        "tags": _tags,
        "occurred_at": _TIME,
    },
    GroupState: {"status": member(Status), "at": optional(_TIME)},
    GroupFilter: {
        "status": optional(member(Status)),
        "level": optional(member(Level)),
        "message_contains": optional(text(MAX_MESSAGE)),
    },
    MetricPoint: {
        "id": _ID,
        "name": _NAME,
        "kind": member(Kind),
        "value": integer(-MAX_VALUE, MAX_VALUE),
        "at": _TIME,
        "tags": _tags,
    },
    MetricQuery: {
        "name": _NAME,
        "kind": member(Kind),
        "aggregation": member(Aggregation),
        "start": _TIME,
        "end": _TIME,
        "tags": _tags,
    },
}


def canonical(entity: Entity) -> Entity:
    """The event, point, state, filter or query as every storage stores and returns it.

    Raises InvalidValue for the first bad field, in the order of declaration; then for a
    state whose `at` does not go with its status ("at"), a negative counter ("value"), an
    aggregation that its kind does not have ("aggregation"), and an `end` before `start`.
    """
    made = by_rules(_RULES, entity)
    match made:
        case ErrorEvent():
            pass
        case MetricPoint():
            if made.value < 0 and made.kind is Kind.COUNTER:
                raise InvalidValue("value", "must not be negative for a counter")
        case GroupState():
            _check_state(made)
        case MetricQuery():
            _check_query(made)
    return made


def _check_state(state: GroupState) -> None:
    if state.status is Status.RESOLVED and state.at is None:
        raise InvalidValue("at", "must say when it was resolved")
    if state.status is Status.UNRESOLVED and state.at is not None:
        raise InvalidValue("at", "must be None for an unresolved group")


def _check_query(query: MetricQuery) -> None:
    if query.aggregation not in _AGGREGATIONS[query.kind]:
        raise InvalidValue("aggregation", "is not one of this kind's")
    if query.end < query.start:
        raise InvalidValue("end", "must not be before start")
