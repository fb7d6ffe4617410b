"""The shipped check of crashes sees, at PostgreSQL's messages too, what is no one transaction."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storeproof import Contract
from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.continuing import Continued
from storeproof.harness.checks.moving import spread
from storeproof.harness.moving.crashing import CUTS, Crash
from storeproof.harness.program import Program
from storeproof.reference.auth.memory import InMemoryAuthStorage
from storeproof.reference.migration.laws import CONTRACTS, moves

RIGHT = CONTRACTS["auth"]
MOVES = moves("auth")


async def wipe_and_load(path: Path, storage: Any) -> None:
    """What was there is replaced by nothing in a transaction of its own."""
    nothing = path.with_name(secrets.token_hex(4))
    await MOVES.export(InMemoryAuthStorage(), nothing)
    await MOVES.load(nothing, storage)
    await MOVES.load(path, storage)


WIPES = RIGHT.with_moves(replace(MOVES, load=wipe_and_load))


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    made = PostgresBackend()
    server = made.start(RunOptions(directory=tmp_path_factory.mktemp("server")))
    yield made, server
    made.stop()


def problems(contract: Contract, backend: Any) -> list[str]:
    """Cut a load's connection at messages far apart; give what is wrong afterwards."""
    made, server = backend
    with asyncio.Runner() as runner, ExitStack() as left:
        store = runner.run(made.create_store(contract, server))
        left.callback(lambda: runner.run(store.close()))
        profile = Profile("few", programs=1, steps=10)
        context = CheckContext(contract, made, store, runner, profile, seed=3)
        program: Program = Continued("move_crash").programs(context, 1)[0]
        with Crash(context, program) as crash:
            messages, problem = crash.cut(None, 0)
            assert (problem, messages > 100) == ("", True)
            cuts = enumerate(spread(messages, 5))
            return [crash.cut(CUTS[number % 2], nth)[1] for number, nth in cuts]


def test_a_migration_cut_off_anywhere_happened_or_did_not(backend: Any) -> None:
    assert problems(RIGHT, backend) == [""] * 5


def test_what_is_deleted_before_is_found(backend: Any) -> None:
    sentence = "The target holds neither what it held before nor what was to be loaded."
    assert sentence in problems(WIPES, backend)
