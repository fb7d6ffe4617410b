"""Toy contracts of every kind, with correct storages, for the tests of the engine."""

from __future__ import annotations

import asyncio
import copy
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType, Protocol
from uuid import uuid4

import msgspec

from storeproof import Contract
from storeproof.harness.backends.base import Backend, Capability, Server, Store
from storeproof.harness.checks.base import Check, CheckContext, Profile
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.pasted_proving import check_called, recorded

NoteId = NewType("NoteId", str)
Cursor = NewType("Cursor", str)
MOMENT = datetime(2026, 3, 1, 12, tzinfo=UTC)


class NotesError(Exception):
    """Root of the errors of notes."""


class NotFound(NotesError):
    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(f"no {id!r}")


class Duplicate(NotesError):
    def __init__(self, field: str) -> None:
        self.field = field
        super().__init__(f"{field} is taken")


class DuplicateNote(Duplicate):
    """More exact than the contract asks for."""


@dataclass
class Note:
    id: NoteId
    title: str = "untitled"
    at: datetime = MOMENT
    size: int = 0
    price: Decimal = Decimal(0)
    tags: list[str] = field(default_factory=list)
    parts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Page:
    items: tuple[Note, ...]
    next_cursor: Cursor | None = None


class Notes(Protocol):
    """Notes by id."""

    async def get(self, id: NoteId) -> Note:
        """Give a note. Raises NotFound when there is none."""
        ...

    async def create(self, note: Note) -> Note:
        """Store a note. Raises Duplicate when its id is taken, letter for letter."""
        ...

    async def rename(self, id: NoteId, title: str = "untitled") -> Note:
        """Give a note another title. Raises NotFound when there is none."""
        ...

    async def delete(self, id: NoteId) -> None:
        """Remove a note. Raises NotFound when there is none."""
        ...

    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        """List the notes by time, then id."""
        ...

    async def count(self) -> int:
        """Count the notes."""
        ...


class InMemoryNotes:
    """The model."""

    def __init__(self) -> None:
        self.notes: dict[str, Note] = {}

    async def get(self, id: NoteId) -> Note:
        return copy.deepcopy(self.found(id))

    async def create(self, note: Note) -> Note:
        if note.id in self.notes:
            raise Duplicate("id")
        self.notes[note.id] = copy.deepcopy(note)
        return copy.deepcopy(note)

    async def rename(self, id: NoteId, title: str = "untitled") -> Note:
        self.notes[id] = replace(self.found(id), title=title)
        return copy.deepcopy(self.notes[id])

    async def delete(self, id: NoteId) -> None:
        del self.notes[self.found(id).id]

    async def list_notes(self, cursor: Cursor | None = None, limit: int = 50) -> Page:
        after = tuple(json.loads(cursor)) if cursor else None
        rows = [each for each in self.ordered() if after is None or self.key(each) > after]
        page = copy.deepcopy(tuple(rows[:limit]))
        more = len(rows) > limit
        return Page(page, Cursor(json.dumps(self.key(page[-1]))) if more else None)

    async def count(self) -> int:
        return len(self.notes)

    def found(self, id: str) -> Note:
        if id not in self.notes:
            raise NotFound(id)
        return self.notes[id]

    def key(self, note: Note) -> tuple[Any, ...]:
        return (note.at.astimezone(UTC).isoformat(timespec="microseconds"), note.id)

    def ordered(self) -> list[Note]:
        return sorted(self.notes.values(), key=self.key)


notes = Contract(Notes, model=InMemoryNotes, errors=[NotesError], name="notes")


class InMemoryTitles(InMemoryNotes):
    """Lists the notes by their titles, which change."""

    def key(self, note: Note) -> tuple[Any, ...]:
        return (note.title, note.id)


titles = Contract(
    Notes,
    model=InMemoryTitles,
    arguments={"title": ["a", "b", "c"], "Note.title": ["a", "b", "c"]},
    errors=[NotesError],
    moving=["list_notes"],
    name="titles",
)


TaskId = NewType("TaskId", str)


class Task(msgspec.Struct, kw_only=True):
    id: TaskId
    title: str = ""
    parent: TaskId | None = None
    created_at: datetime


class Tree(msgspec.Struct, frozen=True):
    """A task with what is below it."""

    task: Task
    below: list[TaskId]


