"""A cancelled operation happened as a whole or not at all, and leaves no lock behind."""

from __future__ import annotations

from dataclasses import replace

from storeproof.reference.errors import (
    ArchiveId,
    Dimension,
    ErrorStorage,
    GroupFilter,
    GroupId,
    open_error_storage,
)
from storeproof.reference.errors.laws.given import DAY, NOW, event

from ..cancelling import Cancelling

SPAN = (NOW - DAY, NOW + DAY)
PLACED: list[object] = [(1, 1, 1), (1, 1, 1)]
ARCHIVED: list[object] = [(1, 0, 1), (1, 0, 1)]


def groups(nth: int) -> tuple[GroupId, GroupId]:
    return GroupId(f"a{nth}"), GroupId(f"b{nth}")


async def prepare(storage: ErrorStorage, nth: int) -> None:
    """Two new groups of one event each."""
    for group in groups(nth):
        await storage.create(event(group, group))


async def prepare_archived(storage: ErrorStorage, nth: int) -> None:
    """As `prepare`, but the events are in an archive."""
    await prepare(storage, nth)
    await archive(storage, nth)


async def archive(storage: ErrorStorage, nth: int) -> None:
    await storage.archive(ArchiveId(f"a{nth}"), NOW + DAY, 1000)


async def state(storage: ErrorStorage, nth: int) -> list[object]:
    """The counts of the groups, in the groups, their lists of events and the rollups."""
    listed = (await storage.list_groups(GroupFilter(), limit=1000)).items
    ranks = await storage.top(1000, Dimension.GROUP, *SPAN)
    return [
        (
            sum(each.count for each in listed if each.id == group),
            len((await storage.list_events(group)).items),
            sum(each.count for each in ranks if each.key == group),
        )
        for group in groups(nth)
    ]


async def work(storage: ErrorStorage, nth: int) -> None:
    await storage.create(event(f"{nth} {id(storage)}", groups(nth)[1]))


CANCELLING = Cancelling[ErrorStorage](
    opened=open_error_storage,
    prepare=prepare,
    state=state,
    before=PLACED,
    work=work,
    work_keeps_state=False,
)
OF_ARCHIVED = replace(CANCELLING, prepare=prepare_archived, before=ARCHIVED)


def test_a_cancelled_creation(url: str) -> None:
    after: list[object] = [(2, 2, 2), (1, 1, 1)]
    assert CANCELLING.everywhere(url, lambda s, n: s.create(event(f"{n} new", f"a{n}")), after) >= 1


def test_a_cancelled_merge(url: str) -> None:
    after: list[object] = [(0, 0, 0), (2, 2, 2)]
    assert CANCELLING.everywhere(url, lambda s, n: s.merge(*groups(n)), after) >= 7


def test_a_cancelled_archive(url: str) -> None:
    assert CANCELLING.everywhere(url, archive, ARCHIVED) >= 7


def test_a_cancelled_restoring(url: str) -> None:
    assert OF_ARCHIVED.everywhere(url, lambda s, n: s.restore_archive(ArchiveId(f"a{n}")), PLACED)


def test_a_cancelled_purge_leaves_no_lock(url: str) -> None:
    assert OF_ARCHIVED.everywhere(url, lambda s, n: s.purge(ArchiveId(f"a{n}")), ARCHIVED) >= 4
