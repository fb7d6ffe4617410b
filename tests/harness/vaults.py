"""A toy contract whose operations race, a correct storage of several handles, and broken ones.

Every storage here is right as long as one client calls at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NewType, Protocol

from storeproof import Contract
from storeproof.harness.backends.base import Store

from .toys import ToyStore

BoxId = NewType("BoxId", str)
LIMIT = 3


class VaultError(Exception):
    """Root of the errors of vaults."""


class Missing(VaultError):
    """There is no such box."""


class Taken(VaultError):
    """The id is taken."""


class Outdated(VaultError):
    """The box has another version."""


class Full(VaultError):
    """The box holds no more."""


@dataclass(frozen=True)
class Box:
    id: BoxId
    label: str = ""
    coins: int = 0
    version: int = 1


class Vault(Protocol):
    """Boxes of coins."""

    async def create(self, box: Box) -> Box:
        """Store a box. Raises Taken when its id is taken."""
        ...

    async def get(self, id: BoxId) -> Box:
        """Give a box. Raises Missing when there is none."""
        ...

    async def add(self, id: BoxId) -> None:
        """Put one more coin in. Raises Missing, or Full at 3 coins."""
        ...

    async def rename(self, id: BoxId, label: str) -> Box:
        """Change the label, nothing else. Raises Missing."""
        ...

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        """Change the label and count the version up. Raises Missing, then Outdated."""
        ...

    async def move(self, source: BoxId, target: BoxId) -> None:
        """Move all coins, whatever the limit. Raises Missing."""
        ...

    async def take(self) -> Box:
        """Remove the box with the least id and give it. Raises Missing when there is none."""
        ...

    async def list_boxes(self) -> list[Box]:
        """Give all boxes by id."""
        ...


class InMemoryVault:
    """The model."""

    def __init__(self) -> None:
        self.boxes: dict[str, Box] = {}

    async def create(self, box: Box) -> Box:
        if box.id in self.boxes:
            raise Taken
        self.boxes[box.id] = box
        return box

    async def get(self, id: BoxId) -> Box:
        return self.found(id)

    async def add(self, id: BoxId) -> None:
        box = self.found(id)
        if box.coins >= LIMIT:
            raise Full
        self.boxes[id] = replace(box, coins=box.coins + 1)

    async def rename(self, id: BoxId, label: str) -> Box:
        self.boxes[id] = replace(self.found(id), label=label)
        return self.boxes[id]

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        box = self.found(id)
        if box.version != version:
            raise Outdated
        self.boxes[id] = replace(box, label=label, version=version + 1)
        return self.boxes[id]

    async def move(self, source: BoxId, target: BoxId) -> None:
        full, other = self.found(source), self.found(target)
        if source != target:
            self.boxes[source] = replace(full, coins=0)
            self.boxes[target] = replace(other, coins=other.coins + full.coins)

    async def take(self) -> Box:
        if not self.boxes:
            raise Missing
        return self.boxes.pop(min(self.boxes))

    async def list_boxes(self) -> list[Box]:
        return [self.boxes[each] for each in sorted(self.boxes)]

    def found(self, id: str) -> Box:
        if id not in self.boxes:
            raise Missing
        return self.boxes[id]


vault = Contract(
    Vault,
    model=InMemoryVault,
    errors=[VaultError],
    arguments={
        BoxId: ["a", "b", "c"],
        "label": ["x", "y"],
        "version": [1, 2],
        "Box.coins": [0, 1, 2],
        "Box.label": ["x"],
        "Box.version": [1],
    },
    name="vault",
)


async def turn() -> None:
    """Let every other client make a step, as a server's answer does."""
    await asyncio.sleep(0)


@dataclass
class Data:
    """What the handles of one store share."""

    vault: InMemoryVault = field(default_factory=InMemoryVault)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: int = 0


class LockedVault:
    """Correct: every operation holds the lock of the store while it waits."""

    def __init__(self, data: Data | None = None) -> None:
        self.data = data or Data()
        self.rows = self.data.vault

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        async with self.data.lock:
            await turn()
            yield
            await turn()

    async def create(self, box: Box) -> Box:
        async with self.locked():
            return await self.rows.create(box)

    async def get(self, id: BoxId) -> Box:
        async with self.locked():
            return await self.rows.get(id)

    async def add(self, id: BoxId) -> None:
        async with self.locked():
            await self.rows.add(id)

    async def rename(self, id: BoxId, label: str) -> Box:
        async with self.locked():
            return await self.rows.rename(id, label)

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        async with self.locked():
            return await self.rows.update(id, label, version)

    async def move(self, source: BoxId, target: BoxId) -> None:
        async with self.locked():
            await self.rows.move(source, target)

    async def take(self) -> Box:
        async with self.locked():
            return await self.rows.take()

    async def list_boxes(self) -> list[Box]:
        async with self.locked():
            return await self.rows.list_boxes()


@dataclass(frozen=True)
class RacyMutant:
    """A defect that only several clients see, and the check that must find it, if none before.

    calls: the most that the shortest program may need.
    """

    make: type[LockedVault]
    check: str
    calls: int

    @property
    def name(self) -> str:
        return self.make.__name__


RACY: list[RacyMutant] = []


def racy(check: str, calls: int) -> Callable[[Any], Any]:
    def decorate(make: Any) -> Any:
        RACY.append(RacyMutant(make, check, calls))
        return make

    return decorate


@racy("bursts", 2)
class ChecksThenCreates(LockedVault):
    """Whether the id is free is asked before the box is stored."""

    async def create(self, box: Box) -> Box:
        if box.id in self.rows.boxes:
            raise Taken
        await turn()
        self.rows.boxes[box.id] = box
        return box