class Tasks(ABC):
    """Tasks whose ids and times the storage makes."""

    @abstractmethod
    async def create(self, title: str = "", parent: TaskId | None = None) -> Task:
        """Store a new task. Raises NotFound when its parent is missing."""

    @abstractmethod
    async def get(self, id: TaskId) -> Task:
        """Give a task. Raises NotFound when there is none."""

    @abstractmethod
    async def tree(self, id: TaskId) -> Tree:
        """Give a task with the ids below it, in the order of their creation."""

    @abstractmethod
    async def delete(self, id: TaskId) -> None:
        """Remove a task. Raises NotFound when there is none."""

    @abstractmethod
    def every(self) -> AsyncIterator[Task]:
        """Give all tasks in the order of their creation."""

    async def exists(self, id: TaskId) -> bool:
        """Say whether there is such a task; no implementation needs its own."""
        return any([each.id == id async for each in self.every()])


class InMemoryTasks(Tasks):
    """The model."""

    def __init__(self) -> None:
        self.tasks: dict[TaskId, Task] = {}

    async def create(self, title: str = "", parent: TaskId | None = None) -> Task:
        if parent is not None:
            self.found(parent)
        task = Task(id=self.new_id(), title=title, parent=parent, created_at=self.now())
        self.tasks[task.id] = task
        return copy.deepcopy(task)

    async def get(self, id: TaskId) -> Task:
        return copy.deepcopy(self.found(id))

    async def tree(self, id: TaskId) -> Tree:
        below = [each.id for each in self.tasks.values() if each.parent == id]
        return Tree(copy.deepcopy(self.found(id)), below)

    async def delete(self, id: TaskId) -> None:
        self.found(id)
        del self.tasks[id]

    async def every(self) -> AsyncIterator[Task]:
        for each in list(self.tasks.values()):
            yield copy.deepcopy(each)

    def found(self, id: TaskId) -> Task:
        if id not in self.tasks:
            raise NotFound(id)
        return self.tasks[id]

    def new_id(self) -> TaskId:
        return TaskId(str(uuid4()))

    def now(self) -> datetime:
        return datetime.now(UTC)


tasks = Contract(
    Tasks,
    model=InMemoryTasks,
    errors=[NotesError],
    generated=["Task.id", "Task.created_at"],
    reads=["get", "tree", "every"],
    name="tasks",
)


class Request:
    """What comes with every call and is no data."""


@dataclass(frozen=True)
class Job:
    id: str
    queue: str = "usual"
    size: int = 0


class Jobs(Protocol):
    """Jobs whose ids are bare strings; nothing is awaited."""

    def add(self, queue: str, request: Request, *, size: int = 0) -> str:
        """Give the new job's id."""
        ...

    def get(self, job_id: str, request: Request, /) -> Job | None:
        """Give a job, if there is one."""
        ...

    def drop(self, job_ids: list[str], request: Request) -> int:
        """Remove jobs; give how many there were."""
        ...

    def pending(self, request: Request, queue: str | None = None) -> list[Job]:
        """Give the jobs, in any order."""
        ...


