"""The check of statements finds what costs more on more data, and accuses nothing else."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from storeproof import Contract
from storeproof.harness.backends.sqlite import SqliteBackend, SqliteStore
from storeproof.harness.backends.sqlite_statements import counting_statements
from storeproof.harness.checks.base import CheckContext, Profile
from storeproof.harness.checks.statements import StatementsCheck
from storeproof.harness.exceptions import CheckFailed, Inconclusive, NotApplicable
from storeproof.harness.program import Program

from .spenders import SPENDING, THRIFTY, DeletesRowByRow, ListsRowByRow, SqliteVault
from .toys import InMemoryNotes, context, failure, notes, printed_test, run_proving
from .vaults import InMemoryVault, Vault, VaultError

QUICK = Profile("quick", programs=20, steps=20)
arguments = {"version": [1, 2, 3], "Box.version": [1], "Box.coins": [0, 1, 2]}
versions = Contract(Vault, model=InMemoryVault, errors=[VaultError], arguments=arguments)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "vault.db"


def given(
    make: type[SqliteVault],
    path: Path,
    runner: asyncio.Runner,
    seed: int = 0,
    replay: Program | None = None,
) -> CheckContext:
    store = SqliteStore(make.open, path)
    return CheckContext(versions, SqliteBackend(), store, runner, QUICK, seed, replay=replay)


def failed_on(make: type[SqliteVault], *rest: Any, **options: Any) -> CheckFailed | None:
    checked = given(make, *rest, **options)
    try:
        return failure(StatementsCheck(), checked)
    finally:
        checked.run(checked.store.close())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("make", SPENDING)
def test_what_grows_with_the_data_is_found(
    make: type[SqliteVault], seed: int, path: Path, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, path, runner, seed)

    assert failed is not None
    assert f"is broken in Vault.{SPENDING[make]}\n" in failed.message
    assert failed.program is not None
    assert len(failed.program.steps) <= 3, failed.message


def test_the_statement_that_grows_is_shown(path: Path, runner: asyncio.Runner) -> None:
    failed = failed_on(ListsRowByRow, path, runner)

    assert failed is not None
    shown = " more: SELECT id, label, coins, version FROM boxes WHERE id = ?\n"
    assert shown in failed.message


@pytest.mark.parametrize("make", [ListsRowByRow, DeletesRowByRow])
def test_the_printed_test_passes_on_what_is_correct_and_fails_on_the_mutant(
    make: type[SqliteVault], path: Path, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failed_on(make, path, runner)
    assert failed is not None
    source = printed_test(failed)

    for kind, expected in ((SqliteVault, type(None)), (make, CheckFailed)):
        checked = given(kind, path, runner)
        raised = run_proving(source, checked, monkeypatch)
        runner.run(checked.store.close())
        assert isinstance(raised, expected), source


@pytest.mark.parametrize("make", [ListsRowByRow, DeletesRowByRow])
def test_the_saved_program_is_replayed(
    make: type[SqliteVault], path: Path, runner: asyncio.Runner
) -> None:
    failed = failed_on(make, path, runner)
    assert failed is not None
    assert failed.program is not None
    again = Program.from_json(versions, json.loads(json.dumps(failed.program.to_json())))

    assert failed_on(make, path, runner, replay=again) is not None
    assert failed_on(SqliteVault, path, runner, replay=again) is None


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("make", THRIFTY)
def test_what_costs_the_same_is_never_accused(
    make: type[SqliteVault], seed: int, path: Path, runner: asyncio.Runner
) -> None:
    checked = given(make, path, runner, seed)

    StatementsCheck().run(checked)
    runner.run(checked.store.close())

    assert checked.tally.untried == ()
    assert checked.tally.programs >= len(versions.operations) - 2


def test_where_nothing_counts_the_check_does_not_apply(path: Path, runner: asyncio.Runner) -> None:
    class Elsewhere(InMemoryVault):
        """Never uses the file."""

    with pytest.raises(NotApplicable, match="nothing counts the statements of toy"):
        StatementsCheck().run(context(notes, InMemoryNotes, runner, profile=QUICK))
    made: Any = lambda address: Elsewhere()  # noqa: E731 - an opener
    checked = CheckContext(versions, SqliteBackend(), SqliteStore(made, path), runner, QUICK, 0)
    with pytest.raises(NotApplicable, match="no statement was counted on sqlite"):
        StatementsCheck().run(checked)


def statements(path: Path, sql: list[tuple[str, tuple[Any, ...]]]) -> list[str]:
    with counting_statements() as counter, closing(sqlite3.connect(path)) as connection:
        for each in sql:
            connection.execute(*each)
    assert counter.total == len(counter.texts)
    return counter.texts


def test_statements_are_counted_in_whatever_thread_and_not_afterwards(path: Path) -> None:
    sql: list[tuple[str, tuple[Any, ...]]] = [("SELECT ?", (1,)), ("SELECT ?", (2,))]
    found: list[list[str]] = []
    thread = threading.Thread(target=lambda: found.append(statements(path, sql)))
    thread.start()
    thread.join()

    assert found == [["SELECT 1", "SELECT 2"]]
    with counting_statements() as counter:
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("SELECT 3")
    assert counter.texts == []
    assert counter.problem == ""


def test_what_sqlite_does_by_itself_is_not_counted(path: Path) -> None:
    sql: list[tuple[str, tuple[Any, ...]]] = [
        ("PRAGMA foreign_keys = ON", ()),
        ("CREATE TABLE p (id INTEGER PRIMARY KEY)", ()),
        ("CREATE TABLE k (p REFERENCES p ON DELETE CASCADE)", ()),
        ("INSERT INTO p VALUES (?)", (1,)),
        ("INSERT INTO k VALUES (?), (?), (?)", (1, 1, 1)),
        ("DELETE FROM p WHERE id = ?", (1,)),
    ]

    told = statements(path, sql)

    assert [each for each in told if not each.startswith("BEGIN")][-1] == (
        "DELETE FROM p WHERE id = 1"
    )
    assert sum(each.startswith("DELETE") for each in told) == 1


@pytest.fixture
def profiler() -> Iterator[None]:
    before = sys.getprofile()
    sys.setprofile(lambda *_: None)
    yield
    sys.setprofile(before)


@pytest.mark.usefixtures("profiler")
def test_under_a_profiler_the_check_shows_nothing(path: Path, runner: asyncio.Runner) -> None:
    class Plain(InMemoryVault):
        """Opens a connection in the thread that is profiled."""

        def __init__(self, address: str) -> None:
            super().__init__()
            sqlite3.connect(address.partition(":///")[2]).close()

    checked = CheckContext(versions, SqliteBackend(), SqliteStore(Plain, path), runner, QUICK, 0)
    with pytest.raises(Inconclusive, match="a profiler runs"):
        StatementsCheck().run(checked)
