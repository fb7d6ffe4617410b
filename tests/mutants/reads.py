"""Mutants whose lists miss, repeat or misplace something, or show what is not there any more."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any, ClassVar

from harness.mutants import GivesItsOwnObjects, KeepsTheCallersObject, ListsItsOwnObjects, Offsets
from harness.toys import InMemoryNotes, Page, notes
from msgspec.structs import asdict, replace

from storeproof.reference.auth import DatabaseAuthStorage
from storeproof.reference.auth.database.lists import AUDIT_LIST
from storeproof.reference.auth.database.statements import GET_AUDIT
from storeproof.reference.auth.entities import AuditEntry, canonical
from storeproof.reference.auth.laws import contract as auth
from storeproof.reference.costs.laws import contract as costs
from storeproof.reference.database.lists import read_page
from storeproof.reference.errors.laws import contract as errors
from storeproof.reference.lists import Order, read_time
from storeproof.reference.providers import ProviderFilter
from storeproof.reference.providers.laws import contract as providers
from storeproof.reference.storage import MAX_LIMIT, encode_cursor

from .catalogue import Family, Seeds

TICK = timedelta(microseconds=1)

seeds = Seeds(Family.READS)


_BY_TIME = dataclasses.replace(
    AUDIT_LIST,
    order=Order(AuditEntry, {"at": read_time}, descending=True),
    key=AUDIT_LIST.key[:1],
)


@seeds.sqlite(auth, "agreement or pages")
class NoTieBreaker(DatabaseAuthStorage):
    """Audit entries are ordered by time alone: of equal ones around a page's end, some are lost."""

    async def list_audit(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        filters = asdict(canonical(filter))
        return await read_page(self._database, _BY_TIME, filters, cursor, limit)


@seeds.operation(errors, "list_events", "agreement or pages")
async def inclusive_cursor(_storage: Any, right: Any, cursor: Any, limit: Any, **_: Any) -> Any:
    """A page begins with the item that the page before it ended with."""
    page = await right()
    if cursor is None or not page.items:
        return page
    every = (await right(cursor=None, limit=MAX_LIMIT)).items
    start = max(every.index(page.items[0]) - 1, 0)
    return replace(page, items=every[start : start + limit])


@seeds.operation(costs, "list_charges", "agreement")
async def full_page_promises_more(_storage: Any, right: Any, limit: Any, **_: Any) -> Any:
    """A page that is full has a cursor, also where nothing follows."""
    page = await right()
    if len(page.items) < limit or page.next_cursor:
        return page
    before = (await right(limit=MAX_LIMIT)).items
    return replace(page, next_cursor=encode_cursor("Charge", before[-1].id))


@seeds.operation(providers, "list_providers", "agreement or pages")
async def filtered_after_the_limit(_storage: Any, right: Any, **_: Any) -> Any:
    """The filter is applied to each page, so pages are shorter than they should be."""
    await right()
    every = await right(cursor=None, limit=MAX_LIMIT)
    page = await right(filter=ProviderFilter())
    return replace(page, items=tuple(each for each in page.items if each in every.items))


@seeds.operation(auth, "list_audit", "agreement or pages")
async def one_item_too_many(_storage: Any, right: Any, limit: Any, **_: Any) -> Any:
    """A page has the item that was read to see whether another page follows."""
    page = await right()
    return await right(limit=limit + 1) if page.next_cursor else page


@seeds.operation(costs, "expire_reservations", "agreement")
async def end_is_excluded(_storage: Any, right: Any, at: Any, **_: Any) -> Any:
    """A reservation that ends at this very instant is not found: < stands where <= should."""
    return await right(at=at - TICK if at.tzinfo and at.year < 9000 else at)


@seeds.operation(providers, "changes_since", "agreement")
async def revision_is_included(_storage: Any, right: Any, revision: Any, **_: Any) -> Any:
    """Whoever asks for what changed after a revision is told of that one again."""
    await right()
    return await right(revision=max(revision - 1, 0))


@seeds.operation(auth, "list_roles", "agreement")
async def listed_as_inserted(storage: Any, right: Any, **_: Any) -> Any:
    """Without ORDER BY the roles come as they were inserted."""
    page = await right()
    return replace(
        page, items=tuple(each for each in storage._roles.values() if each in page.items)
    )


@seeds.sqlite(auth, "agreement")
class StaleCache(DatabaseAuthStorage):
    """A user is read once and remembered; no change is seen any more."""

    def __init__(self, database: Any) -> None:
        super().__init__(database)
        self._read: dict[Any, Any] = {}

    async def get_by_id(self, id: Any) -> Any:
        if id not in self._read:
            self._read[id] = await super().get_by_id(id)
        return self._read[id]


@seeds.sqlite(auth, "statements", only=True)
class OneStatementForEachItem(DatabaseAuthStorage):
    """A list reads the ids first, and then each entry by a statement of its own: N + 1."""

    async def list_audit(self, filter: Any, cursor: Any = None, limit: int = 100) -> Any:
        page = await super().list_audit(filter, cursor, limit)
        for each in page.items:
            await self._database.read(GET_AUDIT, {"id": each.id})
        return page


@seeds.memory(notes, "pages", only=True)
class WalkEndsAfterTen(InMemoryNotes):
    """A cursor counts with one digit: a walk in pages ends after ten items."""

    async def list_notes(self, cursor: Any = None, limit: int = 50) -> Any:
        page = await super().list_notes(cursor, limit)
        before = len(self.notes) - len((await super().list_notes(cursor, 1000)).items)
        return Page(()) if before >= 10 else page


@seeds.memory(notes, "signature", only=True)
class AnotherDefault(InMemoryNotes):
    """A limit that is left out is another one than the Protocol says."""

    async def list_notes(self, cursor: Any = None, limit: int = 500) -> Any:
        return await super().list_notes(cursor, limit)


@seeds.memory(notes, "isolation", only=True)
class StateOfTheClass(InMemoryNotes):
    """What is stored belongs to the class: the storage that was made last has that of all."""

    def __init__(self) -> None:
        super().__init__()
        StateOfTheClass.last = super().__getattribute__("notes")

    def __getattribute__(self, name: str) -> Any:
        return StateOfTheClass.last if name == "notes" else super().__getattribute__(name)

    last: ClassVar[Any]


# What the caller overwrote can't be worked with any more, hence the errors that they may raise.
for _made, _defect in (
    (GivesItsOwnObjects, "A note is given as it is stored, so who changes it changes the storage."),
    (KeepsTheCallersObject, "A note is stored as it was given, so the caller can change it later."),
    (ListsItsOwnObjects, "A page holds what is stored, so who changes it changes the storage."),
):
    seeds.memory(notes, "agreement", leaks=(AttributeError, KeyError))(
        type(_made.__name__, (_made,), {"__doc__": _defect})
    )
# A cursor of another storage, which shortening tries as well, is no offset.
seeds.memory(notes, "agreement or pages", leaks=(ValueError,))(
    type(
        "OffsetForCursor",
        (Offsets,),
        {"__doc__": "A cursor is an offset: what is deleted or inserted before it moves the rest."},
    )
)