class InMemoryJobs:
    """The model."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}

    def add(self, queue: str, request: Request, *, size: int = 0) -> str:
        assert type(request) is Request
        job = Job(self.new_id(), queue, size)
        self.jobs[job.id] = job
        return job.id

    def get(self, job_id: str, request: Request, /) -> Job | None:
        assert type(request) is Request
        return self.jobs.get(job_id)

    def drop(self, job_ids: list[str], request: Request) -> int:
        return sum(self.jobs.pop(each, None) is not None for each in job_ids)

    def pending(self, request: Request, queue: str | None = None) -> list[Job]:
        return [each for each in self.jobs.values() if queue is None or each.queue == queue]

    def new_id(self) -> str:
        return uuid4().hex


jobs = Contract(
    Jobs,
    model=InMemoryJobs,
    arguments={"queue": ["usual", "slow", "Slow", ""]},
    refs={"job_id": "Job.id", "drop.job_ids": "Job.id", "add.return": "Job.id"},
    generated=["Job.id", "add.return"],
    unordered=["pending"],
    context={"request": Request},
    name="jobs",
)


class Money:
    """Compares by identity; its canonical form is declared."""

    def __init__(self, amount: int, currency: str) -> None:
        self.amount, self.currency = amount, currency

    def __repr__(self) -> str:
        return f"Money({self.amount!r}, {self.currency!r})"


class Prices(Protocol):
    """Prices by name."""

    async def set(self, name: str, amount: int) -> None:
        """Set a price in euros."""
        ...

    async def get(self, name: str) -> list[Money]:
        """Give the price, if there is one."""
        ...


class InMemoryPrices:
    """The model."""

    def __init__(self) -> None:
        self.prices: dict[str, int] = {}

    async def set(self, name: str, amount: int) -> None:
        self.prices[name] = amount

    async def get(self, name: str) -> list[Money]:
        return [Money(self.prices[name], "EUR")] if name in self.prices else []


prices = Contract(
    Prices,
    model=InMemoryPrices,
    arguments={"name": ["a", "b"]},
    canonical={Money: lambda money: (money.amount, money.currency)},
    name="prices",
)


class ToyStore(Store):
    """Hands out what `make` makes; by default every handle is the first one."""

    def __init__(
        self,
        make: Callable[[], Any],
        second: Callable[[Any], Any] = lambda first: first,
        reopened: Callable[[Any], Any] = lambda first: first,
        endpoint: tuple[str, int] | None = None,
    ) -> None:
        self.address, self.endpoint = "toy", endpoint
        self._make, self._second, self._reopened = make, second, reopened
        self._first: Any = None

    async def fresh(self) -> Any:
        self._first = self._make()
        return self._first

    async def second(self) -> Any:
        return self._second(self._first)

    async def reopen(self) -> Any:
        return self._reopened(self._first)

    async def close(self) -> None:
        self._first = None


class ToyBackend(Backend):
    name = "toy"

    def __init__(self, *capabilities: Capability) -> None:
        self.capabilities = frozenset(capabilities)

    async def create_store(self, contract: Contract, server: Server) -> Store:
        return ToyStore(contract.model)


QUICK = Profile("quick", programs=100, steps=20)


def context(
    contract: Contract,
    store: Callable[[], Any] | Store,
    runner: asyncio.Runner,
    *,
    seed: int = 0,
    profile: Profile = QUICK,
    capabilities: tuple[Capability, ...] = (),
    **options: Any,
) -> CheckContext:
    """Give a check what it needs to run on a toy."""
    place = store if isinstance(store, Store) else ToyStore(store)
    backend = ToyBackend(*capabilities)
    return CheckContext(contract, backend, place, runner, profile, seed, **options)


def failure(check: Check, given: CheckContext) -> CheckFailed | None:
    """Run a check and give how it failed."""
    try:
        check.run(given)
    except CheckFailed as failed:
        return failed
    return None


def printed_test(failed: CheckFailed) -> str:
    """Give the test that a failure's text shows."""
    shown = failed.message.partition("as a test to paste:\n\n")[2]
    return "\n".join(line[4:] for line in shown.split("\n"))


def executed(source: str, **given: Any) -> BaseException | None:
    """Execute a printed test, with these names in its module; give what it raises."""
    space = dict(given)
    exec(compile(source, "printed", "exec"), space)  # noqa: S102 - what a failure prints is to be run
    try:
        space["test_program"]()
    except (Exception, BaseExceptionGroup) as error:
        return error
    except BaseException as error:  # pytest.raises fails with one that is no Exception
        if type(error).__name__ != "Failed":
            raise
        return error
    return None


def run_printed(
    source: str, make: Callable[[], Any], monkeypatch: Any, runner: asyncio.Runner
) -> BaseException | None:
    """Execute a printed test, whose storage is what `make` makes; give what it raises."""

    def run(self: Contract, program: Callable[[Any], Any], *, backend: str) -> None:
        assert backend == "toy"
        runner.run(program(make()))

    monkeypatch.setattr(Contract, "run", run)
    return executed(source)


def run_proving(source: str, given: CheckContext, monkeypatch: Any) -> BaseException | None:
    """Execute a printed test that has a check prove its program, here; give what it raises."""

    def prove(
        self: Contract, program: Any, *, check: str, backend: str, shared: bool = False
    ) -> None:
        assert backend == given.backend.name
        proof = check_called(self, check)
        replay = given.run(recorded(self, program, stores=proof.stores, shared=shared))
        proof.run(replace(given, replay=replay))

    monkeypatch.setattr(Contract, "prove", prove)
    return executed(source)


def runner() -> Iterator[asyncio.Runner]:
    """One event loop for a module's tests."""
    with asyncio.Runner() as made:
        yield made