@racy("bursts", 4)
class ReadsModifiesWrites(LockedVault):
    """A coin is added to the number that was read a moment ago."""

    async def add(self, id: BoxId) -> None:
        box = self.rows.found(id)
        if box.coins >= LIMIT:
            raise Full
        await turn()
        if id in self.rows.boxes:
            self.rows.boxes[id] = replace(self.rows.boxes[id], coins=box.coins + 1)


@racy("bursts", 5)
class ChecksTheLimitOutside(LockedVault):
    """The limit is looked at before the lock is taken."""

    async def add(self, id: BoxId) -> None:
        if self.rows.found(id).coins >= LIMIT:
            raise Full
        async with self.locked():
            box = self.rows.found(id)
            self.rows.boxes[id] = replace(box, coins=box.coins + 1)


@racy("bursts", 3)
class ChecksTheVersionOutside(LockedVault):
    """The version is compared before the lock is taken."""

    async def update(self, id: BoxId, label: str, version: int) -> Box:
        if self.rows.found(id).version != version:
            raise Outdated
        async with self.locked():
            box = self.rows.found(id)
            self.rows.boxes[id] = replace(box, label=label, version=version + 1)
            return self.rows.boxes[id]


@racy("bursts", 4)
class WritesTheWholeRow(LockedVault):
    """A new label is stored with all else as it was read: the last one wins."""

    async def rename(self, id: BoxId, label: str) -> Box:
        box = self.rows.found(id)
        await turn()
        if id not in self.rows.boxes:
            raise Missing
        self.rows.boxes[id] = replace(box, label=label)
        return self.rows.boxes[id]


@racy("linearizability", 6)
class MovesInTwoSteps(LockedVault):
    """The coins are in neither box for a moment."""

    async def move(self, source: BoxId, target: BoxId) -> None:
        async with self.locked():
            full = self.rows.found(source)
            self.rows.found(target)
            if source != target:
                self.rows.boxes[source] = replace(full, coins=0)
        async with self.locked():
            other = self.rows.boxes.get(target)
            if source != target and other is not None:
                self.rows.boxes[target] = replace(other, coins=other.coins + full.coins)


@racy("bursts", 3)
class TakesTwice(LockedVault):
    """Two clients take the same box."""

    async def take(self) -> Box:
        if not self.rows.boxes:
            raise Missing
        box = self.rows.boxes[min(self.rows.boxes)]
        await turn()
        self.rows.boxes.pop(box.id, None)
        return box


@racy("linearizability", 5)
class Remembers(LockedVault):
    """A handle gives what it read before, unless it changed it itself."""

    def __init__(self, data: Data | None = None) -> None:
        super().__init__(data)
        self.known: dict[str, Box] = {}

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        before = dict(self.rows.boxes)
        async with super().locked():
            before = dict(self.rows.boxes)
            yield
            if before != self.rows.boxes:
                self.known.clear()

    async def get(self, id: BoxId) -> Box:
        if id not in self.known:
            self.known[id] = await super().get(id)
        return self.known[id]


@racy("bursts", 4)
class LocksItself(LockedVault):
    """Each handle has a lock of its own."""

    def __init__(self, data: Data | None = None) -> None:
        super().__init__(data)
        self.lock = asyncio.Lock()

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        async with self.lock:
            yield

    async def add(self, id: BoxId) -> None:
        async with self.lock:
            box = self.rows.found(id)
            await turn()
            if box.coins >= LIMIT:
                raise Full
            now = self.rows.found(id)
            self.rows.boxes[id] = replace(now, coins=box.coins + 1)


@racy("bursts", 2)
class SharesAVariable(LockedVault):
    """Right for a client for each handle; two that share one get in each other's way."""

    async def create(self, box: Box) -> Box:
        self.box = box
        async with self.locked():
            return await self.rows.create(self.box)


@racy("bursts", 2)
class GivesUp(LockedVault):
    """Raises what is none of the contract's errors where it would have to wait."""

    async def rename(self, id: BoxId, label: str) -> Box:
        if self.data.busy:
            raise RuntimeError("the store is locked")
        self.data.busy += 1
        try:
            return await super().rename(id, label)
        finally:
            self.data.busy -= 1


@racy("bursts", 3)
class AcknowledgesTooEarly(LockedVault):
    """A label is acknowledged before it is stored, which the next call of its handle waits for."""

    def __init__(self, data: Data | None = None) -> None:
        super().__init__(data)
        self.storing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        if self.storing is not None:
            await self.storing
            self.storing = None
        async with super().locked():
            yield

    async def rename(self, id: BoxId, label: str) -> Box:
        box = await self.get(id)
        self.storing = asyncio.create_task(self._store(id, label))
        return replace(box, label=label)

    async def _store(self, id: BoxId, label: str) -> None:
        for _ in range(40):
            await turn()
        if id in self.rows.boxes:
            await self.rows.rename(id, label)


@racy("linearizability", 3)
class LeavesAWindow(LockedVault):
    """Races only between the second call of one handle and another's."""

    def __init__(self, data: Data | None = None) -> None:
        super().__init__(data)
        self.calls = 0

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        self.calls += 1
        async with super().locked():
            yield

    async def create(self, box: Box) -> Box:
        if self.calls != 1:
            return await super().create(box)
        self.calls += 1
        if box.id in self.rows.boxes:
            raise Taken
        await turn()
        await turn()
        self.rows.boxes[box.id] = box
        return box


def vault_store(make: type[LockedVault]) -> Store:
    """Give a store whose handles share their data."""
    return ToyStore(make, lambda first: make(first.data))
