"""The check of faults finds each defect seeded into the database layer, and accuses it of none."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from storeproof.harness.backends.base import RunOptions, Server
from storeproof.harness.backends.postgres import PostgresBackend
from storeproof.harness.backends.postgres_url import PostgresUrl
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.faults import FaultsCheck
from storeproof.harness.exceptions import CheckFailed

from .losing import LOSING, DatabaseNotes, Opener, notes, opener

QUICK = Profile("quick", programs=20, steps=20)


Started = tuple[PostgresBackend, Server]


@pytest.fixture
def started(postgres_server: PostgresUrl, tmp_path: Path) -> Iterator[Started]:
    backend = PostgresBackend()
    url = postgres_server.render("postgresql")
    yield backend, backend.start(RunOptions(directory=tmp_path, postgres_url=url))
    backend.stop()


def failed(started: Started, opened: Opener) -> CheckFailed | None:
    notes.storages["postgres"] = opened
    backend, server = started
    with asyncio.Runner() as runner:
        store = runner.run(backend.create_store(notes, server))
        try:
            FaultsCheck().run(CheckContext(notes, backend, store, runner, QUICK, seed=0))
        except CheckFailed as error:
            return error
        finally:
            runner.run(store.close())
    return None


def test_what_is_correct_is_not_accused(started: Started) -> None:
    found = failed(started, opener(DatabaseNotes))
    assert found is None, found


TOLD = {
    "AddsToEachAlone": "No order of these calls",
    "CountsALostAnswerAsDone": "No order of these calls",
    "CallsALostAnswerSafe": "No order of these calls",
    "RepeatsEveryWrite": "No order of these calls",
    "LeaksWhatAsyncpgRaises": "which is none of the contract's errors",
    "WaitsForEver": "every call has to end within 4 (",
    "GivesDeadConnections": "on the same handle, 3 attempts later",
}


@pytest.mark.parametrize("name", LOSING)
def test_each_defect_is_found(started: Started, name: str) -> None:
    found = failed(started, LOSING[name])

    assert found is not None
    assert TOLD[name] in found.message, found.message
