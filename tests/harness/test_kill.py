"""The checks of reopening and killing find what does not outlive its process or its server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storeproof import Capability, Contract
from storeproof.harness.apart import Apart
from storeproof.harness.backends.base import Backend, RunOptions, Server
from storeproof.harness.backends.directory import DirectoryBackend
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.checks import outliving
from storeproof.harness.checks.base import Check, CheckContext, Profile
from storeproof.harness.checks.kill import KillCheck
from storeproof.harness.checks.reopen import ReopenCheck
from storeproof.harness.exceptions import CheckFailed
from storeproof.harness.program import Program

from .accounts import (
    MUTANTS,
    CachesOnReopen,
    DatabaseAccounts,
    FileAccounts,
    MovesInTwoTransactions,
    Mutant,
    Unlogged,
    WritesInPlace,
    contract,
    lines,
)
from .toys import failure, printed_test, run_proving

FEW = Profile(
    "few", programs=20, steps=10, reopenings=3, kills=120, killed_programs=1, server_kills=2
)
MOST = {"sqlite": 8, "directory": 8, "postgres": 20}
"""Calls of the shortest program; a server's kills are too dear to shorten one for long."""
BY_SERVER = replace(FEW, kills=3, killed_programs=0)
"""For what only the end of a server shows."""
CHECKS: dict[str, type[Check]] = {"kill": KillCheck, "reopen": ReopenCheck}


@pytest.fixture(autouse=True)
def little_shortening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outliving, "_MOST_SECONDS", 8.0)


class Named(SqliteBackend):
    """Opens the storage of a class's name."""

    def __init__(self, name: str) -> None:
        self.name = name  # type: ignore[misc]  # one backend for each class


class NamedPostgres(PostgresBackend):
    """Opens the storage of a class's name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name  # type: ignore[misc]  # one backend for each class


class Place:
    """Where checks run: a server of each kind, and the processes that they need."""

    def __init__(self, runner: asyncio.Runner, directory: Path, left: ExitStack) -> None:
        self.runner, self.options, self._left = runner, RunOptions(directory=directory), left
        self.apart = left.enter_context(closing(Apart()))
        self._servers: dict[str, Server] = {}

    def context(
        self, kind: str, name: str, contract: Contract = contract, **given: Any
    ) -> CheckContext:
        """Give a check what it needs to run the storage of a class's name."""
        backend = self._backend(kind, name)
        if kind not in self._servers:
            started = self._backend(kind, kind)
            self._servers[kind] = started.start(self.options)
            self._left.callback(started.stop)
        store = self.runner.run(backend.create_store(contract, self._servers[kind]))
        self._left.callback(lambda: self.runner.run(store.close()))
        given = {"profile": FEW, "seed": 1, "apart": self.apart, **given}
        return CheckContext(contract, backend, store, self.runner, options=self.options, **given)

    def _backend(self, kind: str, name: str) -> Backend:
        if kind == "directory":
            return DirectoryBackend(name, capabilities=[Capability.SURVIVES_RESTART])
        return Named(name) if kind == "sqlite" else NamedPostgres(name)


@pytest.fixture(scope="module")
def place(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as left:
        yield Place(runner, tmp_path_factory.mktemp("place"), left)


EVERYWHERE = [
    pytest.param(mutant, kind, id=f"{mutant.name}-{kind}")
    for mutant in MUTANTS
    for kind in mutant.backends
]


@pytest.mark.parametrize(("mutant", "kind"), EVERYWHERE)
def test_what_outlives_nothing_is_found(mutant: Mutant, kind: str, place: Place) -> None:
    profile = BY_SERVER if mutant.backends == ("postgres",) else FEW
    failed = failure(CHECKS[mutant.check](), place.context(kind, mutant.name, profile=profile))

    assert failed is not None
    assert mutant.told in failed.message, failed.message
    assert failed.program is not None
    assert len(failed.program.calls) <= MOST[kind], failed.message


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (MovesInTwoTransactions, "sqlite"),
        (WritesInPlace, "directory"),
        (CachesOnReopen, "sqlite"),
        (Unlogged, "postgres"),
    ],
)
def test_the_printed_test_and_the_saved_program_show_it_again(
    make: type, kind: str, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mutant,) = (each for each in MUTANTS if each.make is make)
    check = CHECKS[mutant.check]()
    failed = failure(check, place.context(kind, mutant.name))
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(contract, json.loads(json.dumps(failed.program.to_json())))
    right = FileAccounts if kind == "directory" else DatabaseAccounts

    assert failure(check, place.context(kind, mutant.name, replay=again)) is not None
    assert failure(check, place.context(kind, right.__name__, replay=again)) is None

    source = printed_test(failed).replace(f'backend="{mutant.name}"', "backend=BACKEND")
    for name, expected in ((right.__name__, type(None)), (mutant.name, CheckFailed)):
        named = f'BACKEND = "{name}"\n{source}'
        raised = run_proving(named, place.context(kind, name), monkeypatch)
        assert isinstance(raised, expected), source


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", ["sqlite", "postgres", "directory"])
def test_what_is_correct_is_never_accused(kind: str, check: str, seed: int, place: Place) -> None:
    right = FileAccounts if kind == "directory" else DatabaseAccounts
    given = place.context(kind, right.__name__, seed=seed)

    CHECKS[check]().run(given)

    assert given.tally.programs > 0
    assert given.tally.untried == ()


def test_calls_that_are_not_async_are_killed_too(place: Place) -> None:
    for make in ("FileLines", "WritesHalfLines"):
        given = place.context("directory", make, lines)
        failed = failure(KillCheck(), given)
        assert (failed is not None) == (make == "WritesHalfLines")
        assert failure(ReopenCheck(), given) is None
