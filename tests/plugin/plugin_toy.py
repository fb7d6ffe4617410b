"""The plugin's tests copy this module into the projects that they run pytest on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from storeproof.harness.backends.base import Backend, Capability, RunOptions, Server, Store
from storeproof.harness.checks.base import Check, CheckContext, Stage
from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.law import Law
from storeproof.harness.program import Call, Program
from storeproof.harness.suite import suite_class


class Missing(Exception):
    """Nothing has this key."""


class Notes(Protocol):
    """Texts by key."""

    async def get(self, key: str) -> str:
        """The text. Raises Missing when there is none."""
        ...

    async def put(self, key: str, text: str) -> None:
        """Store a text, replacing the one before it."""
        ...


class MemoryNotes:
    """The model."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    async def get(self, key: str) -> str:
        if key not in self.texts:
            raise Missing
        return self.texts[key]

    async def put(self, key: str, text: str) -> None:
        self.texts[key] = text


class Stripping(MemoryNotes):
    """Drops white space, which the model does not."""

    async def put(self, key: str, text: str) -> None:
        await super().put(key, text.strip())


class StubStore(Store):
    """One object, made anew when the store is emptied."""

    def __init__(self, make: Callable[[], Any], endpoint: tuple[str, int] | None = None) -> None:
        self.address, self.endpoint = "stub", endpoint
        self._make = make
        self._storage: Any = None

    async def fresh(self) -> Any:
        self._storage = self._make()
        return self._storage

    async def second(self) -> Any:
        return self._storage

    async def reopen(self) -> Any:
        return self._storage

    async def close(self) -> None:
        note("closed")


class StubBackend(Backend):
    """Objects of a contract's own class, on a server that only takes notes."""

    def __init__(self, name: str, *capabilities: Capability) -> None:
        self.name, self.capabilities = name, frozenset(capabilities)  # type: ignore[misc]

    def start(self, options: RunOptions) -> Server:
        note(f"start {self.name} in {os.getpid()}")
        description = f"Stub 1.2 of {self.name}"
        return Server(address="secret-password", description=description, version="1.2")

    def stop(self) -> None:
        note(f"stop {self.name}")

    async def create_store(self, contract: Contract, server: Server) -> Store:
        assert server.address == "secret-password"
        opener = self.opener(contract)
        note(f"store {contract.name} in {os.getpid()}")
        return StubStore(lambda: opener(server.address))


class StubCheck(Check):
    """Does what it is given as a function."""

    def __init__(self, id: str, stage: Stage, run: Callable[[CheckContext], None]) -> None:
        self.id, self.stage, self._run = id, stage, run  # type: ignore[misc]
        self.sentence = f"The sentence of {id}."  # type: ignore[misc]

    def run(self, context: CheckContext) -> None:
        note(f"{self.id} on {context.backend.name}, seed {context.seed}, {context.profile}")
        context.tally.programs += 1
        context.tally.operations += 2
        self._run(context)


def note(text: str) -> None:
    """Leave a line where the outer test reads it."""
    with Path(os.environ["TOY_NOTES"]).open("a") as notes:
        notes.write(f"{text}\n")


def passes(context: CheckContext) -> None:
    """Hold for every storage."""


def fails(context: CheckContext) -> None:
    """Hold for no storage."""
    raise CheckFailed("it is broken")


def strips(context: CheckContext) -> None:
    """Hold where white space is kept; gives a program where not."""
    program = context.replay or Program((Call("put", {"key": "a", "text": " b "}),))

    async def kept() -> bool:
        storage = await context.store.fresh()
        arguments = program.steps[0].arguments
        await storage.put(**arguments)
        return bool(await storage.get(arguments["key"]) == arguments["text"])

    if not context.run(kept()):
        raise CheckFailed("white space is dropped", program)


SIGNATURE = StubCheck("signature", Stage.SIGNATURE, passes)
AGREEMENT = StubCheck("agreement", Stage.AGREEMENT, passes)
PAGES = StubCheck("pages", Stage.PAGES, passes)
ALL = (PAGES, SIGNATURE, AGREEMENT)


def contract(name: str = "notes", laws: Iterable[Law] = (), **storages: Any) -> Contract:
    """Make a contract whose storages are opened by being called."""
    openers = {backend: lambda _, make=make: make() for backend, make in storages.items()}
    return Contract(
        Notes, model=MemoryNotes, storages=openers, errors=(Missing,), laws=laws, name=name
    )


def suite(
    *checks: Check, name: str = "notes", laws: Iterable[Law] = (), **storages: Any
) -> type[Any]:
    """Make a suite of the toy contract with these checks."""
    return suite_class(contract(name, laws, **storages), checks or ALL)
