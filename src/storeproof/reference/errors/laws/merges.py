"""For authors of an error storage: the laws of merging groups."""

from msgspec.structs import replace

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.buckets import Bucket, TimeZone
from storeproof.reference.errors.entities import (
    Dimension,
    EventId,
    GroupFilter,
    GroupId,
    Level,
    Ranked,
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
    is_invalid,
    is_refused,
    resolved,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict
from storeproof.reference.storage import Page

__all__: list[str] = []

RAM = GroupId("ram")


@law("ERR-017", MUST)
async def merged_group_covers_both(storage: ErrorStorage) -> None:
    """The target counts and spans the events of both; its other fields and its version stay."""
    await add(storage, "a", at=NOW - HOUR, level=Level.FATAL)
    await add(storage, "b", at=NOW + HOUR)
    before = (await add(storage, "c", NET)).group
    merged = await storage.merge(DISK, NET)
    wide = replace(before, count=3, first_seen=NOW - HOUR, last_seen=NOW + HOUR)
    assert merged == wide
    assert await storage.get_group(NET) == wide
    assert (await storage.list_groups(GroupFilter())).items == (wide,)


@law("ERR-018", MUST)
async def narrower_source_changes_no_span(storage: ErrorStorage) -> None:
    """A source within the span of the target does not narrow it."""
    await add(storage, "a", NET, NOW - HOUR)
    before = await add(storage, "b", NET, NOW + HOUR)
    await add(storage, "c")
    assert await storage.merge(DISK, NET) == replace(before.group, count=3)


@law("ERR-019", MUST)
async def merged_source_is_no_group(storage: ErrorStorage) -> None:
    """The source is not found by any operation, and has no events, after a merge."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await storage.merge(DISK, NET)
    gone = NotFound("group", DISK)
    await is_refused(storage.get_group(DISK), gone)
    await is_refused(storage.set_state(DISK, resolved(), 1), gone)
    await is_refused(storage.merge(DISK, NET), gone)
    await is_refused(storage.merge(NET, DISK), gone)
    assert await storage.list_events(DISK) == Page(items=())


@law("ERR-020", MUST)
async def events_move_with_their_fingerprints(storage: ErrorStorage) -> None:
    """The target lists the events of both, by time, with the fingerprints that they came with."""
    await add(storage, "a", at=NOW)
    await add(storage, "b", NET, NOW + TICK)
    await add(storage, "c", at=NOW + HOUR)
    await storage.merge(DISK, NET)
    found = (await storage.list_events(NET)).items
    assert [each.id for each in found] == ["c", "b", "a"]
    assert [each.fingerprint for each in found] == [DISK, NET, DISK]
    assert await storage.get_by_id(EventId("a")) == event("a")


@law("ERR-021", MUST)
async def later_events_follow_a_merge(storage: ErrorStorage) -> None:
    """An event with the fingerprint of a merged group counts in the target, and can regress it."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await storage.merge(DISK, NET)
    await storage.set_state(NET, resolved(), 1)
    made = await add(storage, "c")
    assert (made.created, made.regressed) == (False, True)
    assert (made.group.id, made.group.count, made.fingerprint) == (NET, 3, DISK)
    assert [group.id for group, _ in await content(storage)] == [NET]


@law("ERR-022", MUST)
async def merges_follow_each_other(storage: ErrorStorage) -> None:
    """What was merged into a group goes with it when that is merged in its turn."""
    for letter, group in (("a", DISK), ("b", NET), ("c", RAM)):
        await add(storage, letter, group)
    await storage.merge(DISK, NET)
    await storage.merge(NET, RAM)
    made = await add(storage, "d")
    assert (made.group.id, made.group.count) == (RAM, 4)
    assert len((await storage.list_events(RAM)).items) == 4


@law("ERR-023", MUST)
async def repeated_event_is_known_after_a_merge(storage: ErrorStorage) -> None:
    """An event created again after a merge counts nothing; a different one is a Duplicate."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await storage.merge(DISK, NET)
    made = await add(storage, "a")
    assert (made.group.id, made.group.count, made.created) == (NET, 2, False)
    await is_refused(storage.create(event("a", NET)), Duplicate("id"))


@law("ERR-024", MUST)
async def trends_follow_a_merge(storage: ErrorStorage) -> None:
    """Trends and ranks count the events of both in the target, and lose none."""
    await add(storage, "ab")
    await add(storage, "c", NET)
    await add(storage, "d", NET, NOW + DAY)
    await add(storage, "e", RAM)
    span = (NOW, NOW + 2 * DAY)
    before = await storage.trend(*span, Bucket.DAY, TimeZone("UTC"))
    await storage.merge(DISK, NET)
    assert await storage.trend(*span, Bucket.DAY, TimeZone("UTC")) == before
    ranks = (Ranked(key=NET, count=4), Ranked(key=RAM, count=1))
    assert await storage.top(9, Dimension.GROUP, *span) == ranks


@law("ERR-025", MUST)
async def merges_of_nothing_are_refused(storage: ErrorStorage) -> None:
    """Merging with itself is invalid; an unknown source, then an unknown target, is NotFound."""
    await add(storage, "a")
    before = await content(storage)
    for group in (DISK, NET):
        await is_invalid(storage.merge(group, group), "target")
    await is_refused(storage.merge(NET, DISK), NotFound("group", NET))
    await is_refused(storage.merge(DISK, NET), NotFound("group", NET))
    await is_refused(storage.merge(RAM, NET), NotFound("group", RAM))
    assert await content(storage) == before


@law("ERR-026", MUST)
async def target_keeps_its_version(storage: ErrorStorage) -> None:
    """A merge is no change of the target's state, which can be set at its version still."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await storage.set_state(NET, resolved(NOW - DAY), 1)
    merged = await storage.merge(DISK, NET)
    assert (merged.state, merged.version) == (resolved(NOW - DAY), 2)
    await is_refused(storage.set_state(NET, resolved(), 1), VersionConflict("group", NET, 1))
    assert (await storage.set_state(NET, resolved(), 2)).version == 3
