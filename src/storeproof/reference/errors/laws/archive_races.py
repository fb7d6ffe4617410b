"""For authors of an error storage: the laws of archiving while other calls run."""

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.archives import ArchiveId
from storeproof.reference.errors.entities import Dimension, Ranked
from storeproof.reference.errors.laws.archives import LATER, ONE, SPAN, TWO, held, move, placed
from storeproof.reference.errors.laws.given import DISK, NET, NOW, add, event
from storeproof.reference.errors.laws.races import CROWD, turns
from storeproof.reference.errors.laws.races import TWO as TWO_HANDLES
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.law_words import together

__all__: list[str] = []


async def everywhere(storage: ErrorStorage) -> list[str]:
    """The ids of all events, each as often as there are places that it is in."""
    archives = (await storage.list_archives()).items
    files = [await held(storage, each.id) for each in archives if each.state == "held"]
    return sorted([*await placed(storage), *(each for file in files for each in file)])


async def is_counted(storage: ErrorStorage, number: int) -> None:
    assert (await storage.get_group(DISK)).count == number
    assert await storage.top(9, Dimension.GROUP, *SPAN) == (Ranked(key=DISK, count=number),)


@law("ERR-099", MUST, needs=TWO_HANDLES)
async def archivers_share_the_events(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of archives made at the same time each event is in one, and none of the calls fails."""
    await add(storage, "abcdefghijkl")
    handles = enumerate(turns(storage, second))
    calls = (handle.archive(ArchiveId(f"{n}"), LATER, 1) for n, handle in handles)
    results, errors = await together(*calls)
    assert (len(results), errors) == (CROWD, [])
    assert await everywhere(storage) == [*"abcdefghijkl"]
    assert await placed(second) == ["k", "l"]


@law("ERR-100", MUST, needs=TWO_HANDLES)
async def one_archive_is_made_of_an_id(storage: ErrorStorage, second: ErrorStorage) -> None:
    """The same archive made many times at the same time is one, and all calls give it."""
    await add(storage, "abc")
    calls = (handle.archive(ONE, LATER, 1) for handle in turns(storage, second))
    results, errors = await together(*calls)
    assert (results, errors) == ([await second.get_archive(ONE)] * CROWD, [])
    assert await placed(storage) == ["b", "c"]


@law("ERR-101", MUST, needs=TWO_HANDLES)
async def events_meet_an_archive(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Events created during an archive are in their place or in it, and are counted once."""
    await add(storage, "ab")
    handles = enumerate(turns(storage, second))
    calls = [handle.create(event(f"{n}")) for n, handle in handles]
    half = CROWD // 2
    archiving = second.archive(ONE, LATER, 100)
    _, errors = await together(*calls[:half], archiving, *calls[half:])
    assert errors == []
    assert await everywhere(storage) == sorted([*"ab", *map(str, range(CROWD))])
    await is_counted(second, CROWD + 2)


@law("ERR-102", MUST, needs=TWO_HANDLES)
async def repeated_event_meets_its_archive(storage: ErrorStorage, second: ErrorStorage) -> None:
    """An event created again while it is archived, or restored, is in one place and counts once."""
    await add(storage, "a")
    for act in ("archive", "restore_archive"):
        calls = [handle.create(event("a")) for handle in turns(storage, second)]
        arguments = (ONE, LATER, 1) if act == "archive" else (ONE,)
        acting = getattr(second, act)(*arguments)
        results, errors = await together(*calls[:3], acting, *calls[3:])
        assert (len(results), errors) == (CROWD + 1, [])
        assert await everywhere(storage) == ["a"]
        await is_counted(second, 1)


@law("ERR-103", MUST, needs=TWO_HANDLES)
async def restored_events_meet_a_merge(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Events restored while their group is merged are events of the target in the end."""
    await add(storage, "ab", NET)
    await add(storage, "c", at=LATER)
    await move(storage)
    _, errors = await together(storage.restore_archive(ONE), second.merge(NET, DISK))
    assert errors == []
    found = (await second.list_events(DISK)).items
    assert [each.id for each in found] == ["c", "b", "a"]


@law("ERR-104", MUST, needs=TWO_HANDLES)
async def archived_events_meet_a_merge(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Events archived while their group is merged are in the archive, and in no group."""
    await add(storage, "ab", NET)
    await add(storage, "c", at=LATER)
    _, errors = await together(second.merge(NET, DISK), storage.archive(ONE, LATER, 9))
    assert errors == []
    assert await held(second) == ["a", "b"]
    assert await placed(second) == ["c"]
    await is_counted(second, 3)


@law("ERR-105", MUST, needs=TWO_HANDLES)
async def archive_is_restored_or_purged(storage: ErrorStorage, second: ErrorStorage) -> None:
    """Of a restoring and a purge at the same time both happen, or the restoring is NotFound."""
    await add(storage, "ab", at=NOW)
    await move(storage)
    results, errors = await together(storage.restore_archive(ONE), second.purge(ONE))
    assert errors in ([], ["NotFound"])
    assert await placed(storage) == ([] if errors else ["a", "b"])
    assert (await second.list_archives()).items == ()
    assert (await add(storage, "a")).group.count == (3 if errors else 2)
    assert (await move(storage, TWO)).count == (1 if errors else 2)
    assert len(results) == 2 - len(errors)
