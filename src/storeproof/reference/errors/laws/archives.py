"""For authors of an error storage: the laws of archives."""

import gzip
import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.archives import Archive, ArchiveId, ArchiveState
from storeproof.reference.errors.buckets import Bucket, TimeZone
from storeproof.reference.errors.entities import (
    Dimension,
    EventId,
    GroupFilter,
    GroupId,
    GroupState,
    Level,
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
    is_refused,
    resolved,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate, NotFound

__all__: list[str] = []

ONE, TWO = ArchiveId("one"), ArchiveId("two")
LATER = NOW + DAY
SPAN = (NOW - DAY, NOW + 2 * DAY)
LARGEST: dict[str, Any] = {
    "message": "😀" * 8192,
    "stack": "日" * 65536,
    "tags": tuple(Tag(key=f"{number:0>128}", value="é" * 1000) for number in range(100)),
}


async def move(
    storage: ErrorStorage, id: str = ONE, before: datetime = LATER, limit: int = 100
) -> Archive:
    """Archives, where there is something to archive."""
    archive = await storage.archive(ArchiveId(id), before, limit)
    assert archive is not None, "there are events to archive"
    return archive


async def placed(storage: ErrorStorage) -> list[str]:
    """The ids of the events that are in the lists, by group and age."""
    return [each.id for _, events in await content(storage) for each in reversed(events)]


async def held(storage: ErrorStorage, id: str = ONE) -> list[str]:
    """The ids of the events in an archive's file, in its order."""
    lines = gzip.decompress(await storage.archive_file(ArchiveId(id))).splitlines()
    return [json.loads(line)["event"]["id"] for line in lines]


async def totals(storage: ErrorStorage) -> list[object]:
    """Everything that is counted."""
    zone = TimeZone("UTC")
    trends = [await storage.trend(*SPAN, Bucket.HOUR, zone, by) for by in (None, *Dimension)]
    ranks = [await storage.top(9, by, *SPAN) for by in Dimension]
    return [(await storage.list_groups(GroupFilter())).items, trends, ranks]


@law("ERR-075", MUST)
async def archived_events_leave_their_places(storage: ErrorStorage) -> None:
    """An archived event is NotFound and in no list; the others are where they were."""
    await add(storage, "ab")
    await add(storage, "c", NET)
    await add(storage, "d", at=LATER)
    await move(storage)
    for letter in "abc":
        await is_refused(storage.get_by_id(EventId(letter)), NotFound("event", letter))
    assert await storage.get_by_id(EventId("d")) == event("d", at=LATER)
    assert (await storage.list_events(DISK)).items == (event("d", at=LATER),)
    assert (await storage.list_events(NET)).items == ()


@law("ERR-076", MUST)
async def oldest_events_are_archived(storage: ErrorStorage) -> None:
    """The oldest are taken, by time and then by id, at most `limit`, and none at `before`."""
    for letter, after in (("é", 0), ("a", 0), ("B", 0), ("c", 1), ("b", -1), ("y", 2), ("x", 3)):
        await add(storage, letter, NET if letter in "cy" else DISK, NOW + after * TICK)
    before = NOW + 3 * TICK
    for number, taken in enumerate((["b", "B"], ["a", "é"], ["c", "y"])):
        archive = await move(storage, f"{number}", before, 2)
        assert (archive.count, await held(storage, archive.id)) == (2, taken)
    assert await storage.archive(ONE, before, 2) is None
    assert await placed(storage) == ["x"]


@law("ERR-077", MUST)
async def archive_tells_what_it_holds(storage: ErrorStorage) -> None:
    """An archive has the arguments that made it, the count and span of its events, and a digest."""
    await add(storage, "b", at=NOW + HOUR)
    await add(storage, "a", NET)
    archive = await move(storage, limit=7)
    file = await storage.archive_file(ONE)
    assert archive == Archive(
        id=ONE,
        before=LATER,
        limit=7,
        count=2,
        first_seen=NOW,
        last_seen=NOW + HOUR,
        digest=sha256(file).hexdigest(),
        size=len(file),
        state=ArchiveState.HELD,
    )
    assert await storage.get_archive(ONE) == archive
    assert (await storage.list_archives()).items == (archive,)


@law("ERR-078", MUST)
async def file_has_a_line_for_each_event(storage: ErrorStorage) -> None:
    """A file is NDJSON in gzip: each event with all its fields, and the group that it was in."""
    tags = (Tag(key="k", value="\n"),)
    await storage.create(event("b", level=Level.FATAL, stack='é "\\\n', tags=tags, grouping=7))
    await add(storage, "a", NET, NOW + 123456 * TICK)
    await storage.merge(NET, DISK)
    await move(storage)
    lines = gzip.decompress(await storage.archive_file(ONE)).split(b"\n")
    assert lines.pop() == b""
    first, second = (json.loads(line) for line in lines)
    assert first == {
        "event": {
            "id": "b",
            "fingerprint": "disk",
            "grouping": 7,
            "level": "fatal",
            "message": "disk failed",
            "stack": 'é "\\\n',
            "tags": [{"key": "k", "value": "\n"}],
            "occurred_at": "2026-03-10T12:00:00Z",
        },
        "group": "disk",
    }
    assert (second["group"], second["event"]["fingerprint"]) == ("disk", "net")
    assert second["event"]["occurred_at"] == "2026-03-10T12:00:00.123456Z"


@law("ERR-079", MUST)
async def nothing_to_archive_is_none(storage: ErrorStorage) -> None:
    """Without an event before `before` no archive is made, and its id stays free."""
    assert await storage.archive(ONE, LATER, 1) is None
    await add(storage, "a")
    assert await storage.archive(ONE, NOW, 1) is None
    assert (await storage.list_archives()).items == ()
    await is_refused(storage.get_archive(ONE), NotFound("archive", ONE))
    assert await placed(storage) == ["a"]
    assert (await move(storage)).count == 1
    assert await storage.archive(TWO, LATER, 1) is None


@law("ERR-080", MUST)
async def repeated_archiving_moves_nothing(storage: ErrorStorage) -> None:
    """The same call again gives the archive as it is now; with other arguments the id is taken."""
    await add(storage, "abc")
    archive = await move(storage, limit=1)
    assert await storage.archive(ONE, LATER, 1) == archive
    await is_refused(storage.archive(ONE, LATER, 2), Duplicate("id"))
    await is_refused(storage.archive(ONE, LATER + TICK, 1), Duplicate("id"))
    assert (await held(storage), await placed(storage)) == (["a"], ["b", "c"])
    restored = await storage.restore_archive(ONE)
    assert await storage.archive(ONE, LATER, 1) == restored
    assert await placed(storage) == ["a", "b", "c"]


@law("ERR-081", MUST)
async def archiving_changes_no_count(storage: ErrorStorage) -> None:
    """Groups, trends and ranks are the same after archiving, restoring and purging."""
    await add(storage, "ab", at=NOW - HOUR, level=Level.INFO)
    await add(storage, "c", NET, NOW + HOUR)
    await add(storage, "d", at=LATER)
    await storage.set_state(NET, resolved(NOW + HOUR), 1)
    before = await totals(storage)
    await move(storage)
    assert await totals(storage) == before
    await storage.restore_archive(ONE)
    assert await totals(storage) == before
    await move(storage, TWO)
    await storage.purge(ONE)
    await storage.purge(TWO)
    assert await totals(storage) == before


@law("ERR-082", MUST)
async def archived_event_counts_once(storage: ErrorStorage) -> None:
    """Creating an archived event again counts nothing, brings nothing back, says what it did."""
    await add(storage, "a")
    await storage.set_state(DISK, resolved(), 1)
    await add(storage, "b")
    last = await add(storage, "c")
    await move(storage)
    before = await totals(storage)
    first, second, third = [await add(storage, letter) for letter in "abc"]
    assert (first.created, second.regressed, third) == (True, True, last)
    assert first == replace(last, id=EventId("a"), created=True)
    assert (await totals(storage), await placed(storage)) == (before, [])


@law("ERR-083", MUST)
async def id_of_an_archived_event_is_taken(storage: ErrorStorage) -> None:
    """A different event with the id of an archived one is a Duplicate, whichever field differs."""
    await add(storage, "a")
    await add(storage, "z", NET, LATER)
    await move(storage)
    before = await totals(storage)
    for other in (
        event("a", NET),
        event("a", "new"),
        event("a", at=NOW + TICK),
        event("a", message="x"),
        event("a", stack="x"),
        event("a", level=Level.INFO),
        event("a", grouping=2),
        event("a", tags=(Tag(key="k", value="v"),)),
    ):
        await is_refused(storage.create(other), Duplicate("id"))
    assert (await totals(storage), await placed(storage)) == (before, ["z"])


@law("ERR-084", MUST)
async def group_outlives_its_events(storage: ErrorStorage) -> None:
    """A group whose events are all archived goes on: it counts, regresses and can be merged."""
    await add(storage, "a")
    await move(storage)
    await storage.set_state(DISK, resolved(), 1)
    made = await add(storage, "b", at=NOW + HOUR)
    assert (made.created, made.regressed, made.group.count) == (False, True, 2)
    assert (made.group.first_seen, made.group.state) == (NOW, GroupState())
    await add(storage, "c", NET, NOW + HOUR)
    assert (await storage.merge(DISK, NET)).count == 3
    assert await placed(storage) == ["b", "c"]


@law("ERR-085", MUST)
async def restored_events_are_as_before(storage: ErrorStorage) -> None:
    """Restoring puts every event back as it was, the largest too; the archive keeps its file."""
    earliest = event("b", at=datetime(1, 1, 2, tzinfo=UTC), grouping=2**62)
    for given in (event("a", **LARGEST), earliest, event("c", NET, NOW + TICK, message='\x01"\\')):
        await storage.create(given)
    before = await content(storage)
    archive, file = await move(storage), await storage.archive_file(ONE)
    restored = replace(archive, state=ArchiveState.RESTORED)
    assert await storage.restore_archive(ONE) == restored
    assert await content(storage) == before
    assert await storage.get_by_id(earliest.id) == earliest
    assert await storage.get_archive(ONE) == restored
    assert await storage.archive_file(ONE) == file


@law("ERR-086", MUST)
async def restored_events_follow_merges(storage: ErrorStorage) -> None:
    """Events whose group was merged meanwhile come back in the group where that is now."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await add(storage, "c", "ram", LATER)
    await move(storage)
    await storage.merge(DISK, NET)
    await storage.merge(NET, GroupId("ram"))
    before = await totals(storage)
    await storage.restore_archive(ONE)
    assert (await totals(storage), await placed(storage)) == (before, ["a", "b", "c"])
    assert [group.id for group, _ in await content(storage)] == ["ram"]
    assert await storage.get_by_id(EventId("a")) == event("a")


@law("ERR-087", MUST)
async def restoring_again_changes_nothing(storage: ErrorStorage) -> None:
    """A restored archive is not restored again, also when its events are archived once more."""
    await add(storage, "ab")
    await move(storage)
    restored = await storage.restore_archive(ONE)
    assert await storage.restore_archive(ONE) == restored
    await move(storage, TWO, limit=1)
    assert await storage.restore_archive(ONE) == restored
    assert (await placed(storage), await held(storage, TWO)) == (["b"], ["a"])
    assert (await storage.get_archive(TWO)).state is ArchiveState.HELD


@law("ERR-088", MUST)
async def restored_event_can_be_archived_again(storage: ErrorStorage) -> None:
    """A restored event is known, can be archived by another archive, and restored from it."""
    await add(storage, "a")
    await move(storage)
    await storage.restore_archive(ONE)
    assert (await add(storage, "a")).group.count == 1
    await is_refused(storage.create(event("a", NET)), Duplicate("id"))
    archive = await move(storage, TWO)
    assert (archive.count, await placed(storage)) == (1, [])
    await is_refused(storage.create(event("a", NET)), Duplicate("id"))
    await storage.restore_archive(TWO)
    assert (await placed(storage), (await storage.get_group(DISK)).count) == (["a"], 1)


@law("ERR-089", MUST)
async def purged_archive_is_gone(storage: ErrorStorage) -> None:
    """A purged archive is NotFound everywhere, and its id is free; other archives stay."""
    await add(storage, "ab")
    await move(storage, ONE, limit=1)
    other = await move(storage, TWO)
    await storage.purge(ONE)
    gone = NotFound("archive", ONE)
    for call in (storage.get_archive, storage.archive_file, storage.restore_archive, storage.purge):
        await is_refused(call(ONE), gone)
    assert (await storage.list_archives()).items == (other,)
    assert await placed(storage) == []
    await add(storage, "c")
    assert (await move(storage, ONE)).count == 1
    await storage.restore_archive(TWO)
    assert await placed(storage) == ["b"]


@law("ERR-090", MUST)
async def purged_events_are_new(storage: ErrorStorage) -> None:
    """The id of a purged event is free: the next event with it counts, whatever it is."""
    await add(storage, "ab")
    await move(storage, ONE, limit=1)
    await move(storage, TWO)
    await storage.purge(ONE)
    made = await add(storage, "a", NET, NOW + HOUR)
    assert (made.created, made.group.count) == (True, 1)
    assert await placed(storage) == ["a"]
    assert (await add(storage, "b")).group.count == 2
    await storage.purge(TWO)
    assert (await add(storage, "b")).group.count == 3
    assert (await storage.top(9, Dimension.LEVEL, *SPAN))[0].count == 4


@law("ERR-091", MUST)
async def purge_leaves_restored_events(storage: ErrorStorage) -> None:
    """Purging a restored archive leaves its events, in the lists or in another archive."""
    await add(storage, "ab")
    await move(storage)
    await storage.restore_archive(ONE)
    await move(storage, TWO, limit=1)
    await storage.purge(ONE)
    assert (await placed(storage), await held(storage, TWO)) == (["b"], ["a"])
    assert (await add(storage, "a")).group.count == 2
    assert (await add(storage, "b")).group.count == 2
    await storage.restore_archive(TWO)
    assert await placed(storage) == ["a", "b"]


@law("ERR-092", MUST)
async def unknown_archive_is_not_found(storage: ErrorStorage) -> None:
    """What was never made can't be got, read, restored or purged."""
    await add(storage, "a")
    await move(storage, TWO)
    for call in (storage.get_archive, storage.archive_file, storage.restore_archive, storage.purge):
        await is_refused(call(ONE), NotFound("archive", ONE))


@law("ERR-093", MUST)
async def file_is_bounded(storage: ErrorStorage) -> None:
    """A file ends before the event whose line would make its lines more than 32 MiB."""
    made = [event(f"{number:02}", at=NOW + number * TICK, **LARGEST) for number in range(80)]
    for each in made:
        await storage.create(each)
    count = (await move(storage)).count
    file = await storage.archive_file(ONE)
    lines = gzip.decompress(file).splitlines(keepends=True)
    assert count == len(lines) < 80
    assert 2**25 - len(lines[0]) < sum(map(len, lines)) <= 2**25
    assert (await move(storage, TWO)).count == 80 - count
    assert await placed(storage) == []
