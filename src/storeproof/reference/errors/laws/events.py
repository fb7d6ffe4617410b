"""For authors of an error storage: the laws of events, their groups and their states."""

from msgspec.structs import asdict, replace

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.entities import (
    Dimension,
    ErrorGroup,
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
    ignored,
    is_invalid,
    is_refused,
    resolved,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.exceptions import Duplicate, NotFound, VersionConflict

__all__: list[str] = []


@law("ERR-001", MUST)
async def event_comes_back_as_it_was_given(storage: ErrorStorage) -> None:
    """An event is found by its id with every field as it was given, its tags by key."""
    tags = (Tag(key="b", value=""), Tag(key="a", value="é\n"))
    given = event("a", level=Level.FATAL, stack="line\nline", tags=tags, grouping=7)
    made = await storage.create(given)
    stored = replace(given, tags=tags[::-1])
    assert await storage.get_by_id(EventId("a")) == stored
    assert {name: getattr(made, name) for name in asdict(stored)} == {
        name: getattr(stored, name) for name in asdict(stored)
    }


@law("ERR-002", MUST)
async def unknown_event_is_not_found(storage: ErrorStorage) -> None:
    """Getting an event that was never created is NotFound."""
    await add(storage, "a")
    await is_refused(storage.get_by_id(EventId("b")), NotFound("event", "b"))


@law("ERR-003", MUST)
async def first_event_makes_its_group(storage: ErrorStorage) -> None:
    """The first event with a fingerprint makes an unresolved group that tells of it."""
    made = await storage.create(event("a", level=Level.WARNING, message="full"))
    group = ErrorGroup(
        id=DISK,
        message="full",
        level=Level.WARNING,
        created_at=NOW,
        first_seen=NOW,
        last_seen=NOW,
        count=1,
        state=GroupState(),
        version=1,
        created_by=EventId("a"),
        regressed_by=None,
    )
    assert (made.group, made.created, made.regressed) == (group, True, False)
    assert await storage.get_group(DISK) == group


@law("ERR-004", MUST)
async def later_events_are_counted_in_their_group(storage: ErrorStorage) -> None:
    """A later event adds 1 to its group's count, and only to its own; all else of it stays."""
    await add(storage, "a")
    await add(storage, "b", NET)
    made = await storage.create(event("c", message="other", level=Level.DEBUG))
    assert not made.created
    assert (made.group.count, made.group.message, made.group.level) == (2, "disk failed", "error")
    assert (made.group.version, made.group.created_by) == (1, "a")
    assert (await storage.get_group(DISK)) == made.group
    assert (await storage.get_group(NET)).count == 1


@law("ERR-005", MUST)
async def group_spans_its_events(storage: ErrorStorage) -> None:
    """`first_seen` and `last_seen` are the extremes, in whatever order the events come."""
    for letter, at in (("a", NOW), ("b", NOW - HOUR), ("c", NOW + HOUR), ("d", NOW)):
        await add(storage, letter, at=at)
    group = await storage.get_group(DISK)
    assert (group.first_seen, group.last_seen) == (NOW - HOUR, NOW + HOUR)
    assert (group.created_at, group.created_by) == (NOW, "a")


@law("ERR-006", MUST)
async def repeated_event_counts_once(storage: ErrorStorage) -> None:
    """Creating an equal event again counts nothing, in its group, its list or a trend."""
    await add(storage, "a")
    await add(storage, "a")
    assert (await storage.get_group(DISK)).count == 1
    assert len((await storage.list_events(DISK)).items) == 1
    assert [each.count for each in await storage.top(9, Dimension.GROUP, NOW, NOW + DAY)] == [1]


@law("ERR-007", MUST)
async def repeated_event_is_answered_as_before(storage: ErrorStorage) -> None:
    """A repeated call says again that its event made, or regressed, the group, as it is now."""
    await add(storage, "a")
    await storage.set_state(DISK, resolved(), 1)
    await add(storage, "b")
    last = await add(storage, "c")
    first, second = await add(storage, "a"), await add(storage, "b")
    assert (first.created, first.regressed, first.group) == (True, False, last.group)
    assert (second.created, second.regressed, second.group) == (False, True, last.group)
    assert (last.created, last.regressed, last.group.count) == (False, False, 3)


@law("ERR-008", MUST)
async def other_event_with_an_id_is_a_duplicate(storage: ErrorStorage) -> None:
    """A different event with a taken id is a Duplicate, whichever field differs."""
    await add(storage, "a")
    await add(storage, "z", NET)
    before = await content(storage)
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
    assert await content(storage) == before


@law("ERR-009", MUST)
async def unknown_group_is_not_found(storage: ErrorStorage) -> None:
    """Getting a group without events, or setting its state, is NotFound."""
    await add(storage, "a")
    await is_refused(storage.get_group(NET), NotFound("group", NET))
    await is_refused(storage.set_state(NET, resolved(), 1), NotFound("group", NET))


@law("ERR-010", MUST)
async def state_is_set_at_its_version(storage: ErrorStorage) -> None:
    """Setting a state adds 1 to the version and changes nothing else; an equal one counts."""
    group = (await add(storage, "a")).group
    for version, state in enumerate((resolved(), ignored(NOW + DAY), ignored(), GroupState()), 2):
        found = await storage.set_state(DISK, state, version - 1)
        assert found == replace(group, state=state, version=version)
        assert await storage.get_group(DISK) == found
    assert (await storage.set_state(DISK, GroupState(), 5)).version == 6


@law("ERR-011", MUST)
async def state_of_another_version_is_a_conflict(storage: ErrorStorage) -> None:
    """Setting a state at any version but the stored one is a VersionConflict, and does nothing."""
    group = (await add(storage, "a")).group
    for version in (0, 2, -1, 2**62):
        conflict = VersionConflict("group", DISK, version)
        await is_refused(storage.set_state(DISK, resolved(), version), conflict)
    assert await storage.get_group(DISK) == group
    await storage.set_state(DISK, resolved(), 1)
    await is_refused(storage.set_state(DISK, resolved(), 1), VersionConflict("group", DISK, 1))


@law("ERR-012", MUST)
async def event_after_resolution_regresses(storage: ErrorStorage) -> None:
    """An event that occurred when the group was resolved, or later, makes it unresolved again."""
    for number, late in enumerate((TICK * 0, TICK, DAY)):
        group = GroupId(f"g{number}")
        await add(storage, f"{number}", group)
        await storage.set_state(group, resolved(), 1)
        made = await storage.create(event(f"late{number}", group, NOW + late))
        assert made.regressed
        assert (made.group.state, made.group.version) == (GroupState(), 3)
        assert (made.group.regressed_by, made.group.count) == (made.id, 2)
        assert await storage.get_group(group) == made.group


@law("ERR-013", MUST)
async def late_report_does_not_regress(storage: ErrorStorage) -> None:
    """An event that occurred before the group was resolved is counted and regresses nothing."""
    await add(storage, "a")
    before = await storage.set_state(DISK, resolved(), 1)
    made = await add(storage, "b", at=NOW - TICK)
    assert not made.regressed
    assert made.group == replace(before, count=2, first_seen=NOW - TICK)


@law("ERR-014", MUST)
async def regression_happens_once(storage: ErrorStorage) -> None:
    """Of the events after a resolution only the first regresses; after another one, one more."""
    await add(storage, "a")
    await storage.set_state(DISK, resolved(), 1)
    flags = [(await add(storage, each)).regressed for each in "bcd"]
    await storage.set_state(DISK, resolved(), 3)
    flags += [(await add(storage, each)).regressed for each in "ef"]
    assert flags == [True, False, False, True, False]
    group = await storage.get_group(DISK)
    assert (group.regressed_by, group.version, group.count) == ("e", 5, 6)


@law("ERR-015", MUST)
async def ignored_groups_stay_so_until_their_time(storage: ErrorStorage) -> None:
    """An ignored group stays ignored for ever, or until an event at or after its instant."""
    await add(storage, "a")
    await add(storage, "b", NET)
    await storage.set_state(DISK, ignored(), 1)
    await storage.set_state(NET, ignored(NOW + HOUR), 1)
    for letter, group, at, regressed in (
        ("c", DISK, NOW + DAY, False),
        ("d", NET, NOW + HOUR - TICK, False),
        ("e", NET, NOW + HOUR, True),
    ):
        made = await add(storage, letter, group, at)
        assert made.regressed == regressed
        assert (made.group.state == GroupState()) == regressed


@law("ERR-016", MUST)
async def states_must_fit_their_instants(storage: ErrorStorage) -> None:
    """A resolution without an instant, and an unresolved state with one, is invalid first of all.

    Also for an unknown group, or another version.
    """
    for state in (replace(resolved(), at=None), GroupState(at=NOW)):
        await is_invalid(storage.set_state(DISK, state, 1), "at")
    await add(storage, "a")
    for state in (replace(resolved(), at=None), GroupState(at=NOW)):
        await is_invalid(storage.set_state(DISK, state, 9), "at")
    assert (await storage.list_groups(GroupFilter())).items[0].version == 1
