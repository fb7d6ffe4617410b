"""The check of isolation: two stores that share something are found, others never accused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar

import pytest

from storeproof import Contract
from storeproof.harness.backends.base import Server, Store
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.isolation import IsolationCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive
from storeproof.harness.program import Program

from .mutants import NumberedTasks
from .toys import (
    InMemoryJobs,
    InMemoryNotes,
    ToyBackend,
    ToyStore,
    failure,
    jobs,
    notes,
    printed_test,
    run_proving,
    tasks,
)
from .vaults import Box, BoxId, InMemoryVault, vault

PROFILE = Profile("few", programs=200, steps=15)
BOXES: dict[str, Box] = {}


class GlobalDict(InMemoryVault):
    """All instances have one dict, that of the module; opening a store empties it."""

    def __init__(self) -> None:
        self.boxes = BOXES
        BOXES.clear()


class ClassCache(InMemoryVault):
    """What was read stays in an attribute of the class until it changes."""

    cache: ClassVar[dict[str, Box]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.cache.clear()

    async def get(self, id: BoxId) -> Box:
        found = self.cache.get(id)
        if found is None or (id in self.boxes and self.boxes[id] != found):
            found = self.cache[id] = await super().get(id)
        return found

    async def take(self) -> Box:
        box = await super().take()
        self.cache.pop(box.id, None)
        return box


class FixedName(InMemoryVault):
    """Every store is in the file of one name."""

    path: ClassVar[Path]

    def __init__(self) -> None:
        super().__init__()
        with self.connection() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS boxes (id TEXT, data TEXT)")
            connection.execute("DELETE FROM boxes")

    def connection(self) -> closing[sqlite3.Connection]:
        return closing(sqlite3.connect(self.path, isolation_level=None))

    def __getattribute__(self, name: str) -> Any:
        if name in vault.operations:
            return lambda *given, **named: self.made(name, given, named)
        return super().__getattribute__(name)

    async def made(self, name: str, given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self.connection() as connection:
            rows = connection.execute("SELECT data FROM boxes").fetchall()
            self.boxes = {row["id"]: Box(**row) for row in (json.loads(text) for (text,) in rows)}
            try:
                return await getattr(InMemoryVault, name)(self, *given, **named)
            finally:
                connection.execute("DELETE FROM boxes")
                for box in self.boxes.values():
                    row = (box.id, json.dumps(asdict(box)))
                    connection.execute("INSERT INTO boxes VALUES (?, ?)", row)


class Stores(ToyBackend):
    """Every store holds what `make` makes."""

    def __init__(self, make: Callable[[], Any]) -> None:
        super().__init__()
        self.make = make
        self.closed = 0

    async def create_store(self, contract: Contract, server: Server) -> Store:
        backend = self

        class Counted(ToyStore):
            async def close(self) -> None:
                backend.closed += 1

        return Counted(self.make)


def given(
    contract: Contract,
    make: Callable[[], Any],
    runner: asyncio.Runner,
    seed: int = 0,
    replay: Program | None = None,
) -> CheckContext:
    backend = Stores(make)
    store = ToyStore(make)
    return CheckContext(contract, backend, store, runner, PROFILE, seed, replay=replay)


@pytest.fixture(autouse=True)
def fixed_name(tmp_path: Path) -> Iterator[None]:
    FixedName.path = tmp_path / "vault.db"
    yield
    BOXES.clear()
    ClassCache.cache.clear()


SHARING = (GlobalDict, ClassCache, FixedName)


def failed_on(make: Callable[[], Any], runner: asyncio.Runner, seed: int = 0) -> CheckFailed:
    failed = failure(IsolationCheck(), given(vault, make, runner, seed))
    assert failed is not None
    return failed


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", SHARING)
def test_stores_that_share_something_are_found_and_the_program_is_short(
    make: Callable[[], Any], seed: int, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, runner, seed)

    assert failed.program is not None
    assert len(failed.program.calls) <= 6, failed.message
    assert " store_1." in failed.message
    assert " store_2." in failed.message


@pytest.mark.parametrize("make", SHARING)
def test_the_printed_test_passes_on_what_is_correct_and_fails_on_the_mutant(
    make: Callable[[], Any], runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = printed_test(failed_on(make, runner))

    assert run_proving(source, given(vault, InMemoryVault, runner), monkeypatch) is None
    raised = run_proving(source, given(vault, make, runner), monkeypatch)
    assert isinstance(raised, CheckFailed), source


class SharedTasks(NumberedTasks):
    """All instances have one list of tasks; opening a store empties it."""

    kept: ClassVar[dict[Any, Any]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.tasks = self.kept
        self.kept.clear()


def test_the_printed_test_refers_to_what_each_store_made(
    runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failure(IsolationCheck(), given(tasks, SharedTasks, runner))
    assert failed is not None
    source = printed_test(failed)

    assert run_proving(source, given(tasks, NumberedTasks, runner), monkeypatch) is None
    raised = run_proving(source, given(tasks, SharedTasks, runner), monkeypatch)
    assert isinstance(raised, CheckFailed), source


def test_the_saved_program_is_replayed(runner: asyncio.Runner) -> None:
    program = failed_on(GlobalDict, runner).program
    assert program is not None
    again = Program.from_json(vault, json.loads(json.dumps(program.to_json())))

    assert failure(IsolationCheck(), given(vault, GlobalDict, runner, replay=again)) is not None
    assert failure(IsolationCheck(), given(vault, InMemoryVault, runner, replay=again)) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("contract", "make"),
    [
        (vault, InMemoryVault),
        (notes, InMemoryNotes),
        (tasks, NumberedTasks),
        (jobs, InMemoryJobs),
    ],
)
def test_stores_that_share_nothing_are_never_accused(
    contract: Contract, make: Callable[[], Any], seed: int, runner: asyncio.Runner
) -> None:
    context = given(contract, make, runner, seed)

    IsolationCheck().run(context)

    assert context.tally.programs == PROFILE.programs // 10
    assert context.tally.operations > 100
    assert isinstance(context.backend, Stores)
    assert context.backend.closed == 1


def test_what_fails_alone_as_well_is_left_to_other_checks(runner: asyncio.Runner) -> None:
    class LosesLabels(InMemoryVault):
        async def rename(self, id: BoxId, label: str) -> Box:
            return await super().rename(id, "")

    IsolationCheck().run(given(vault, LosesLabels, runner))


def test_a_backend_without_a_second_store_shows_nothing(runner: asyncio.Runner) -> None:
    context = given(vault, InMemoryVault, runner)

    class Only(ToyBackend):
        async def create_store(self, contract: Contract, server: Server) -> Store:
            raise OSError("the only place is taken")

    context.backend = Only()

    with pytest.raises(Inconclusive, match=r"toy can't create a second store \(OSError"):
        IsolationCheck().run(context)
