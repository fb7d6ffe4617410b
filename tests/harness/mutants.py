"""Implementations of the toys with one defect each, and the check that must kill it."""

from __future__ import annotations

import copy
import itertools
import json
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from storeproof import Contract

from .toys import (
    Cursor,
    Duplicate,
    DuplicateNote,
    InMemoryJobs,
    InMemoryNotes,
    InMemoryPrices,
    InMemoryTasks,
    InMemoryTitles,
    Job,
    Money,
    Note,
    NoteId,
    NotesError,
    NotFound,
    Page,
    Request,
    Task,
    TaskId,
    Tree,
    jobs,
    notes,
    prices,
    tasks,
    titles,
)


@dataclass(frozen=True)
class Mutant:
    """A defect; `calls` is the most that the shortest program may need."""

    make: Callable[[], Any]
    contract: Contract
    check: str
    calls: int = 1

    @property
    def name(self) -> str:
        return getattr(self.make, "__name__", "mutant")


MUTANTS: list[Mutant] = []


def mutant(contract: Contract, check: str, calls: int = 1) -> Callable[[Any], Any]:
    def decorate(make: Any) -> Any:
        MUTANTS.append(Mutant(make, contract, check, calls))
        return make

    return decorate


class _Stored(InMemoryNotes):
    """Changes a note on its way into the storage."""

    def stored(self, note: Note) -> Note:
        raise NotImplementedError

    async def create(self, note: Note) -> Note:
        await super().create(note)
        self.notes[note.id] = self.stored(self.notes[note.id])
        return copy.deepcopy(self.notes[note.id])


