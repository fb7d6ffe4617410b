"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from storeproof.reference.errors import (
    ArchiveId,
    Dimension,
    ErrorStorage,
    GroupFilter,
    GroupId,
    open_error_storage,
)
from storeproof.reference.errors.laws.given import DAY, NOW, event

from ..cancelling import cancel_everywhere

SPAN = (NOW - DAY, NOW + DAY)
PLACED: list[object] = [(1, 1, 1), (1, 1, 1)]
ARCHIVED: list[object] = [(1, 0, 1), (1, 0, 1)]


async def state(storage: ErrorStorage, *groups: GroupId) -> list[object]:
    """The counts of the groups, in the groups, their lists of events and the rollups."""
    listed = (await storage.list_groups(GroupFilter(), limit=1000)).items
    ranks = await storage.top(1000, Dimension.GROUP, *SPAN)
    return [
        (
            sum(each.count for each in listed if each.id == group),
            len((await storage.list_events(group)).items),
            sum(each.count for each in ranks if each.key == group),
        )
        for group in groups
    ]


def everywhere(
    url: str,
    act: Callable[[ErrorStorage, str, str], Coroutine[Any, Any, object]],
    after: list[object],
    *,
    archived: bool = False,
) -> int:
    """Cancels the act at each of its suspensions, on two new groups of one event each time.

    With `archived`, the events are in an archive called like the first of the groups.
    """
    before = ARCHIVED if archived else PLACED

    async def use() -> int:
        async with open_error_storage(url) as storage, open_error_storage(url) as other:

            async def call(nth: int) -> None:
                for name in ("a", "b"):
                    await other.create(event(f"{name}{nth}", f"{name}{nth}"))
                if archived:
                    await archive(other, f"a{nth}")
                ready.set()
                await act(storage, f"a{nth}", f"b{nth}")

            async def check(nth: int) -> None:
                if not ready.is_set():
                    return
                ready.clear()
                groups = GroupId(f"a{nth}"), GroupId(f"b{nth}")
                found = await state(other, *groups)
                assert found in (before, after)
                async with asyncio.timeout(5):
                    for each in (other, storage):
                        await each.create(event(f"{nth} {id(each)}", groups[1]))

            ready = asyncio.Event()
            return await cancel_everywhere(call, check)

    return asyncio.run(use())


def test_a_cancelled_creation(url: str) -> None:
    after: list[object] = [(2, 2, 2), (1, 1, 1)]
    assert everywhere(url, lambda s, a, _b: s.create(event(f"{a} new", a)), after) >= 1


def test_a_cancelled_merge(url: str) -> None:
    after: list[object] = [(0, 0, 0), (2, 2, 2)]
    assert everywhere(url, lambda s, a, b: s.merge(GroupId(a), GroupId(b)), after) >= 7


async def archive(storage: ErrorStorage, name: str) -> None:
    await storage.archive(ArchiveId(name), NOW + DAY, 1000)


def test_a_cancelled_archive(url: str) -> None:
    assert everywhere(url, lambda s, a, _b: archive(s, a), ARCHIVED) >= 7


def test_a_cancelled_restoring(url: str) -> None:
    assert everywhere(url, lambda s, a, _b: s.restore_archive(ArchiveId(a)), PLACED, archived=True)


def test_a_cancelled_purge_leaves_no_lock(url: str) -> None:
    assert everywhere(url, lambda s, a, _b: s.purge(ArchiveId(a)), ARCHIVED, archived=True) >= 4
