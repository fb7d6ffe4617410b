"""What must hold while several do it at once, each through connections of its own."""

from __future__ import annotations

import asyncio
import itertools

from storeproof.reference.errors import (
    DatabaseErrorStorage,
    Dimension,
    ErrorStorage,
    GroupFilter,
    GroupId,
)
from storeproof.reference.errors.laws.given import DAY, NOW, event, resolved
from storeproof.reference.exceptions import NotFound

from ..at_once import kinds, opened, outcomes, repeat

SPAN = (NOW - DAY, NOW + DAY)


async def consistent_groups(storage: ErrorStorage) -> dict[str, int]:
    """The count of each group, which the rollups must have too."""
    groups = (await storage.list_groups(GroupFilter(), limit=1000)).items
    counts: dict[str, int] = {group.id: group.count for group in groups}
    ranks = await storage.top(1000, Dimension.GROUP, *SPAN)
    assert {each.key: each.count for each in ranks} == counts
    return counts


async def consistent(storage: ErrorStorage) -> dict[str, int]:
    """The count of each group, which its list of events must have too."""
    counts = await consistent_groups(storage)
    for group, count in counts.items():
        assert len((await storage.list_events(GroupId(group), None, 1000)).items) == count
    return counts


def test_events_are_counted_through_merges_of_their_groups(url: str) -> None:
    """Groups are merged into each other in a chain while events of all of them come in."""

    async def use() -> None:
        async with opened(url, 3, DatabaseErrorStorage) as storages:
            groups = [GroupId(name) for name in "abcdef"]
            for group in groups:
                await storages[0].create(event(group, group))
            handles = itertools.cycle(storages)
            creations = [
                next(handles).create(event(f"{group}{number}", group))
                for number in range(20)
                for group in groups
            ]

            async def merge_in_a_chain() -> None:
                for pair in itertools.pairwise(groups):
                    await next(handles).merge(*pair)

            calls = [*creations[:60], merge_in_a_chain(), *creations[60:]]
            assert kinds(await outcomes(calls)) == []
            counts = await consistent(storages[1])
            assert counts == {"f": len(groups) + len(creations)}

    asyncio.run(use())


def test_merges_into_each_other_do_not_deadlock(url: str) -> None:
    async def once(one: ErrorStorage, two: ErrorStorage, number: int) -> None:
        first, second = GroupId(f"a{number}"), GroupId(f"b{number}")
        for group in (first, second):
            await one.create(event(group, group))
        found = await outcomes([one.merge(first, second), two.merge(second, first)])
        assert kinds(found) == [NotFound]
        await consistent(one)

    repeat(url, DatabaseErrorStorage, once)


def test_a_resolution_and_an_event_happen_one_after_the_other(url: str) -> None:
    """Either the event came first, and the state is set, or it regressed the group."""

    async def once(one: ErrorStorage, two: ErrorStorage, number: int) -> None:
        group = GroupId(f"g{number}")
        await one.create(event(f"first{number}", group))
        made, state = await outcomes(
            [one.create(event(f"next{number}", group)), two.set_state(group, resolved(), 1)]
        )
        stored = await one.get_group(group)
        assert (stored.count, state.version) == (2, 2)
        assert (stored.version, stored.state.status) == (
            (3, "unresolved") if made.regressed else (2, "resolved")
        )

    repeat(url, DatabaseErrorStorage, once)


def test_an_id_taken_by_events_of_two_groups_counts_in_one(url: str) -> None:
    async def once(one: ErrorStorage, two: ErrorStorage, number: int) -> None:
        calls = (each.create(event(f"e{number}", f"g{number} {id(each)}")) for each in (one, two))
        found = await outcomes(calls)
        assert sorted(type(each).__name__ for each in found) == ["Created", "Duplicate"]
        assert len(await consistent(one)) == number + 1

    repeat(url, DatabaseErrorStorage, once)
