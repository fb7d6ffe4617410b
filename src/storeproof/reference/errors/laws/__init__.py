"""For authors of an error storage: the laws, and the contract that they and the checks make up."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from storeproof.harness.contract import Contract
from storeproof.harness.law import Law, laws_of
from storeproof.reference.errors.archives import ArchiveId
from storeproof.reference.errors.buckets import TimeZone
from storeproof.reference.errors.database import open_error_storage
from storeproof.reference.errors.entities import (
    EventId,
    GroupId,
    GroupState,
    MetricName,
    PointId,
    Status,
    Tag,
)
from storeproof.reference.errors.laws import (
    activity,
    archive_lists,
    archive_races,
    archives,
    counts,
    events,
    lists,
    merges,
    races,
    spans,
    tagged,
    values,
)
from storeproof.reference.errors.memory import InMemoryErrorStorage
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import OutcomeUnknown, StorageError, Unavailable
from storeproof.reference.law_words import field, maybe, some

__all__ = ["LAWS", "contract"]

LAWS: Final[tuple[Law, ...]] = (
    *laws_of(events),
    *laws_of(merges),
    *laws_of(lists),
    *laws_of(counts),
    *laws_of(values),
    *laws_of(races),
    *laws_of(archives),
    *laws_of(archive_lists),
    *laws_of(archive_races),
    *laws_of(activity),
    *laws_of(tagged),
    *laws_of(spans),
)

NOW = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
TICK, QUARTER = timedelta(microseconds=1), timedelta(minutes=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def tags(*pairs: str) -> tuple[Tag, ...]:
    """Tags, each written "key=value"."""
    parts = (pair.partition("=") for pair in pairs)
    return tuple(Tag(key=key, value=value) for key, _, value in parts)


BAD_TIMES = (NOW.replace(tzinfo=None), datetime.max.replace(tzinfo=UTC))
TIMES = (
    *[NOW] * 6,
    NOW + HOUR,
    NOW + HOUR - TICK,
    NOW + QUARTER,
    NOW + TICK,
    NOW - HOUR,
    NOW + DAY,
    (NOW + HOUR).astimezone(timezone(timedelta(hours=5, minutes=30))),
)
STARTS = (NOW, NOW - HOUR, NOW - DAY, NOW + QUARTER)
ENDS = (NOW + HOUR, NOW + QUARTER, NOW + 2 * DAY, NOW + 40 * DAY)
ODD_BOUNDS = (NOW + TICK, NOW + 2000 * DAY, NOW - 9 * DAY)
IDS, ODD_IDS = ("a", "b"), ("A", "é", "e\u0301", "a ", "", "\0", "a" * 256)
MANY_IDS = tuple("abcdefghijklmnopqrst")  # a group is of interest once it has several events
WORDS, BAD_WORDS = ("x", "y", "é", "%", "a_b", ""), ("a\0", "a" * 8193)
TAGS = (tags(), tags("k=v"), tags("b=1", "a=2"), tags("a=2", "b=1"), tags("é=", "e\u0301=x"))
QUERY_TAGS = (tags(), tags(), *TAGS, tags("a=2"))
BAD_TAGS = (tags("=v"), tags("k=1", "k=2"), tags("k=\0"))
STATES = (
    *(GroupState(status=Status.RESOLVED, at=at) for at in (NOW, NOW + HOUR, NOW - HOUR)),
    *(GroupState(status=Status.IGNORED, at=at) for at in (None, NOW)),
    GroupState(),
)
BAD_STATES = (
    GroupState(status=Status.RESOLVED),
    GroupState(at=NOW),
    *(GroupState(status=Status.IGNORED, at=at) for at in BAD_TIMES),
)

contract = Contract(
    ErrorStorage,
    name="errors",
    model=InMemoryErrorStorage,
    storages={"sqlite": open_error_storage, "postgres": open_error_storage},
    errors=(StorageError,),
    moving=["list_groups"],
    uncertain=(OutcomeUnknown,),
    unavailable=(Unavailable,),
    ends_within=10,
    arguments={
        ArchiveId: some(IDS, ODD_IDS),
        EventId: some(MANY_IDS, ODD_IDS),
        GroupId: some(IDS, ODD_IDS),
        MetricName: some(("m", "n"), ("", "a\0", "a" * 129)),
        PointId: some(IDS, ODD_IDS),
        TimeZone: some(
            ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"),
            ("", "Nowhere", "../etc", "\0"),
        ),
        "start": some(STARTS, (*ODD_BOUNDS, *BAD_TIMES)),
        "end": some(ENDS, (*ODD_BOUNDS, *BAD_TIMES)),
        "archive.limit": some((1, 2, 3, 10_000), (0, -1, 10_001)),
        "before": some((NOW + HOUR, NOW + 2 * DAY, NOW + TICK, NOW), BAD_TIMES),
        "expected_version": some((1, 2, 3), (0, -1, 2**63)),
        "limit": some((1, 2, 3, 100), (1000, 0, -1, 1001)),
        "state": some(STATES, BAD_STATES),
        "n": some((1, 2, 100), (0, 1001)),
        "ErrorEvent.fingerprint": field(IDS, ODD_IDS),
        "ErrorEvent.grouping": field((1, 2), (0, 2**62, 2**63)),
        "ErrorEvent.message": field(WORDS, BAD_WORDS),
        "ErrorEvent.occurred_at": field(TIMES, BAD_TIMES),
        "ErrorEvent.stack": field(WORDS, ("\0", "a" * 65537)),
        "ErrorEvent.tags": field(TAGS, BAD_TAGS),
        "GroupFilter.message_contains": maybe(WORDS, BAD_WORDS),
        "MetricPoint.at": field(TIMES, BAD_TIMES),
        "MetricPoint.tags": field(TAGS, BAD_TAGS),
        "MetricPoint.value": field((1, 0, 3, 2**53 - 1, 1 - 2**53, -1), (2**53, 2**63)),
        "MetricQuery.end": field(ENDS, BAD_TIMES),
        "MetricQuery.start": field(STARTS, BAD_TIMES),
        "MetricQuery.tags": field(QUERY_TAGS, BAD_TAGS),
    },
    laws=LAWS,
)
