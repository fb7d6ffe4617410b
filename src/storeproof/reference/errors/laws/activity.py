"""For authors of an error storage: the laws of the lists whose order follows what happens."""

from storeproof.harness.law import MUST, law
from storeproof.reference.errors.entities import GroupFilter, GroupSort
from storeproof.reference.errors.laws.given import HOUR, NOW, TICK, add, event, walk
from storeproof.reference.errors.protocol import ErrorStorage

__all__: list[str] = []

ALL = GroupFilter()


@law("ERR-106", MUST)
async def groups_are_ordered_by_their_activity(storage: ErrorStorage) -> None:
    """LAST_SEEN lists first what occurred last, COUNT what occurred most, then the larger id."""
    for letter, group, at in (
        ("a", "late", NOW + TICK),
        ("b", "often", NOW),
        ("c", "often", NOW - HOUR),
        ("d", "often", NOW - HOUR),
        ("e", "both", NOW),
        ("f", "both", NOW - HOUR),
        ("g", "B", NOW),
    ):
        await add(storage, letter, group, at)
    for sort, wanted in (
        (GroupSort.LAST_SEEN, ["late", "often", "both", "B"]),
        (GroupSort.COUNT, ["often", "both", "late", "B"]),
    ):
        found = (await storage.list_groups(ALL, sort)).items
        assert [each.id for each in found] == wanted
        assert await walk(storage.list_groups, ALL, sort, limit=1) == list(found)


@law("ERR-107", MUST)
async def groups_that_stay_come_once(storage: ErrorStorage) -> None:
    """In a walk by LAST_SEEN or COUNT, also when others move ahead, what stays comes once."""
    for sort in (GroupSort.LAST_SEEN, GroupSort.COUNT):
        names = [f"{sort} {number}" for number in range(5)]
        for number, name in enumerate(names):
            for each in range(number + 1):
                await storage.create(event(f"{name} {each}", name, NOW + number * TICK))
        wanted = GroupFilter(message_contains=sort)
        first = await storage.list_groups(wanted, sort, None, 2)
        moved, given = names[1], names[4]
        for name in (moved, given):
            for number in range(5):
                await storage.create(event(f"{name} again {number}", name, NOW + HOUR))
        rest = await storage.list_groups(wanted, sort, first.next_cursor, 9)
        assert [each.id for each in first.items] == [given, names[3]]
        assert [each.id for each in rest.items] == [names[2], names[0]]
