"""For authors of an error storage: the laws of canonical values, and of what refusals leave."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.buckets import Bucket, TimeZone
from storeproof.reference.errors.entities import (
    Aggregation,
    Dimension,
    ErrorEvent,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    Kind,
    MetricName,
    MetricPoint,
    MetricQuery,
    PointId,
    Tag,
)
from storeproof.reference.errors.laws.given import (
    DAY,
    DISK,
    HOUR,
    NET,
    NOW,
    TICK,
    add,
    content,
    event,
    ignored,
    is_invalid,
    point,
    resolved,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.storage import Cursor

__all__: list[str] = []

LOCAL = timezone(timedelta(hours=5, minutes=30))
FRACTION = NOW + 123456 * TICK
TEXTS = (" a ", "\t\n", "\x7f\x01", "a\u0301", "á", "é\u200b", "日本語", "😀", "'; --", "%_\\", "")
BAD_EVENTS: tuple[tuple[str, Any], ...] = (
    ("id", ""),
    ("id", "a\0"),
    ("id", "a" * 256),
    ("fingerprint", ""),
    ("fingerprint", "\ud800"),
    ("grouping", 0),
    ("grouping", 2**63),
    ("message", "a\0b"),
    ("message", "a" * 8193),
    ("stack", "\0"),
    ("stack", "a" * 65537),
    ("tags", (Tag(key="", value="v"),)),
    ("tags", (Tag(key="k", value="\0"),)),
    ("tags", (Tag(key="k", value="a" * 1001),)),
    ("tags", (Tag(key="k", value="1"), Tag(key="k", value="2"))),
    ("tags", tuple(Tag(key=f"{number}", value="") for number in range(101))),
    ("occurred_at", NOW.replace(tzinfo=None)),
    ("occurred_at", datetime.max.replace(tzinfo=UTC)),
    ("occurred_at", datetime.min.replace(tzinfo=LOCAL)),
)


@law("ERR-056", MUST)
async def times_are_kept_to_the_microsecond(storage: ErrorStorage) -> None:
    """A time with another offset comes back as the same instant in UTC, with its microseconds."""
    local = FRACTION.astimezone(LOCAL)
    made = await storage.create(event("a", at=local))
    state = (await storage.set_state(DISK, ignored(local), 1)).state
    stored = await storage.get_by_id(EventId("a"))
    recorded = await storage.record_metric(point("a", at=local))
    group = await storage.get_group(DISK)
    for time in (
        made.occurred_at,
        stored.occurred_at,
        recorded.at,
        state.at,
        group.state.at,
        group.first_seen,
        group.last_seen,
        group.created_at,
    ):
        assert time == FRACTION
        assert time.tzinfo is UTC


@law("ERR-057", MUST)
async def equal_instants_are_equal_events(storage: ErrorStorage) -> None:
    """An event, or point, repeated with its time in another offset is the same one."""
    await add(storage, "a")
    made = await add(storage, "a", at=NOW.astimezone(LOCAL))
    assert made.group.count == 1
    await storage.record_metric(point("a"))
    again = await storage.record_metric(point("a", at=NOW.astimezone(LOCAL)))
    assert again == point("a")


@law("ERR-058", MUST)
async def text_is_kept_as_it_is(storage: ErrorStorage) -> None:
    """Free text is neither trimmed nor normalised, wherever it stands."""
    for number, text in enumerate(TEXTS):
        tags = (Tag(key=text or "k", value=text),)
        given = event(f"{number}", f"{number}", message=text, stack=text, tags=tags)
        await storage.create(given)
        assert await storage.get_by_id(given.id) == given
        assert (await storage.get_group(given.fingerprint)).message == text


@law("ERR-059", MUST)
async def ids_are_compared_by_code_point(storage: ErrorStorage) -> None:
    """Ids that differ by case, a space or composition are different, of events and groups."""
    names = ("a", "A", "a ", " a", "á", "a\u0301", "\uff41", "ß", "ss", "1", "01")
    for number, name in enumerate(names):
        assert (await storage.create(event(name, name))).created
        assert await storage.record_metric(point(name, number)) == point(name, number)
    assert len((await storage.list_groups(GroupFilter())).items) == len(names)
    for name in names:
        assert (await storage.get_by_id(EventId(name))).id == name
        assert (await storage.get_group(GroupId(name))).created_by == name


@law("ERR-060", MUST)
async def bad_events_are_refused(storage: ErrorStorage) -> None:
    """An event with an invalid field is refused, and nothing of it is stored or counted."""
    for field, value in BAD_EVENTS:
        await is_invalid(storage.create(replace(event("a"), **{field: value})), field)
    both = ErrorEvent(id=EventId(""), fingerprint=DISK, message="\0", occurred_at=NOW)
    await is_invalid(storage.create(both), "id")
    assert await content(storage) == []
    assert await storage.top(1, Dimension.LEVEL, NOW - DAY, NOW + DAY) == ()


@law("ERR-061", MUST)
async def largest_events_are_stored(storage: ErrorStorage) -> None:
    """An event whose every field is as large as it may be comes back whole, as does its group."""
    tags = tuple(Tag(key=f"{number:0>128}", value="日" * 1000) for number in range(100))
    latest = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)
    given = event("é" * 255, "日" * 255, latest, message="😀" * 8192, stack="日" * 65536, tags=tags)
    made = await storage.create(given)
    assert made.group.message == given.message
    assert await storage.get_by_id(given.id) == given
    assert (await storage.list_events(given.fingerprint)).items == (given,)
    earliest = event("b", at=datetime(1, 1, 2, tzinfo=UTC), grouping=2**62)
    await storage.create(earliest)
    assert await storage.get_by_id(earliest.id) == earliest


@law("ERR-062", MUST)
async def bad_points_are_refused(storage: ErrorStorage) -> None:
    """A point with an invalid field is refused; its value is at most 2**53 - 1 either way."""
    bad: tuple[tuple[str, Any], ...] = (
        ("id", ""),
        ("name", "a" * 129),
        ("name", "\0"),
        ("value", 2**53),
        ("value", -(2**53)),
        ("value", 2**63),
        ("value", True),
        ("value", 1.5),
        ("at", NOW.replace(tzinfo=None)),
    )
    for field, value in bad:
        fields: dict[str, Any] = {"id": "a", "name": "m", "value": 1, "at": NOW, field: value}
        await is_invalid(storage.record_metric(MetricPoint(kind=Kind.GAUGE, **fields)), field)
    for value in (2**53 - 1, 1 - 2**53):
        made = point(f"{value}", value)
        assert await storage.record_metric(made) == made
    await is_invalid(storage.record_metric(point("a", -1, Kind.COUNTER)), "value")


@law("ERR-063", MUST)
async def bad_arguments_are_refused_by_every_operation(storage: ErrorStorage) -> None:
    """What can't be stored is invalid when it is asked for too, also where nothing is there."""
    bad = "a\0"
    await is_invalid(storage.get_by_id(EventId(bad)), "id")
    await is_invalid(storage.get_group(GroupId("")), "id")
    await is_invalid(storage.set_state(GroupId(bad), resolved(), 1), "id")
    await is_invalid(storage.set_state(DISK, resolved(), 2**63), "expected_version")
    await is_invalid(storage.set_state(DISK, resolved(NOW.replace(tzinfo=None)), 1), "at")
    await is_invalid(storage.merge(GroupId(bad), GroupId(bad)), "source")
    await is_invalid(storage.merge(DISK, GroupId(bad)), "target")
    await is_invalid(storage.list_events(GroupId(bad)), "group")
    await is_invalid(storage.list_groups(GroupFilter(message_contains=bad)), "message_contains")
    query = MetricQuery(
        name=MetricName(bad), kind=Kind.GAUGE, aggregation=Aggregation.SUM, start=NOW, end=NOW
    )
    await is_invalid(storage.query_metric(query), "name")