@mutant(notes, "agreement")
class LosesTheMicrosecond(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, at=note.at.replace(microsecond=note.at.microsecond // 1000 * 1000))


@mutant(notes, "agreement")
class DropsTheOffset(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, at=note.at.replace(tzinfo=UTC))


@mutant(notes, "agreement")
class GivesNaiveTimes(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, at=note.at.astimezone(UTC).replace(tzinfo=None))

    def key(self, note: Note) -> tuple[Any, ...]:
        return (note.at.isoformat(timespec="microseconds"), note.id)


@mutant(notes, "agreement")
class EmptyIsNone(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, title=note.title or None)  # type: ignore[arg-type]  # the defect


@mutant(notes, "agreement")
class CutsIntegers(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, size=min(note.size, 2**63 - 1))


@mutant(notes, "agreement")
class TupleBecomesList(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, parts=list(note.parts))  # type: ignore[arg-type]  # the defect


@mutant(notes, "agreement")
class MoneyIsFloat(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, price=Decimal(str(float(note.price))))


@mutant(notes, "agreement")
class StripsText(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, title=note.title.strip())


@mutant(notes, "agreement")
class SortsTags(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, tags=sorted(note.tags))


@mutant(notes, "agreement")
class IntegerBecomesBool(_Stored):
    def stored(self, note: Note) -> Note:
        return replace(note, size=bool(note.size) if note.size in (0, 1) else note.size)


@mutant(notes, "agreement", 2)
class IgnoresTheCaseOfIds(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        if note.id.lower() in map(str.lower, self.notes):
            raise Duplicate("id")
        return await super().create(note)


@mutant(notes, "agreement", 3)
class GhostAfterDelete(InMemoryNotes):
    async def delete(self, id: NoteId) -> None:
        self.notes[f"gone {id}"] = replace(self.found(id), id=NoteId(f"gone {id}"))
        await super().delete(id)


@mutant(notes, "agreement", 3)
class DeletesNothing(InMemoryNotes):
    async def delete(self, id: NoteId) -> None:
        self.found(id)


@mutant(notes, "agreement", 2)
class CreateReplaces(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        self.notes.pop(note.id, None)
        return await super().create(note)


@mutant(notes, "agreement", 2)
class WrongErrorClass(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        if note.id in self.notes:
            raise NotFound(note.id)
        return await super().create(note)


@mutant(notes, "agreement", 2)
class MoreExactErrorClass(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        if note.id in self.notes:
            raise DuplicateNote("id")
        return await super().create(note)


@mutant(notes, "agreement", 2)
class WrongErrorField(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        if note.id in self.notes:
            raise Duplicate("note.id")
        return await super().create(note)


@mutant(notes, "agreement", 2)
class ErrorWithAnotherAttribute(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        try:
            return await super().create(note)
        except Duplicate as error:
            error.constraint = "notes_pkey"  # type: ignore[attr-defined]  # the defect
            raise


@mutant(notes, "agreement")
class LeaksADriversError(InMemoryNotes):
    async def get(self, id: NoteId) -> Note:
        return copy.deepcopy(self.notes[id])


@mutant(notes, "agreement")
class GivesNoneForMissing(InMemoryNotes):
    async def get(self, id: NoteId) -> Note:
        return copy.deepcopy(self.notes.get(id))  # type: ignore[return-value]  # the defect


@mutant(notes, "agreement", 3)
class WrongOrder(InMemoryNotes):
    def ordered(self) -> list[Note]:
        return list(self.notes.values())


@mutant(notes, "agreement", 3)
class NoTieBreakerInTheOrder(InMemoryNotes):
    def ordered(self) -> list[Note]:
        return sorted(self.notes.values(), key=lambda each: each.at)


@mutant(notes, "agreement", 3)
class IgnoresTheLimit(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        return await super().list_notes(cursor, 50)


@mutant(notes, "agreement", 3)
class ForgetsTheTitle(InMemoryNotes):
    async def get(self, id: NoteId) -> Note:
        return replace(await super().get(id), title="untitled")


@mutant(notes, "agreement", 4)
class RenamesAll(InMemoryNotes):
    async def rename(self, id: NoteId, title: str = "untitled") -> Note:
        for each in self.notes.values():
            each.title = title
        return await super().rename(id, title)


@mutant(notes, "agreement", 3)
class HiddenStateSeenByListing(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        page = await super().list_notes(cursor, limit)
        return replace(page, items=tuple(replace(each, tags=[]) for each in page.items))


@mutant(notes, "agreement", 3)
class GivesItsOwnObjects(InMemoryNotes):
    async def get(self, id: NoteId) -> Note:
        return self.found(id)


@mutant(notes, "agreement", 3)
class ListsItsOwnObjects(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        page = await super().list_notes(cursor, limit)
        return replace(page, items=tuple(self.notes[each.id] for each in page.items))


@mutant(notes, "agreement", 2)
class KeepsTheCallersObject(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        created = await super().create(note)
        self.notes[note.id] = note
        return created


@mutant(notes, "agreement", 2)
class KeepsTheCallersTags(InMemoryNotes):
    async def create(self, note: Note) -> Note:
        created = await super().create(note)
        self.notes[note.id].tags = note.tags
        return created


@mutant(notes, "pages", 4)
class Offsets(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        start = int(cursor or 0)
        rows = self.ordered()
        more = Cursor(str(start + limit)) if len(rows) > start + limit else None
        return Page(copy.deepcopy(tuple(rows[start : start + limit])), more)


@mutant(titles, "pages", 5)
class OffsetsOfMovingNotes(InMemoryTitles):
    """What did not change is lost when something before it goes behind it."""

    list_notes = Offsets.list_notes


@mutant(notes, "pages", 3)
class CursorIncludesItsItem(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        after = tuple(json.loads(cursor)) if cursor else ("",)
        rows = [each for each in self.ordered() if self.key(each) >= after]
        page = copy.deepcopy(tuple(rows[:limit]))
        return Page(page, Cursor(json.dumps(self.key(page[-1]))) if len(rows) > limit else None)


@mutant(notes, "pages", 3)
class CursorLacksTheTieBreaker(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        rows = [each for each in self.ordered() if cursor is None or self.key(each)[0] > cursor]
        page = copy.deepcopy(tuple(rows[:limit]))
        return Page(page, Cursor(self.key(page[-1])[0]) if len(rows) > limit else None)


@mutant(notes, "pages", 3)
class NeverEnds(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        start = int(cursor or 0)
        return Page(
            copy.deepcopy(tuple(self.ordered()[start : start + limit])), Cursor(str(start + limit))
        )


@mutant(notes, "pages", 3)
class StartsAgain(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        page = await super().list_notes(cursor, limit)
        return page if page.next_cursor or not cursor else replace(page, next_cursor=Cursor(""))


@mutant(notes, "pages", 3)
class PageOverTheLimit(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        return await super().list_notes(cursor, limit + 1)


@mutant(notes, "pages", 3)
class SecondPageFails(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        if cursor:
            raise NotFound(cursor)
        return await super().list_notes(cursor, limit)


@mutant(notes, "signature")
class Sync(InMemoryNotes):
    def count(self) -> int:  # type: ignore[override]  # the defect
        return len(self.notes)


@mutant(notes, "signature")
class MissingOperation(InMemoryNotes):
    count = None  # type: ignore[assignment]  # the defect


@mutant(notes, "signature")
class OtherDefault(InMemoryNotes):
    async def list_notes(self, cursor: Cursor | None = None, limit: int = 100) -> Page:
        return await super().list_notes(cursor, limit)


@mutant(notes, "signature")
class NoDefault(InMemoryNotes):
    async def rename(self, id: NoteId, title: str) -> Note:
        return await super().rename(id, title)


@mutant(notes, "signature")
class NeedsMore(InMemoryNotes):
    async def get(self, id: NoteId, tenant: str) -> Note:  # type: ignore[override]  # the defect
        return await super().get(id)


@mutant(notes, "signature")
class OtherParameterName(InMemoryNotes):
    async def get(self, key: NoteId) -> Note:  # type: ignore[override]  # the defect
        return await super().get(key)


@mutant(notes, "signature")
class OtherOrderOfParameters(InMemoryNotes):
    async def list_notes(self, limit: int = 50, cursor: Cursor | None = None) -> Page:  # type: ignore[override]  # the defect
        return await super().list_notes(cursor, limit)


@mutant(notes, "signature")
class KeywordOnly(InMemoryNotes):
    async def get(self, *, id: NoteId) -> Note:  # type: ignore[override]  # the defect
        return await super().get(id)


@mutant(tasks, "agreement", 2)
class MakesTheSameIdTwice(InMemoryTasks):
    def new_id(self) -> TaskId:
        return TaskId("1")


@mutant(tasks, "agreement", 2)
class GivesAnotherIdLater(InMemoryTasks):
    async def get(self, id: TaskId) -> Task:
        task = await super().get(id)
        task.id = TaskId(task.id.upper())
        return task


@mutant(tasks, "agreement", 1)
class IdIsNoText(InMemoryTasks):
    def new_id(self) -> TaskId:
        return uuid4()  # type: ignore[return-value]  # the defect


@mutant(tasks, "agreement", 1)
class MakesNaiveTimes(InMemoryTasks):
    def now(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None)


@mutant(tasks, "agreement", 1)
class MakesNoTime(InMemoryTasks):
    def now(self) -> datetime:
        return None  # type: ignore[return-value]  # the defect


@mutant(tasks, "agreement", 2)
class ForgetsTheParent(InMemoryTasks):
    async def get(self, id: TaskId) -> Task:
        task = await super().get(id)
        task.parent = None
        return task

    async def create(self, title: str = "", parent: TaskId | None = None) -> Task:
        task = await super().create(title, parent)
        task.parent = None
        return task


@mutant(tasks, "agreement", 2)
class ParentOfItself(InMemoryTasks):
    async def create(self, title: str = "", parent: TaskId | None = None) -> Task:
        task = await super().create(title, parent)
        task.parent = task.id if parent else None
        return task


@mutant(tasks, "agreement", 4)
class TreeInAnotherOrder(InMemoryTasks):
    async def tree(self, id: TaskId) -> Tree:
        tree = await super().tree(id)
        return Tree(tree.task, tree.below[::-1])


@mutant(tasks, "agreement", 3)
class NewestFirst(InMemoryTasks):
    async def every(self) -> AsyncIterator[Task]:
        for each in reversed(list(self.tasks.values())):
            yield copy.deepcopy(each)


@mutant(tasks, "agreement", 2)
class NamesTheWrongTask(InMemoryTasks):
    def found(self, id: TaskId) -> Task:
        if id not in self.tasks:
            raise NotFound(next(iter(self.tasks), id))
        return self.tasks[id]


@mutant(tasks, "signature")
class NoGenerator(InMemoryTasks):
    async def every(self) -> list[Task]:  # type: ignore[override]  # the defect
        return list(self.tasks.values())


@mutant(jobs, "agreement", 3)
class DropsOnlyTheFirst(InMemoryJobs):
    def drop(self, job_ids: list[str], request: Request) -> int:
        return super().drop(job_ids[:1], request)


@mutant(jobs, "agreement", 2)
class IgnoresTheSize(InMemoryJobs):
    def add(self, queue: str, request: Request, *, size: int = 0) -> str:
        return super().add(queue, request)


@mutant(jobs, "agreement", 2)
class ListsAJobTwice(InMemoryJobs):
    def pending(self, request: Request, queue: str | None = None) -> list[Job]:
        found = super().pending(request, queue)
        return [*found, *found[:1]]


@mutant(jobs, "agreement", 2)
class IgnoresTheCaseOfQueues(InMemoryJobs):
    def pending(self, request: Request, queue: str | None = None) -> list[Job]:
        found = self.jobs.values()
        return [x for x in found if queue is None or x.queue.lower() == queue.lower()]


@mutant(jobs, "agreement", 3)
class GivesAnIdAgain(InMemoryJobs):
    def new_id(self) -> str:
        return str(len(self.jobs))


@mutant(jobs, "agreement", 2)
class ForgetsJobs(InMemoryJobs):
    def get(self, job_id: str, request: Request, /) -> Job | None:
        return None


@mutant(prices, "agreement", 2)
class OtherCurrency(InMemoryPrices):
    async def get(self, name: str) -> list[Money]:
        return [Money(each.amount, "EURO") for each in await super().get(name)]


class NeverTheSame(InMemoryNotes):
    """Its defect comes and goes, so no program shows it twice."""

    async def count(self) -> int:
        return len(self.notes) + random.choice((0, 1))


class EveryOther(InMemoryNotes):
    """Correct, and made to be as unlike the model as the contract allows."""

    _cursors = itertools.count()

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, tuple[Any, ...]] = {}

    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        if cursor is not None and cursor not in self._known:
            raise NotesError
        after = self._known.get(cursor or "")
        rows = [each for each in self.ordered() if after is None or self.key(each) > after]
        page = copy.deepcopy(tuple(rows[:limit]))
        if len(rows) <= limit:
            return Page(page)
        token = f"token-{next(self._cursors)}"
        self._known[token] = self.key(page[-1])
        return Page(page, Cursor(token))

    async def create(self, note: Note) -> Note:
        same = replace(note, at=note.at.astimezone(UTC), price=note.price.normalize())
        return await super().create(same)


class NumberedTasks(InMemoryTasks):
    """Correct, with other ids and times than the model."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()

    def new_id(self) -> TaskId:
        return TaskId(f"task {next(self._numbers)}")

    def now(self) -> datetime:
        return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=len(self.tasks) // 2)


class BackwardJobs(InMemoryJobs):
    """Correct; it lists jobs in another order."""

    _numbers = itertools.count(2**100)

    def pending(self, request: Request, queue: str | None = None) -> list[Job]:
        return super().pending(request, queue)[::-1]

    def new_id(self) -> str:
        return str(UUID(int=next(self._numbers)))


CORRECT: list[tuple[Contract, Callable[[], Any]]] = [
    (notes, InMemoryNotes),
    (notes, EveryOther),
    (tasks, InMemoryTasks),
    (tasks, NumberedTasks),
    (jobs, InMemoryJobs),
    (jobs, BackwardJobs),
    (prices, InMemoryPrices),
    (titles, InMemoryTitles),
]
