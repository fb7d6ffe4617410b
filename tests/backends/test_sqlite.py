"""The SQLite backend gives files of its own and empties them between programs."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from storeproof.harness.backends import sqlite
from storeproof.harness.backends.base import RunOptions
from storeproof.harness.backends.sqlite import SqliteBackend, SqliteStore
from storeproof.harness.contract import Contract
from storeproof.harness.exceptions import BackendUnavailable, CheckFailed, ContractError

from .examples import MemoryNotes, Notes, notes_contract, run


def with_store(options: RunOptions, use: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def program() -> None:
        store = await worker.create_store(notes_contract(), server)
        try:
            await use(store)
        finally:
            await store.close()

    server = SqliteBackend().start(options)
    worker = SqliteBackend()  # under pytest-xdist a worker's backend is never started
    run(program())


def path_of(store: SqliteStore) -> Path:
    return Path(store.address.removeprefix("sqlite+aiosqlite:///"))


def test_the_description_names_the_librarys_version(options: RunOptions) -> None:
    server = SqliteBackend().start(options)
    assert server.description == f"SQLite {sqlite3.sqlite_version}"
    assert server.version == sqlite3.sqlite_version


def test_a_lazily_created_table_is_emptied(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.fresh()).get_all() == {}

    with_store(options, use)


def test_clients_stay_open_and_find_the_place_empty(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        three = await store.clients(3)
        await three[0].put("a", "1")
        assert [await each.get_all() for each in three] == [{"a": "1"}] * 3
        two = await store.clients(2)
        assert [one is other for one, other in zip(two, three, strict=False)] == [True, True]
        assert [await each.get_all() for each in three] == [{}] * 3

        await store.fresh()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            await three[1].get_all()
        assert (await store.clients(2))[1] is not three[1]

    with_store(options, use)


def test_an_unopened_file_is_not_created_by_emptying(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        await store.empty()
        assert not path_of(store).exists()

    with_store(options, use)


def test_data_is_shared_between_handles_and_survives_their_closing(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        await (await store.fresh()).put("a", "1")
        assert await (await store.second()).get_all() == {"a": "1"}
        assert await (await store.reopen()).get_all() == {"a": "1"}

    with_store(options, use)


def test_other_handles_are_closed_before_the_next_program(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        first = await store.fresh()
        other = await store.second()
        assert await store.fresh() is first
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            await other.put("a", "1")

    with_store(options, use)


def test_only_files_of_its_own_are_removed(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        await (await store.fresh()).put("a", "1")
        path_of(store).with_name("stranger.db").write_text("not ours")

    with_store(options, use)
    assert [each.name for each in (options.directory / "sqlite").iterdir()] == ["stranger.db"]


SCHEMA = """
CREATE TABLE parents (id INTEGER PRIMARY KEY AUTOINCREMENT, child INTEGER REFERENCES children(id));
CREATE TABLE children (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parents(id));
CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE alembic_version (version_num TEXT);
CREATE TABLE storeproof_schema_version (version TEXT);
CREATE TABLE audit (line TEXT);
CREATE TRIGGER append_only BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'append only'); END;
CREATE TRIGGER told AFTER DELETE ON children BEGIN INSERT INTO audit VALUES ('deleted'); END;
CREATE VIEW seen AS SELECT * FROM audit;
INSERT INTO parents (id) VALUES (1);
INSERT INTO children VALUES (1, 1);
INSERT INTO alembic_version VALUES ('1');
INSERT INTO storeproof_schema_version VALUES ('1');
INSERT INTO "odd ""name" VALUES (1);
INSERT INTO audit VALUES ('kept');
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(SCHEMA)
    return path


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - the tests' own


@pytest.mark.parametrize("table", ["parents", "children", '"odd ""name"', "audit"])
def test_cycles_triggers_and_odd_names_do_not_stop_the_emptying(file: Path, table: str) -> None:
    sqlite.delete_rows(file, 0)
    assert rows(file, table) == []


@pytest.mark.parametrize("table", ["alembic_version", "storeproof_schema_version"])
def test_the_schemas_version_survives(file: Path, table: str) -> None:
    sqlite.delete_rows(file, 0)
    assert rows(file, table) == [("1",)]


def test_triggers_are_in_force_again_afterwards(file: Path) -> None:
    sqlite.delete_rows(file, 0)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO audit VALUES ('new')")
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            connection.execute("DELETE FROM audit")


def test_automatic_ids_start_again(file: Path) -> None:
    sqlite.delete_rows(file, 0)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("INSERT INTO parents DEFAULT VALUES").lastrowid == 1


def test_a_search_index_is_emptied_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "search.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE VIRTUAL TABLE texts USING fts5(body); INSERT INTO texts VALUES ('word');"
        )
    sqlite.delete_rows(path, 0)
    assert rows(path, "texts WHERE texts MATCH 'word'") == []
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO texts(texts) VALUES ('integrity-check')")


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_the_file_is_not_left_locked_and_its_journal_mode_stays(file: Path, mode: str) -> None:
    with closing(sqlite3.connect(file, timeout=0)) as storage:
        storage.execute(f"PRAGMA journal_mode = {mode}")
        sqlite.delete_rows(file, 0)
        storage.execute("BEGIN EXCLUSIVE")
        storage.execute("COMMIT")
        assert storage.execute("PRAGMA journal_mode").fetchone() == (mode.lower(),)


def test_a_transaction_that_stays_open_is_the_storages_fault(
    options: RunOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(store: SqliteStore) -> None:
        notes = await store.fresh()
        await notes.put("a", "1")
        notes.connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(CheckFailed, match="left a transaction open"):
            await store.fresh()

    monkeypatch.setattr(sqlite, "LOCK_SECONDS", 0.01)
    with_store(options, use)


def test_a_transaction_that_ends_in_time_is_waited_for(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        notes = await store.fresh()
        await notes.put("a", "1")
        notes.connection.execute("BEGIN IMMEDIATE")
        emptying = asyncio.ensure_future(store.empty())
        await asyncio.sleep(0)
        notes.connection.execute("COMMIT")
        await emptying
        assert await notes.get_all() == {}

    with_store(options, use)


def test_a_file_that_is_no_database_is_one_sentence(options: RunOptions) -> None:
    async def use(store: SqliteStore) -> None:
        path_of(store).write_text("this is not a database, however long it may be" * 20)
        with pytest.raises(BackendUnavailable, match="can't be emptied"):
            await store.fresh()

    with_store(options, use)


def test_a_contract_that_names_no_storage_is_refused(options: RunOptions) -> None:
    backend = SqliteBackend()
    server = backend.start(options)
    with pytest.raises(ContractError, match="opened on sqlite"):
        run(backend.create_store(Contract(Notes, model=MemoryNotes), server))