@law("ERR-064", MUST)
async def first_invalid_argument_is_named(storage: ErrorStorage) -> None:
    """Of several invalid arguments the first is named, and all before anything is looked up."""
    cursor, bad = Cursor("x"), GroupId("")
    page = storage.list_groups(GroupFilter(), GroupSort.NEWEST, cursor, 0)
    await is_invalid(page, "cursor")
    await is_invalid(storage.list_events(bad, cursor, 0), "group")
    await is_invalid(storage.list_events(DISK, cursor, 0), "cursor")
    await is_invalid(storage.set_state(bad, resolved(), 2**63), "id")
    await is_invalid(storage.top(0, Dimension.LEVEL, NOW + TICK, NOW), "n")
    odd = NOW + TICK
    await is_invalid(storage.trend(odd, odd, Bucket.DAY, TimeZone("")), "start")
    await is_invalid(storage.trend(NOW, odd, Bucket.DAY, TimeZone("")), "end")
    query = MetricQuery(
        name=MetricName("m"),
        kind=Kind.GAUGE,
        aggregation=Aggregation.SUM,
        start=NOW + HOUR,
        end=NOW,
    )
    await is_invalid(storage.query_metric(query), "aggregation")


@law("ERR-065", MUST)
async def refusals_change_nothing(storage: ErrorStorage) -> None:
    """Operations that are refused leave every group, event and count as it was."""
    await add(storage, "ab")
    await add(storage, "c", NET)
    before = await content(storage)
    span = (NOW - DAY, NOW + DAY)
    ranks = await storage.top(9, Dimension.GROUP, *span)
    for call in (
        storage.create(event("a", "new")),
        storage.create(event("c", DISK, NOW + TICK)),
        storage.set_state(DISK, resolved(), 9),
        storage.merge(DISK, GroupId("none")),
        storage.merge(GroupId("none"), DISK),
        storage.record_metric(point("", 1)),
    ):
        try:
            await call
        except Exception:  # noqa: S112 - other laws say which; none may leave a trace
            continue
        raise AssertionError("the call should be refused")
    assert await content(storage) == before
    assert await storage.top(9, Dimension.GROUP, *span) == ranks
    assert (await storage.record_metric(point("a"))).id == PointId("a")
