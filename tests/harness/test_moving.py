"""The checks of moving: defects of movers and verifiers are found, correct ones never accused."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storeproof import Contract, Moves
from storeproof.harness.apart import Apart
from storeproof.harness.backends.base import RunOptions, Server
from storeproof.harness.backends.memory import MemoryBackend
from storeproof.harness.backends.sqlite import SqliteBackend
from storeproof.harness.checks import move_checks, moving
from storeproof.harness.checks.base import Check, CheckContext, Profile
from storeproof.harness.exceptions import BackendUnavailable, Inconclusive, NotApplicable
from storeproof.harness.program import Program

from .parcels import MOVERS, Mover, parcels, replacing
from .toys import executed, failure, printed_test

PROFILE = Profile("few", programs=20, steps=10, moves=6, move_crashes=60)
CHECKS: dict[str, Check] = {each.id: each for each in move_checks()}


class Place:
    """A SQLite and a memory backend for contracts."""

    def __init__(self, runner: asyncio.Runner, directory: Path, left: ExitStack) -> None:
        self.runner, self._left = runner, left
        self.options = RunOptions(directory=directory)
        self.sqlite, self.memory = SqliteBackend(), MemoryBackend()
        self.apart = left.enter_context(closing(Apart()))
        self._server = self.sqlite.start(self.options)

    def context(self, contract: Contract, **given: Any) -> CheckContext:
        store = self.runner.run(self.sqlite.create_store(contract, self._server))
        self._left.callback(lambda: self.runner.run(store.close()))
        memory = self.runner.run(self.memory.create_store(contract, Server()))
        given = {
            "profile": PROFILE,
            "seed": 1,
            "apart": self.apart,
            "others": {"memory": lambda: memory},
            **given,
        }
        options = self.options
        return CheckContext(
            contract, self.sqlite, store, self.runner, server=self._server, options=options, **given
        )


@pytest.fixture(scope="module")
def place(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as left:
        yield Place(runner, tmp_path_factory.mktemp("place"), left)


@pytest.fixture(autouse=True)
def little_shortening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "_MOST_SECONDS", 8.0)


@pytest.mark.parametrize("mover", MOVERS, ids=lambda each: each.name)
def test_a_mover_with_a_defect_is_found(mover: Mover, place: Place) -> None:
    given = place.context(mover.contract)
    failed = failure(CHECKS[mover.check], given)
    assert failed is not None
    assert mover.told in failed.message, failed.message
    assert failed.program is not None
    assert len(failed.program.calls) <= 5, failed.message
    again = Program.from_json(given.contract, failed.program.to_json())
    assert failure(CHECKS[mover.check], replace(given, replay=again)) is not None


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("seed", range(3))
def test_a_correct_mover_is_not_accused(check: str, seed: int, place: Place) -> None:
    given = place.context((parcels, replacing)[seed % 2], seed=seed)
    CHECKS[check].run(given)
    assert given.tally.programs > 0


def test_a_contract_that_cannot_be_moved_is_told(place: Place) -> None:
    contract = parcels.with_moves(parcels.moves)
    contract.moves = None
    with pytest.raises(NotApplicable, match="says no way to move"):
        CHECKS["roundtrip"].run(place.context(contract))


def test_a_backend_that_cannot_be_had_leaves_the_pair_open(place: Place) -> None:
    def store() -> Any:
        raise BackendUnavailable("other", "it is gone", "Start it")

    with pytest.raises(Inconclusive, match="it is gone"):
        CHECKS["roundtrip"].run(place.context(parcels, others={"other": store}))


@pytest.mark.parametrize(
    "name",
    [
        "drops_microseconds",
        "compares_seconds",
        "reads_one_collection_after_the_other",
        "commits_each_row",
    ],
)
def test_the_printed_test_shows_the_same(name: str, place: Place) -> None:
    mover = next(each for each in MOVERS if each.name == name)
    failed = failure(CHECKS[mover.check], place.context(mover.contract))
    assert failed is not None
    source = printed_test(failed)
    beside = ', others=["memory"]' if mover.check == "roundtrip" else ""
    assert f'prove(program, check="{mover.check}", backend="sqlite"{beside})' in source
    raised = executed(source)
    assert isinstance(raised, AssertionError), raised
    assert mover.told in str(raised)


def test_an_error_of_a_mover_is_none_of_the_storage_s(place: Place) -> None:
    def nothing(*_: Any) -> None:
        raise OSError("no space left")

    given = place.context(parcels.with_moves(Moves(export=nothing, load=nothing)))
    failed = failure(CHECKS["roundtrip"], given)
    assert failed is not None
    assert "export raised OSError(no space left)" in failed.message
