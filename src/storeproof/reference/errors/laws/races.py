"""For authors of an error storage: the laws of calls that run at the same time on two handles."""

from storeproof.harness.backends.base import Capability
from storeproof.harness.law import MUST, law
from storeproof.reference.errors.entities import (
    Dimension,
    GroupFilter,
    GroupId,
    GroupState,
    Ranked,
)
from storeproof.reference.errors.laws.given import (
    DAY,
    DISK,
    NET,
    NOW,
    add,
    content,
    event,
    point,
    resolved,
)
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.law_words import together

__all__: list[str] = []

TWO = frozenset({Capability.CONCURRENT_CLIENTS})
CROWD = 10
SPAN = (NOW - DAY, NOW + DAY)


def turns(storage: ErrorStorage, second: ErrorStorage) -> list[ErrorStorage]:
    """A handle for each of a crowd, the one and the other in turns."""
    return [storage, second] * (CROWD // 2)


@law("ERR-066", MUST, needs=TWO)
async def writes_are_seen_at_once(storage: ErrorStorage, second: ErrorStorage) -> None:
    """What an operation on one handle stored is seen by the next one on another."""
    made = await add(storage, "a")
    assert await second.get_by_id(made.id) == event("a")
    changed = await second.set_state(DISK, resolved(), 1)
    assert await storage.get_group(DISK) == changed
    assert (await add(second, "b")).regressed
    assert (await storage.get_group(DISK)).count == 2


@law("ERR-067", MUST, needs=TWO)
async def one_group_is_made(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of first events of one group at the same time one makes it, and every one is counted."""
    calls = (
        handle.create(event(f"{number}")) for number, handle in enumerate(turns(storage, second))
    )
    results, errors = await together(*calls)
    assert errors == []
    assert sorted(each.created for each in results) == [False] * (CROWD - 1) + [True]
    assert sorted(each.group.count for each in results) == list(range(1, CROWD + 1))
    assert [each.count for each in (await second.list_groups(GroupFilter())).items] == [CROWD]
    ranks = await storage.top(9, Dimension.GROUP, *SPAN)
    assert ranks == (Ranked(key=DISK, count=CROWD),)


@law("ERR-068", MUST, needs=TWO)
async def repeated_event_counts_once_together(storage: ErrorStorage, second: ErrorStorage) -> None:
    """One event created many times at the same time counts once, and none of the calls fails."""
    calls = (handle.create(event("a")) for handle in turns(storage, second))
    results, errors = await together(*calls)
    assert errors == []
    assert all(each.created and each.group.count == 1 for each in results)
    assert (await storage.get_group(DISK)).count == 1
    assert await storage.top(9, Dimension.GROUP, *SPAN) == (Ranked(key=DISK, count=1),)


@law("ERR-069", MUST, needs=TWO)
async def one_of_different_events_is_stored(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of different events at the same time with one id one is stored and counted, no other."""
    handles = enumerate(turns(storage, second))
    calls = (handle.create(event("a", f"g{number}")) for number, handle in handles)
    results, errors = await together(*calls)
    assert errors == ["Duplicate"] * (CROWD - 1)
    stored = await storage.get_by_id(event("a").id)
    assert await content(second) == [(results[0].group, (stored,))]
    assert len(await storage.top(99, Dimension.GROUP, *SPAN)) == 1


@law("ERR-070", MUST, needs=TWO)
async def one_event_regresses(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of events at the same time after a resolution exactly one regresses the group."""
    await add(storage, "a")
    await storage.set_state(DISK, resolved(), 1)
    handles = enumerate(turns(storage, second))
    results, errors = await together(
        *(handle.create(event(f"{number}")) for number, handle in handles)
    )
    assert errors == []
    assert sorted(each.regressed for each in results) == [False] * (CROWD - 1) + [True]
    group = await storage.get_group(DISK)
    assert (group.state, group.version, group.count) == (GroupState(), 3, CROWD + 1)


@law("ERR-071", MUST, needs=TWO)
async def one_of_equal_versions_is_set(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of states set at the same time at one version exactly one is."""
    await add(storage, "a")
    calls = (handle.set_state(DISK, resolved(), 1) for handle in turns(storage, second))
    results, errors = await together(*calls)
    assert errors == ["VersionConflict"] * (CROWD - 1)
    assert [await second.get_group(DISK)] == results


@law("ERR-072", MUST, needs=TWO)
async def no_event_is_lost_in_a_merge(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Events of the source created during a merge are events of the target in the end."""
    await add(storage, "a")
    await add(storage, "b", NET)
    handles = enumerate(turns(storage, second))
    calls = [handle.create(event(f"{number}")) for number, handle in handles]
    half = CROWD // 2
    _, errors = await together(*calls[:half], second.merge(DISK, NET), *calls[half:])
    assert errors == []
    groups = await content(storage)
    assert [(group.id, group.count, len(events)) for group, events in groups] == [
        (NET, CROWD + 2, CROWD + 2)
    ]
    assert await second.top(9, Dimension.GROUP, *SPAN) == (Ranked(key=NET, count=CROWD + 2),)


@law("ERR-073", MUST, needs=TWO)
async def group_is_merged_once(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of two merges of one group, or of two into each other, at the same time one is NotFound."""
    for number, crossed in enumerate((False, True)):
        one, other, third = (GroupId(f"{name}{number}") for name in ("one", "other", "third"))
        for group in (one, other, third):
            await storage.create(event(group, group))
        back = second.merge(other, one) if crossed else second.merge(one, third)
        results, errors = await together(storage.merge(one, other), back)
        assert errors == ["NotFound"]
        assert results[0].count == 2
        total = await storage.top(9, Dimension.LEVEL, *SPAN)
        assert total[0].count == 3 * (number + 1)


@law("ERR-074", MUST, needs=TWO)
async def points_together_are_one(storage: ErrorStorage, second: ErrorStorage) -> None:
    """A point recorded many times at the same time is one, and none of the calls fails."""
    calls = (handle.record_metric(point("a")) for handle in turns(storage, second))
    results, errors = await together(*calls)
    assert (results, errors) == ([point("a")] * CROWD, [])
